"""Programs with `jax.shard_map`, and what they give on devices of JAX.

`python shard_map_programs.py FILE` runs them on eight devices of the CPU.
"""

import os
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec as P

SHAPE = (2, 4)
NAMES = ("rows", "cols")


def programs(mesh):
    """Name -> (function, shapes of its arguments), over the axes rows and cols."""

    def over(ins, outs, body, **params):
        return jax.shard_map(body, mesh=mesh, in_specs=ins, out_specs=outs, **params)

    grid, row = P("rows", "cols"), P("rows")
    ring = [(i, (i + 1) % 4) for i in range(4)]
    summa = over((grid, P("cols")), row, lambda a, b: lax.psum(a @ b, "cols"))

    def normalised(x):
        shifted = jnp.exp(x - lax.pmax(x.max(1, keepdims=True), "cols"))
        return shifted / lax.psum(shifted.sum(1, keepdims=True), "cols")

    def relaxed(x):
        def sweep(_, x):
            left = lax.ppermute(x[:, -1:], "cols", [(i, i + 1) for i in range(3)])
            right = lax.ppermute(x[:, :1], "cols", [(i + 1, i) for i in range(3)])
            wide = jnp.concatenate([left, x, right], 1)
            return (wide[:, :-2] + wide[:, 2:]) / 2

        return lax.fori_loop(0, 3, sweep, x)

    def numbered(x):
        number = lax.axis_index(NAMES)
        total = lax.psum(jnp.int32(3) + number, "rows")
        return x * number, lax.psum(number, NAMES), total[None]

    def loss(a, b):
        return (summa(jnp.sin(a), b) ** 2).sum()

    def inside(a, b):
        c = a + 1
        d = over(grid, grid, lambda x: x - lax.pmean(x, "rows"))(c)
        return (d @ b).sum(0), jnp.where(c > 0, d, c)

    return {
        "summa": (summa, [(6, 8), (8, 3)]),
        "softmax": (over(grid, grid, normalised), [(4, 12)]),
        "gather tiles": (
            over(
                grid,
                row,
                lambda x: lax.all_gather(x, "cols", axis=1, tiled=True),
                check_vma=False,
            ),
            [(4, 8)],
        ),
        "gather all": (
            over(grid, P(), lambda x: lax.all_gather(x, NAMES), check_vma=False),
            [(4, 8)],
        ),
        "ring": (over(grid, grid, lambda x: lax.ppermute(x, "cols", ring)), [(2, 8)]),
        "some of a ring": (
            over(
                grid, grid, lambda x: lax.ppermute(x, "cols", [(3, 0), (1, 3), (0, 1)])
            ),
            [(2, 8)],
        ),
        "all to all": (
            over(
                P(None, "cols"),
                P("cols"),
                lambda x: lax.all_to_all(x, "cols", 0, 1, tiled=True),
            ),
            [(8, 8)],
        ),
        "all to all of parts": (
            over(
                grid,
                grid,
                lambda x: lax.all_to_all(x.reshape(4, 2, -1), "cols", 0, 1).reshape(
                    8, -1
                ),
            ),
            [(16, 8)],
        ),
        "scatter": (
            over(
                P(None, "cols"),
                P("cols"),
                lambda x: lax.psum_scatter(x, "cols", tiled=True),
            ),
            [(8, 12)],
        ),
        "numbers": (over(grid, (grid, P(), P("cols")), numbered), [(2, 8)]),
        "halo": (over(grid, grid, relaxed), [(2, 16)]),
        "both axes on one dimension": (
            over(P(NAMES), P(NAMES), lambda x: x + lax.psum(x, "rows")),
            [(16, 3)],
        ),
        "gradient": (jax.grad(loss, (0, 1)), [(6, 8), (8, 3)]),
        "among others": (inside, [(4, 8), (8, 3)]),
        "minimum": (
            over(grid, P(), lambda x: lax.pmin(x.min(), NAMES)),
            [(4, 8)],
        ),
    }


def inputs(shapes):
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def main(path):
    """Writes the results, by name and number."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()).reshape(SHAPE), NAMES)
    found = {}
    for name, (function, shapes) in programs(mesh).items():
        leaves = jax.tree.leaves(jax.jit(function)(*inputs(shapes)))
        found |= {f"{name} {n}": np.asarray(leaf) for n, leaf in enumerate(leaves)}
    np.savez(path, **found)


if __name__ == "__main__":
    assert "device_count=8" in os.environ["XLA_FLAGS"]
    main(sys.argv[1])
