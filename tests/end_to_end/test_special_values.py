"""Infinities, NaN and zeros of both signs mean on the wafer what they mean in JAX.

Subnormal numbers are left out: XLA's CPU code flushes them to zero, and no document
says what the wafer does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

VALUES = np.array(
    [-200, -87.4, -2.5, -1, -0.0, 0, 1.5, 88, 88.8, 100, np.nan, np.inf, -np.inf],
    np.float32,
)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "maximum": lambda x: jnp.maximum(x, 0.5),
    "minimum": lambda x: jnp.minimum(x, 0.5),
    "maximum of a number": lambda x: jnp.maximum(0.5, x),
    "minimum of a number": lambda x: jnp.minimum(0.5, x),
    "maximum in a loop": lambda x: jnp.exp(jnp.maximum(x, -x * 2)),
    "minimum in a loop": lambda x: jnp.exp(jnp.minimum(x, x * 2)),
    "relu": jax.nn.relu,
    "largest": lambda x: (jnp.max(x), jnp.max(x[:10])),
    "smallest": lambda x: (jnp.min(x), jnp.min(x[:10])),
    "exp": jnp.exp,
    "quotient": lambda x: 1 / x,
    "comparisons": lambda x: (x > 0, x == x, x != 0.0, x <= 1.5),
    "select": lambda x: jnp.where(x > 1, x, -x),
    "powers": lambda x: (x**3, jnp.sqrt(x), jnp.log(x)),
    "bounded": lambda x: (jnp.tanh(x), jax.nn.sigmoid(x), jnp.sign(x), jnp.abs(x)),
}


@pytest.mark.parametrize("layout", [None, pf.MeshLayout.col_partition(3)], ids=str)
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_special_values(
    name: str, layout: pf.MeshLayout | None, tmp_path: Path
) -> None:
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    result = pf.compile_to_csl(
        FUNCTIONS[name], VALUES, options=options, in_layouts=layout
    )
    assert result.success, result.error_message
    got = jax.tree.leaves(result.simulate(VALUES).outputs)
    want = jax.tree.leaves(FUNCTIONS[name](jnp.asarray(VALUES)))
    for mine, reference in zip(got, map(np.asarray, want), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=2e-5, atol=1e-37)
        if reference.dtype == np.float32:
            known = ~np.isnan(reference)
            signs = np.signbit(mine) == np.signbit(reference)
            assert np.all(signs | ~known)
