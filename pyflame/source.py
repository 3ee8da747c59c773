"""Where in the user's source something was written, and the name it was given there."""

from __future__ import annotations

import ast
import linecache
import re
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from jax.extend import source_info_util

_PACKAGE = Path(__file__).parent
_JAX = Path(source_info_util.__file__).parents[1]
# The demo is a user of the package like any other.
_USERS = (_PACKAGE / "demo.py", _PACKAGE / "__main__.py")


# A statement that goes on in the next lines.
_OPENED = re.compile(r"(?:\w+\.)?(?P<name>[^\W\d]\w*)(?:\s*:[^=]+)?\s*=[^=].*[(\[{,]$")
_LONGEST_LINE = 1000  # characters of a line that is searched for a name
_CREATIONS = frozenset(
    "arange empty empty_like eye from_numpy full full_like linspace ones ones_like "
    "rand rand_like randint randn randn_like randperm tensor zeros zeros_like".split()
)


class Place(NamedTuple):
    """A line of the user's source."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{PurePath(self.file).name}:{self.line}"


def hide_package_from_tracebacks() -> None:
    """Makes JAX name the caller of a pf function as the place of an equation."""
    for path in _PACKAGE.iterdir():
        if path not in _USERS and path.name != "__pycache__":
            source_info_util.register_exclusion(str(path))


def place_of(recorded: Any) -> Place | None:
    """The innermost frame of a JAX traceback that is the user's, if there is one."""
    return next(_users_places(recorded), None)


def naming_place_of(recorded: Any) -> Place | None:
    """Where a value may have been given a name: that of what a `return` returns is in
    the line of the caller."""
    innermost = None
    for place in _users_places(recorded):
        if not place.text.startswith("return "):
            return place
        innermost = innermost or place
    return innermost


def _users_places(recorded: Any) -> Iterator[Place]:
    """The user's frames of a JAX traceback, innermost first."""
    for frame in recorded.frames if recorded is not None else ():
        if _is_users(frame.file_name):
            text = linecache.getline(frame.file_name, frame.line_num).strip()
            yield Place(frame.file_name, frame.line_num, text)


def place_of_error(error: BaseException) -> Place | None:
    """The innermost of the user's lines that the error passed through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_users(frame.filename) and frame.lineno is not None:
            return Place(frame.filename, frame.lineno, frame.line or "")
    return None


@lru_cache(maxsize=4096)
def assigned_name(place: Place | None, creates: bool = False) -> str | None:
    """The variable that a line `name = ...` assigns, if it is that simple.

    With `creates`, only if the line can be read as creating what it assigns: what
    `loss = f(y, pf.tensor([1]))` creates is not the loss.
    """
    if place is None or len(place.text) > _LONGEST_LINE:
        return None
    try:
        statements = ast.parse(place.text).body
    except (SyntaxError, ValueError, RecursionError):
        opened = _OPENED.match(place.text)
        return opened["name"] if opened else None
    match statements:
        case [
            ast.Assign(targets=[target], value=value)
            | ast.AnnAssign(target=target, value=value)
            | ast.AugAssign(target=target, value=value)
        ]:
            return None if creates and _creates_a_part(value) else _target_name(target)
    return None


def _target_name(target: ast.expr) -> str | None:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _creates_a_part(value: ast.expr | None) -> bool:
    """Whether a creation stands inside the expression, and is not all of it."""
    if value is None or _is_creation(value):
        return False
    return any(map(_is_creation, ast.walk(value)))


def _is_creation(expression: ast.AST) -> bool:
    match expression:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _CREATIONS
    return False


@lru_cache(maxsize=4096)
def _is_users(file_name: str) -> bool:
    path = Path(file_name)
    if path in _USERS:
        return True
    return _PACKAGE not in path.parents and _JAX not in path.parents
