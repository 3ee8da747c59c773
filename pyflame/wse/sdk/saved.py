"""Compiled programs on disk.

A program folder keeps what decides the program, its sources and options, and
compiles them again when it is loaded: nothing that is read back is ever executed.

    OUT/out.json              parameters and colors, for host scripts
    OUT/bin/out_rpc.json      exported symbols, for host scripts
    OUT/bin/program.json      sources and options, for the runtime; the placement too
                              if the layout was built in Python
    OUT/bin/out_X_Y.elf       one note per PE program, X_Y its first PE
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from pyflame.wse.errors import CslError, HostError
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import NO_PROGRAM, Image, Options
from pyflame.wse.language.placement import Placement, compile_placement
from pyflame.wse.language.reader import FileReader, SavedReader
from pyflame.wse.language.source import Source
from pyflame.wse.sdk.rpc import parameter_table, rpc_table
from pyflame.wse.sdk.saved_placement import placement_of, placement_table

FORMAT = "pyflame-wse program"
VERSION = 1


@dataclass(frozen=True, slots=True)
class SavedProgram:
    """What a program folder holds: a top file, which is a key of `sources`, or the
    placement of a layout that was built in Python."""

    layout: str | Placement
    options: Options
    sources: dict[str, Source]

    @property
    def placement(self) -> Placement | None:
        return self.layout if isinstance(self.layout, Placement) else None

    def reader(self) -> ProgramReader:
        return ProgramReader(self.sources)

    def compile(self) -> Image:
        """Raises CslError if a program breaks a rule of the language."""
        if isinstance(self.layout, Placement):
            return compile_placement(self.layout, self.options, self.reader())
        return compile_program(self.layout, self.options, self.reader())


class ProgramReader(SavedReader):
    """Serves saved sources; the library comes with the simulator, never from disk."""

    def __init__(self, sources: dict[str, Source]) -> None:
        super().__init__(sources)
        self._library = FileReader()

    def read(self, name: str, importer: Source | None = None) -> Source:
        if name.startswith("<") and name not in self.sources:
            try:
                source = self._library.read(name)
            except CslError:
                return super().read(name, importer)
            self.sources[source.path] = source
            return source
        return super().read(name, importer)


def save(image: Image, top_file: str, folder: Path) -> None:
    """Writes a program folder; files of an earlier program in it are replaced.

    Raises:
        HostError: the folder cannot be written.
    """
    _save(image, {"top_file": top_file}, parameter_table(image), folder)


def save_placement(
    image: Image, placement: Placement, colors: dict[str, int], folder: Path
) -> None:
    """Writes the program folder of a layout that was built in Python.

    Args:
        colors: the numbers of its colors by their global names.
    Raises:
        HostError: the folder cannot be written.
    """
    parameters = {**parameter_table(image), "colors": colors}
    _save(image, {"placement": placement_table(placement)}, parameters, folder)


def _save(
    image: Image, layout: dict[str, Any], parameters: dict[str, Any], folder: Path
) -> None:
    try:
        _write_all(image, layout, parameters, folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise HostError(f"cannot write the program to '{folder}': {reason}") from error


def _write_all(
    image: Image, layout: dict[str, Any], parameters: dict[str, Any], folder: Path
) -> None:
    binaries = folder / "bin"
    binaries.mkdir(parents=True, exist_ok=True)
    for stale in binaries.glob("out_*_*.elf"):
        stale.unlink()
    _write(folder / "out.json", parameters)
    _write(binaries / "out_rpc.json", rpc_table(image))
    _write(binaries / "program.json", _program_table(image, layout))
    for note in _program_notes(image):
        x, y = note["first_pe"]
        _write(binaries / f"out_{x}_{y}.elf", note)


def _write(path: Path, table: dict[str, Any]) -> None:
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _program_table(image: Image, layout: dict[str, Any]) -> dict[str, Any]:
    sources = {k: s.text for k, s in image.sources.items() if not s.library}
    return {
        "format": FORMAT,
        "version": VERSION,
        **layout,
        "options": asdict(image.options),
        "sources": sources,
    }


def _program_notes(image: Image) -> list[dict[str, Any]]:
    """One note per PE program, in the order of the programs' first PEs."""
    notes: dict[int, dict[str, Any]] = {}
    for y, row in enumerate(image.tiles):
        for x, number in enumerate(row):
            if number == NO_PROGRAM:
                continue
            note = notes.setdefault(
                number,
                {
                    "format": FORMAT,
                    "version": VERSION,
                    "source": image.programs[number].file,
                    "first_pe": [x, y],
                    "pe_count": 0,
                },
            )
            note["pe_count"] += 1
    return list(notes.values())


# --- loading ------------------------------------------------------------------------


def load(folder: Path) -> SavedProgram:
    """Reads a program folder. Its contents are checked, not trusted.

    Raises:
        HostError: there is no program in the folder, or it is damaged.
    """
    path = folder / "bin" / "program.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise HostError(
            f"there is no compiled program in '{folder}'; compile one with "
            f"'cslc LAYOUT.csl -o {folder}'"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, f"{path.name} is no JSON text") from error
    return _Table(folder, table).program()


def _damaged(folder: Path, what: str) -> HostError:
    return HostError(f"the program in '{folder}' is damaged: {what}")


class _Table:
    """The checks of one program.json."""

    def __init__(self, folder: Path, table: Any) -> None:
        self.folder = folder
        self.table = self._object(table, "it")
        self._check_format()

    def _check_format(self) -> None:
        if self.table.get("format") != FORMAT:
            raise _damaged(self.folder, f"it is not marked as a {FORMAT}")
        if self.table.get("version") != VERSION:
            raise HostError(
                f"the program in '{self.folder}' has format version "
                f"{self.table.get('version')!r}, this simulator reads version "
                f"{VERSION}; compile it again"
            )

    def program(self) -> SavedProgram:
        texts = self._object(self.table.get("sources"), "'sources'")
        sources = {k: Source(k, self._text(t, k)) for k, t in texts.items()}
        return SavedProgram(self._layout(sources), self._options(), sources)

    def _layout(self, sources: dict[str, Source]) -> str | Placement:
        if "placement" in self.table:
            return self._placement(sources)
        top_file = self._text(self.table.get("top_file"), "top_file")
        if top_file not in sources:
            raise _damaged(self.folder, f"its top file '{top_file}' is missing")
        return top_file

    def _placement(self, sources: dict[str, Source]) -> Placement:
        table = self._object(self.table["placement"], "'placement'")
        try:
            placement = placement_of(table)
        except ValueError as error:
            raise _damaged(self.folder, f"its placement: {error}") from error
        for code in placement.code:
            if code.file not in sources:
                raise _damaged(self.folder, f"its file '{code.file}' is missing")
        return placement

    def _options(self) -> Options:
        table = self._object(self.table.get("options"), "'options'")
        if unknown := sorted(set(table) - set(OPTION_CHECKS)):
            raise _damaged(self.folder, f"unknown option '{unknown[0]}'")
        if missing := sorted(set(OPTION_CHECKS) - set(table)):
            raise _damaged(self.folder, f"option '{missing[0]}' is missing")
        values: dict[str, Any] = {}
        for name, value in table.items():
            if not OPTION_CHECKS[name](value):
                raise _damaged(self.folder, f"option '{name}' cannot be {value!r}")
            values[name] = _frozen(value)
        return Options(**values)

    def _object(self, value: Any, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _damaged(self.folder, f"{what} is no JSON object")
        return cast("dict[str, Any]", value)

    def _text(self, value: Any, what: str) -> str:
        if not isinstance(value, str):
            raise _damaged(self.folder, f"'{what}' is no text")
        return value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_int(value) and value >= 0


def _is_int_table(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return all(map(_is_int, cast("dict[str, Any]", value).values()))


def _items(value: Any) -> list[Any] | None:
    return cast("list[Any]", value) if isinstance(value, list) else None


def _frozen(value: Any) -> Any:
    """JSON lists as the tuples that Options holds."""
    items = _items(value)
    return value if items is None else tuple(items)


def _is_pair(value: Any) -> bool:
    items = _items(value)
    if items is None:
        return value is None
    return len(items) == 2 and all(map(_is_count, items))


def _is_texts(value: Any) -> bool:
    items = _items(value)
    return items is not None and all(isinstance(item, str) for item in items)


OPTION_CHECKS: dict[str, Callable[[Any], bool]] = {
    "arch": lambda value: value in ("wse2", "wse3"),
    "params": _is_int_table,
    "colors": _is_int_table,
    "fabric_dims": _is_pair,
    "fabric_offsets": _is_pair,
    "memcpy": lambda value: isinstance(value, bool),
    "channels": _is_count,
    "width_west_buf": _is_count,
    "width_east_buf": _is_count,
    "import_paths": _is_texts,
    "fp16_format": lambda value: value in ("f16", "cb16", "bf16"),
    "max_inlined_iterations": _is_count,
}
