"""What official examples compute, as functions of arrays on the same meshes of PEs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import pyflame as pf

Layout = pf.MeshLayout
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """An example, and a function with its inputs where the example has them.

    Args:
        example: a folder of Cerebras/csl-examples.
        what: what both compute.
        mesh: rows and columns of PEs.
        function: the same in JAX; `shapes` are those of its arrays, float32 unless
            `arrays` makes them from random ones.
        layouts: of the inputs, and of the result.
        begin, until: tasks between which the example does it; else it does nothing
            else.
    """

    example: str
    what: str
    mesh: tuple[int, int]
    function: Callable[..., Any]
    shapes: tuple[Shape, ...]
    layouts: Any
    result: Any
    arrays: Callable[..., tuple[Any, ...]] = lambda *random: random
    begin: str = ""
    until: str = ""
    arches: tuple[str, ...] = ("wse2", "wse3")
    tolerance: float = 1e-4

    def inputs(self) -> tuple[Any, ...]:
        random = np.random.default_rng(0)
        drawn = [random.standard_normal(s).astype(np.float32) for s in self.shapes]
        return self.arrays(*drawn)


def gemv(matrix: Any, x: Any, b: Any) -> Any:
    return matrix @ x + b


def residual(matrix: Any, x: Any, b: Any) -> Any:
    return jnp.max(jnp.abs(b - matrix @ x))


def stencil(x: Any, coefficients: Any) -> Any:
    """[z, y, x] with zeros around; [7, y, x]: west, east, south, north, below, above,
    and the point itself."""

    def moved(axis: int, step: int) -> Any:
        """At each place what lies `step` further along the axis."""
        pad = [(0, 0)] * 3
        pad[axis] = (0, step) if step > 0 else (-step, 0)
        start = max(step, 0)
        size = x.shape[axis]
        return lax.slice_in_dim(jnp.pad(x, pad), start, start + size, axis=axis)

    neighbours = ((2, -1), (2, 1), (1, 1), (1, -1), (0, -1), (0, 1))
    total = coefficients[6] * x
    for coefficient, (axis, step) in zip(coefficients, neighbours, strict=False):
        total = total + coefficient * moved(axis, step)
    return total


def generations(cells: Any) -> Any:
    """20 generations of the Game of Life, with nothing alive around."""

    def next_one(_: Any, cells: Any) -> Any:
        rows = _with_neighbours(cells, 0)
        total = _with_neighbours(rows, 1) - cells
        alive = (total == 3) | ((total == 2) & (cells == 1))
        return alive.astype(cells.dtype)

    return lax.fori_loop(0, 20, next_one, cells)


def _with_neighbours(cells: Any, axis: int) -> Any:
    size = cells.shape[axis]
    padded = jnp.pad(cells, [(int(axis == a),) * 2 for a in range(2)])
    return sum(lax.slice_in_dim(padded, k, k + size, axis=axis) for k in range(3))


def _positive(random: Any) -> tuple[Any]:
    return (random @ random.T + 40 * np.eye(len(random), dtype=np.float32),)


COMPARISONS = (
    Comparison(
        example="gemv-05-multiple-pes",
        what="A x + b on each of 4 PEs, A 4x6",
        mesh=(4, 1),
        function=jax.vmap(gemv),
        shapes=((4, 4, 6), (4, 6), (4, 4)),
        layouts=Layout.row_partition(4),
        result=Layout.row_partition(4),
    ),
    Comparison(
        example="single-tile-matvec",
        what="A x on each of 4 PEs, A 25x25",
        mesh=(4, 1),
        function=jax.vmap(jnp.matmul),
        shapes=((4, 25, 25), (4, 25)),
        layouts=Layout.row_partition(4),
        result=Layout.row_partition(4),
    ),
    Comparison(
        example="gemv-06-routes-1",
        what="A x + b, A 4x6 by columns, b on the first PE",
        mesh=(1, 2),
        function=gemv,
        shapes=((4, 6), (6,), (4,)),
        layouts=(Layout.col_partition(2), Layout.col_partition(2), Layout.single_pe()),
        result=Layout.single_pe(),
    ),
    Comparison(
        example="gemv-08-routes-3",
        what="A x + b, A 6x8, x in the first row, b in the first column",
        mesh=(3, 4),
        function=gemv,
        shapes=((6, 8), (8,), (6,)),
        layouts=(
            Layout.grid(3, 4),
            Layout.col_partition(4),
            Layout.row_partition(3),
        ),
        result=Layout.row_partition(3),
    ),
    Comparison(
        example="residual",
        what="largest abs(b - A x), A 6x4, x in the first row, b in the first column",
        mesh=(2, 2),
        function=residual,
        shapes=((6, 4), (4,), (6,)),
        layouts=(
            Layout.grid(2, 2),
            Layout.col_partition(2),
            Layout.row_partition(2),
        ),
        result=Layout.single_pe(),
    ),
    Comparison(
        example="gemv-collectives_2d",
        what="A x + b, A 32x16; x, b and the result on the first PE",
        mesh=(4, 4),
        function=gemv,
        shapes=((32, 16), (16,), (32,)),
        layouts=(Layout.grid(4, 4), Layout.single_pe(), Layout.single_pe()),
        result=Layout.single_pe(),
    ),
    Comparison(
        example="gemm-collectives_2d",
        what="A B, both 56x56",
        mesh=(4, 4),
        function=jnp.matmul,
        shapes=((56, 56), (56, 56)),
        layouts=Layout.grid(4, 4),
        result=Layout.grid(4, 4),
    ),
    Comparison(
        example="7pt-stencil-spmv",
        what="stencil of seven points on 5x5x5, a column of 5 on each PE",
        mesh=(5, 5),
        function=stencil,
        shapes=((5, 5, 5), (7, 5, 5)),
        layouts=Layout.grid(5, 5),
        result=Layout.grid(5, 5),
        begin="f_spmv",
        until="f_toc",
    ),
    Comparison(
        example="game-of-life",
        what="20 generations on 12x12, a cell on each PE",
        mesh=(12, 12),
        function=generations,
        shapes=((12, 12),),
        arrays=lambda random: ((random > 0).astype(np.int32),),
        layouts=Layout.grid(12, 12),
        result=Layout.grid(12, 12),
    ),
    Comparison(
        example="cholesky",
        what="Cholesky factor of 40x40; the example works on the lower triangle of PEs",
        mesh=(10, 10),
        function=jnp.linalg.cholesky,
        shapes=((40, 40),),
        arrays=_positive,
        layouts=Layout.grid(10, 10),
        result=Layout.grid(10, 10),
        tolerance=1e-3,
    ),
)
