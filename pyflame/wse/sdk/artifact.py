"""Compile artifacts of the appliance mode: a program folder in a tar file.

The file `.csl_bin_name` inside names the program's folder. Source: the vendor's
client package, which keeps the same convention.
"""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from pyflame.wse.errors import HostError

_NAME_FILE = ".csl_bin_name"


def pack(folder: Path, name: str, artifact: Path) -> None:
    """Writes the program folder `folder/name` into an artifact, the same bytes for
    the same program."""
    with tarfile.open(artifact, "w") as tar:
        _add(tar, _NAME_FILE, name.encode())
        for path in sorted((folder / name).rglob("*")):
            if path.is_file():
                _add(tar, str(path.relative_to(folder)), path.read_bytes())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def unpack(artifact: str | os.PathLike[str], folder: Path) -> Path:
    """Unpacks an artifact into a folder; gives the program folder inside.

    Raises:
        HostError: no artifact, or one whose files would land outside the folder.
    """
    try:
        with tarfile.open(artifact) as tar:
            tar.extractall(folder, filter="data")
        name = (folder / _NAME_FILE).read_text(encoding="utf-8")
    except (OSError, tarfile.TarError, UnicodeDecodeError) as error:
        raise HostError(f"'{artifact}' is no compile artifact: {error}") from error
    program = folder / name
    if program.resolve().parent != folder.resolve():
        raise HostError(f"'{artifact}' is no compile artifact: bad name '{name}'")
    return program
