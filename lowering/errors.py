"""Everything that can keep a program from becoming CSL.

LoweringError
 ├── UnsupportedPrimitiveError   a primitive has no rule (also a NotImplementedError)
 ├── UnsupportedDtypeError       a dtype the wafer has no arithmetic for
 ├── LayoutError                 a layout or mesh that cannot hold a value
 ├── DivergentCollectiveError    PEs of one line would disagree on a collective
 ├── DoesNotFitError             SRAM of a PE, or the wafer, is too small
 ├── ResourcesExhaustedError     colors, queues, task ids or microthreads run out
 ├── OptionError                 a compiler option out of its range
 └── SeveralErrors               more than one of the above, all listed

Each says what was done to what, with the values, where in the user's own source, the
rule that was broken, and a way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import NoReturn

_LABEL_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's source: file path, line (1-based) and its text."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        """`model.py:14  h = x @ self.w`; the text is left out when unknown."""
        where = f"{PurePath(self.file).name}:{self.line}"
        return f"{where}  {self.text}" if self.text else where


class LoweringError(Exception):
    """Root of all errors of the compiler.

    Args:
        message: one line: what was done to what, with the offending values.
        notes: labelled lines under it, in the order given: `("values", "...")`.
        place: the user's line, shown as `at`.
        rule: the rule that was broken.
        help: a way out.
    """

    def __init__(
        self,
        message: str,
        *,
        notes: Sequence[tuple[str, str]] = (),
        place: Place | None = None,
        rule: str = "",
        help: str = "",
    ) -> None:
        self.message = message
        self.notes = tuple(notes)
        self.place = place
        self.rule = rule
        self.help = help
        super().__init__(message)

    def __str__(self) -> str:
        lines = [*self.notes]
        if self.place is not None:
            lines.append(("at", str(self.place)))
        if self.rule:
            lines.append(("rule", self.rule))
        if self.help:
            lines.append(("help", self.help))
        return "\n".join([self.message, *(_labelled(*line) for line in lines)])


def _labelled(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}}  {text}"


class UnsupportedPrimitiveError(LoweringError, NotImplementedError):
    """Primitives that have no rule; one error names all of a program's."""


class UnsupportedDtypeError(LoweringError, TypeError):
    """A value has a dtype that the wafer has no arithmetic for."""


class LayoutError(LoweringError, ValueError):
    """A layout or mesh is invalid, or a value cannot be brought to its layout."""


class DivergentCollectiveError(LoweringError):
    """A collective stands under a predicate that differs along its axis."""


class DoesNotFitError(LoweringError):
    """The program needs more SRAM per PE, or more PEs, than there are."""


class ResourcesExhaustedError(LoweringError):
    """A program needs more colors, queues, task ids or microthreads than there are."""


class OptionError(LoweringError, ValueError):
    """A compiler option has a value outside its range."""


class SeveralErrors(LoweringError):
    """More than one error of one program, listed one after the other.

    Args:
        errors: at least two errors, in program order.
    """

    def __init__(self, errors: Sequence[LoweringError]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"the program cannot be compiled: {len(errors)} errors")

    def __str__(self) -> str:
        return "\n".join([self.message, *map(str, self.errors)])


def raise_all(errors: Sequence[LoweringError]) -> NoReturn:
    """Raises the error if there is one, all of them together if there are more."""
    assert errors, "nothing to raise"
    if len(errors) == 1:
        raise errors[0]
    raise SeveralErrors(errors)
