"""Functions, bits and random numbers of each element on the simulated wafer.

That they are JAX's functions is tested without a wafer (`tests/lowering`): here a
program of each family says that the functions of CSL are the same.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random

import pyflame as pf

NUMBERS = [0, -0.0, 0.3, -0.7, 1, -1, 2.5, -3.5, 40, -40, 5e4, 6e4, -1e10, 3e30]
X = np.array([*NUMBERS, np.inf, -np.inf, np.nan, 0.5, 1.5, -1e-5], np.float32)
Y = np.array([2, 0, -0.0, 1.5, -2, np.inf, 3, 1e-3, 7, -0.1] * 2, np.float32)
ENDS = [0, 1, -1, 7, -9, 2**31 - 1, -(2**31)]
A, B = (grid.ravel() for grid in np.meshgrid(np.array(ENDS), np.array(ENDS)))
UNARY = "exp2 log1p expm1 cbrt sinh cosh asinh acosh atanh atan asin acos sin cos tan"
SPECIAL = "erf erfc erf_inv lgamma digamma bessel_i0e bessel_i1e"
POSITIVE = np.array([0, 0.2, 0.9, 1, 2.5, 7, np.inf], np.float32)
RASTER = pf.MeshLayout.grid(2, 2)


def elementary(x: Any, y: Any) -> list[Any]:
    even = lax.RoundingMethod.TO_NEAREST_EVEN
    return [
        *(getattr(lax, name)(x) for name in (*UNARY.split(), "floor", "ceil", "round")),
        *(lax.round(x, even), lax.atan2(x, y), lax.pow(x, y), lax.rem(x, y)),
        *(lax.nextafter(x, y), lax.reduce_precision(x, 5, 7), lax.sin(x.astype("e"))),
    ]


def special(x: Any, y: Any) -> list[Any]:
    names = SPECIAL.split()
    found = [getattr(lax, name)(x) for name in names]
    found += [lax.igamma(y, x), lax.igammac(y, x), lax.igamma_grad_a(y, x)]
    return [*found, lax.zeta(x, y), lax.polygamma(y, x), lax.betainc(x, y, x / 8)]


def bits(a: Any, b: Any) -> list[Any]:
    shifts = (lax.shift_left, lax.shift_right_logical, lax.shift_right_arithmetic)
    return [
        *(shift(a, b & np.array(63, b.dtype)) for shift in shifts),
        *(a & b, a | b, a ^ b, ~a, lax.population_count(a), lax.clz(a)),
        *(lax.div(a, b), lax.rem(a, b), a % b, lax.shift_left(a, np.array(3, a.dtype))),
    ]


def reinterpreted(x: Any, y: Any) -> list[Any]:
    dtypes = ("int32", "uint8", "float16", "bfloat16")
    which = jnp.clip(y, -3, 3).astype(int)
    chosen = lax.select_n(which, x, -x, x * 2)
    orders = [compare(x > 0, y > 0) for compare in (lax.lt, lax.le, lax.gt, lax.ge)]
    parts = [lax.bitcast_convert_type(x, dtype) for dtype in dtypes]
    return [chosen, *orders, *parts]


def drawn(key: Any, x: Any) -> list[Any]:
    normal_key, gamma_key = random.split(key)
    return [
        random.normal(normal_key, x.shape) + x,
        random.gamma(gamma_key, jnp.abs(x[0]) + 0.3),
        random.bits(random.fold_in(key, 3), (5,), jnp.uint8),
        normal_key,
    ]


INT8, UINT16 = jnp.int8, jnp.uint16
PROGRAMS: dict[str, tuple[Callable[..., Any], list[Any], Any, str]] = {
    "elementary": (elementary, [X, Y], pf.MeshLayout.col_partition(3), "wse3"),
    "special": (special, [POSITIVE, POSITIVE[::-1].copy()], None, "wse2"),
    "bits of int32": (bits, [A.astype("i4"), B.astype("i4")], RASTER, "wse3"),
    "bits of int8": (bits, [A.astype("i1"), B.astype("i1")], RASTER, "wse2"),
    "bits of uint16": (bits, [A.astype("u2"), B.astype("u2")], RASTER, "wse2"),
    "bits of floats": (reinterpreted, [X, Y], pf.MeshLayout.col_partition(3), "wse3"),
    "random": (drawn, [random.key(5), np.ones((3, 5), np.float32)], None, "wse3"),
}


def words(x: Any) -> np.ndarray[Any, Any]:
    is_key = jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
    return np.asarray(random.key_data(x) if is_key else x)


@pytest.mark.parametrize("name", PROGRAMS)
def test_families(name: str, tmp_path: Path) -> None:
    program, arrays, layout, target = PROGRAMS[name]
    mesh = {} if layout else {"fabric_width": 2, "fabric_height": 2}
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target=target, **mesh)
    layouts = [layout] * len(arrays) if layout else None
    result = pf.compile_to_csl(program, *arrays, options=options, in_layouts=layouts)
    assert result.success, result.error_message
    got = jax.tree.leaves(result.simulate(*arrays).outputs)
    want = map(words, jax.tree.leaves(jax.jit(program)(*arrays)))
    for mine, reference in zip(got, want, strict=True):
        assert mine.dtype == reference.dtype
        if not jnp.issubdtype(mine.dtype, jnp.floating):
            np.testing.assert_array_equal(mine, reference)
            continue
        rtol = 2e-5 if mine.dtype == np.float32 else 2e-3
        wide = [np.asarray(array, np.float64) for array in (mine, reference)]
        np.testing.assert_allclose(*wide, rtol=rtol, atol=1e-6)
