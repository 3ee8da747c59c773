"""The gradient of every op, against jax.grad and against PyTorch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

POSITIVE = ("sqrt", "log", "pow", "scalars")

# name, pf (and jax) function of one or two arrays, torch function of (torch, arrays)
ONE: list[tuple[str, Callable[[Any], Any], Callable[[Any, Any], Any]]] = [
    ("neg", lambda x: -x, lambda t, x: -x),
    ("abs", pf.abs, lambda t, x: x.abs()),
    ("sqrt", pf.sqrt, lambda t, x: x.sqrt()),
    ("exp", pf.exp, lambda t, x: x.exp()),
    ("log", pf.log, lambda t, x: x.log()),
    ("sin", pf.sin, lambda t, x: x.sin()),
    ("cos", pf.cos, lambda t, x: x.cos()),
    ("tanh", pf.tanh, lambda t, x: x.tanh()),
    ("relu", pf.relu, lambda t, x: x.relu()),
    ("sigmoid", pf.sigmoid, lambda t, x: x.sigmoid()),
    ("gelu", pf.gelu, lambda t, x: t.nn.functional.gelu(x)),
    ("silu", pf.silu, lambda t, x: t.nn.functional.silu(x)),
    ("softmax", lambda x: pf.softmax(x, 0), lambda t, x: x.softmax(0)),
    ("log_softmax", pf.log_softmax, lambda t, x: x.log_softmax(-1)),
    ("square", lambda x: x**2, lambda t, x: x**2),
    ("cube", lambda x: x**3, lambda t, x: x**3),
    ("inverse", lambda x: x**-1, lambda t, x: x**-1),
    ("pow", lambda x: x**1.5, lambda t, x: x**1.5),
    ("rpow", lambda x: 2.0**x, lambda t, x: 2.0**x),
    ("scalars", lambda x: 2 - x * 3 + 1 / x, lambda t, x: 2 - x * 3 + 1 / x),
    ("sum", pf.sum, lambda t, x: x.sum()),
    ("sum of rows", lambda x: pf.sum(x, 1, True), lambda t, x: x.sum(1, True)),
    ("mean", pf.mean, lambda t, x: x.mean()),
    ("mean of columns", lambda x: pf.mean(x, (0,)), lambda t, x: x.mean(0)),
    ("max", pf.max, lambda t, x: x.amax()),
    ("max of rows", lambda x: pf.max(x, -1), lambda t, x: x.amax(-1)),
    ("min", pf.min, lambda t, x: x.amin()),
    ("min of columns", lambda x: pf.min(x, 0), lambda t, x: x.amin(0)),
    ("reshape", lambda x: pf.reshape(x, [4, 3]), lambda t, x: x.reshape(4, 3)),
    ("transpose", lambda x: pf.transpose(x, 0, 1), lambda t, x: x.T),
    ("unsqueeze", lambda x: pf.unsqueeze(x, 1), lambda t, x: x.unsqueeze(1)),
    ("index", lambda x: x[1:, 0], lambda t, x: x[1:, 0]),
    ("cat", lambda x: pf.cat([x, x * 2]), lambda t, x: t.cat([x, x * 2])),
    ("stack", lambda x: pf.stack([x, x * 2], 1), lambda t, x: t.stack([x, x * 2], 1)),
]

TWO: list[tuple[str, Callable[[Any, Any], Any], Callable[[Any, Any, Any], Any]]] = [
    ("add", pf.add, lambda t, a, b: a + b),
    ("sub", pf.sub, lambda t, a, b: a - b),
    ("mul", pf.mul, lambda t, a, b: a * b),
    ("div", pf.div, lambda t, a, b: a / b),
    ("maximum", pf.maximum, lambda t, a, b: t.maximum(a, b)),
    ("minimum", pf.minimum, lambda t, a, b: t.minimum(a, b)),
    (
        "where",
        lambda a, b: pf.where(a > b, a, b * 2),
        lambda t, a, b: t.where(a > b, a, b * 2),
    ),
    (
        "matmul",
        lambda a, b: a @ pf.transpose(pf.unsqueeze(b, 0), 0, 1),
        lambda t, a, b: a @ b[None].T,
    ),
]


def _data(name: str, *shape: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return np.abs(x) + 0.1 if name in POSITIVE else x


def _weights(shape: Any) -> np.ndarray:
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape).astype("f")


def _mine(function: Callable[..., Any], arrays: list[np.ndarray]) -> list[np.ndarray]:
    tensors = [pf.tensor(x) for x in arrays]
    y = function(*tensors)
    y.backward(pf.tensor(_weights(y.shape)))
    pf.eval(*[x.grad for x in tensors])
    return [x.grad.numpy() for x in tensors]


def _jaxs(function: Callable[..., Any], arrays: list[np.ndarray]) -> Any:
    def loss(*xs: jax.Array) -> jax.Array:
        y = function(*xs)
        return jnp.sum(y * _weights(y.shape))

    return jax.grad(loss, tuple(range(len(arrays))))(*map(jnp.asarray, arrays))


def _torchs(function: Callable[..., Any], arrays: list[np.ndarray]) -> list[Any]:
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    y = function(torch, *tensors)
    y.backward(torch.tensor(_weights(y.shape)))
    return [x.grad.numpy() for x in tensors]


def _check(mine: list[np.ndarray], others: Any) -> None:
    for a, b in zip(mine, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "function", "torch"), ONE, ids=[c[0] for c in ONE])
def test_ops_of_one_tensor(name: str, function: Any, torch: Any) -> None:
    arrays = [_data(name, 3, 4)]
    mine = _mine(function, arrays)
    _check(mine, _jaxs(function, arrays))
    _check(mine, _torchs(torch, arrays))


@pytest.mark.parametrize(("name", "function", "torch"), TWO, ids=[c[0] for c in TWO])
def test_ops_of_two_tensors_that_broadcast(
    name: str, function: Any, torch: Any
) -> None:
    arrays = [_data(name, 3, 4), _data(name, 4, seed=1) + 0.05]
    mine = _mine(function, arrays)
    _check(mine, _jaxs(function, arrays))
    _check(mine, _torchs(torch, arrays))


TIES = [
    ("max", pf.max, lambda t, x: x.amax()),
    ("min", pf.min, lambda t, x: x.amin()),
    ("maximum", lambda x: pf.maximum(x, 1.0), lambda t, x: x.maximum(t.ones(4))),
    ("abs", lambda x: pf.abs(x - 1), lambda t, x: (x - 1).abs()),
    ("relu", lambda x: pf.relu(x - 1), lambda t, x: (x - 1).relu()),
]


@pytest.mark.parametrize(("name", "function", "torch"), TIES, ids=[c[0] for c in TIES])
def test_ties_and_corners_are_pytorchs(name: str, function: Any, torch: Any) -> None:
    arrays = [np.array([1, 1, 0, 1] if name == "max" else [1, 1, 2, 1], np.float32)]
    _check(_mine(function, arrays), _torchs(torch, arrays))


@pytest.mark.parametrize("dtype", [pf.float16, pf.bfloat16])
def test_gradients_have_the_dtype_of_the_leaf(dtype: pf.DType) -> None:
    x, w = pf.ones([3], dtype=dtype), pf.full([3], 2.0)
    (x * w).sum().backward()
    assert x.grad.dtype is dtype
    assert x.grad.to(pf.float32).numpy().tolist() == [2, 2, 2]
    assert w.grad.dtype is pf.float32


def test_no_gradient_passes_integers() -> None:
    x = pf.tensor([1.5, 2.5])
    (x.to(pf.int32).to(pf.float32) * x).sum().backward()
    assert x.grad.numpy().tolist() == [1, 2]
