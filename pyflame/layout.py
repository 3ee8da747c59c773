"""How a tensor lies on the mesh of PEs, and the coordinate of one PE."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyflame.errors import ArgumentError, ShapeError
from pyflame.shown import Shown


class PECoord(NamedTuple):
    """A PE by row (southward) and column (eastward), both from 0."""

    row: int
    col: int


@dataclass(frozen=True, slots=True)
class MeshLayout(Shown):
    """How a tensor is distributed; make one with the four class methods.

    `kind` is single_pe, row_partition, col_partition or grid, over `rows` x `cols`
    PEs. Sizes need not divide: a PE holds ceil(n / count) elements of a dimension.
    """

    kind: str
    rows: int
    cols: int

    @classmethod
    def single_pe(cls) -> MeshLayout:
        """All data on PE(0, 0)."""
        return cls("single_pe", 1, 1)

    @classmethod
    def row_partition(cls, n: int) -> MeshLayout:
        """The first dimension over `n` rows of PEs.

        Raises: ArgumentError, if `n` is not a positive integer.
        """
        return cls("row_partition", _count("row_partition", "n", n), 1)

    @classmethod
    def col_partition(cls, n: int) -> MeshLayout:
        """The last dimension over `n` columns of PEs.

        Raises: ArgumentError, if `n` is not a positive integer.
        """
        return cls("col_partition", 1, _count("col_partition", "n", n))

    @classmethod
    def grid(cls, rows: int, cols: int) -> MeshLayout:
        """The last two dimensions over `rows` x `cols` PEs; a vector uses the columns.

        Raises: ArgumentError, if a count is not a positive integer.
        """
        return cls("grid", _count("grid", "rows", rows), _count("grid", "cols", cols))

    @property
    def num_pes(self) -> int:
        """The number of PEs."""
        return self.rows * self.cols

    def __str__(self) -> str:
        counts = {
            "row_partition": f"({self.rows})",
            "col_partition": f"({self.cols})",
            "grid": f"({self.rows}, {self.cols})",
        }
        return f"{self.kind}{counts.get(self.kind, '')}"

    def __repr__(self) -> str:
        text = str(self)
        return f"MeshLayout.{text if text.endswith(')') else text + '()'}"


def check_layout(
    what: str, layout: Any, shape: Sequence[int] | None = None
) -> MeshLayout | None:
    """Returns `layout`, if it is one or None, and fits the shape.

    Raises: ArgumentError, that names `what` asked; ShapeError for a scalar spread over
    several PEs.
    """
    if layout is None:
        return None
    if isinstance(layout, MeshLayout):
        if shape is not None and not len(shape) and layout.num_pes > 1:
            raise ShapeError(
                f"{what}: layout {layout} of a scalar, which has no dimension",
                rule="row_partition spreads the first dimension, col_partition the "
                "last, grid the last two",
                help="leave the layout out, or use pf.MeshLayout.single_pe()",
            )
        return layout
    raise ArgumentError(
        f"{what}: {layout!r} is no layout",
        rule="a layout is None or a pf.MeshLayout",
        help="use pf.MeshLayout.single_pe(), row_partition(n), col_partition(n) "
        "or grid(rows, cols)",
    )


def _count(kind: str, name: str, value: Any) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, bool):
        raise ArgumentError(
            f"MeshLayout.{kind}: {name}={value!r} is no number of PEs",
            rule="a layout has at least one row and one column of PEs",
            help="use an integer of 1 or more",
        )
    return count
