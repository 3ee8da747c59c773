"""Data that moves: joined, padded, turned, gathered and scattered, beside JAX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from same_values import difference

import pyflame as pf

ROWS, COLUMNS = 7, 5
INSIDE = np.array([2, -3, 6, 2, 0], np.int32)
ANY = np.array([2, -30, 6, 99, -2_147_483_648, 2_147_483_647, 4], np.int32)


def arranged(x: jax.Array, i: jax.Array, places: jax.Array) -> list[Any]:
    """Joins, borders, reversals, strides and shifts; dims of 5 strides."""
    number = x[0, 0]
    padded = [
        lax.pad(x, number, ((1, 2, 1), (-1, 3, 2))),
        lax.pad(i, np.int32(-1), ((-2, 0, 2), (-6, 1, 3))),
        lax.pad(x, number, ((-7, 9, 0), (0, 0, 0))),
        lax.pad(x, number, ((0, 1, 0), (0, 0, 0))),  # where padding of tiles was
    ]
    joined = [
        jnp.concatenate([x, x[:, ::-1] * 2, x[::2], jnp.full((1, COLUMNS), 0.25)]),
        jnp.concatenate([i > 0, x[:, :0] > 1, i < 3], 1),
        jnp.stack([x, -x], 2),
    ]
    turned = [x[::-1, ::-2], jnp.rot90(i), jnp.arange(9)[::-1] * 2, jnp.flip(x[1:5])]
    shifted = [jnp.roll(x, (2, -1), (0, 1)), jnp.roll(i, places[0], 0)]
    repeated = [jnp.repeat(x, 3, 1), jnp.tile(i, (2, 2)), *jnp.split(x, [1, 4])]
    repeated += [jnp.split(x, [ROWS])[0], jnp.unstack(x, axis=1)[2]]
    cube = jnp.transpose(x[:6, :4].reshape(3, 2, 2, 2), (3, 0, 2, 1))
    deep = jnp.stack([cube, cube + 1], 4)[:, ::2, :, :, ::-1]
    start = places[:5] % 2
    windows = [
        lax.dynamic_slice(deep, start, (1, 1, 1, 2, 2)),
        lax.dynamic_update_slice(deep, deep[:1, :1, :, :1] * 9, start),
        lax.reshape(cube, (4, 6), (2, 0, 3, 1)),
        jax.nn.one_hot(i[:, 0], 4),
    ]
    return padded + joined + turned + shifted + repeated + windows


def gathered(x: jax.Array, i: jax.Array, places: jax.Array) -> list[Any]:
    inside = jnp.asarray(INSIDE)
    modes = [
        table.at[index].get(mode=mode)
        for table in (x, i, x > 0)
        for index in (places, (places, places % 3))
        for mode in ("fill", "clip", "promise_in_bounds")
    ]
    picked = [x[:, inside % 5], x[inside[:, None], inside % 4], x[inside, :, None]]
    along = jnp.take_along_axis(x, jnp.abs(i[:, :2]) % COLUMNS, axis=1)
    windows = jax.vmap(lambda p: lax.dynamic_slice(x, (p, p), (2, 3)))(places)
    numbers = lax.GatherDimensionNumbers((0, 2), (), (1, 0))
    pairs = jnp.stack([inside, places[:5]], 1)
    general = lax.gather(x, pairs, numbers, (2, 3), mode="fill", fill_value=-1.5)
    gradient = jax.grad(lambda t: (t[inside] ** 2).sum())(x)
    found = jnp.searchsorted(jnp.sort(x[:, 0]), jnp.append(x[:, 1], jnp.nan))
    special = jnp.array([jnp.nan, -jnp.inf, 0.0, -0.0, jnp.inf, 1.0]) * abs(x[0, 0])
    order = lax.lt_to_p.bind(special[:, None] + 0 * special, special + 0 * x[:6, :1])
    return [
        found,
        order,
        *modes,
        *picked,
        along,
        windows,
        general,
        gradient,
        x[inside[0]],
    ]


def scattered(x: jax.Array, i: jax.Array, places: jax.Array) -> list[Any]:
    inside = jnp.asarray(INSIDE)
    y, j = x[:5] * 3, i[:5] - 1
    changed = [
        getattr(table.at[index], change)(update, mode=mode)
        for table, update in ((x, y), (i, j))
        for change in ("set", "add", "subtract", "multiply", "min", "max")
        for index, mode in ((inside, "promise_in_bounds"), (places[:5], "drop"))
    ]
    flags = [(x > 0).at[:, inside % 5].set(i[:, :5] > 0), (i > 0).at[places].max(True)]
    elements = [x.at[places, places % 4].add(1.0), x.at[places].add(y[0], mode="clip")]
    applied = x.at[inside].apply(lambda v: v * v + 1)
    along = jnp.put_along_axis(x, jnp.abs(i[:, :2]) % 4, 7.0, axis=1, inplace=False)
    numbers = lax.ScatterDimensionNumbers((0, 2), (), (1, 0))
    pairs = jnp.stack([inside % 4, places[:5]], 1)
    update = jnp.arange(30.0).reshape(2, 5, 3)
    windows = lax.scatter_add(x, pairs, update, numbers, mode="drop")
    counts = jnp.zeros(8, jnp.int32).at[inside].add(1)
    return [*changed, *flags, *elements, applied, along, windows, counts]


@pytest.mark.parametrize("program", [arranged, gathered, scattered])
@pytest.mark.parametrize(("side", "target"), [(1, "wse2"), (2, "wse3")])
def test_moves(
    program: Callable[..., Any], side: int, target: Any, tmp_path: Path
) -> None:
    random = np.random.default_rng(3)
    x = random.standard_normal((ROWS, COLUMNS)).astype(np.float32)
    i = random.integers(-9, 9, (ROWS, COLUMNS)).astype(np.int32)
    options = pf.CodeGenOptions(
        output_dir=str(tmp_path), target=target, fabric_width=side, fabric_height=side
    )
    result = pf.compile_to_csl(program, x, i, ANY, options=options)
    assert result.success, result.error_message
    got = result.simulate(x, i, ANY).outputs
    assert difference(got, jax.jit(program)(x, i, ANY)) == ""


def test_a_large_table_stays_in_its_tiles(tmp_path: Path) -> None:
    """Each PE gives the rows it has, and the line adds them up: -0.0 and NaN pass."""
    random = np.random.default_rng(0)
    table = random.standard_normal((300, 4)).astype(np.float32)
    table[3], table[7] = -0.0, np.nan
    rows = np.array([3, 299, -1, 7, 300], np.int32)

    def look_up(table: jax.Array, rows: jax.Array) -> list[jax.Array]:
        return [table[rows], table.at[rows].get(mode="fill", fill_value=2)]

    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    options.fabric_height, options.fabric_width = 2, 2
    result = pf.compile_to_csl(look_up, table, rows, options=options)
    assert result.success, result.error_message
    got = result.simulate(table, rows).outputs
    assert difference(got, jax.jit(look_up)(table, rows)) == ""
    program = (tmp_path / "pe.csl").read_text("utf-8")
    assert "[300]f32" in program
    assert "[600]f32" not in program
