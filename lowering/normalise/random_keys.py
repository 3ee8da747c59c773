"""Typed random keys as what they are made of: u32[..., 2] in place of key<fry>[...].

Partitioning and planning see arrays of numbers only. Equations that make keys or bits
are written out (see `key_generators`); those that only move keys move their words.
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
from lowering.cases import Case
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise import threefry
from lowering.normalise.core_set import OF_KEYS
from lowering.normalise.key_generators import GENERATORS, Generator, pair
from lowering.normalise.random_gamma import gamma_samples

_THREEFRY = "key<fry>"

Rule = Callable[..., Any]


def without_keys(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The same program on the words of its keys.

    Raises: UnsupportedPrimitiveError, for keys of a generator that JAX does not have
    itself, and for equations on keys that have no rule.
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
        if str(aval.dtype) not in GENERATORS:
            raise _refused("the program", str(aval.dtype))
        words = GENERATORS[str(aval.dtype)].words
        return jax.ShapeDtypeStruct((*aval.shape, words), jnp.uint32)
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype)


def _evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    keys = [a for a in (*eqn.invars, *eqn.outvars) if is_key(jaxprs.dtype_of(a))]
    if jaxprs.sub_jaxprs(eqn):
        return jaxprs.bind(eqn, args, jaxprs.with_sub_jaxprs(eqn, without_keys))
    if not keys:
        return jaxprs.bind(eqn, args)
    name, dtype = eqn.primitive.name, str(jaxprs.dtype_of(keys[0]))
    has_rule = name in _RULES and (name != "random_gamma" or dtype == _THREEFRY)
    if dtype not in GENERATORS or not has_rule:
        raise _refused(name, dtype)
    results = _RULES[name](eqn, *args)
    return results if eqn.primitive.multiple_results else [results]


def _refused(name: str, dtype: str) -> UnsupportedPrimitiveError:
    generators = ", ".join(sorted(GENERATORS))
    return UnsupportedPrimitiveError(
        f"{name} of random keys {dtype} has no rule",
        rule=f"of keys {generators}, supported are {', '.join(sorted(_RULES))}; "
        f"random_gamma of {_THREEFRY} alone",
        help='make keys with impl="threefry2x32", or draw with JAX on the host',
    )


def _generator(eqn: jaxprs.JaxprEqn) -> Generator:
    """The generator of the keys that the equation takes or makes."""
    kinds = [str(jaxprs.dtype_of(atom)) for atom in (*eqn.outvars, *eqn.invars)]
    return next(GENERATORS[kind] for kind in kinds if kind in GENERATORS)


def _seed(eqn: jaxprs.JaxprEqn, seeds: Any) -> Any:
    return _generator(eqn).seed(seeds)


def _fold_in(eqn: jaxprs.JaxprEqn, keys: Any, data: Any) -> Any:
    return _generator(eqn).fold_in(keys, data)


def _split(eqn: jaxprs.JaxprEqn, keys: Any) -> Any:
    return _generator(eqn).split(keys, tuple(eqn.params["shape"]))


def _bits(eqn: jaxprs.JaxprEqn, keys: Any) -> Any:
    shape, width = tuple(eqn.params["shape"]), eqn.params["bit_width"]
    bits = _generator(eqn).bits(keys, width, shape)
    return bits.astype(jaxprs.dtype_of(eqn.outvars[0]))


def _gamma(eqn: jaxprs.JaxprEqn, keys: Any, alpha: Any) -> Any:
    """Each element has a key of its own, split off the key that it belongs to."""
    inner = alpha.shape[keys.ndim - 1 :]
    key = pair(keys, len(inner))
    return gamma_samples(
        key, alpha, math.prod(inner), threefry.flat_index(inner), **eqn.params
    )


def _same(eqn: jaxprs.JaxprEqn, keys: Any) -> Any:
    del eqn
    return keys


def _moved(change: Callable[[dict[str, Any], int, int], dict[str, Any]]) -> Rule:
    """A rule that binds the equation on words, its parameters changed for a dimension
    more, whose number and size are given."""

    def rule(eqn: jaxprs.JaxprEqn, *args: Any) -> Any:
        rank, words = len(jaxprs.shape_of(eqn.outvars[0])), _generator(eqn).words
        params = {**eqn.params, **change(eqn.params, rank, words)}
        results = jaxprs.bind(eqn, args, params)
        return results if eqn.primitive.multiple_results else results[0]

    return rule


def _window(eqn: jaxprs.JaxprEqn, keys: Any, *starts: Any) -> Any:
    sizes = (*eqn.params["slice_sizes"], _generator(eqn).words)
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
        lambda params, rank, words: {
            "shape": (*params["shape"], words),
            "broadcast_dimensions": (*params["broadcast_dimensions"], rank),
        }
    ),
    "reshape": _moved(
        lambda params, _, words: {"new_sizes": (*params["new_sizes"], words)}
    ),
    "transpose": _moved(
        lambda params, rank, _: {"permutation": (*params["permutation"], rank)}
    ),
    "slice": _moved(
        lambda params, _, words: {
            "start_indices": (*params["start_indices"], 0),
            "limit_indices": (*params["limit_indices"], words),
            "strides": params["strides"] and (*params["strides"], 1),
        }
    ),
    **dict.fromkeys(("squeeze", "concatenate", "rev"), _moved(lambda *_: {})),
    "dynamic_slice": _window,
    "dynamic_update_slice": _update,
    "select_n": _select,
}
assert OF_KEYS <= set(_RULES), "every primitive on keys has a rule"


CASES = [
    Case(
        "of one seed",
        lambda seed: [
            jax.random.uniform(key, (2, 3))
            for kind in ("threefry2x32", "rbg", "unsafe_rbg")
            for key in _made(jax.random.key(seed, impl=kind))
        ],
        ("i32[]",),
    ),
    Case("words", lambda seed: jax.random.key_data(jax.random.key(seed)), ("i32[]",)),
    Case("gamma", lambda a: jax.random.gamma(_of_words(a), 2.5, (3,)), ("i32[2]",)),
]


def _of_words(words: Any) -> Any:
    return jax.random.clone(jax.random.wrap_key_data(words.astype(jnp.uint32)))


def _made(key: Any) -> list[Any]:
    """Keys from a key: itself, one with a number folded in, and one split off."""
    return [key, jax.random.fold_in(key, 3), jax.random.split(key, (2, 2))[1, 0]]
