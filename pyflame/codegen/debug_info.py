"""`debug_info.txt`: what each step costs, and which equation each line of CSL is of.

The generated text says it in comments above the statements. They are read before the
options take comments out, and lines are numbered as in the file that is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lowering.plan import Plan

_FUNCTION = re.compile(r"fn (main|phase_\d+)\(")
_COMMENT = re.compile(r"\s+// ?(.*)")
_CONTINUED = "  "  # how the second line of a comment begins, behind `// `
_RUNTIME = "memcpy.unblock_cmd_stream();"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one file that compute an equation: the first and the last, from 1 on."""

    first: int
    last: int
    equation: str


def debug_info(plan: Plan, commented: str, numbers: dict[int, int]) -> str:
    """A line per step: predicted cycles, bytes written, equation, the user's line; then
    a line per run of lines of pe.csl.

    `commented` is pe.csl with its comments; `numbers` are those of its lines in the
    file that is written.
    """
    rows = [f"{'cycles':>10} {'bytes':>8}  step"]
    for step in plan.cost.steps:
        at = f"    at {step.place}" if step.place else ""
        rows.append(f"{step.cycles:>10,} {step.size_bytes:>8,}  {step.equation}{at}")
    rows += ["", f"{'pe.csl':>10}  equation"]
    for lines in _written(commented, numbers):
        span = f"{lines.first}-{lines.last}"
        rows.append(f"{span:>10}  {lines.equation}")
    return "\n".join(rows) + "\n"


def _written(text: str, numbers: dict[int, int]) -> Iterator[Lines]:
    """The lines under each comment, up to the next one or the end of the function.

    What a function begins with goes on with the equation before: an exchange ends one.
    """
    equation, held, inside = "", list[int](), False
    was_comment = False
    for number, line in enumerate(text.splitlines(), 1):
        function = _FUNCTION.match(line)
        if function is not None:
            inside = True
            equation = "" if function[1] == "main" else equation
            continue
        comment = _COMMENT.fullmatch(line) if inside else None
        if comment is not None:
            yield from _lines(held, equation)
            held = []
            equation = _joined(equation if was_comment else "", comment[1])
        elif inside and line.startswith("}"):
            yield from _lines(held, equation)
            held, inside = [], False
        elif inside and equation and line.strip() != _RUNTIME:
            held.append(numbers[number])
        was_comment = comment is not None


def _joined(before: str, text: str) -> str:
    if not before:
        return text
    between = " " if text.startswith(_CONTINUED) else "; "
    return f"{before}{between}{text.strip()}"


def _lines(numbers: list[int], equation: str) -> Iterator[Lines]:
    if numbers:
        yield Lines(numbers[0], numbers[-1], equation)
