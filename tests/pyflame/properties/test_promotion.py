"""Dtype promotion is JAX's: every pair of dtypes, and of a dtype and a number."""

import operator
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

DTYPES = list(pf.DType)
ARITHMETIC = [operator.add, operator.mul, operator.truediv]
NUMBERS = [True, 2, 2.5]


def _jax_dtype(op: Any, *operands: Any) -> np.dtype[Any]:
    return jax.eval_shape(op, *operands).dtype


def _array(dtype: pf.DType) -> jax.Array:
    return jnp.ones((2,), dtype.numpy)


@pytest.mark.parametrize(("a", "b"), list(product(DTYPES, DTYPES)), ids=str)
def test_two_tensors(a: pf.DType, b: pf.DType) -> None:
    x, y = pf.ones([2], dtype=a), pf.ones([2], dtype=b)
    for op in ARITHMETIC:
        expected = _jax_dtype(op, _array(a), _array(b))
        assert op(x, y).dtype.numpy == expected
        assert op(y, x).dtype.numpy == expected
    assert (x < y).dtype is pf.bool_
    joined = pf.where(x == x, x, y)
    assert joined.dtype.numpy == jnp.promote_types(a.numpy, b.numpy)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_tensor_and_a_number(dtype: pf.DType, number: Any) -> None:
    x = pf.ones([2], dtype=dtype)
    for op in ARITHMETIC:
        expected = _jax_dtype(lambda a, op=op: op(a, number), _array(dtype))
        assert op(x, number).dtype.numpy == expected
        assert op(number, x).dtype.numpy == expected


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_chains_of_numbers_stay_weak(dtype: pf.DType) -> None:
    """A number is weak until it meets a dtype, through any chain of tensors of it."""
    x = pf.ones([2], dtype=dtype)
    found = (x * 2 + 1) * (x + 3)
    expected = _jax_dtype(lambda a: (a * 2 + 1) * (a + 3), _array(dtype))
    assert found.dtype.numpy == expected
