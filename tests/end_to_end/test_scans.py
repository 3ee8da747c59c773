"""Reductions of every kind, extreme indices and running totals, beside JAX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import pyflame as pf


def scans(a: jax.Array, i: jax.Array) -> list[Any]:
    nan = jnp.where(a > 1, jnp.float32(jnp.nan), a)
    folds = [a.prod(), a.prod(0), i.prod(1), lax.reduce_xor(i, (0, 1))]
    folds += [lax.reduce_and(i, (0,)), lax.reduce_or(i, (1,))]
    indices = [a.argmax(), a.argmin(1), nan.argmax(0), i.argmin(0), (i > 0).argmax(1)]
    walks = [lax.cumsum(a, 0), lax.cumsum(a, 1, reverse=True), lax.cumprod(a, 1)]
    walks += [lax.cummax(nan, 0, reverse=True), lax.cummin(a, 0), lax.cumsum(i, 1)]
    walks += [lax.cummax(i, 0), lax.cumprod(i, 0)]
    walks += [lax.cumlogsumexp(a, 1), lax.cumlogsumexp(a, 0, reverse=True)]
    return folds + indices + walks


@pytest.mark.parametrize(("side", "target"), [(1, "wse2"), (2, "wse3")])
def test_scans(side: int, target: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    a = random.standard_normal((7, 5)).astype(np.float32)
    i = random.integers(-50, 50, (7, 5)).astype(np.int32)
    options = pf.CodeGenOptions(
        output_dir=str(tmp_path), target=target, fabric_width=side, fabric_height=side
    )
    result = pf.compile_to_csl(scans, a, i, options=options)
    assert result.success, result.error_message
    got = result.simulate(a, i).outputs
    want = scans(jnp.asarray(a), jnp.asarray(i))
    for number, (mine, reference) in enumerate(zip(got, want, strict=True)):
        assert mine.dtype == reference.dtype, number
        np.testing.assert_allclose(
            mine, reference, rtol=2e-5, atol=2e-5, err_msg=f"output {number}"
        )
