"""Rewrites: derived primitives in terms of the core set, by the primitive's name.

A rewrite is a function of the operands, like the primitive itself: it takes them by
position and the equation's parameters by keyword, and stages other primitives.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lowering.element_call import element_call
from lowering.registering import registering

Rewrite = Callable[..., Any]

REWRITES: dict[str, Rewrite] = {}


def rewrites(*names: str) -> Callable[[Rewrite], Rewrite]:
    """Registers the decorated function for the primitives of these names."""
    return registering(REWRITES, names)


def rewrites_each(*names: str) -> Callable[[Rewrite], Rewrite]:
    """Registers a function of f32 scalars, applied to each element.

    Halves are computed in f32 and rounded once. A parameter `accuracy` asks for no
    more than the best there is.
    """

    def register(function: Rewrite) -> Rewrite:
        for name in names:
            rewrites(name)(_for_each(name, function))
        return function

    return register


def _for_each(name: str, function: Rewrite) -> Rewrite:
    @functools.wraps(function)
    def rewrite(*xs: Any, **_: Any) -> jax.Array:
        return of_each(name, function, *xs)

    return rewrite


def of_each(name: str, function: Rewrite, *operands: Any) -> jax.Array:
    """`function` of each element of float operands, in f32."""
    dtype = jnp.result_type(operands[0])
    wide = [x.astype(jnp.float32) for x in operands]
    return element_call(f"{name}_f32", function, *wide).astype(dtype)
