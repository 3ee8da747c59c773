"""Layers written out one after another become loops with the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering import jaxprs
from lowering.normalise.normalise import normalise
from lowering.normalise.roll import rolled


def _normal(random: np.random.Generator, *shape: int) -> Any:
    return (0.4 * random.standard_normal(shape)).astype(np.float32)


def _rolled(function: Callable[..., Any], *args: Any) -> tuple[Any, Any]:
    """The normalised program, and the same with loops (checked to have its values)."""
    closed = normalise(jax.make_jaxpr(function)(*args))
    loops = rolled(closed)
    if loops is not None:
        leaves = jax.tree.leaves(args)
        want = jaxprs.jaxpr_as_fun(closed)(*leaves)
        got = jaxprs.jaxpr_as_fun(loops)(*leaves)
        for mine, reference in zip(got, want, strict=True):
            assert (mine.dtype, mine.shape) == (reference.dtype, reference.shape)
            np.testing.assert_allclose(mine, reference, 1e-5, 1e-5)
    return closed, loops


def _scans(closed: Any) -> list[Any]:
    """(passes, equations of a pass, whether it runs backwards) of the loops."""
    return [
        (e.params["length"], len(e.params["jaxpr"].eqns), e.params["reverse"])
        for e in closed.eqns
        if e.primitive.name == "scan"
    ]


def _layers(weights: Any, x: Any) -> Any:
    for w, b in weights:
        x = jnp.tanh(x @ w + b)
    return x


def _weights(count: int, width: int = 5) -> Any:
    random = np.random.default_rng(0)
    return [
        (_normal(random, width, width), _normal(random, width)) for _ in range(count)
    ]


X = _normal(np.random.default_rng(1), 3, 5)


def test_equal_layers_are_one_loop_over_their_weights() -> None:
    _, loops = _rolled(_layers, _weights(9), X)
    assert _scans(loops) == [(9, 4, False)]


def test_only_equal_layers_are() -> None:
    random = np.random.default_rng(2)
    odd = [(_normal(random, 5, 7), _normal(random, 7))]
    back = [(_normal(random, 7, 5), _normal(random, 5))]
    weights = [*_weights(6), *odd, *back, *_weights(5)]
    _, loops = _rolled(_layers, weights, X)
    assert _scans(loops) == [(6, 4, False), (5, 4, False)]


def test_gradients_run_backwards_over_what_the_layers_left() -> None:
    def loss(weights: Any, x: Any) -> Any:
        return jnp.sum(_layers(weights, x) ** 2)

    closed, loops = _rolled(jax.grad(loss, (0, 1)), _weights(9), X)
    (forward, _, ahead), (backward, _, back) = _scans(loops)
    assert (forward, ahead) == (9, False)
    assert backward >= 7
    assert back
    assert len(loops.eqns) < len(closed.eqns)


def test_windows_that_move_on_are_places_that_a_loop_counts() -> None:
    def recurrent(xs: Any, w: Any) -> Any:
        h = xs[0]
        for t in range(1, 12):
            h = jnp.tanh(h @ w + xs[t])
        return h

    random = np.random.default_rng(3)
    _, loops = _rolled(recurrent, _normal(random, 12, 3, 5), _normal(random, 5, 5))
    ((passes, _, _),) = _scans(loops)
    assert passes == 11


def test_numbers_that_differ_are_a_table() -> None:
    def scaled(x: Any) -> Any:
        for factor in (0.5, 0.25, 2.0, -1.0, 0.125):
            x = jnp.tanh(x * factor) + 1 - x * x
        return x

    _, loops = _rolled(scaled, X)
    assert [passes for passes, _, _ in _scans(loops)] == [5]


def test_what_reads_two_layers_back_stays_as_it_is() -> None:
    def fibonacci(x: Any) -> Any:
        before, now = x, x * 2
        for _ in range(8):
            before, now = now, jnp.tanh(before) + jnp.sin(now)
        return now

    closed, loops = _rolled(lambda x: jnp.exp(x) + 1, X)
    assert loops is None
    assert len(closed.eqns) == 2
    _rolled(fibonacci, X)


def test_a_loop_of_the_user_repeats_too() -> None:
    def program(weights: Any, x: Any) -> Any:
        for w, _ in weights:
            x = lax.fori_loop(0, 3, lambda _, x, w=w: jnp.tanh(x @ w), x)
            x = jnp.sin(x) * 0.5
        return x

    closed, loops = _rolled(program, _weights(12), X)
    assert len(_scans(closed)) == 12
    assert [passes for passes, _, _ in _scans(loops)] == [12]


def test_the_lines_of_the_first_layer_stay_known() -> None:
    _, loops = _rolled(_layers, _weights(9), X)
    (scan,) = (e for e in loops.eqns if e.primitive.name == "scan")
    places = {str(jaxprs.place_of(eqn)) for eqn in scan.params["jaxpr"].eqns}
    assert all("jnp.tanh(x @ w + b)" in place for place in places)


_STEPS: list[Callable[..., Any]] = [
    lambda a, b, w, n: jnp.tanh(a + b),
    lambda a, b, w, n: a @ w,
    lambda a, b, w, n: a * b + jnp.sum(w, 0),
    lambda a, b, w, n: a - jnp.max(b, axis=1, keepdims=True),
    lambda a, b, w, n: jnp.where(a > b, a, w[0]),
    lambda a, b, w, n: a * (0.1 * n),
    lambda a, b, w, n: jnp.concatenate([b[:, 1:], a[:, :1]], 1),
]


def _random_block(random: np.random.Generator) -> Callable[..., Any]:
    """A layer of a few values: each of its steps reads values at random places."""
    steps = [
        (_STEPS[random.integers(len(_STEPS))], *random.random(3)) for _ in range(7)
    ]

    def block(weights: Any, shared: Any, state: Any, number: int) -> Any:
        values = [*state, shared]
        for step, *places in steps:
            lists = (values, values, weights)
            operands = [x[int(p * len(x))] for p, x in zip(places, lists, strict=True)]
            values.append(step(*operands, number))
        return values[-len(state) :]

    return block


@pytest.mark.parametrize("seed", range(8))
def test_random_repeated_programs_keep_their_values(seed: int) -> None:
    random = np.random.default_rng(seed)
    count, width = int(random.integers(3, 8)), int(random.integers(1, 4))
    block = _random_block(random)
    weights = [[_normal(random, 5, 5) for _ in range(2)] for _ in range(count)]
    kept = {int(n) for n in random.integers(0, count, 2)}

    def program(weights: Any, shared: Any, *state: Any) -> Any:
        left = []
        for number, each in enumerate(weights):
            state = block(each, shared, state, number)
            left += [state[0]] if number in kept else []
        return state, left

    def total(weights: Any, *rest: Any) -> Any:
        return sum(
            jnp.sum(jnp.tanh(x)) for x in jax.tree.leaves(program(weights, *rest))
        )

    args = [weights, *(_normal(random, 3, 5) for _ in range(width + 1))]
    found = [_rolled(program, *args)[1], _rolled(jax.grad(total), *args)[1]]
    if seed == 0:
        assert all(loops is not None for loops in found)
