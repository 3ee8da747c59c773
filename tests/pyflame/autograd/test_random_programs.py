"""Random programs, read and dropped at random, have the gradients that JAX gives."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame.tensors import apply


def _program(seed: int, leaves: list[Any], read: bool) -> list[Any]:
    """Losses of a random graph. With `read`, values are computed on the way."""
    choice, reads = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    values, losses = list(leaves), []
    for _ in range(14):
        a, b = (values[i] for i in choice.integers(len(values), size=2))
        kind = choice.integers(7)
        if kind == 0:
            c = pf.tanh(a + b)
        elif kind == 1:
            c = a * b * 0.5
        elif kind == 2:
            c = pf.where(a > b, a, pf.sin(b))
        elif kind == 3:
            c = a @ b * 0.3
        elif kind == 4:
            c = pf.relu(a) - b.mean()
        elif kind == 5:
            c = (a.detach() if read else jax.lax.stop_gradient(a)) + b
        else:
            c = pf.softmax(b) + a.max()
        values.append(c)
        if choice.random() < 0.2:
            losses.append((c * c).mean())
        if choice.random() < 0.25 and len(values) > len(leaves):
            values.pop(choice.integers(len(leaves), len(values)))
        if read and reads.random() < 0.3:
            pf.eval(values[reads.integers(len(values))])
    total: Any = sum(values[len(leaves) :], start=0.0 * leaves[0])
    losses.append(total.mean())
    return losses


SEEDS = [*range(8), *(pytest.param(k, marks=pytest.mark.slow) for k in range(8, 48))]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs(seed: int) -> None:
    arrays = [
        np.random.default_rng(seed + k).normal(size=(3, 3)).astype(np.float32)
        for k in range(3)
    ]
    leaves = [pf.tensor(x) for x in arrays]
    losses = _program(seed, leaves, read=True)
    order = np.random.default_rng(seed).permutation(len(losses))
    try:
        for k in order:
            losses[k].backward()
            if k % 2:
                pf.eval(*[x.grad for x in leaves if x.grad is not None])
    except pf.GraphError:
        leaves = [pf.tensor(x) for x in arrays]
        losses = _program(seed, leaves, read=True)
        total_loss: Any = sum(losses[1:], start=losses[0])
        total_loss.backward()

    def total(arrays: list[jax.Array]) -> Any:
        losses = _program(seed, arrays, read=False)
        return sum(losses[1:], start=losses[0])

    for x, g in zip(leaves, jax.grad(total)([*map(jnp.asarray, arrays)]), strict=True):
        mine = np.zeros((3, 3)) if x.grad is None else x.grad.numpy()
        np.testing.assert_allclose(mine, g, rtol=1e-3, atol=1e-5)


def test_the_forward_runs_once() -> None:
    runs: list[int] = []

    def counted(x: jax.Array) -> jax.Array:
        jax.debug.callback(lambda: runs.append(1))
        return x * 2

    for read_first in (False, True):
        x = pf.ones([3])
        loss = pf.tanh(apply(counted, x)).sum()
        runs.clear()
        if read_first:
            loss.item()
        loss.backward()
        pf.eval(x.grad)
        loss.item()
        jax.effects_barrier()
        assert len(runs) == 1
