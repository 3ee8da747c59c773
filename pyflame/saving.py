"""Saving and loading state dicts: one file, no pickle, nothing in it is code.

The file is an uncompressed zip: `manifest.json` has the tree (`saved_tree`) and the
dtype and shape of each array; `arrays/0`, `arrays/1`, ... have the elements, row by
row and little-endian. Reading believes nothing: members and sizes are checked against
the manifest and against the size of the file before anything is allocated, nothing is
written to disk, and a value is returned only when all of it was read and its checksums
agree.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pyflame import staging
from pyflame.errors import SavedFileError
from pyflame.saved_tree import (
    DTYPES,
    Encoder,
    MalformedTreeError,
    check_references,
    decode,
    parse_json,
)
from pyflame.tensors import Tensor

FORMAT = "pyflame"
VERSION = 1
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 256 * 2**20

_EPOCH = (1980, 1, 1, 0, 0, 0)  # same state, same bytes
_MAX_DIMS = 32
_PIECE_BYTES = 2**24
_CORRUPT = (
    zipfile.BadZipFile,
    MalformedTreeError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    RuntimeError,
    ValueError,
    struct.error,
)


def save(value: Any, path: str | os.PathLike[str]) -> None:
    """Writes a state dict, or anything built of dicts, lists, tuples, numbers,
    strings, None, Tensors and arrays, to one file.

    Pending tensors are computed together. An existing file is replaced only when the
    new one is complete; of a symbolic link, the file it points to. Layouts of tensors
    are not saved.

    Raises: ArgumentError, DTypeError, for what cannot be saved; OSError.
    """
    encoder = Encoder()
    tree = encoder.encode(value)
    staging.evaluate([x._node for x in encoder.arrays if isinstance(x, Tensor)])
    arrays = [_plain(x) for x in encoder.arrays]
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "arrays": [[array.dtype.name, list(array.shape)] for array in arrays],
        "tree": tree,
    }
    with (
        _replacing(Path(path).resolve()) as file,
        zipfile.ZipFile(file, "w") as archive,
    ):
        _write(archive, MANIFEST, json.dumps(manifest, allow_nan=False).encode())
        for i, array in enumerate(arrays):
            _write(archive, _member(i), _bytes_of(array))


def load(path: str | os.PathLike[str]) -> Any:
    """The value that `save` wrote to `path`; Tensors come back as Tensors.

    Safe for files from strangers: a file can only give data.

    Raises: SavedFileError, if the file is damaged, truncated, or not one of ours;
    OSError, if it cannot be read.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive, os.fstat(file.fileno()).st_size)
        except _CORRUPT as error:
            raise SavedFileError(
                f"load: {os.fspath(path)} is no complete PyFlame file: {error}",
                rule="pf.load reads what pf.save wrote, whole and unchanged",
            ) from None


def _member(i: int) -> str:
    return f"arrays/{i}"


def _plain(value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value)
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _bytes_of(array: np.ndarray[Any, Any]) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))  # pyright: ignore


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place if all goes well."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    with archive.open(info, "w", force_zip64=len(data) > 2**30) as member:
        member.write(data)


def _read(archive: zipfile.ZipFile, file_size_bytes: int) -> Any:
    sizes = _checked_members(archive, file_size_bytes)
    manifest = _read_manifest(archive, sizes)
    headers = [_checked_header(entry) for entry in manifest["arrays"]]
    expected = {MANIFEST, *map(_member, range(len(headers)))}
    if sizes.keys() != expected:
        odd = sorted(sizes.keys() ^ expected)[0]
        raise MalformedTreeError(f"{odd!r} is missing or does not belong there")
    for i, (dtype, shape) in enumerate(headers):
        need, have = math.prod(shape) * dtype.itemsize, sizes[_member(i)]
        if need != have:
            raise MalformedTreeError(
                f"array {i}, {dtype.name}{list(shape)}, has {have} bytes "
                f"instead of {need}"
            )
    check_references(manifest["tree"], len(headers))
    arrays = [_read_array(archive, _member(i), *h) for i, h in enumerate(headers)]
    return decode(manifest["tree"], arrays)


def _checked_members(archive: zipfile.ZipFile, limit_bytes: int) -> dict[str, int]:
    """Sizes by name: plain members only, together no larger than the file."""
    sizes: dict[str, int] = {}
    for info in archive.infolist():
        if info.filename in sizes:
            raise MalformedTreeError(f"{info.filename!r} stands in it twice")
        if (
            info.compress_type != zipfile.ZIP_STORED
            or info.file_size != info.compress_size
            or info.flag_bits & 1
        ):
            raise MalformedTreeError(f"{info.filename!r} is compressed or encrypted")
        if info.header_offset < 0:
            raise MalformedTreeError(f"{info.filename!r} lies before the file")
        sizes[info.filename] = info.file_size
    total = sum(sizes.values())
    if total > limit_bytes:
        raise MalformedTreeError(
            f"its members claim {total} bytes, the file has {limit_bytes}"
        )
    return sizes


def _read_manifest(archive: zipfile.ZipFile, sizes: dict[str, int]) -> dict[str, Any]:
    if MANIFEST not in sizes:
        raise MalformedTreeError(f"it has no {MANIFEST}")
    if sizes[MANIFEST] > MAX_MANIFEST_BYTES:
        raise MalformedTreeError(f"{MANIFEST} is larger than {MAX_MANIFEST_BYTES}")
    match parse_json(archive.read(MANIFEST)):
        case {"format": "pyflame", "version": int(version)} if version != VERSION:
            raise MalformedTreeError(
                f"it has version {version} of the format; this PyFlame reads "
                f"version {VERSION}"
            )
        case {"format": "pyflame", "arrays": [*_], "tree": _} as manifest:
            return manifest
    raise MalformedTreeError(f"{MANIFEST} is not of the format {FORMAT!r}")


def _checked_header(entry: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    match entry:
        case [str(name), [*sizes]] if name in DTYPES and len(sizes) <= _MAX_DIMS:
            small = all(type(size) is int and 0 <= size < 2**48 for size in sizes)
            # The bound holds without the sizes 0 as well: NumPy needs it so.
            if small and math.prod(size or 1 for size in sizes) < 2**56:
                return DTYPES[name], tuple(sizes)
    raise MalformedTreeError(f"{str(entry)[:60]!r} is no dtype and shape of an array")


def _read_array(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: Sequence[int]
) -> np.ndarray[Any, Any]:
    array = np.empty(shape, dtype)
    view = _bytes_of(array)
    with archive.open(name) as member:
        done = 0
        while done < len(view):
            piece = member.read(min(len(view) - done, _PIECE_BYTES))
            if not piece:
                raise EOFError(f"{name!r} ends after {done} bytes")
            view[done : done + len(piece)] = piece
            done += len(piece)
        member.read(1)  # past the end, where the checksum is compared
    if dtype == np.bool_ and (array.view(np.uint8) > 1).any():
        raise MalformedTreeError(f"{name!r} has booleans other than 0 and 1")
    return array
