"""Typed random keys as what they are made of: u32[..., 2] in place of key<fry>[...].

Partitioning and planning see arrays of numbers only. Equations that make keys or bits
are written out (see `threefry`); those that only move keys move their words.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lowering import jaxprs
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise import threefry
from lowering.normalise.core_set import OF_KEYS
from lowering.normalise.random_gamma import gamma_samples

_KEY = "key<fry>"
_WORDS = 2

Rule = Callable[..., Any]


def without_keys(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The same program on the words of its keys.

    Raises: UnsupportedPrimitiveError, for keys of another generator than Threefry, and
    for equations on keys that have no rule.
    """
    if not _has_keys(closed):
        return closed

    with jax.ensure_compile_time_eval():
        consts = [_words_of(const) for const in closed.consts]

    def run(*args: Any) -> list[Any]:
        return jaxprs.interpret(closed.jaxpr, consts, args, _evaluate)

    return jaxprs.trace(run, [_physical(var.aval) for var in closed.jaxpr.invars])


def is_key(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jax.dtypes.prng_key)


def _has_keys(closed: jaxprs.ClosedJaxpr) -> bool:
    jaxpr = closed.jaxpr
    atoms = [*jaxpr.invars, *jaxpr.constvars]
    atoms += [atom for eqn in jaxpr.eqns for atom in (*eqn.invars, *eqn.outvars)]
    return any(is_key(jaxprs.dtype_of(atom)) for atom in atoms) or any(
        _has_keys(nested) for eqn in jaxpr.eqns for nested in jaxprs.sub_jaxprs(eqn)
    )


def _words_of(value: Any) -> Any:
    return jax.random.key_data(value) if is_key(value.dtype) else value


def _physical(aval: Any) -> jax.ShapeDtypeStruct:
    if is_key(aval.dtype):
        return jax.ShapeDtypeStruct((*aval.shape, _WORDS), jnp.uint32)
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype)


def _evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    keys = [a for a in (*eqn.invars, *eqn.outvars) if is_key(jaxprs.dtype_of(a))]
    if jaxprs.sub_jaxprs(eqn):
        return jaxprs.bind(eqn, args, jaxprs.with_sub_jaxprs(eqn, without_keys))
    if not keys:
        return jaxprs.bind(eqn, args)
    name = eqn.primitive.name
    others = sorted({str(jaxprs.dtype_of(key)) for key in keys} - {_KEY})
    if others or name not in _RULES:
        raise UnsupportedPrimitiveError(
            f"{name} of random keys {', '.join(others or [_KEY])} has no rule",
            rule=f"of keys of Threefry, supported are {', '.join(sorted(_RULES))}",
            help='make keys with impl="threefry2x32", or draw with JAX on the host',
        )
    results = _RULES[name](eqn, *args)
    return results if eqn.primitive.multiple_results else [results]


def _pair(keys: Any, rank: int = 0) -> tuple[Any, Any]:
    """Both words, each of shape keys[..., 0] with `rank` dimensions of size 1 more."""
    shape = (*keys.shape[:-1], *(1,) * rank)
    first, second = (
        lax.index_in_dim(keys, word, keys.ndim - 1, keepdims=False).reshape(shape)
        for word in range(_WORDS)
    )
    return first, second


def _joined(first: Any, second: Any) -> Any:
    """The words side by side, as a new last dimension."""
    shape = (*first.shape, _WORDS)
    is_second = lax.broadcasted_iota(jnp.int32, shape, first.ndim) == 1
    return jnp.where(is_second, second[..., None], first[..., None])


def _seed(eqn: jaxprs.JaxprEqn, seeds: Any) -> Any:
    del eqn
    return _joined(*threefry.halves(seeds))


def _fold_in(eqn: jaxprs.JaxprEqn, keys: Any, data: Any) -> Any:
    shape = _physical(eqn.outvars[0].aval).shape
    words = lax.broadcasted_iota(jnp.uint32, shape, len(shape) - 1)
    rank = len(shape) - keys.ndim
    first, second = (word[..., None] for word in _pair(keys, rank))
    counter = data.astype(jnp.uint32)
    counter = counter.reshape((*(1,) * (len(shape) - 1 - counter.ndim), *counter.shape))
    zero = jnp.zeros_like(counter)
    return threefry.block((first, second), zero[..., None], counter[..., None], words)


def _split(eqn: jaxprs.JaxprEqn, keys: Any) -> Any:
    shape = tuple(eqn.params["shape"])
    number = threefry.flat_index((*shape, _WORDS))
    key = _pair(keys, len(shape) + 1)
    return threefry.split_word(key, math.prod(shape), number)


def _bits(eqn: jaxprs.JaxprEqn, keys: Any) -> Any:
    shape, width = tuple(eqn.params["shape"]), eqn.params["bit_width"]
    key = _pair(keys, len(shape))
    number = threefry.flat_index(shape)
    bits = threefry.random_bits(key, width, math.prod(shape), number)
    return bits.astype(jaxprs.dtype_of(eqn.outvars[0]))


def _gamma(eqn: jaxprs.JaxprEqn, keys: Any, alpha: Any) -> Any:
    """Each element has a key of its own, split off the key that it belongs to."""
    inner = alpha.shape[keys.ndim - 1 :]
    key = _pair(keys, len(inner))
    return gamma_samples(
        key, alpha, math.prod(inner), threefry.flat_index(inner), **eqn.params
    )


def _same(eqn: jaxprs.JaxprEqn, keys: Any) -> Any:
    del eqn
    return keys


def _moved(change: Callable[[dict[str, Any], int], dict[str, Any]]) -> Rule:
    """A rule that binds the equation on words, its parameters changed for a dimension
    more, whose number is given."""

    def rule(eqn: jaxprs.JaxprEqn, *args: Any) -> Any:
        rank = len(jaxprs.shape_of(eqn.outvars[0]))
        results = jaxprs.bind(eqn, args, {**eqn.params, **change(eqn.params, rank)})
        return results if eqn.primitive.multiple_results else results[0]

    return rule


def _window(eqn: jaxprs.JaxprEqn, keys: Any, *starts: Any) -> Any:
    sizes = (*eqn.params["slice_sizes"], _WORDS)
    return lax.dynamic_slice(keys, (*starts, jnp.int32(0)), sizes)


def _update(eqn: jaxprs.JaxprEqn, keys: Any, part: Any, *starts: Any) -> Any:
    del eqn
    return lax.dynamic_update_slice(keys, part, (*starts, jnp.int32(0)))


def _select(eqn: jaxprs.JaxprEqn, which: Any, *cases: Any) -> Any:
    del eqn
    if jnp.ndim(which):
        which = jnp.broadcast_to(which[..., None], cases[0].shape)
    return lax.select_n(which, *cases)


_RULES: dict[str, Rule] = {
    "random_seed": _seed,
    "random_fold_in": _fold_in,
    "random_split": _split,
    "random_bits": _bits,
    "random_gamma": _gamma,
    **dict.fromkeys(("random_wrap", "random_unwrap", "random_clone", "copy"), _same),
    "broadcast_in_dim": _moved(
        lambda params, rank: {
            "shape": (*params["shape"], _WORDS),
            "broadcast_dimensions": (*params["broadcast_dimensions"], rank),
        }
    ),
    "reshape": _moved(lambda params, _: {"new_sizes": (*params["new_sizes"], _WORDS)}),
    "transpose": _moved(
        lambda params, rank: {"permutation": (*params["permutation"], rank)}
    ),
    "slice": _moved(
        lambda params, _: {
            "start_indices": (*params["start_indices"], 0),
            "limit_indices": (*params["limit_indices"], _WORDS),
            "strides": params["strides"] and (*params["strides"], 1),
        }
    ),
    **dict.fromkeys(("squeeze", "concatenate", "rev"), _moved(lambda *_: {})),
    "dynamic_slice": _window,
    "dynamic_update_slice": _update,
    "select_n": _select,
}
assert OF_KEYS <= set(_RULES), "every primitive on keys has a rule"
