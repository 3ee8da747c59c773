"""Random numbers in core primitives: JAX's own bits, from typed and from raw keys."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.extend.random import define_prng_impl

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


# Of other generators, whose keys are four words; of several keys, JAX draws from one.
OF_FOUR_WORDS: dict[str, Callable[..., Any]] = {
    "bits and keys": lambda key: [PROGRAMS["bits"][0](key), PROGRAMS["keys"][0](key)],
    "seeds": lambda key: jax.vmap(
        lambda seed: random.key(seed, impl=random.key_impl(key))
    )(jnp.arange(3)),
    "keys of a batch": lambda key: jax.vmap(
        jax.vmap(lambda key: (random.split(key, 3), random.normal(key, (3,))))
    )(random.split(key, (4, 2))),
    "numbers folded in": lambda key: jax.vmap(
        lambda key: jax.vmap(lambda i: random.fold_in(key, i))(jnp.arange(4))
    )(random.split(key, 3)),
    "keys with numbers": lambda key: jax.vmap(random.fold_in)(
        random.split(key, 4), jnp.arange(4)
    ),
    "a loop": steps,
    "distributions": lambda key: [
        random.randint(key, (5,), 0, 17),
        random.permutation(key, 5),
        random.normal(key, (4,), jnp.bfloat16),
    ],
}

# Programs, and whether elements are numbered one by one or in two halves.
NUMBERED = [(name, True) for name in PROGRAMS]
NUMBERED += [(name, False) for name in ("bits", "keys", "raw keys", "gamma")]


def check_values(program: Callable[..., Any], argument: Any) -> None:
    normal = normalise(jax.make_jaxpr(program)(argument))
    got = jax.jit(jaxprs.jaxpr_as_fun(normal))(words(argument))
    want = jax.tree.leaves(jax.jit(program)(argument))
    for mine, reference in zip(got, map(words, want), strict=True):
        assert mine.dtype == reference.dtype
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "partitionable"), NUMBERED)
def test_bits_are_jax_s(name: str, partitionable: bool) -> None:
    with jax.threefry_partitionable(partitionable):
        check_values(*PROGRAMS[name])


@pytest.mark.parametrize("name", OF_FOUR_WORDS)
@pytest.mark.parametrize("impl", ["rbg", "unsafe_rbg"])
def test_bits_of_other_generators_are_jax_s(impl: str, name: str) -> None:
    check_values(OF_FOUR_WORDS[name], random.key(5, impl=impl))


def test_keys_of_four_words_split_as_jax_numbers_them() -> None:
    with jax.threefry_partitionable(False):
        check_values(lambda key: random.split(key, 3), random.key(5, impl="rbg"))


Algorithm = jax.lax.RandomAlgorithm
ALGORITHMS = [Algorithm.RNG_DEFAULT, Algorithm.RNG_PHILOX, Algorithm.RNG_THREE_FRY]
LAST = 2**32 - 1
STATES = [  # whose counters overflow a word, both, and into the key
    [1, 2, LAST - 2, 4],
    [7, 8, LAST - 1, LAST],
    [LAST, LAST, LAST - 1, LAST],
]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda each: each.name)
@pytest.mark.parametrize("shape", [(), (7,), (5, 7), (4, 3), (3, 4, 6)])
def test_bits_of_a_state(shape: tuple[int, ...], algorithm: Algorithm) -> None:
    def program(state: Any) -> Any:
        return [
            jax.lax.rng_bit_generator(state, shape, dtype, algorithm)
            for dtype in (np.uint32, np.uint8)
        ]

    normal = normalise(jax.make_jaxpr(program)(np.zeros(4, np.uint32)))
    mine, reference = jax.jit(jaxprs.jaxpr_as_fun(normal)), jax.jit(program)
    for words in STATES:
        state = np.array(words, np.uint32)
        wanted = jax.tree.leaves(reference(state))
        for got, want in zip(mine(state), wanted, strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)


def test_gamma_of_other_generators_is_refused() -> None:
    key = random.key(0, impl="rbg")
    with pytest.raises(UnsupportedPrimitiveError) as caught:
        normalise(jax.make_jaxpr(lambda key: random.gamma(key, 2.0))(key))
    assert caught.value.message == "random_gamma of random keys key<rbg> has no rule"
    assert "random_gamma of key<fry> alone" in str(caught.value)


def test_keys_of_unknown_generators_are_refused() -> None:
    mine = define_prng_impl(
        key_shape=(1,),
        seed=lambda seed: seed[None].astype(jnp.uint32),
        split=lambda key, shape: jnp.broadcast_to(key, (*shape, 1)),
        random_bits=lambda key, width, shape: jnp.broadcast_to(key[0], shape),
        fold_in=lambda key, data: key ^ data,
        name="mine",
        tag="mine",
    )
    with pytest.raises(UnsupportedPrimitiveError) as caught:
        normalise(jax.make_jaxpr(random.split)(random.key(0, impl=mine)))
    assert caught.value.message == "the program of random keys key<mine> has no rule"
    assert "of keys key<fry>, key<rbg>, key<urbg>, supported are" in str(caught.value)


def test_numbers_without_a_key_are_refused() -> None:
    with pytest.raises(UnsupportedPrimitiveError, match="rng_uniform"):
        normalise(jax.make_jaxpr(lambda x: jax.lax.rng_uniform(x, x + 1, (3,)))(0.0))
