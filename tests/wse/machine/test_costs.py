from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.machine.costs import WSE2, WSE3, WSE3_SILICON, Costs, costs_of
from pyflame.wse.machine.dsd import Mem1d, Mem4d
from pyflame.wse.machine.dsrs import DsrFile, Issued
from pyflame.wse.machine.limits import Semantics
from pyflame.wse.machine.operations import OPERATIONS, PLAIN, Operation
from pyflame.wse.machine.resolving import Resolver
from pyflame.wse.machine.vector_cycles import element_cycles, setup_cycles


def test_profiles() -> None:
    assert costs_of("wse2") is WSE2
    assert costs_of("wse2", "silicon") is WSE2
    assert costs_of("wse3") is WSE3
    assert costs_of("wse3", "silicon") is WSE3_SILICON
    assert (WSE2.hop_cycles, WSE3.hop_cycles) == (1, 2)
    assert WSE3_SILICON.hop_cycles == WSE3.hop_cycles


def test_unknown_architectures_and_profiles_are_refused() -> None:
    with pytest.raises(HostError) as caught:
        costs_of("wse4")
    assert str(caught.value) == (
        "no costs for 'wse4' as 'vendor_sim': architectures are wse2 and wse3, "
        "profiles vendor_sim and silicon"
    )


def test_numbers_can_be_overridden_by_name() -> None:
    assert WSE2.overridden({"hop_cycles": 3}).hop_cycles == 3
    with pytest.raises(
        HostError, match=r"^there is no cost 'hop'; costs are alu_f16_la"
    ):
        WSE2.overridden({"hop": 3})


def vector(word_offset: int, stride: int = 1) -> Mem1d:
    return Mem1d(2 * word_offset, 0, stride, 6000)


def issued(name: str, dest: Any, sources: tuple[Any, ...], length: int) -> Issued:
    spec = OPERATIONS[name]
    return Issued(spec, dest, sources, PLAIN, length, False, (), 3, 0)


def of_elements(
    name: str, costs: Costs, length: int, dest: Any, *sources: Any, lanes: float
) -> int:
    return element_cycles(issued(name, dest, sources, length), lanes, costs)


@pytest.mark.parametrize(("words", "published"), [(2, 5124), (4, 5124), (8, 10248)])
def test_two_f32_vectors_collide_in_one_of_four_placements(
    words: int, published: int
) -> None:
    """A published operation took 5,130 or 10,254 cycles, its timer's 6 included
    (SPMM, WSE-2)."""
    a, b = vector(0), vector(words)
    assert of_elements("@fmuls", WSE2, 5124, a, a, b, lanes=1) == published


def test_rows_of_matrices_collide_as_their_elements_lie() -> None:
    rows = Mem4d(0, 0, (1, 5), (4, 4))  # the second row starts 8 elements on
    others = Mem4d(16, 0, (1, 4), (4, 4))
    # In the first row they are 8 words apart, in the next ones 6, 4 and 2.
    assert of_elements("@fadds", WSE3, 16, rows, rows, others, lanes=1) == 16 + 4


def test_differing_strides_collide_now_and_then() -> None:
    a, b = vector(0), vector(0, 2)
    assert of_elements("@fadds", WSE2, 64, a, a, b, lanes=1) == 64 + 16


def test_columns_that_stay_in_one_bank_collide_with_their_own_results() -> None:
    """Two columns of matrices with rows of 64: SPMM's took 2.2 cycles an element."""
    column, beside, same = vector(0, 64), vector(2, 64), vector(8, 64)
    for other, cycles in ((beside, 2), (same, 3)):
        sources = (column, other)
        assert of_elements("@fmuls", WSE2, 70, column, *sources, lanes=1) == 70 * cycles
    elsewhere = vector(4, 64)
    assert of_elements("@fmuls", WSE2, 70, elsewhere, column, beside, lanes=1) == 70


@pytest.mark.parametrize("n", [8, 16, 64])
def test_an_operation_of_two_half_precision_vectors(n: int) -> None:
    """FAB 10i: the next instruction comes 6 + 2 (n / 8) cycles after the first load."""
    a, b, c = vector(0), vector(512), vector(1024)
    operation = issued("@faddh", c, (a, b), n)
    lanes = WSE3.alu_f16_lanes
    elements = element_cycles(operation, lanes, WSE3)
    assert setup_cycles(operation, 100, WSE3) + elements == 6 + 2 * (n // 8)


@pytest.mark.parametrize(
    ("costs", "strides", "lanes"),
    [
        (WSE3, (0, 1, -1), 8),
        (WSE3, (2, -2), 4),
        (WSE3, (4,), 2),
        (WSE3, (8, 16), 1),
        (WSE2, (0, 1, 2, 3, 5, 6, 10), 4),
        (WSE2, (4, 7, 9, 12, -1), 2),
        (WSE2, (8, 16), 1),
    ],
)
def test_lanes_of_strided_half_precision_copies(
    costs: Costs, strides: tuple[int, ...], lanes: int
) -> None:
    """WSE-3 as FAB 10d measured it, WSE-2 as DOC has it."""
    width = costs.mov_f16_lanes
    for stride in strides:
        copied = vector(0, stride)
        cycles = of_elements("@fmovh", costs, 64, vector(4000), copied, lanes=width)
        assert cycles == 64 // lanes


def test_an_operation_whose_first_source_is_a_scalar_loads_two_registers() -> None:
    x = vector(0)
    operation = Operation(OPERATIONS["@fmuls"], x, (np.float32(2), x))
    fifos: Any = SimpleNamespace(fifos=[], semantics=Semantics())
    resolved = Resolver(fifos, DsrFile(AssertionError)).resolve(operation)
    assert resolved.dsr_loads == 2
