"""Where CSL text comes from: folders, the shipped library, or a saved program."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Protocol

from pyflame.wse.errors import CslError
from pyflame.wse.language.source import Source

LIBRARY_FOLDER = Path(__file__).parent.parent / "library" / "csl"


class Reader(Protocol):
    """Gives the text behind a file name.

    `sources` holds everything read so far, by resolved path.
    """

    sources: dict[str, Source]

    def read(self, name: str, importer: Source | None = None) -> Source:
        """The source called `name` by `importer`.

        `<name>` is looked up in the library, then in the import paths; other names
        are relative to the importing file, or else to the top file.

        Raises:
            CslError: no such file.
        """
        ...


class FileReader:
    """Reads from the file system."""

    def __init__(self, import_paths: tuple[str, ...] = ()) -> None:
        self.sources: dict[str, Source] = {}
        self._import_paths = import_paths

    def read(self, name: str, importer: Source | None = None) -> Source:
        if name.startswith("<") and name.endswith(">"):
            return self._read_library(name)
        path = next(filter(os.path.isfile, _paths(name, importer, self.sources)), None)
        path = path or _resolve(name, importer)
        return self._load(path, Path(path))

    def _read_library(self, name: str) -> Source:
        inner = name[1:-1] + ".csl"
        check_library_name(name)
        shipped = LIBRARY_FOLDER / inner
        if shipped.is_file():
            return self._load(name, shipped, library=True)
        for folder in self._import_paths:
            candidate = Path(folder) / inner
            if candidate.is_file():
                return self._load(os.fspath(candidate), candidate)
        searched = ", ".join(("the library", *self._import_paths))
        raise CslError(
            f"no module named '{name}'",
            notes=((f"searched {searched}", None),),
            help=_library_help(name),
        )

    def _load(self, key: str, path: Path, library: bool = False) -> Source:
        if key not in self.sources:
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CslError(f"cannot read '{key}': {_reason(error)}") from error
            self.sources[key] = Source(key, text, library)
        return self.sources[key]


class SavedReader:
    """Serves the sources of a saved program: no file system is touched."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self.sources = dict(sources)
        self._import_paths: tuple[str, ...] = ()

    def read(self, name: str, importer: Source | None = None) -> Source:
        for key in self._candidates(name, importer):
            if key in self.sources:
                return self.sources[key]
        raise CslError(f"the saved program holds no file '{name}'")

    def _candidates(self, name: str, importer: Source | None) -> list[str]:
        if not (name.startswith("<") and name.endswith(">")):
            return _paths(name, importer, self.sources)
        tail = "/" + name[1:-1] + ".csl"
        return [name, *(key for key in self.sources if key.endswith(tail))]


def _library_help(name: str) -> str:
    files = (p.relative_to(LIBRARY_FOLDER) for p in LIBRARY_FOLDER.rglob("*.csl"))
    known = [f"<{file.with_suffix('').as_posix()}>" for file in files]
    close = difflib.get_close_matches(name, sorted(known), 1)
    if close:
        return f"did you mean '{close[0]}'?"
    return "pass --import-path to search further folders"


def check_library_name(name: str) -> None:
    """Raises CslError for library names that would leave the library folder."""
    parts = name[1:-1].split("/")
    if not all(parts) or any(part in (".", "..") for part in parts):
        raise CslError(f"'{name}' is no library name: it must not contain '.' or '..'")


def _paths(name: str, importer: Source | None, sources: dict[str, Source]) -> list[str]:
    """Where a file may be: beside the importing file, or beside the top file, as old
    releases had it (programs for 1.2 rely on that)."""
    top = next((s for s in sources.values() if not s.library), None)
    return [_resolve(name, importer), _resolve(name, top)]


def _resolve(name: str, importer: Source | None) -> str:
    """The path of a file named by an importing file."""
    if importer is None or os.path.isabs(name):
        return os.path.normpath(name)
    return os.path.normpath(os.path.join(os.path.dirname(importer.path), name))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)
