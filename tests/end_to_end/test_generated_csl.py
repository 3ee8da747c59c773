"""Emitted PE programs on the simulated wafer, beside the PE jaxpr under vmap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering.lower import lower_partitioned
from lowering.mesh import Mesh
from lowering.partition import mesh_primitives as mesh_p
from lowering.partition.partition import Partitioned, evaluate
from lowering.placement import Placement
from pyflame.codegen.executable import Executable
from pyflame.wse.machine.engine import MachineConfig, Wafer

Program = Callable[..., Any]
_TILE = (2, 5)


def _place(aval: Any, mesh: Mesh) -> Placement:
    """Every PE has its own tile of this type: the global array is a grid of them."""
    shape = (aval.shape[0] * mesh.rows, aval.shape[1] * mesh.cols)
    return Placement(shape, np.dtype(aval.dtype), ("rows", "cols"), mesh.extent)


def _partitioned(function: Program, mesh: Mesh, tile: tuple[int, int]) -> Partitioned:
    closed = jax.make_jaxpr(function)(jax.ShapeDtypeStruct(tile, "float32"))
    ins = tuple(_place(aval, mesh) for aval in closed.in_avals)
    outs = tuple(_place(aval, mesh) for aval in closed.out_avals)
    return Partitioned(closed, ins, outs, mesh)


def _check(
    function: Program,
    mesh: Mesh,
    arch: str,
    *,
    names: Sequence[str] = ("",),
    seeds: Sequence[int | None] = (None,),
    tile: tuple[int, int] = _TILE,
) -> None:
    """Compares the emitted program with its jaxpr, on data of its own for each PE."""
    parts = _partitioned(function, mesh, tile)
    (placement,) = parts.in_placements
    array = np.random.default_rng(3).standard_normal(placement.shape) * 4
    array = array.astype(np.float32)
    outs = [f"y{n}" for n in range(len(parts.out_placements))]
    lowered = lower_partitioned(parts, in_names=["x"], out_names=outs, target=arch)
    program = Executable.of(lowered)
    wanted = evaluate(parts, array)
    for seed in seeds:
        got, _, _ = program.run([array], MachineConfig(seed=seed))
        for number, (have, want) in enumerate(zip(got, wanted, strict=True)):
            name = names[number] if len(names) == len(got) else f"output {number}"
            assert have.dtype == want.dtype, name
            np.testing.assert_allclose(have, want, 1e-5, 1e-5, err_msg=name)


def _exchanges(axis: Any, size: int) -> dict[str, Program]:
    line: Any = {"axis": axis, "size": size}
    found: dict[str, Program] = {
        f"broadcast from {root}": lambda x, root=root: mesh_p.mesh_broadcast(
            x, root=root, **line
        )
        for root in {0, 1, size - 1}
    }
    for op in ("sum", "max", "min"):
        found[f"all {op}"] = lambda x, op=op: mesh_p.mesh_all_reduce(x, op=op, **line)
        for root in (0, size - 1):
            found[f"{op} to {root}"] = lambda x, op=op, root=root: mesh_p.mesh_reduce(
                x, op=op, root=root, **line
            )
    for dim in (0, 1):
        found[f"gather {dim}"] = lambda x, dim=dim: mesh_p.mesh_all_gather(
            x, dim=dim, **line
        )
        found[f"slice {dim}"] = lambda x, dim=dim: mesh_p.mesh_slice(
            x, dim=dim, tile=-(-x.shape[dim] // size), **line
        )
        found[f"fill {dim}"] = lambda x, dim=dim: (
            mesh_p.mesh_fill_padding(
                x, dim=dim, length=x.shape[dim] * size - 1, value=-7.0, **line
            )
            + x
        )
    for offset in (1, -1, 2, -2, 0, size):
        found[f"shift {offset}"] = lambda x, offset=offset: mesh_p.mesh_shift(
            x, offset=offset, **line
        )
    found["shift of flags"] = lambda x: mesh_p.mesh_shift(x > 0.5, offset=1, **line)
    found["gather of flags"] = lambda x: mesh_p.mesh_all_gather(x > 0.5, dim=1, **line)
    found["broadcast of i32"] = lambda x: mesh_p.mesh_broadcast(
        x.astype(jnp.int32), root=1, **line
    )
    return found


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize(("axis", "mesh"), [("cols", (2, 3)), ("rows", (4, 1))])
def test_every_exchange_means_what_vmap_says(
    axis: str, mesh: tuple[int, int], arch: str
) -> None:
    size = mesh[1] if axis == "cols" else mesh[0]
    programs = _exchanges(axis, size)

    def all_of_them(x: Any) -> list[Any]:
        return [program(x) for program in programs.values()]

    _check(all_of_them, Mesh(*mesh), arch, names=list(programs))


def _all_channels(x: Any) -> Any:
    """Both axes, every channel, back to back without local work between."""
    for axis, size in (("rows", 3), ("cols", 4)):
        line: Any = {"axis": axis, "size": size}
        x = mesh_p.mesh_shift(x, offset=1, **line)
        x = x + mesh_p.mesh_all_reduce(x, op="sum", **line)
        x = mesh_p.mesh_shift(x, offset=-1, **line)
        x = x + mesh_p.mesh_broadcast(x, root=2, **line)
        gathered = mesh_p.mesh_all_gather(x, dim=0, **line)
        x = x + lax.slice(gathered, (2, 0), (4, x.shape[1]))
    return x


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_exchanges_follow_each_other_whatever_the_hardware_leaves_open(
    arch: str,
) -> None:
    _check(_all_channels, Mesh(3, 4), arch, seeds=(None, *range(10)))


def test_messages_longer_than_all_queues_get_through() -> None:
    _check(_all_channels, Mesh(3, 4), "wse2", tile=(2, 100))


def _local(x: Any) -> tuple[Any, ...]:
    i = lax.broadcasted_iota(jnp.int32, x.shape, 1)
    index = mesh_p.mesh_index(axis="cols") * 5 + i
    wide = lax.broadcast_in_dim(x[:, 1:3], (2, 3, 2), (0, 2)).reshape(2, 6)
    return (
        lax.select(index < 7, x, lax.full_like(x, -jnp.inf)),
        (index + i).astype(jnp.float32) * x,
        lax.integer_pow(x, 5) - lax.integer_pow(x, -3),
        lax.max(-x, 0.5) - lax.min(x, 1.0),
        lax.abs(x) + lax.sign(x),
        (x > 0.0) & (x < 1.0) | ~(x != 2.0),
        x.T @ x,
        lax.dot_general(x, x, (((1,), (1,)), ((), ()))),
        wide,
        x.astype(jnp.int32) * 2,
        lax.tanh(x) + lax.logistic(x) + lax.exp(x) + lax.sqrt(x * x + 1.0),
        lax.reduce_min(x.T, (0,)).reshape(1, 2) * np.asarray([[1.5, -2.0]], np.float32),
        x[0:1, 1:4] + lax.reduce_max(i, (0, 1)).astype(jnp.float32),
        lax.rsqrt(x * x + 0.5) + lax.log(x * x + 1.0),
        lax.full((2, 3), True),
        lax.select(x > 0.0, lax.full_like(x, 1.0), lax.full_like(x, -1.0)),
    )


def test_products_of_operands_with_long_strides() -> None:
    """Rows of 200 elements cannot be walked column by column in a mem1d_dsd."""

    def products(x: Any) -> tuple[Any, ...]:
        x = x * 0.05
        return x @ (x + 1.0).T, x[:1] @ x.T, x @ x[1:].T, (x[:1] @ x.T).T

    _check(products, Mesh(1, 1), "wse3", tile=(4, 200))


def test_two_reductions_by_scalar_code_have_variables_of_their_own() -> None:
    def minima(x: Any) -> tuple[Any, ...]:
        found = [lax.reduce_min(y, (0, 1)) for y in (x, -x)]
        return tuple(minimum.reshape(1, 1) for minimum in found)

    _check(minima, Mesh(1, 1), "wse3")


def _short_sides(x: Any) -> tuple[Any, ...]:
    """Results of all shapes, operands of all strides, windows that begin inside."""
    w = x[1:4, 5:] * 0.5
    return x @ x.T, x[:1, 5:] @ w.T, w @ x[1:2, 5:].T, w[0] @ w[1], (w @ w.T).T @ w


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize("length", [45, 300])
def test_products_of_short_sides(arch: str, length: int) -> None:
    def programs(x: Any) -> list[Any]:
        x = x * 0.1
        tall = x.reshape(length, 4)
        parts = [*_short_sides(x), tall.T @ tall[:, 1:3], tall[:, :1].T @ tall]
        return [part.reshape(1, -1) if part.ndim < 2 else part for part in parts]

    _check(programs, Mesh(1, 1), arch, tile=(4, length))


def test_a_long_product_with_short_sides_is_fast() -> None:
    """Vectors along the one column of the result took 28,060 cycles."""
    parts = _partitioned(lambda x: x @ x[:1].T, Mesh(1, 1), (4, 300))
    lowered = lower_partitioned(parts, in_names=["x"], out_names=["y"])
    array = np.ones(parts.in_placements[0].shape, np.float32)
    program = Executable.of(lowered)
    _, cycles, _ = program.run([array], MachineConfig())
    assert cycles < 4000
    assert 0.8 < lowered.plan.cost.cycles / cycles < 1.2


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_local_steps_mean_what_jax_says(arch: str) -> None:
    _check(_local, Mesh(1, 2), arch)


def test_a_program_may_run_again_on_other_data() -> None:
    """A second launch sees the inputs of its own time and nothing of the first."""
    parts = _partitioned(_all_channels, Mesh(3, 4), _TILE)
    lowered = lower_partitioned(parts, in_names=["x"], out_names=["y"])
    wafer = Wafer(Executable.of(lowered).image, MachineConfig())
    wafer.load()
    wafer.start()
    for seed in range(3):
        array = np.random.default_rng(seed).standard_normal((6, 20))
        array = array.astype(np.float32)
        tiles = parts.in_placements[0].tile(array, parts.mesh)
        for y, x in np.ndindex(3, 4):
            address, _ = wafer.symbol(x, y, "x")
            wafer.write_memory(x, y, address, tiles[y, x].tobytes())
        wafer.run_until(wafer.launch("main", []))
        for y, x in np.ndindex(3, 4):
            address, _ = wafer.symbol(x, y, "y")
            data = wafer.read_memory(x, y, address, tiles[y, x].nbytes)
            tiles[y, x] = np.frombuffer(data, np.float32).reshape(_TILE)
        (want,) = evaluate(parts, array)
        np.testing.assert_allclose(
            parts.out_placements[0].untile(tiles), want, 1e-5, 1e-5
        )


@pytest.mark.parametrize(
    "name", ["broadcast from 0", "sum to 0", "shift 1", "shift -1", "gather 1"]
)
def test_a_program_of_one_kind_of_exchange_has_what_it_needs(name: str) -> None:
    """The channels that other exchanges would bring along are not there."""
    _check(_exchanges("cols", 3)[name], Mesh(1, 3), "wse3")


def test_predicted_cycles_are_near_the_simulated_ones() -> None:
    for function in (_all_channels, _local):
        parts = _partitioned(function, Mesh(3, 4), (2, 40))
        outs = [f"y{n}" for n in range(len(parts.out_placements))]
        lowered = lower_partitioned(parts, in_names=["x"], out_names=outs)
        array = np.ones(parts.in_placements[0].shape, np.float32)
        program = Executable.of(lowered)
        _, cycles, _ = program.run([array], MachineConfig())
        assert 0.6 < lowered.plan.cost.cycles / cycles < 1.6
