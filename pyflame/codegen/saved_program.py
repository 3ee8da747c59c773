"""Compiled programs in folders: the generated files, and `result.json` beside them.

Reading believes nothing: only files that `result.json` lists by plain names are read,
each of them text of bounded size that lies in the folder itself; nothing is run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import jax

from lowering.errors import Place
from lowering.host import HostValue, MalformedProgramError
from lowering.plan import Cost, StepCost
from lowering.target import TARGETS
from pyflame.codegen.complex_parts import Parts
from pyflame.codegen.executable import Executable
from pyflame.codegen.interface import Interface
from pyflame.errors import SavedFileError
from pyflame.saved_tree import Encoder, MalformedTreeError, decode, parse_json

FORMAT = "pyflame-program"
VERSION = 1
RESULT = "result.json"
_MAX_FILE_BYTES = 256 * 2**20
_MAX_FILES = 64
_PARTS = "complex parts"  # the key of the parts of a complex array
_FILE_NAME = re.compile(r"\w[\w.-]*", re.ASCII)


@dataclass(frozen=True)
class SavedProgram:
    """What a folder holds of a `CodeGenResult`."""

    executable: Executable
    interface: Interface
    cost: Cost | None


def save(path: str | os.PathLike[str], program: SavedProgram) -> None:
    """See `CodeGenResult.save`. Raises: OSError."""
    folder = Path(path)
    executable, interface = program.executable, program.interface
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in executable.files.items():
        _write(folder / name, text)
    described = {
        "format": FORMAT,
        "version": VERSION,
        "arch": executable.arch,
        "files": list(executable.files),
        "arguments": _encoded(interface.in_tree, interface.in_order),
        "result": _encoded(interface.out_tree, interface.out_order),
        "cost": None if program.cost is None else asdict(program.cost),
    }
    _write(folder / RESULT, json.dumps(described, indent=1) + "\n")


def load(path: str | os.PathLike[str]) -> SavedProgram:
    """See `CodeGenResult.load`. Raises: SavedFileError; OSError."""
    folder = Path(path)
    if not folder.is_dir():
        _refuse(folder, "it is no folder")
    try:
        return _loaded(folder, parse_json(_text(folder, RESULT).encode()))
    except (MalformedTreeError, MalformedProgramError, RecursionError) as error:
        _refuse(folder, str(error))
    except ValueError as error:
        if isinstance(error, SavedFileError):
            raise
        _refuse(folder, f"{RESULT} is damaged: {error}")


def _loaded(folder: Path, described: Any) -> SavedProgram:
    match described:
        case {"format": "pyflame-program", "version": int(version)} if (
            version != VERSION
        ):
            _refuse(folder, f"it has version {version} of the format, not {VERSION}")
        case {
            "format": "pyflame-program",
            "arch": str(arch),
            "files": [*names],
            "arguments": arguments,
            "result": result,
            "cost": cost,
        } if arch in TARGETS and len(names) <= _MAX_FILES:
            files = {name: _text(folder, name) for name in names}
        case _:
            _refuse(folder, f"{RESULT} is not of the format {FORMAT!r}")
    if "program.json" not in files:
        _refuse(folder, f"{RESULT} lists no program.json")
    executable = Executable(files, arch)
    interface = _interface(executable, arguments, result)
    return SavedProgram(executable, interface, None if cost is None else _cost(cost))


def _interface(executable: Executable, arguments: Any, result: Any) -> Interface:
    inputs = executable.description.inputs
    outputs = executable.description.outputs
    in_tree, in_order = _decoded(arguments, len(inputs))
    if not isinstance(in_tree, tuple):
        raise MalformedTreeError("its arguments are no tuple")
    out_tree, out_order = _decoded(result, len(outputs))
    return Interface(
        tuple(value.name for value in inputs),
        tuple(map(_type, inputs)),
        jax.tree.structure(in_tree),
        in_order,
        jax.tree.structure(out_tree),
        out_order,
    )


def _type(value: HostValue) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(value.placement.shape, value.placement.dtype)


def _encoded(tree: Any, order: tuple[int, ...]) -> Any:
    """The pytree with the number of a value in the place of each leaf, as JSON."""
    return Encoder().encode(_plain(jax.tree.unflatten(tree, order)))


def _plain(tree: Any) -> Any:
    """Other containers than dicts, lists and tuples as dicts by their parts' names."""
    if tree is None or type(tree) is int:
        return tree
    if isinstance(tree, Parts):
        return {_PARTS: list(tree)}
    if type(tree) in (list, tuple):
        return type(tree)(map(_plain, tree))
    if isinstance(tree, dict) and all(type(key) in (str, int) for key in tree):
        return {key: _plain(tree[key]) for key in sorted(tree)}
    return {name: _plain(part) for name, part in sorted(_parts(tree))}


def _parts(tree: Any) -> Iterator[tuple[str, Any]]:
    """The parts of one container, with their names."""
    paths = jax.tree_util.tree_leaves_with_path(tree, is_leaf=lambda x: x is not tree)
    for path, part in paths:
        yield str(jax.tree_util.keystr(path, simple=True, separator=".")), part


def _decoded(tree: Any, count: int) -> tuple[Any, tuple[int, ...]]:
    """A pytree of numbers, and its leaves: each number below `count` once."""
    found = _with_parts(decode(tree, []))
    leaves = jax.tree.leaves(found)
    if any(type(leaf) is not int for leaf in leaves) or sorted(leaves) != [
        *range(count)
    ]:
        raise MalformedTreeError(f"its trees do not hold the {count} values once each")
    return found, tuple(leaves)


def _with_parts(tree: Any) -> Any:
    """Complex arrays as their parts again."""
    match tree:
        case {"complex parts": [int(re_), int(im)]} if len(tree) == 1:
            return Parts(re_, im)
        case dict():
            return {key: _with_parts(part) for key, part in tree.items()}
        case list() | tuple():
            return type(tree)(map(_with_parts, tree))
        case _:
            return tree


def _cost(entry: Any) -> Cost:
    match entry:
        case {
            "steps": [*steps],
            "launch_cycles": int(launch),
            "data_bytes": int(data),
            "code_bytes": int(code),
            "sram_bytes": int(sram),
        }:
            return Cost(tuple(map(_step_cost, steps)), launch, data, code, sram)
    raise MalformedTreeError("its cost is none")


def _step_cost(entry: Any) -> StepCost:
    match entry:
        case {
            "equation": str(equation),
            "place": place,
            "cycles": int(cycles),
            "size_bytes": int(size_bytes),
        }:
            return StepCost(equation, _place(place), cycles, size_bytes)
    raise MalformedTreeError("a step of its cost is none")


def _place(entry: Any) -> Place | None:
    match entry:
        case {"file": str(file), "line": int(line), "text": str(text)}:
            return Place(file, line, text)
        case None:
            return None
    raise MalformedTreeError("the place of a step is none")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
    if text.startswith("#!"):
        path.chmod(0o755)


def _text(folder: Path, name: Any) -> str:
    """The text of a file of the folder.

    Raises: SavedFileError, for other names, links, and what is no text.
    """
    if not isinstance(name, str) or not _FILE_NAME.fullmatch(name):
        _refuse(folder, f"{str(name)[:60]!r} is no name of a file in it")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        _refuse(folder, f"{name} is missing")
    if path.stat().st_size > _MAX_FILE_BYTES:
        _refuse(folder, f"{name} is larger than {_MAX_FILE_BYTES} bytes")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        _refuse(folder, f"{name} is no text")


def _refuse(folder: Path, what: str) -> NoReturn:
    raise SavedFileError(
        f"load: {folder} is no complete PyFlame program: {what}",
        rule="CodeGenResult.load reads what save wrote, whole and unchanged",
    )
