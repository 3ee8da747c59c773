"""Shifts, counts, bits of floats and division in core primitives, exactly as in JAX."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering import jaxprs
from lowering.normalise.normalise import normalise

RANDOM = np.random.default_rng(0)
INTEGERS = ["int8", "int16", "int32", "uint8", "uint16", "uint32"]
NUMBERS = [0, -0.0, 1, -1, 3.4e38, np.inf, -np.inf, np.nan, 1.5, -2.7, 65504, 1e-7]
F32 = np.array(NUMBERS, np.float32)
SPREAD = RANDOM.standard_normal(300) * 10.0 ** RANDOM.integers(-36, 38, 300)


def check(function: Callable[..., Any], *arrays: Any) -> None:
    normal = normalise(jax.make_jaxpr(function)(*arrays))
    got = jax.jit(jaxprs.jaxpr_as_fun(normal))(*arrays)
    want = jax.tree.leaves(jax.jit(function)(*arrays))
    for mine, reference in zip(got, want, strict=True):
        assert mine.dtype == reference.dtype
        assert mine.shape == reference.shape
        is_float = jnp.issubdtype(mine.dtype, jnp.floating)
        wide = jnp.float32 if is_float else mine.dtype  # NumPy knows no NaN of bfloat16
        np.testing.assert_array_equal(mine.astype(wide), reference.astype(wide))


def integers(dtype: str) -> tuple[Any, Any]:
    """Pairs of small, large and limiting numbers."""
    info = np.iinfo(dtype)
    ends = [0, 1, 2, 3, -1, -2, 7, 100, info.min, info.max, info.min + 1]
    some = np.array(ends, np.int64).astype(dtype)
    x, y = np.meshgrid(some, some)
    return x.ravel(), y.ravel()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype: str) -> None:
    x = RANDOM.integers(0, 2**32, 60, np.uint64).astype(dtype)
    y = RANDOM.integers(0, 2**32, 60, np.uint64).astype(dtype)
    n = np.concatenate([np.arange(50), [-1, -5, -128, 100], [3] * 6]).astype(dtype)
    shifts = (
        lax.shift_left,
        lax.shift_right_logical,
        lax.shift_right_arithmetic,
    )
    check(lambda x, n: [shift(x, n) for shift in shifts], x, n)
    check(lambda x: [shift(x, np.array(3, dtype)) for shift in shifts], x)
    check(lambda x: [lax.population_count(x), lax.clz(x), ~x], x)
    check(lambda x, y: [x & y, x | y, x ^ y, lax.mulhi(x, y)], x, y)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_division_by_anything(dtype: str) -> None:
    """JAX says -1 and x for quotient and rest of a division by 0."""
    seven = np.array(7, dtype)
    check(lambda x, y: [lax.div(x, y), lax.rem(x, y), x % y], *integers(dtype))
    check(lambda x, _: [x // seven, lax.rem(x, seven)], *integers(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_floats_as_bits(dtype: str) -> None:
    numbers = jnp.asarray(np.concatenate([F32, SPREAD]), jnp.float32).astype(dtype)
    formats = [(8, 7), (5, 10), (4, 3), (5, 2), (8, 0), (3, 23), (2, 1)]
    check(lambda x: [lax.reduce_precision(x, *bits) for bits in formats], numbers)
    x, y = (grid.ravel() for grid in np.meshgrid(F32, F32))
    check(lax.nextafter, jnp.asarray(x).astype(dtype), jnp.asarray(y).astype(dtype))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(("float32", new) for new in ("int32", "int16", "uint8", "bfloat16")),
        *(("bfloat16", new) for new in ("uint16", "float16", "int8")),
        ("float16", "bfloat16"),
        ("int8", "uint8"),
        ("uint32", "float16"),
    ],
)
def test_bits_of_one_dtype_as_another(old: str, new: str) -> None:
    x = jnp.asarray(RANDOM.uniform(0, 100, (3, 4)), old)
    check(lambda x: lax.bitcast_convert_type(x, new), x)
    parts = lax.bitcast_convert_type(x, new)
    check(lambda x: lax.bitcast_convert_type(x, old), parts)


def test_a_choice_among_many() -> None:
    x = np.array([-5, 0, 1, 2, 3, 9], np.float32)
    check(lambda x: lax.select_n(x.astype(int), x, x * 2, x * 3), x)
    check(lambda x: lax.select_n(x.astype(int), x), np.zeros(2, np.float32))
