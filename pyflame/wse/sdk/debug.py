"""debug_util: symbols and <debug> traces of a run, by fabric coordinates."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError
from pyflame.wse.sdk import finished_runs
from pyflame.wse.sdk.traces import Traced, decode_trace


class debug_util:
    """Reads PE memory of the last run of a program folder in this process.

    Coordinates are those of the fabric: the first PE of a program is at its fabric
    offsets.

    Raises:
        HostError: no run of that folder is known, or `cmaddr` names a system.
    """

    def __init__(
        self, bindir: str | os.PathLike[str], cmaddr: str | None = None
    ) -> None:
        if cmaddr:
            raise HostError(
                f"debug_util: cmaddr '{cmaddr}' names a system; only simulated runs "
                "can be inspected"
            )
        self._runtime = finished_runs.last_run(bindir)

    def get_symbol(self, col: int, row: int, symbol: str, dtype: Any) -> NDArray[Any]:
        """The contents of a symbol of one PE: a one-dimensional array."""
        x, y = self._logical(col, row)
        return self._runtime.read_symbol(x, y, symbol, dtype)

    def get_symbol_rect(
        self,
        rectangle: tuple[tuple[int, int], tuple[int, int]],
        symbol: str,
        dtype: Any,
    ) -> NDArray[Any]:
        """The contents of a symbol of many PEs: an array [width, height, n].

        Args:
            rectangle: ((column, row), (width, height)).
        """
        (col, row), (width, height) = rectangle
        return np.array(
            [
                [
                    self.get_symbol(col + i, row + j, symbol, dtype)
                    for j in range(height)
                ]
                for i in range(width)
            ]
        )

    def read_trace(self, col: int, row: int, key: str) -> list[Traced]:
        """What the <debug> module imported with that key recorded on one PE."""
        prefix = f"$$csl_debug.{key}."
        used = int(self.get_symbol(col, row, prefix + "buffer_index", np.uint16)[0])
        words = self.get_symbol(col, row, prefix + "buffer", np.uint16)
        return decode_trace(words[:used])

    def _logical(self, col: int, row: int) -> tuple[int, int]:
        x, y = self._runtime.coord_logical_to_physical((0, 0))
        return col - x, row - y
