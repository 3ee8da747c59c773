"""Slices of padded arrays become moves of the array; what they hold stays the same."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering import jaxprs
from lowering.normalise.normalise import normalise

X = np.arange(1, 31, dtype=np.float32).reshape(5, 6)


def pads(program: Any) -> list[Any]:
    """The configurations of the pads that are left, and no slice is."""
    closed = normalise(jax.make_jaxpr(program)(X))
    got = jaxprs.jaxpr_as_fun(closed)(X)
    for value, want in zip(got, jax.tree.leaves(program(X)), strict=True):
        np.testing.assert_array_equal(value, want)
    names = [eqn.primitive.name for eqn in closed.jaxpr.eqns]
    assert "slice" not in names, names
    found = [e.params["padding_config"] for e in closed.jaxpr.eqns]
    return [tuple(each[:2] for each in config) for config in found]


def test_a_neighbour_is_a_move() -> None:
    assert pads(lambda x: jnp.pad(x, 1)[2:, 1:-1]) == [((-1, 1), (0, 0))]


def test_moves_along_two_dimensions_are_one_after_the_other() -> None:
    """So that they are shared with those along one of them."""

    def program(x: Any) -> Any:
        around = jnp.pad(x, 1)
        return around[:-2, 2:], around[:-2, 1:-1]

    down, left = ((1, -1), (0, 0)), ((0, 0), (-1, 1))
    assert pads(program) == [down, left]


def test_the_middle_of_a_border_is_the_array() -> None:
    assert pads(lambda x: jnp.pad(x, 2)[2:-2, 2:-2]) == []


def test_a_wider_border_is_cut() -> None:
    assert pads(lambda x: jnp.pad(x, ((3, 0), (0, 2)))[1:7, :7]) == [((2, -1), (0, 1))]


def test_gradients_of_moves_are_moves() -> None:
    def shifted(x: Any) -> Any:
        return jnp.pad(x, 1)[2:, 1:-1]

    def back(x: Any) -> Any:
        return jax.linear_transpose(shifted, x)(x)

    assert pads(back) == [((1, -1), (0, 0))]


def test_borders_in_loops_are_folded() -> None:
    def turn(_: Any, x: Any) -> Any:
        return jnp.pad(x, 1)[2:, 1:-1]

    closed = normalise(jax.make_jaxpr(lambda x: lax.fori_loop(0, 3, turn, x))(X))
    (loop,) = closed.jaxpr.eqns
    (body,) = jaxprs.sub_jaxprs(loop)
    assert [e.primitive.name for e in body.jaxpr.eqns].count("slice") == 0


KEPT = {
    "nothing of the array": lambda x: jnp.pad(x, ((9, 0), (0, 0)))[:4],
    "holes": lambda x: lax.pad(x, 0.0, ((0, 0, 1), (0, 0, 0)))[1:4],
    "steps": lambda x: jnp.pad(x, 1)[::2],
    "other values": lambda x: lax.pad(
        lax.pad(x, 1.0, ((1, 0, 0), (0, 0, 0))), 2.0, ((1, 0, 0), (0, 0, 0))
    ),
    "cut, then padded": lambda x: lax.pad(
        lax.pad(x, 0.0, ((-2, 0, 0), (0, 0, 0))), 0.0, ((2, 0, 0), (0, 0, 0))
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_no_move_stays(name: str) -> None:
    program = KEPT[name]
    closed = normalise(jax.make_jaxpr(program)(X))
    assert len(closed.jaxpr.eqns) == 2
    (got,) = jaxprs.jaxpr_as_fun(closed)(X)
    np.testing.assert_array_equal(got, program(X))
