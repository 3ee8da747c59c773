"""Layers that became loops, on the simulated wafer, beside JAX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from same_values import difference

import pyflame as pf
from lowering import fitting

RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return (0.4 * RANDOM.standard_normal(shape)).astype(np.float32)


def perceptron(weights: Any, x: Any) -> Any:
    for w, b, scale in weights:
        x = jnp.tanh(x @ w + b) * scale
    return x


WEIGHTS = [(normal(5, 5), normal(5), normal()) for _ in range(7)]


def trained(weights: Any, x: Any) -> Any:
    """A step of gradient descent: what the loops leave is taken apart."""
    grads = jax.grad(lambda weights: jnp.sum(perceptron(weights, x) ** 2))(weights)
    return jax.tree.map(lambda w, g: w - 0.1 * g, weights, grads), grads


def encoder(blocks: Any, x: Any) -> Any:
    for q, k, v, wide, narrow in blocks:
        y = x - jnp.mean(x, axis=1, keepdims=True)
        x = x + jax.nn.softmax((y @ q) @ (y @ k).T) @ (y @ v)
        x = x + jax.nn.gelu(x @ wide) @ narrow
    return x


def recurrent(xs: Any, w: Any) -> Any:
    h, left = xs[0], []
    for t in range(1, 9):
        h = jnp.tanh(h @ w + xs[t])
        left.append(h)
    return h, left[3], left[4]


def halves(weights: Any, x: Any) -> Any:
    """Rows of 16 bits, of an odd number of elements, and of bools."""
    for w, mask in weights:
        x = jnp.where(mask, x * w, x - 0.5)
        x = jnp.maximum(x, -x) * jnp.bfloat16(0.75)
    return x


def stacked(rows: Any, x: Any) -> Any:
    """A loop of the user over arrays that he has joined for it."""

    def turn(x: Any, row: Any) -> Any:
        return jnp.sin(x) + row, x * 2

    last, lefts = lax.scan(turn, x, jnp.stack(rows), reverse=True)
    return last, lefts[0], lefts[2]


def reshaped(rows: Any, x: Any) -> Any:
    """The same, of arrays that had another shape."""
    return stacked([row.reshape(x.shape) for row in rows], x)


MASKED = [(normal(3, 5).astype(jnp.bfloat16), normal(3, 5) > 0) for _ in range(6)]
PROGRAMS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "perceptron": (perceptron, [WEIGHTS, normal(3, 5)]),
    "training step": (trained, [WEIGHTS, normal(3, 5)]),
    "encoder": (
        encoder,
        [
            [[normal(4, 4) for _ in range(3)] + [normal(4, 6), normal(6, 4)]] * 3,
            normal(5, 4),
        ],
    ),
    "recurrent": (recurrent, [normal(9, 2, 5), normal(5, 5)]),
    "halves and bools": (halves, [MASKED, normal(3, 5).astype(jnp.bfloat16)]),
    "stacked by the user": (stacked, [[normal(3, 5) for _ in range(4)], normal(3, 5)]),
    "reshaped, too": (reshaped, [[normal(15) for _ in range(4)], normal(3, 5)]),
}


@pytest.mark.parametrize(("side", "target"), [(1, "wse2"), (2, "wse3")])
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_loops_over_layers(
    name: str,
    side: int,
    target: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "_LONG_EQUATIONS", 0)  # so that loops come first
    function, args = PROGRAMS[name]
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target=target)
    options.fabric_height = options.fabric_width = side
    result = pf.compile_to_csl(function, *args, options=options)
    assert result.success, result.error_message
    assert "scan: step" in result.sources["pe.csl"]
    assert not difference(result.simulate(*args).outputs, jax.jit(function)(*args))


def test_many_phases_are_chosen_in_two_steps(tmp_path: Path) -> None:
    def layers(weights: Any, x: Any) -> Any:
        return perceptron(weights * 2, x)

    args = [WEIGHTS, normal(3, 5)]
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse2")
    options.fabric_height = options.fabric_width = 2
    result = pf.compile_to_csl(layers, *args, options=options)
    assert result.success, result.error_message
    assert "switch (now >> 4) {" in result.sources["pe.csl"]
    assert not difference(result.simulate(*args).outputs, jax.jit(layers)(*args))


def test_weights_that_stay_on_the_wafer_are_changed_by_loops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "_LONG_EQUATIONS", 0)

    def step(weights: Any, x: Any) -> Any:
        return trained(weights, x)[0]

    x = normal(3, 5)
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    options.fabric_height = options.fabric_width = 2
    carry = {"weights": "out"}
    result = pf.compile_to_csl(step, WEIGHTS, x, options=options, carry=carry)
    assert result.success, result.error_message
    assert "scan: step" in result.sources["pe.csl"]
    session = result.session()
    session.run(WEIGHTS, x)
    once = jax.jit(step)(WEIGHTS, x)
    assert not difference(session.run(..., x).outputs, jax.jit(step)(once, x))
