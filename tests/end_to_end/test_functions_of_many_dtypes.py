"""Functions of CSL are told apart by the formats that they are about."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jax import lax
from same_values import difference

import pyflame as pf


def test_fewer_bits_of_both_halves_in_one_program(tmp_path: Path) -> None:
    # Both are words of 16 bits, and once had one function.
    def function(x: jnp.ndarray) -> list[jnp.ndarray]:
        halves = x.astype(jnp.float16), x.astype(jnp.bfloat16), x
        return [lax.reduce_precision(half, 5, 3) for half in halves]

    x = np.array([1.09, -3.3, 7e4, 1e-6, np.nan, np.inf], np.float32)
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    result = pf.compile_to_csl(function, x, options=options)
    assert result.success, result.error_message
    assert difference(result.simulate(x).outputs, function(jnp.asarray(x))) == ""
