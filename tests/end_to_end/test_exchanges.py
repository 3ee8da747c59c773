"""Values that change their placement while tiles pass by, beside JAX on the CPU."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from lowering.lower import lower_partitioned
from lowering.mesh import Layout, Mesh
from lowering.normalise.normalise import normalise
from lowering.partition.partition import Partitioned, evaluate, partition
from lowering.partition.reshard import canonical, route
from lowering.placement import Placement, place
from pyflame.codegen.executable import Executable
from pyflame.wse.machine.engine import MachineConfig

F32 = np.dtype("float32")
# Mesh, layout before, shape before, layout of the transpose.
MOVES = {
    "turn": ((3, 3), "grid", (70, 64)),
    "turn of small tiles": ((3, 3), "grid", (24, 20)),
    "exchange along rows": ((4, 1), "row_partition", (97, 90)),
    "exchange along columns": ((1, 4), "col_partition", (61, 90)),
    "gather and exchange": ((4, 2), "grid", (100, 90)),
    "uneven turn": ((3, 3), "grid", (71, 64)),
}


def layout(kind: Any, mesh: tuple[int, int]) -> Layout:
    rows = mesh[0] if kind in ("grid", "row_partition") else 1
    cols = mesh[1] if kind in ("grid", "col_partition") else 1
    return Layout(kind, rows, cols)


def transposed(
    move: str,
) -> tuple[Partitioned, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The program of x.T in the layout that x has, its operand and its value."""
    extent, kind, shape = MOVES[move]
    mesh = Mesh(*extent)
    x = np.random.default_rng(0).standard_normal(shape).astype(F32)
    here, there = (
        place(layout(kind, extent), s, F32, mesh) for s in (shape, x.T.shape)
    )
    closed = normalise(jax.make_jaxpr(lambda x: x.T)(x))
    return partition(closed, mesh, [here], [there]), x, x.T


@pytest.mark.parametrize("move", MOVES)
def test_a_transpose_keeps_its_values_under_vmap(move: str) -> None:
    parts, x, want = transposed(move)
    (got,) = evaluate(parts, x, padding=np.nan)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("move", "target"),
    [
        ("uneven turn", "wse3"),
        ("exchange along rows", "wse2"),
        ("exchange along columns", "wse3"),
        ("gather and exchange", "wse3"),
    ],
)
def test_a_transpose_keeps_its_values_on_the_wafer(move: str, target: str) -> None:
    parts, x, want = transposed(move)
    program = lower_partitioned(parts, in_names=["x"], out_names=["y"], target=target)
    executable = Executable.of(program)
    for seed in (None, 0, 1):
        got, _, _ = executable.run([x], MachineConfig(seed=seed))
        np.testing.assert_array_equal(got[0], want)


def kinds(before: Placement, after: Placement, mesh: Mesh) -> list[str]:
    places = (canonical(placement, mesh) for placement in (before, after))
    return [step.kind for step in route(*places, mesh)]


def test_what_is_small_is_gathered_and_what_is_large_passes_by() -> None:
    mesh = Mesh(16, 16)
    for side, expected in (
        (16, ["gather", "cross", "slice"]),
        (512, ["turn"]),
    ):
        here = Placement((side, side), F32, ("rows", "cols"), mesh.extent)
        there = Placement((side, side), F32, ("cols", "rows"), mesh.extent)
        assert kinds(here, there, mesh) == expected


def test_no_tile_in_passing_is_larger_than_a_line_of_the_mesh_makes_it() -> None:
    """A whole row of tiles used to stand on every PE: 65,536 bytes."""
    mesh = Mesh(16, 1)
    here = Placement((512, 512), F32, ("rows", None), mesh.extent)
    there = Placement((512, 512), F32, (None, "rows"), mesh.extent)
    assert kinds(here, there, mesh) == ["exchange"]


@pytest.mark.parametrize("length", [3, 16, 31])
@pytest.mark.parametrize("target", ["wse2", "wse3"])
def test_a_vector_goes_from_columns_to_rows(length: int, target: str) -> None:
    """The diagonal sends; gathering all of the vector took a line's worth of words."""
    mesh = Mesh(4, 4)
    x = np.random.default_rng(0).standard_normal(length).astype(F32)
    rows = Placement((length,), F32, ("rows",), mesh.extent)
    cols = Placement((length,), F32, ("cols",), mesh.extent)
    closed = jax.make_jaxpr(lambda x: x)(x)
    for before, after in ((rows, cols), (cols, rows)):
        assert kinds(before, after, mesh) == ["cross"]
        parts = partition(closed, mesh, [before], [after])
        np.testing.assert_array_equal(evaluate(parts, x, padding=np.nan)[0], x)
        program = lower_partitioned(
            parts, in_names=["x"], out_names=["y"], target=target
        )
        executable = Executable.of(program)
        got, _, _ = executable.run([x], MachineConfig(seed=1))
        np.testing.assert_array_equal(got[0], x)
