"""SdkLayout: regions, connections and streams, compiled to a program folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pyflame.wse.errors import HostError
from pyflame.wse.language.compile import parsed
from pyflame.wse.language.image import Image, Options
from pyflame.wse.language.placement import Placement, compile_placement
from pyflame.wse.language.reader import FileReader
from pyflame.wse.sdk import saved
from pyflame.wse.sdk.enums import FP16TYPE, SdkTarget
from pyflame.wse.sdk.layout.artifacts import PORT_MAP, SdkCompileArtifacts, port_map
from pyflame.wse.sdk.layout.build import Builder
from pyflame.wse.sdk.layout.platform import SdkExecutionPlatform, get_simulator
from pyflame.wse.sdk.layout.ports import PortHandle
from pyflame.wse.sdk.layout.region import CodeRegion
from pyflame.wse.sdk.layout.streams import Links
from pyflame.wse.sdk.layout.symbols import check_symbol
from pyflame.wse.sdk.layout.vectors import IntVector, need_vector
from pyflame.wse.sdk.runtime_checks import check_message_level


class SdkLayout:
    """A program whose layout is built in Python.

    Args:
        platform: from `get_platform`, or an SdkTarget.
        msg_level: DEBUG, INFO, WARNING or ERROR; with ERROR the compiler's warnings
            are not printed to stderr.
    Raises:
        HostError: anything else; the vendor's fabric files are not read.
    """

    def __init__(
        self, platform: SdkExecutionPlatform | SdkTarget, *, msg_level: str = "WARNING"
    ) -> None:
        check_message_level(msg_level)
        if isinstance(platform, SdkTarget):
            platform = get_simulator(target=platform)
        if not isinstance(platform, SdkExecutionPlatform):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise HostError(
                "SdkLayout takes a platform from get_platform() or an SdkTarget, not "
                f"{type(platform).__name__}"
            )
        self._arch = platform.arch
        self._shows_warnings = msg_level != "ERROR"
        self._reader = FileReader()
        self._regions: dict[str, CodeRegion] = {}
        self._links = Links()

    # --- regions ------------------------------------------------------------------

    def create_code_region(
        self, source: str | os.PathLike[str], name: str, width: int, height: int
    ) -> CodeRegion:
        """A rectangle of PEs that run a file, named relative to the working directory.

        Raises:
            HostError: a name that is taken, or an empty rectangle.
            CslError: the file is missing or cannot be parsed.
        """
        if name in self._regions:
            raise HostError(f"there is a code region '{name}' already")
        if width < 1 or height < 1:
            raise HostError(
                f"code region '{name}' of {width} x {height} PEs: both sides must be "
                "positive"
            )
        text = self._reader.read(os.fspath(source))
        params = {g.name for g in parsed(text).globals if g.kind == "param"}
        region = CodeRegion(text, params, name, width, height)
        self._regions[name] = region
        return region

    def hstack(
        self, children: Sequence[CodeRegion], origin: IntVector | None = None
    ) -> int:
        """Places regions side by side from `origin`, by default (0, 0).

        Returns:
            The column behind the last of them.
        """
        at = _origin(origin)
        x = at.x
        for region in _regions(children, "hstack"):
            region.place(x, at.y)
            x += region.width
        return x

    def vstack(
        self, children: Sequence[CodeRegion], origin: IntVector | None = None
    ) -> int:
        """Places regions below each other from `origin`, by default (0, 0).

        Returns:
            The row behind the last of them.
        """
        at = _origin(origin)
        y = at.y
        for region in _regions(children, "vstack"):
            region.place(at.x, y)
            y += region.height
        return y

    # --- connections and streams --------------------------------------------------

    def connect(self, tx: PortHandle, rx: PortHandle) -> None:
        """Joins an output port to an input port, lane by lane.

        Raises:
            HostError: wrong directions, sizes that disagree, or a port in use.
        """
        self._links.connect(tx, rx)

    def create_input_stream(
        self,
        port: PortHandle,
        io_loc: IntVector | None = None,
        io_buffer_size: int = 1024,
    ) -> str:
        """Lets the host feed an input port of one PE.

        Args:
            io_loc: where the wavelets come onto the wafer; None: beside the port.
            io_buffer_size: in wavelets.
        Returns:
            The port's name for `SdkRuntime.send`.
        Raises:
            HostError: the wrong direction, several PEs, or a port in use.
        """
        return self._links.add_stream(port, "input", io_loc, io_buffer_size)

    def create_output_stream(
        self,
        port: PortHandle,
        io_loc: IntVector | None = None,
        io_buffer_size: int = 1024,
    ) -> str:
        """Lets the host drain an output port of one PE: see `create_input_stream`."""
        return self._links.add_stream(port, "output", io_loc, io_buffer_size)

    def create_input_stream_from_loc(self, *_: object, **__: object) -> NoReturn:
        """Refused: streams start at ports."""
        _refuse_loc("input")

    def create_output_stream_from_loc(self, *_: object, **__: object) -> NoReturn:
        """Refused: streams end at ports."""
        _refuse_loc("output")

    # --- compilation --------------------------------------------------------------

    def compile(
        self,
        out_prefix: str | os.PathLike[str],
        libs: Sequence[str] = (),
        cslc_prefix: str = "",
        save_port_map: bool = False,
        f16_type: FP16TYPE = FP16TYPE.F16,
    ) -> SdkCompileArtifacts:
        """Compiles all regions and writes the program folder `out_prefix`.

        Args:
            libs: folders for imports of the form <name>.
            cslc_prefix: must stay empty: the compiler is part of this package.
            save_port_map: also write `port_map.json` into the folder.
        Raises:
            HostError: the layout contradicts itself or the hardware.
            CslError: a program breaks a rule of the language.
        """
        if cslc_prefix:
            raise HostError(
                f"compile: cslc_prefix '{cslc_prefix}' names another compiler, but "
                "layouts are compiled in process; leave it out"
            )
        if not self._regions:
            raise HostError("compile: the layout has no code region")
        builder = Builder(list(self._regions.values()), self._links, self._arch)
        placement = builder.placement()
        options = Options(
            arch=self._arch,
            import_paths=tuple(map(os.fspath, libs)),
            fp16_format=f16_type.name.lower(),
        )
        image = self._compiled(placement, options)
        if self._shows_warnings:
            for remark in image.warnings:
                print(remark, file=sys.stderr)
        folder = Path(out_prefix)
        saved.save_placement(image, placement, builder.colors(), folder)
        if save_port_map:
            _write_port_map(folder, placement)
        return SdkCompileArtifacts(folder)

    def _compiled(self, placement: Placement, options: Options) -> Image:
        reader = FileReader(options.import_paths)
        reader.sources.update(self._reader.sources)
        image = compile_placement(placement, options, reader)
        for region in self._regions.values():
            for data in region.symbols.values():
                for x, y in region.area.places():
                    check_symbol(image, x, y, data)
        return image


def _write_port_map(folder: Path, placement: Placement) -> None:
    text = json.dumps(port_map(placement.wiring.host_ports), indent=1) + "\n"
    (folder / PORT_MAP).write_text(text, encoding="utf-8")


def _origin(origin: IntVector | None) -> IntVector:
    return IntVector(0, 0) if origin is None else need_vector(origin, "the origin")


def _regions(children: Sequence[CodeRegion], what: str) -> list[CodeRegion]:
    for child in children:
        if not isinstance(child, CodeRegion):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise HostError(f"{what} takes code regions, not {type(child).__name__}")
    return list(children)


def _refuse_loc(direction: str) -> NoReturn:
    raise HostError(
        f"create_{direction}_stream_from_loc is not supported: give a code region an "
        f"{direction} port and use create_{direction}_stream"
    )
