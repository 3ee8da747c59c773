"""Functions that close over their weights, beside JAX on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

WEIGHTS = np.random.default_rng(0).standard_normal((40, 40)).astype(np.float32) / 6
SMALL = np.arange(40, dtype=np.float32) / 40


def layer(x: Any) -> Any:
    return jnp.tanh(x @ WEIGHTS + SMALL)


def repeated(x: Any) -> Any:
    return jax.lax.fori_loop(0, 3, lambda _, x: layer(x), x)


@pytest.mark.parametrize("function", [layer, repeated])
@pytest.mark.parametrize(
    ("mesh", "target"), [((1, 1), "wse3"), ((3, 2), "wse2")], ids=str
)
def test_the_weights_are_on_the_wafer(
    function: Any, mesh: tuple[int, int], target: str, tmp_path: Path
) -> None:
    x = np.random.default_rng(1).standard_normal((5, 40)).astype(np.float32)
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target=target)
    result = pf.compile_to_csl(
        function, x, options=options, in_layouts=pf.MeshLayout.grid(*mesh)
    )
    assert result.success, result.error_message
    got = result.simulate(x).outputs
    np.testing.assert_allclose(got, function(x), rtol=2e-5, atol=2e-5)
