import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.machine.costs import WSE2, WSE3, WSE3_SILICON, costs_of
from pyflame.wse.machine.dsd import Mem1d
from pyflame.wse.machine.vectors import cycles


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
    return Mem1d(2 * word_offset, 0, stride, 1000)


def f32_cycles(a: Mem1d, b: Mem1d, lanes: float = 1, length: int = 5124) -> int:
    return cycles(lanes, 2.0, 8, (a, b), (4, 4), length)


def test_a_published_multiply_add_of_5124_elements() -> None:
    """5,130 or 10,254 cycles by the placement of its operands (SPMM, WSE-2)."""
    setup = WSE2.dsd_setup_cycles
    assert setup + f32_cycles(vector(0), vector(2)) == 5130
    assert setup + f32_cycles(vector(0), vector(8)) == 10254


def test_half_precision_pairs_of_wse3() -> None:
    """9 + 2*ceil(n/8) cycles of a two-source operation (FAB 10i)."""
    for n in (8, 16, 64):
        run = cycles(WSE3.alu_f16_lanes, 2.0, 8, (vector(0), vector(0)), (2, 2), n)
        assert WSE3.dsd_setup_cycles + run == 9 + 2 * -(-n // 8)


def test_differing_strides_collide_now_and_then() -> None:
    assert f32_cycles(vector(0, 1), vector(0, 2), length=64) == 64 + 16
