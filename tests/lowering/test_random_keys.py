"""Random numbers in core primitives: JAX's own bits, from typed and from raw keys."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from lowering import jaxprs
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise.normalise import normalise

KEY = random.key(42)
ALPHA = np.array([0.1, 0.7, 1, 3.5], np.float32)


def steps(key: Any) -> Any:
    def step(key: Any, _: Any) -> Any:
        key, drawn = random.split(key)
        return key, random.normal(drawn)

    return jax.lax.scan(step, key, None, length=3)


PROGRAMS: dict[str, tuple[Callable[..., Any], Any]] = {
    "bits": (
        lambda key: [
            random.bits(key, (3, 5), dtype)
            for dtype in (jnp.uint8, jnp.uint16, jnp.uint32)
        ],
        KEY,
    ),
    "keys": (
        lambda key: [
            random.split(key),
            random.split(key, 3)[1],
            random.split(key, (2, 3)).T,
            random.fold_in(key, 7),
            random.clone(key),
        ],
        KEY,
    ),
    "raw keys": (
        lambda key: [random.split(key), random.uniform(random.fold_in(key, 2), (3, 4))],
        random.PRNGKey(3),
    ),
    "seeds": (lambda seed: random.normal(random.key(seed), (2,)), np.int32(-9)),
    "keys of a batch": (
        lambda key: jax.vmap(lambda key: random.normal(key, (3,)))(
            random.split(key, 4)
        ),
        KEY,
    ),
    "numbers folded in": (
        lambda key: jax.vmap(lambda i: random.uniform(random.fold_in(key, i), (3,)))(
            jnp.arange(4)
        ),
        KEY,
    ),
    "a loop": (steps, KEY),
    "a branch": (
        lambda key: jax.lax.cond(
            random.bernoulli(key), random.normal, lambda k: -random.uniform(k), key
        ),
        KEY,
    ),
    "a key that is closed over": (lambda x: x + random.normal(KEY, (5,)), ALPHA[0]),
    "gamma": (lambda a: [random.gamma(KEY, a), random.loggamma(KEY, a, (2, 4))], ALPHA),
    "distributions": (
        lambda key: [
            random.randint(key, (5,), 0, 17),
            random.exponential(key, (3,)),
            random.gumbel(key, (3,)),
            random.truncated_normal(key, -1, 1, (4,)),
            random.categorical(key, jnp.zeros((3, 4))),
            random.normal(key, (4,), jnp.bfloat16),
        ],
        KEY,
    ),
}


def words(x: Any) -> Any:
    is_key = jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
    return random.key_data(x) if is_key else x


# Programs, and whether elements are numbered one by one or in two halves.
NUMBERED = [(name, True) for name in PROGRAMS]
NUMBERED += [(name, False) for name in ("bits", "keys", "raw keys", "gamma")]


@pytest.mark.parametrize(("name", "partitionable"), NUMBERED)
def test_bits_are_jax_s(name: str, partitionable: bool) -> None:
    program, argument = PROGRAMS[name]
    with jax.threefry_partitionable(partitionable):
        normal = normalise(jax.make_jaxpr(program)(argument))
        got = jax.jit(jaxprs.jaxpr_as_fun(normal))(words(argument))
        want = jax.tree.leaves(jax.jit(program)(argument))
    for mine, reference in zip(got, map(words, want), strict=True):
        assert mine.dtype == reference.dtype
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-6)


STATE = np.array([1, 2, 2**32 - 3, 4], np.uint32)  # its counter overflows a word
THREEFRY = jax.lax.RandomAlgorithm.RNG_THREE_FRY


@pytest.mark.parametrize("shape", [(), (7,), (5, 7), (4, 3), (3, 4, 6)])
def test_bits_of_a_state(shape: tuple[int, ...]) -> None:
    def program(state: Any) -> Any:
        return jax.lax.rng_bit_generator(state, shape, algorithm=THREEFRY)

    normal = normalise(jax.make_jaxpr(program)(STATE))
    got = jax.jit(jaxprs.jaxpr_as_fun(normal))(STATE)
    for mine, reference in zip(got, jax.jit(program)(STATE), strict=True):
        np.testing.assert_array_equal(mine, reference)


def test_other_algorithms_are_refused() -> None:
    with pytest.raises(UnsupportedPrimitiveError) as caught:
        normalise(jax.make_jaxpr(lambda s: jax.lax.rng_bit_generator(s, (3,)))(STATE))
    assert caught.value.message == "rng_bit_generator with RNG_DEFAULT has no rule"
    assert "rule      supported is RandomAlgorithm.RNG_THREE_FRY" in str(caught.value)


def test_keys_of_other_generators_are_refused() -> None:
    key = random.key(0, impl="rbg")
    with pytest.raises(UnsupportedPrimitiveError) as caught:
        normalise(jax.make_jaxpr(random.split)(key))
    assert caught.value.message == "random_split of random keys key<rbg> has no rule"
    assert "of keys of Threefry, supported are" in str(caught.value)


def test_numbers_without_a_key_are_refused() -> None:
    with pytest.raises(UnsupportedPrimitiveError, match="rng_uniform"):
        normalise(jax.make_jaxpr(lambda x: jax.lax.rng_uniform(x, x + 1, (3,)))(0.0))
