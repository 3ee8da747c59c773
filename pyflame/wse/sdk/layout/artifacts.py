"""What `SdkLayout.compile` gives: a program folder, by path."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import HostPort
from pyflame.wse.sdk import saved

PORT_MAP = "port_map.json"


class SdkCompileArtifacts:
    """A compiled layout on disk.

    Args:
        path: the folder, `out_prefix` of the compile.
    Raises:
        HostError: no compiled layout in the folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        placement = saved.load(self.path).placement
        if placement is None:
            raise HostError(
                f"the program in '{self.path}' was compiled by cslc from a layout "
                "block; pass the folder itself to SdkRuntime"
            )
        self._ports = port_map(placement.wiring.host_ports)

    def add_port_mapping(self, file: str | os.PathLike[str]) -> None:
        """Checks a port map against the program, which knows its ports already.

        Raises:
            HostError: no port map, or one of another program.
        """
        try:
            table = json.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise HostError(f"'{file}' is no port map: {error}") from error
        ports = cast("dict[str, Any]", table) if isinstance(table, dict) else {}
        if ports != self._ports:
            raise HostError(
                f"the port map '{file}' names ports {sorted(ports)}, but the program "
                f"in '{self.path}' has {sorted(self._ports)}"
            )


def port_map(ports: tuple[HostPort, ...]) -> dict[str, Any]:
    """Number, direction, PE and color of every port by its name."""
    return {
        port.name: {
            "id": number,
            "direction": port.direction,
            "pe": [port.side.x, port.side.y],
            "color": port.side.color,
        }
        for number, port in enumerate(ports)
    }
