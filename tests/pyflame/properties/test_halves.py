"""Halves: what one rounding of the exact result gives, where steps would go astray."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame.nn import functional as F

HALVES = pytest.mark.parametrize("dtype", [pf.float16, pf.bfloat16], ids=str)


def _halves(dtype: pf.DType, size: float, *shape: int) -> np.ndarray:
    values = np.random.default_rng(len(shape)).uniform(-size, size, shape)
    return values.astype(dtype.numpy)


def _quotients(dtype: pf.DType) -> tuple[pf.Tensor, pf.Tensor, np.ndarray]:
    a, b = _halves(dtype, 100, 5000), _halves(dtype, 3, 5000, 1)[:, 0]
    exact = a.astype(np.float64) / b.astype(np.float64)
    return pf.tensor(a, dtype=dtype), pf.tensor(b, dtype=dtype), exact


@HALVES
def test_whole_quotients_are_exact_before_they_are_rounded(dtype: pf.DType) -> None:
    a, b, exact = _quotients(dtype)
    assert ((a // b).numpy() == np.floor(exact).astype(dtype.numpy)).all()
    cut = pf.div(a, b, rounding_mode="trunc")
    assert (cut.numpy() == np.trunc(exact).astype(dtype.numpy)).all()


@HALVES
@pytest.mark.parametrize(
    ("rest", "whole"), [(pf.remainder, np.floor), (pf.fmod, np.trunc)]
)
def test_the_gradient_of_a_rest_is_the_whole_quotient(
    rest: Any, whole: Any, dtype: pf.DType
) -> None:
    a, b, exact = _quotients(dtype)
    rest(a, b).backward(pf.ones_like(a))
    assert (a.grad.numpy() == 1).all()
    assert (b.grad.numpy() == -whole(exact).astype(dtype.numpy)).all()


@HALVES
def test_attention_rounds_once(dtype: pf.DType) -> None:
    arrays = [_halves(dtype, 2, 3, length, 8) for length in (4, 6, 6)]
    half = [pf.tensor(x, dtype=dtype) for x in arrays]
    wide = [pf.tensor(x.astype(np.float32)) for x in arrays]
    options = {"attn_mask": pf.tensor(np.tri(4, 6, 1, bool)), "scale": 0.3}
    attend = partial(F.scaled_dot_product_attention, **options)
    results = [attend(*inputs) for inputs in (half, wide)]
    for y in results:
        y.sum().backward()
    pairs = [results, *[(h.grad, w.grad) for h, w in zip(half, wide, strict=True)]]
    pairs.append((pf.tensor(jax.jit(attend)(*arrays)), results[1]))
    for ours, exact in pairs:
        assert ours.dtype is dtype
        assert (ours.numpy() == exact.numpy().astype(dtype.numpy)).all()


def test_sums_of_one_operand_in_einsum_are_int32() -> None:
    x = jnp.full((3, 100), 100, jnp.int8)
    for equation, others, dtype in [
        ("ij->i", (), pf.int32),
        ("ii->", (), pf.int32),
        ("...i->...", (), pf.int32),
        ("ij,k->ik", ([100],), pf.int32),
        ("ij->ji", (), pf.int8),
        ("...->...", (), pf.int8),
        ("ij,j->i", ([1] * 100,), pf.int8),
    ]:
        square = x[:, :3] if "ii" in equation else x
        rest = [pf.tensor(y, dtype=pf.int8) for y in others]
        y = pf.einsum(equation, pf.tensor(np.asarray(square)), *rest)
        assert (equation, y.dtype) == (equation, dtype)
    assert pf.einsum("ij->i", pf.tensor(np.asarray(x))).numpy().tolist() == [10000] * 3
    flags = pf.tensor([[True, True], [False, True]])
    assert pf.einsum("ij->j", flags).numpy().tolist() == [1, 2]
