"""Reductions and gathers along lines in every pattern, beside JAX on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering.lower import Lowered, Options, lower_partitioned
from lowering.mesh import Mesh
from lowering.partition import mesh_primitives as mesh_p
from lowering.partition.partition import Partitioned, evaluate
from lowering.placement import Placement
from lowering.plan import PATTERNS, Pattern
from lowering.plan.steps import MoveStep
from pyflame.codegen.executable import Executable
from pyflame.wse.machine.engine import MachineConfig

Program = Callable[..., Any]
SEEDS = (None, *range(4))


def _place(aval: Any, mesh: Mesh) -> Placement:
    """Every PE has its own tile of this type: the global array is a grid of them."""
    shape = (aval.shape[0] * mesh.rows, aval.shape[1] * mesh.cols)
    return Placement(shape, np.dtype(aval.dtype), ("rows", "cols"), mesh.extent)


def _lowered(
    function: Program,
    mesh: Mesh,
    arch: str,
    pattern: Pattern | None,
    tile: tuple[int, int] = (1, 3),
) -> Lowered:
    closed = jax.make_jaxpr(function)(jax.ShapeDtypeStruct(tile, "float32"))
    ins, outs = (
        tuple(_place(aval, mesh) for aval in avals)
        for avals in (closed.in_avals, closed.out_avals)
    )
    parts = Partitioned(closed, ins, outs, mesh)
    names = [f"y{n}" for n in range(len(outs))]
    options = Options(pattern=pattern)
    return lower_partitioned(
        parts, in_names=["x"], out_names=names, target=arch, options=options
    )


def _check(lowered: Lowered, seeds: tuple[int | None, ...] = (None,)) -> int:
    """Cycles of the program, whose values are those of its jaxpr, bit for bit the same
    with every seed."""
    (placement,) = lowered.partitioned.in_placements
    array = np.random.default_rng(3).standard_normal(placement.shape)
    array = (array * 4).astype(np.float32)
    wanted = evaluate(lowered.partitioned, array)
    program, first, cycles = Executable.of(lowered), None, 0
    for seed in seeds:
        got, cycles, _ = program.run([array], MachineConfig(seed=seed))
        first = first or got
        for have, want, same in zip(got, wanted, first, strict=True):
            np.testing.assert_allclose(have, want, 1e-5, 1e-5)
            np.testing.assert_array_equal(have, same)
    return cycles


def _moves(lowered: Lowered) -> list[str]:
    return [step.kind for step in lowered.plan.steps if isinstance(step, MoveStep)]


def _of_every_kind(axis: Any, size: int) -> Program:
    line: Any = {"axis": axis, "size": size}

    def program(x: Any) -> tuple[Any, ...]:
        flags = mesh_p.mesh_all_gather(x > 0.5, dim=1, **line)
        return (
            *(mesh_p.mesh_all_reduce(x, op=op, **line) for op in ("sum", "max", "min")),
            mesh_p.mesh_reduce(x, op="sum", root=0, **line),
            mesh_p.mesh_reduce(x, op="max", root=size - 1, **line),
            mesh_p.mesh_all_gather(x, dim=0, **line),
            mesh_p.mesh_all_gather(x.astype(jnp.int32), dim=1, **line),
            mesh_p.mesh_broadcast(flags, root=1, **line),
        )

    return program


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_gives_the_values_of_jax(pattern: Pattern, arch: str) -> None:
    """On lines of two PEs, of an odd number, and whose last group is one PE."""
    for axis, size in (("rows", 2), ("cols", 5), ("rows", 9)):
        mesh = Mesh(size, 1) if axis == "rows" else Mesh(1, size)
        _check(_lowered(_of_every_kind(axis, size), mesh, arch, pattern))


@pytest.mark.parametrize("size", [3, 6, 7, 8, 13])
def test_two_phases_serve_groups_of_every_size(size: int) -> None:
    function = _of_every_kind("cols", size)
    lowered = _lowered(function, Mesh(1, size), "wse3", "two_phase", (1, 40))
    assert {"reduce_groups", "reduce_across"} < set(_moves(lowered))
    _check(lowered)


def _again_and_again(x: Any) -> Any:
    """In a loop and back to back, on both axes, with nothing between the exchanges."""

    def body(number: Any, x: Any) -> Any:
        for axis, size in (("rows", 3), ("cols", 4)):
            line: Any = {"axis": axis, "size": size}
            x = mesh_p.mesh_all_reduce(x, op="max", **line) - x
            x = mesh_p.mesh_reduce(x, op="sum", root=0, **line) * 0.5 + x
            gathered = mesh_p.mesh_all_gather(x, dim=0, **line)
            x = x - lax.slice(gathered, (size - 1, 0), (size, x.shape[1]))
            x = mesh_p.mesh_broadcast(x, root=number + 1, **line) + 0.25 * x
        return x

    return lax.fori_loop(0, 2, body, x)


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize("pattern", [*PATTERNS, None])
def test_patterns_follow_each_other_whatever_the_hardware_leaves_open(
    pattern: Pattern | None, arch: str
) -> None:
    _check(_lowered(_again_and_again, Mesh(3, 4), arch, pattern), SEEDS)


def test_messages_longer_than_all_queues_get_through() -> None:
    for pattern in PATTERNS:
        _check(_lowered(_again_and_again, Mesh(3, 4), "wse2", pattern, (1, 100)))


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_the_pattern_of_fewest_predicted_cycles_is_the_fastest(arch: str) -> None:
    """Scalars go as a star, short vectors in two phases, long ones down the chain."""
    found: dict[int, str] = {}
    for count in (1, 32, 300):
        cycles: dict[str, int] = {}

        def total(x: Any) -> Any:
            return mesh_p.mesh_reduce(x, axis="cols", size=48, op="sum", root=0)

        for pattern in PATTERNS if count < 300 else PATTERNS[:2]:
            forced = _lowered(total, Mesh(1, 48), arch, pattern, (1, count))
            cycles[pattern] = _check(forced)
        best = _lowered(total, Mesh(1, 48), arch, None, (1, count))
        assert _check(best) == min(cycles.values())
        assert best.plan.cost.cycles == pytest.approx(min(cycles.values()), rel=0.06)
        found[count] = min(cycles, key=lambda name: cycles[name])
    assert found == {1: "star", 32: "two_phase", 300: "chain"}
