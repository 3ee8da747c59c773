"""An operation that is worked out once does what it does when worked out each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyflame.wse.machine.arithmetic import arithmetic_of
from pyflame.wse.machine.costs import WSE3
from pyflame.wse.machine.dsd import Mem1d, Mem4d, ScalarPointer
from pyflame.wse.machine.limits import WSE3 as ARCH
from pyflame.wse.machine.limits import Semantics
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.timeline import Timeline
from pyflame.wse.machine.vector_plans import VectorPlans

SEMANTICS = Semantics()


class NoPlans(VectorPlans):
    """Works every operation out anew."""

    def find(self, operation, make):
        return None


def bench(plans: VectorPlans) -> Pe:
    arithmetic = arithmetic_of(SEMANTICS)
    pe = Pe(0, 0, Timeline(), ARCH, WSE3, SEMANTICS, arithmetic, 10**9, plans)
    pe.memory.f32[:256] = np.linspace(-3, 5, 256, dtype=np.float32)
    return pe


def vectors(length: int):
    return st.builds(
        Mem1d,
        base=st.integers(0, 60).map(lambda word: 4 * word),
        offset=st.integers(0, 20),
        stride=st.sampled_from([0, 1, 1, 2, 3, -1]),
        extent=st.just(length),
    )


@st.composite
def operations(draw) -> Operation:
    name = draw(st.sampled_from(["@fadds", "@fmuls", "@fmacs", "@fmovs", "@fmaxs"]))
    spec = OPERATIONS[name]
    length = draw(st.integers(1, 12))
    floats = st.floats(-4, 4, width=32).map(np.float32)
    sources = [draw(vectors(length))]
    for _ in spec.sources[1:]:
        sources.append(draw(floats) if draw(st.booleans()) else draw(vectors(length)))
    if name == "@fmacs":
        sources[2] = draw(floats)
    return Operation(spec, draw(vectors(length)), tuple(sources))


def outcome(pe: Pe, program: list[Operation]) -> tuple[bytes, int] | str:
    try:
        with np.errstate(all="ignore"):
            for operation in program:
                pe.run_memory_op(operation)
    except Exception as error:
        return str(error)
    return bytes(pe.memory.data), pe.clock


@settings(max_examples=150, deadline=None)
@given(st.lists(operations(), min_size=1, max_size=4))
def test_planned_and_unplanned_operations_agree(program: list[Operation]) -> None:
    twice = program + program
    assert outcome(bench(VectorPlans()), twice) == outcome(bench(NoPlans()), twice)


def test_the_same_operands_share_a_plan_whatever_the_scalar() -> None:
    pe = bench(VectorPlans())
    y, a = Mem1d(0, 0, 1, 4), Mem1d(64, 0, 1, 4)
    made: list[Operation] = []
    for scalar in (2.0, 3.0):
        operation = Operation(OPERATIONS["@fmacs"], y, (y, a, np.float32(scalar)))
        pe.vector_plans.find(operation, lambda op: made.append(op))
    assert len(made) == 1


@pytest.mark.parametrize(
    "operation",
    [
        Operation(OPERATIONS["@fmovs"], ScalarPointer(0), (Mem1d(64, 0, 1, 4),)),
        Operation(OPERATIONS["@fmovs"], Mem1d(0, 0, 1, 4), (Mem4d(64, 0, (1,), (4,)),)),
        Operation(
            OPERATIONS["@fmovs"],
            Mem1d(0, 0, 1, 4),
            (Mem1d(64, 0, 1, 4, index_offset=True),),
            OpConfig(index=2),
        ),
    ],
)
def test_other_operands_are_worked_out_each_time(operation: Operation) -> None:
    def make(_: Operation) -> None:
        raise AssertionError("there is nothing to plan")

    assert VectorPlans().find(operation, make) is None


@pytest.mark.parametrize("factor", [np.float32(2), np.asarray(2, np.float32)])
def test_a_number_is_not_taken_for_the_vector_it_scales(factor):
    """Its register is no vector's: comparing the two elementwise is no comparison."""
    vector = Mem1d(base=0, offset=0, stride=1, extent=4)
    operation = Operation(OPERATIONS["@fmuls"], vector, (factor, vector))
    pe = bench(VectorPlans())
    before = pe.memory.f32[:4].copy()
    pe.run_memory_op(operation)
    np.testing.assert_array_equal(pe.memory.f32[:4], 2 * before)
