"""Random programs of what the compiler supports, beside JAX; and the drawing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import random_outcome
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_choices import Drawn
from random_outcome import Outcome, minimal, outcome_of
from random_program import Line, Program
from random_suite import program_from, program_of
from random_values import Known, Value, combined, is_useful

import pyflame as pf


@settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_a_random_program_computes_what_jax_does(data: st.DataObject) -> None:
    program = program_from(Drawn(data.draw), 0)
    outcome = outcome_of(program)
    assert not outcome.is_defect, f"{program.show()}\n{outcome}"


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(20))
def test_many_random_programs(chunk: int) -> None:
    for number in range(20 * chunk, 20 * (chunk + 1)):
        program = program_of(f"2030:{number}")
        outcome = outcome_of(program)
        assert not outcome.is_defect, f"{program.show()}\n{outcome}"


def value(name: str, shape: tuple[int, ...] = (5,), dtype: str = "float32") -> Value:
    return Value(name, shape, dtype, exact=True, bound=3.0)


def test_what_jax_computes_in_two_ways_is_no_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only if ours is what its operations give one by one."""
    whole = random_outcome._as_a_whole

    def other(program: Program, arrays: list[Any]) -> Any:
        return [x + 1 for x in whole(program, arrays)]

    assert outcome_of(PROGRAM).kind == "right"
    monkeypatch.setattr(random_outcome, "_as_a_whole", other)
    assert outcome_of(PROGRAM).kind == "contested"
    simulate = pf.CodeGenResult.simulate

    def different(result: pf.CodeGenResult, *arrays: Any) -> Any:
        run = simulate(result, *arrays)
        return replace(run, outputs=[x + 2 for x in run.outputs])

    monkeypatch.setattr(pf.CodeGenResult, "simulate", different)
    assert outcome_of(PROGRAM).kind == "wrong"


PROGRAM = Program(
    inputs=(value("x0"), value("x1")),
    layouts=("grid", "row_partition"),
    lines=(
        Line(value("v0"), "x0 + x1", ("x0", "x1")),
        Line(value("v1"), "v0 * 2", ("v0",)),
        Line(value("v2"), "jnp.flip(v1)", ("v1",)),
        Line(value("v3"), "-v0", ("v0",)),
    ),
    outputs=("v3", "v2"),
    mesh=(2, 2),
    target="wse3",
    seed=7,
)


def test_a_defect_is_cut_down_to_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(program: Program) -> Outcome:
        has = any("* 2" in line.expression for line in program.lines)
        return Outcome("wrong" if has else "right")

    monkeypatch.setattr("random_outcome.outcome_of", of)
    short = minimal(PROGRAM, Outcome("wrong"))
    assert short.text() == "def program(v0):\n    v1 = v0 * 2\n    return v1,\n"
    assert short.layouts == ("grid",)


def test_what_is_wrong_is_noticed() -> None:
    right = replace(PROGRAM, lines=PROGRAM.lines[:1], outputs=("v0",))
    assert outcome_of(right) == Outcome("right")
    other = Line(value("v0", (5,), "int32"), "x0 + x1", ("x0", "x1"))
    text = outcome_of(replace(right, lines=(other,), outputs=("v0",)))
    assert text.kind == "right"  # dtypes are JAX's, not what was thought of them
    crash = Line(value("v0"), "x0 + nothing", ("x0",))
    found = outcome_of(replace(right, lines=(crash,)))
    assert found == Outcome("crash", "NameError: name 'nothing' is not defined")


def test_a_name_is_always_the_same_program() -> None:
    assert program_of("5:1") == program_of("5:1")
    assert program_of("5:1") != program_of("5:2")


def test_what_is_known_of_values() -> None:
    assert combined([value("a"), value("b")], 9.0, 0.0) == Known(9.0)
    off = replace(value("a"), exact=False, error=1e-3)
    known = combined([off, value("b")], 8.0, 1e-3)
    assert (known.exact, known.error) == (False, 1e-3 + 8 * 2.0**-23)
    assert is_useful(known, "float32")
    assert not is_useful(known, "int32")
    assert not is_useful(Known(300.0), "bfloat16")
    assert not is_useful(Known(8.0, False, 1.0), "float32")
