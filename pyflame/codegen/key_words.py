"""Random keys as inputs and outputs of programs: the wafer holds their words, u32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def is_key(x: Any) -> bool:
    """Whether it is an array of typed random keys, or the shape and dtype of one."""
    if not isinstance(x, jax.Array | jax.ShapeDtypeStruct):
        return False  # no tensor has keys
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def words_of(x: Any) -> Any:
    """The words of keys, u32[..., n]; anything else as it is."""
    return jax.random.key_data(x) if is_key(x) else x


def on_words(
    function: Callable[..., Any], specs: list[Any], is_leaf: Callable[[Any], bool]
) -> tuple[Callable[..., Any], list[Any]]:
    """The function on words where it has keys, and the specs of its leaves so."""
    kinds = [_generator(spec) for spec in specs]

    def with_words(*args: Any) -> Any:
        leaves, tree = jax.tree.flatten(args, is_leaf=is_leaf)
        given = [
            leaf if kind is None else jax.random.wrap_key_data(leaf, impl=kind)
            for leaf, kind in zip(leaves, kinds, strict=True)
        ]
        result = function(*jax.tree.unflatten(tree, given))
        return jax.tree.map(words_of, result, is_leaf=is_leaf)

    return with_words, [_words_spec(spec) for spec in specs]


def _generator(spec: Any) -> Any:
    """How the keys of this dtype are used; None for other dtypes."""
    found: list[Any] = [None]

    def look(keys: Any) -> int:
        found[0] = jax.random.key_impl(keys)
        return 0

    if is_key(spec):
        jax.eval_shape(look, spec)
    return found[0]


def _words_spec(spec: Any) -> Any:
    return jax.eval_shape(jax.random.key_data, spec) if is_key(spec) else spec
