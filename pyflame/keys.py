"""Random numbers from keys of JAX, for functions that JAX transforms.

`pf.manual_seed` counts requests, which a function that JAX compiles would do only while
it is traced: all its runs would have the same random numbers. So there a key is passed.
"""

from __future__ import annotations

import threading
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.extend.core import get_opaque_trace_state

from pyflame.errors import ArgumentError, GraphError

_OUTSIDE = get_opaque_trace_state()


class _Local(threading.local):
    def __init__(self) -> None:
        self.stack: list[random_from] = []


_local = _Local()


class random_from:
    """`with random_from(key):` random tensors are made from the key, one after another.

    The k-th one depends on the key and on k alone. Works everywhere, and inside
    jax.jit, scan and the like it is the only way; split the key as JAX does.

    Raises: ArgumentError, unless `key` is one key of `jax.random`.
    """

    def __init__(self, key: Any) -> None:
        if not isinstance(key, jax.Array) or not _is_key(key):
            raise ArgumentError(
                f"random_from: {type(key).__name__} is no key",
                rule="a key comes from jax.random.key or jax.random.split",
            )
        # Whatever its kind, two words of it seed our own generator.
        self._words = jax.random.bits(key, (2,), jnp.uint32)
        self._taken = 0

    def __enter__(self) -> None:
        _local.stack.append(self)

    def __exit__(self, *_: object) -> None:
        _local.stack.pop()

    def take(self) -> tuple[jax.Array, int]:
        """The words of the key, and the number of this request."""
        self._taken += 1
        return self._words, self._taken - 1


def current() -> random_from | None:
    """The key to use here, if one was passed.

    Raises: GraphError, inside a function that JAX compiles, unless one was.
    """
    if _local.stack:
        return _local.stack[-1]
    if get_opaque_trace_state() != _OUTSIDE and _is_compiling():
        raise GraphError(
            "random numbers inside a function that JAX compiles",
            rule="it is traced once, so that all its runs would have the same ones",
            help="pass a key: `with pf.random_from(key):`; or use pf.jit, which goes "
            "on with pf.manual_seed; or model.eval() to go without dropout",
        )
    return None


def _is_compiling() -> bool:
    """Whether even what depends on constants alone becomes part of a program."""
    return isinstance(jax.lax.full((), 0), Tracer)


def _is_key(key: jax.Array) -> bool:
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return key.ndim == 0
    return key.dtype == jnp.uint32 and key.ndim == 1
