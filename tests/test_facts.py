"""The compiler and the simulator state the hardware's limits each for itself; here
they are held against each other."""

import pytest

from lowering import target
from pyflame.wse.machine import costs, limits

ARCHITECTURES = ("wse2", "wse3")

# What memcpy takes: it is absent from what generated code may use.
MEMCPY_COLORS = {21, 22, 23}
MEMCPY_LOCAL_TASKS = {27, 28, 30}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_resources_exist_on_the_machine(arch: str) -> None:
    plan, machine = target.TARGETS[arch], limits.ARCHITECTURES[arch]
    assert plan.sram_bytes == machine.memory_bytes
    assert set(plan.colors) == set(range(limits.ROUTABLE_COLORS)) - MEMCPY_COLORS
    assert set(target.SWITCH_COLORS) <= limits.SWITCH_COLORS_WSE3 & set(plan.colors)
    assert set(plan.local_task_ids) <= set(machine.local_task_ids) - MEMCPY_LOCAL_TASKS
    assert limits.TEARDOWN_TASK_ID not in plan.local_task_ids
    assert set(plan.input_queues) <= set(range(1, machine.input_queues))
    assert set(plan.output_queues) <= set(range(1, machine.output_queues))
    if arch == "wse3":
        assert 1 not in plan.input_queues


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize(
    ("predicted", "charged"),
    [
        ("dsd_setup_cycles", "dsd_setup_cycles"),
        ("alu_elements_per_cycle", "alu_f32_lanes"),
        ("fmac_elements_per_cycle", "fmac_f32_lanes"),
        ("move_elements_per_cycle", "mov_f32_lanes"),
        ("hop_cycles", "hop_cycles"),
        ("ramp_cycles", "ramp_cycles"),
        ("scalar_op_cycles", "scalar_operation_cycles"),
        ("loop_edge_cycles", "loop_edge_cycles"),
        ("call_cycles", "call_cycles"),
        ("task_start_cycles", "task_start_cycles"),
        ("divide_cycles", "div_f32_cycles"),
        ("transcendental_cycles", "exp_f32_cycles"),
    ],
)
def test_predicted_costs_are_charged_costs(
    arch: str, predicted: str, charged: str
) -> None:
    plan, machine = target.TARGETS[arch].costs, costs.costs_of(arch)
    assert getattr(plan, predicted) == getattr(machine, charged)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_reduction_to_a_scalar_costs_the_same(arch: str) -> None:
    per_element = 1 / costs.costs_of(arch).scalar_result_lanes
    assert target.TARGETS[arch].costs.scalar_reduce_cycles == per_element


def test_the_two_lists_name_the_same_wafers() -> None:
    assert set(target.TARGETS) == set(limits.ARCHITECTURES) == set(ARCHITECTURES)
