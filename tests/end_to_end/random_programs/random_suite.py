"""Programs of everything that the compiler supports."""

from __future__ import annotations

from random_choices import Choices, Seeded
from random_maker import drawn
from random_ops_elementwise import ELEMENTWISE
from random_ops_flow import FLOW
from random_ops_lines import LINES
from random_ops_moves import MOVES
from random_program import Program

from lowering.dtypes import DTYPES

# The first is as likely as the rest together: most programs compute with floats.
_KINDS = ("float32", "int32", *sorted({*DTYPES} - {"bool"}), "bool")
_OPERATIONS = [*ELEMENTWISE, *MOVES, *LINES, *FLOW]


def program_of(name: str) -> Program:
    """The program of that name, the same each time."""
    return program_from(Seeded(name), sum(map(ord, name)))


def program_from(choices: Choices, seed: int) -> Program:
    """A program on float32, int32, bool and at most one dtype more."""
    other = choices.pick(_KINDS)
    dtypes = tuple(dict.fromkeys(["float32", "int32", other]))
    return drawn(choices, _OPERATIONS, dtypes, seed)
