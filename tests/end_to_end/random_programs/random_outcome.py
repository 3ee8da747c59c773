"""A random program on the simulated wafer, beside JAX; and the line that is wrong."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from random_program import Line, Program, without_dead_lines
from random_values import FLOATS, Value

import pyflame as pf

_EXCEPTION = re.compile(r"[A-Za-z_.]*(?:Error|Exception)\b.*:")
_DEFECTS = ("wrong", "crash")


@dataclass(frozen=True)
class Outcome:
    """`kind` is right, refused, large, wrong, crash or contested; `detail` one line.

    Contested are results of JAX's compiled program that are not those of the same
    operations one by one, which ours are: XLA copies overlapping parts of an array in
    place.
    """

    kind: str
    detail: str = ""

    @property
    def is_defect(self) -> bool:
        return self.kind in _DEFECTS


def outcome_of(program: Program) -> Outcome:
    """Compiles, simulates and compares. Never raises."""
    arrays = program.arrays()
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            want = _as_a_whole(program, arrays)
            result = _compiled(program, arrays, folder)
        if not result.success:
            return _failure(result.error_message)
        got = result.simulate(*arrays).outputs
    except Exception as error:
        return Outcome("crash", _line(f"{type(error).__name__}: {error}"))
    text = _difference(program, got, want)
    if text and not _difference(program, got, program.function()(*arrays)):
        return Outcome("contested", text)
    return Outcome("wrong" if text else "right", text)


def _as_a_whole(program: Program, arrays: list[Any]) -> Any:
    """What JAX's compiled program gives."""
    return jax.jit(program.function())(*arrays)


def _compiled(program: Program, arrays: list[Any], folder: str) -> pf.CodeGenResult:
    options = pf.CodeGenOptions(output_dir=folder, target=program.target)
    options.fabric_height, options.fabric_width = program.mesh
    layouts = tuple(_layout(name, program.mesh) for name in program.layouts)
    return pf.compile_to_csl(
        program.function(), *arrays, options=options, in_layouts=layouts
    )


def _layout(name: str, mesh: tuple[int, int]) -> pf.MeshLayout | None:
    rows, cols = mesh
    layouts = {
        "grid": pf.MeshLayout.grid(rows, cols),
        "row_partition": pf.MeshLayout.row_partition(rows),
        "col_partition": pf.MeshLayout.col_partition(cols),
        "single_pe": pf.MeshLayout.single_pe(),
    }
    return layouts.get(name)


def _failure(message: str) -> Outcome:
    first = message.splitlines()[0]
    if _EXCEPTION.match(first):
        return Outcome("crash", _line(message))
    kind = "large" if "bytes per PE do not fit" in first else "refused"
    return Outcome(kind, _line(message))


def _line(text: str) -> str:
    return " ".join(text.split())[:400]


def _difference(program: Program, got: Any, want: Any) -> str:
    values = program.values
    for name, mine, reference in zip(program.outputs, got, want, strict=True):
        text = _element(values[name], np.asarray(mine), np.asarray(reference))
        if text:
            return f"{name}: {text}"
    return ""


def _element(value: Value, got: Any, want: Any) -> str:
    if (got.dtype, got.shape) != (want.dtype, want.shape):
        return f"{got.dtype}{list(got.shape)}, not {want.dtype}{list(want.shape)}"
    equal = np.asarray(got == want)
    if value.dtype in FLOATS:
        mine, reference = got.astype(np.float64), want.astype(np.float64)
        tolerance = 0.0 if value.exact else 4 * value.error
        equal = np.isclose(mine, reference, 0, tolerance, equal_nan=True)
    if equal.all():
        return ""
    place = tuple(int(i) for i in np.argwhere(~equal)[0])
    count = f"{np.sum(~equal)} of {want.size}"
    return f"{count} differ, first {got[place]} for {want[place]} at {list(place)}"


def minimal(program: Program, outcome: Outcome) -> Program:
    """A part of the program with a defect of the same kind, as short as can be found.

    Single outputs, then single lines with their operands as inputs, then later lines
    alone, each for as long as the defect stays.
    """
    best = program
    shorter = True
    while shorter:
        shorter = False
        for part in _parts(best):
            if len(part.lines) < len(best.lines) and outcome_of(part).kind == (
                outcome.kind
            ):
                best, shorter = part, True
                break
    return best


def _parts(program: Program) -> Iterator[Program]:
    for line in program.lines:
        yield _alone(program, line)
    for name in (line.value.name for line in program.lines):
        yield without_dead_lines(replace(program, outputs=(name,)))
    for line in program.lines[:-1]:
        yield _given(program, line)


def _alone(program: Program, line: Line) -> Program:
    """One line, whose operands are inputs."""
    inputs = tuple(program.values[name] for name in line.operands)
    return replace(
        program,
        inputs=tuple(map(_as_input, inputs)),
        layouts=tuple(_layout_of(program, value.name) for value in inputs),
        lines=(line,),
        outputs=(line.value.name,),
    )


def _given(program: Program, line: Line) -> Program:
    """The program with the result of a line as one more input."""
    lines = tuple(other for other in program.lines if other is not line)
    return without_dead_lines(
        replace(
            program,
            inputs=(*program.inputs, _as_input(line.value)),
            layouts=(*program.layouts, "grid"),
            lines=lines,
            outputs=tuple(n for n in program.outputs if n != line.value.name)
            or (lines[-1].value.name,),
        )
    )


def _as_input(value: Value) -> Value:
    """Numbers no larger than inputs have them."""
    return replace(value, bound=min(value.bound, 3.0), error=0.0)


def _layout_of(program: Program, name: str) -> str:
    given = {
        value.name: layout
        for value, layout in zip(program.inputs, program.layouts, strict=True)
    }
    return given.get(name, "grid")
