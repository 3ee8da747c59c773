"""Each op beside jax.numpy, the same expression twice."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

A = np.linspace(-2, 3, 12, dtype=np.float32).reshape(3, 4)
B = np.linspace(0.5, 2, 4, dtype=np.float32)
C = np.linspace(-1, 1, 3, dtype=np.float32).reshape(3, 1)
W = np.linspace(-1, 1, 20, dtype=np.float32).reshape(4, 5)
I = np.arange(-6, 6, dtype=np.int32).reshape(3, 4)  # noqa: E741

UNARY: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda x: -x, lambda x: -x),
    (pf.neg, jnp.negative),
    (pf.abs, jnp.abs),
    (abs, jnp.abs),
    (pf.exp, jnp.exp),
    (pf.sin, jnp.sin),
    (pf.cos, jnp.cos),
    (pf.tanh, jnp.tanh),
    (pf.relu, jax.nn.relu),
    (pf.sigmoid, lambda x: jax.nn.sigmoid(1.0 * x)),
    (pf.silu, lambda x: jax.nn.silu(1.0 * x)),
    (pf.gelu, lambda x: jax.nn.gelu(1.0 * x, approximate=False)),
    (pf.softmax, lambda x: jax.nn.softmax(1.0 * x)),
    (lambda x: pf.softmax(x, dim=0), lambda x: jax.nn.softmax(1.0 * x, axis=0)),
    (lambda x: pf.log_softmax(x, 1), lambda x: jax.nn.log_softmax(1.0 * x)),
    (lambda x: pf.sqrt(x * x), lambda x: jnp.sqrt(x * x)),
    (lambda x: pf.log(x * x + 1), lambda x: jnp.log(x * x + 1)),
    (lambda x: x + 5.0, lambda x: x + 5.0),
    (lambda x: 5 - x, lambda x: 5 - x),
    (lambda x: x * 2, lambda x: x * 2),
    (lambda x: x / 2, lambda x: x / 2),
    (lambda x: 2 / (x * x + 1), lambda x: 2 / (x * x + 1)),
    (lambda x: x**2, lambda x: x**2),
    (lambda x: x**3 + x**0, lambda x: x**3 + x**0),
    (lambda x: (x * x) ** 0.5, lambda x: (x * x) ** 0.5),
    (lambda x: 2.0**x, lambda x: 2.0**x),
    (lambda x: x > 0, lambda x: x > 0),
    (lambda x: 1 >= x, lambda x: 1 >= x),
    (lambda x: x != 3, lambda x: x != 3),
    (lambda x: x == x, lambda x: x == x),
    (lambda x: (x < 0) * x, lambda x: (x < 0) * x),
    (lambda x: x <= 0.5, lambda x: x <= 0.5),
    (lambda x: pf.where(x > 0, x, 0.0), lambda x: jnp.where(x > 0, x, 0.0)),
    (lambda x: pf.maximum(x, 1), lambda x: jnp.maximum(x, 1)),
    (lambda x: pf.minimum(x, -x), lambda x: jnp.minimum(x, -x)),
    (lambda x: x.sum(), lambda x: x.sum()),
    (lambda x: x.sum(dim=0), lambda x: x.sum(0)),
    (lambda x: pf.sum(x, 1, True), lambda x: x.sum(1, keepdims=True)),
    (lambda x: x.sum(dim=[0, -1]), lambda x: x.sum((0, 1))),
    (lambda x: x.mean(), lambda x: x.mean()),
    (lambda x: pf.mean(x, dim=1), lambda x: x.mean(1)),
    (lambda x: x.max(), lambda x: x.max()),
    (lambda x: pf.max(x, dim=-1), lambda x: x.max(-1)),
    (lambda x: x.min(dim=0, keepdim=True), lambda x: x.min(0, keepdims=True)),
    (lambda x: pf.min(x), lambda x: x.min()),
    (lambda x: x.reshape([2, -1]), lambda x: x.reshape(2, -1)),
    (lambda x: x.reshape(2, 6), lambda x: x.reshape(2, 6)),
    (lambda x: pf.reshape(x, -1), lambda x: x.reshape(-1)),
    (lambda x: x.transpose(0, 1), lambda x: x.T),
    (lambda x: pf.transpose(x, -1, 0), lambda x: x.T),
    (lambda x: x.unsqueeze(-1), lambda x: x[..., None]),
    (lambda x: pf.unsqueeze(x, 0), lambda x: x[None]),
    (lambda x: x.unsqueeze(0).unsqueeze(2).squeeze(), lambda x: x),
    (lambda x: pf.squeeze(x.unsqueeze(0), 0), lambda x: x),
    (lambda x: x.squeeze(0), lambda x: x),
    (lambda x: pf.cat([x, x], dim=1), lambda x: jnp.concatenate([x, x], 1)),
    (lambda x: pf.stack([x, x]), lambda x: jnp.stack([x, x])),
    (lambda x: x[0], lambda x: x[0]),
    (lambda x: x[1, -1], lambda x: x[1, -1]),
    (lambda x: x[:, 1:3], lambda x: x[:, 1:3]),
    (lambda x: x[..., None, ::2], lambda x: x[..., None, ::2]),
    (lambda x: x[::-1], lambda x: x[::-1]),
    (lambda x: pf.stack(list(x)), lambda x: x),
    (lambda x: x.to(pf.int32), lambda x: x.astype(jnp.int32)),
]

BINARY: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: a < b,
    lambda a, b: a == b,
]


def _check(mine: Any, expected: Any) -> None:
    assert isinstance(mine, pf.Tensor)
    assert mine.shape == list(expected.shape)
    assert mine.dtype.numpy == expected.dtype
    np.testing.assert_allclose(mine.numpy(), expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(("mine", "theirs"), UNARY)
@pytest.mark.parametrize("data", [A, I], ids=["f32", "i32"])
def test_one_operand(mine: Any, theirs: Any, data: Any) -> None:
    expected = theirs(jnp.array(data))
    _check(mine(pf.tensor(data)), expected)
    traced = jax.jit(mine)(pf.tensor(data))
    np.testing.assert_allclose(np.asarray(traced), expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("other", [A + 1, B, C, I, B.astype(np.float16)])
def test_two_operands_broadcast_and_promote(op: Any, other: Any) -> None:
    expected = op(jnp.array(A), jnp.array(other))
    _check(op(pf.tensor(A), pf.tensor(other)), expected)
    _check(op(pf.tensor(A), other), expected)
    _check(op(A, pf.tensor(other)), expected)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A, W),
        (A[0], W),
        (A, B),
        (B, B),
        (np.ones((2, 3, 4), np.float32), W),
        (np.ones((2, 1, 3, 4), np.float32), np.ones((5, 4, 2), np.float32)),
    ],
)
def test_matmul(a: Any, b: Any) -> None:
    expected = jnp.matmul(a, b)
    _check(pf.tensor(a) @ pf.tensor(b), expected)
    _check(pf.matmul(a, b), expected)
    _check(a @ pf.tensor(b), expected)


def test_python_numbers_do_not_widen() -> None:
    x = pf.ones([2], dtype=pf.float16)
    assert (x * 2.5).dtype is pf.float16
    assert (pf.ones([2], dtype=pf.int8) + 1).dtype is pf.int8
    assert (pf.ones([2], dtype=pf.int32) * 2.5).dtype is pf.float32


def test_relu_has_no_gradient_at_zero() -> None:
    gradient = jax.grad(lambda x: pf.sum(pf.relu(x)))(jnp.array([-1.0, 0.0, 2.0]))
    assert gradient.tolist() == [0, 0, 1]


def test_nan_passes() -> None:
    x = pf.tensor([float("nan"), 1.0])
    assert np.isnan(pf.relu(x).numpy()[0])
    assert np.isnan(x.max().item())
    assert np.isnan(pf.mean(pf.zeros([0])).item())
