"""Sorts by several keys, orders, and what is made of them, beside JAX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import pyflame as pf


def sorts(a: jax.Array, i: jax.Array) -> list[Any]:
    nan = jnp.where(a > 1, jnp.float32(jnp.nan), a)
    signs = jnp.sign(a)
    return [
        jnp.sort(a, 0),
        jnp.sort(nan, 1),
        lax.sort((signs, i, a), dimension=0, num_keys=2),
        jnp.argsort(signs, axis=1),
        jnp.sort(i.ravel()),
        jnp.sort(a > 0, axis=1),
        lax.top_k(i, 3),
        lax.top_k(nan, 4),
        lax.approx_max_k(a, 2),
    ]


@pytest.mark.parametrize(("side", "target"), [(1, "wse2"), (2, "wse3")])
def test_sorts(side: int, target: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    a = random.standard_normal((7, 5)).astype(np.float32)
    a[2] = a[4]  # ties
    a[3, :2] = 0, -0.0
    i = random.integers(-3, 3, (7, 5)).astype(np.int32)
    options = pf.CodeGenOptions(
        output_dir=str(tmp_path), target=target, fabric_width=side, fabric_height=side
    )
    result = pf.compile_to_csl(sorts, a, i, options=options)
    assert result.success, result.error_message
    got = jax.tree.leaves(result.simulate(a, i).outputs)
    want = jax.tree.leaves(sorts(jnp.asarray(a), jnp.asarray(i)))
    for number, (mine, reference) in enumerate(zip(got, want, strict=True)):
        assert mine.dtype == reference.dtype, number
        np.testing.assert_array_equal(mine, reference, err_msg=f"output {number}")
        if mine.dtype == np.float32:
            np.testing.assert_array_equal(np.signbit(mine), np.signbit(reference))


def test_few_elements_of_long_lines(tmp_path: Path) -> None:
    """With ties, NaN and zeros of both signs; the lines are split over PEs."""
    random = np.random.default_rng(0)
    a = random.standard_normal((5, 300)).astype(np.float32)
    a[0, 3:9:3], a[1], a[2], a[2, ::2], a[3, 7] = np.nan, -np.inf, 0, -0.0, np.inf
    i = random.integers(-3, 3, (1500,)).astype(np.int32)

    def program(a: jax.Array, i: jax.Array) -> Any:
        return lax.top_k(a, 3), lax.top_k(i, 4), lax.approx_min_k(a[3:4] * 2, 2)

    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    options.fabric_height = options.fabric_width = 2
    result = pf.compile_to_csl(program, a, i, options=options)
    assert result.success, result.error_message
    got = jax.tree.leaves(result.simulate(a, i).outputs)
    want = jax.tree.leaves(program(jnp.asarray(a), jnp.asarray(i)))
    for mine, reference in zip(got, want, strict=True):
        np.testing.assert_array_equal(mine, reference)
        np.testing.assert_array_equal(np.signbit(mine), np.signbit(reference))


def test_approximate_lists_are_refused(tmp_path: Path) -> None:
    def partial(x: jax.Array) -> Any:
        return lax.approx_max_k(x, 2, aggregate_to_topk=False)

    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    x = np.ones((4, 8), np.float32)
    result = pf.compile_to_csl(partial, x, options=options)
    assert not result.success
    message = result.error_message
    assert "approx_top_k without aggregate_to_topk has no rule" in message
    assert "return lax.approx_max_k(x, 2, aggregate_to_topk=False)" in message
    assert "help      leave out aggregate_to_topk=False" in message
