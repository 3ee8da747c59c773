"""The surface inside JAX's transformations: the same values, as Tensors or arrays."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)

FUNCTIONS: list[Callable[[Any], Any]] = [
    lambda x: pf.clamp(x, -0.5, 0.5),
    lambda x: pf.remainder(x, 0.7),
    lambda x: pf.lerp(x, 2.0, 0.25),
    lambda x: pf.addcdiv(x, x, 3.0, value=2),
    lambda x: pf.var(x, 1),
    lambda x: pf.norm(x, 3, dim=0),
    lambda x: pf.cumsum(x, -1),
    lambda x: pf.logsumexp(x, (0, 1)),
    lambda x: pf.argmax(x, 1),
    lambda x: pf.permute(x, 1, 0),
    lambda x: pf.stack(pf.split(x, 2, dim=1)),
    lambda x: pf.expand(pf.unsqueeze(x, 0), 2, -1, -1),
    lambda x: pf.masked_fill(x, pf.gt(x, 0), 0),
    lambda x: pf.where(pf.isnan(x), 0.0, x),
    lambda x: pf.sort(x, 0).values,
    lambda x: pf.topk(x, 2).values,
    lambda x: pf.index_select(x, 1, [2, 0]),
    lambda x: pf.scatter_add(x, 0, [[0, 1, 2, 0]], 1.0),
    lambda x: pf.einsum("ij,kj->ik", x, x),
    lambda x: pf.tril(x),
    lambda x: pf.round(x, decimals=1),
    lambda x: pf.maximum(x, pf.ones_like(x)),
    lambda x: pf.bitwise_or(pf.gt(x, 0), pf.lt(x, -1)),
    lambda x: pf.meshgrid(x[0], x[1])[0],
    lambda x: pf.nan_to_num(x / 0),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_arrays_and_tensors_under_jit(function: Callable[[Any], Any]) -> None:
    expected = function(pf.tensor(X)).numpy()
    of_array = jax.jit(function)(jnp.asarray(X))
    assert isinstance(of_array, jax.Array)
    np.testing.assert_allclose(of_array, expected, rtol=1e-6, atol=1e-6)
    of_tensor = jax.eval_shape(function, pf.tensor(X))
    leaf = jax.tree.leaves(of_tensor)[0]
    assert (leaf.shape, leaf.dtype) == (expected.shape, expected.dtype)


def test_methods_under_grad() -> None:
    def loss(x: Any) -> Any:
        y = x.clamp(min=0).T[[0, 2]] * 2
        return (y**2).sum()

    x = pf.tensor(X)
    traced = jax.grad(loss)(x)
    loss(x).backward()
    np.testing.assert_allclose(traced.numpy(), x.grad.numpy(), rtol=1e-6)


def test_methods_under_vmap_and_scan() -> None:
    rows = jax.vmap(lambda row: row.cumsum(0).flip(0))(pf.tensor(X))
    np.testing.assert_allclose(rows.numpy(), X.cumsum(1)[:, ::-1], rtol=1e-5, atol=1e-6)

    def step(total: Any, row: Any) -> tuple[Any, Any]:
        total = total + row.relu()
        return total, total.max()

    total, largest = jax.lax.scan(step, pf.zeros([4]), pf.tensor(X))
    np.testing.assert_allclose(total.numpy(), X.clip(0).sum(0), rtol=1e-6)
    assert jnp.shape(largest) == (3,)
