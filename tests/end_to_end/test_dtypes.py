"""Every dtype on the wafer: arithmetic, conversions, sizes that leave half a word."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from same_values import difference

import pyflame as pf
from lowering.dtypes import DTYPES

_SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, 127.5, -128.5, -129, 255.7, 300, -300]
_SPECIAL += [2049, 65519, 65520, 70000, -40000, 1e-7, 3e9, -3e9, 5e9, 1e39]
_SPECIAL += [1.00390625, 1.01171875, np.inf, -np.inf, np.nan]
_LIMITS = [0, 1, 2, 127, 128, 255, 256, -1, -128, -129, 32767, 32768, -32768, 65535]
_LIMITS += [65536, 2**31 - 1, -(2**31), 2**31, 2**32 - 1, 16777217, 33554433, 2049]


def _special(dtype: str) -> Any:
    if dtype == "bool":
        return np.array([True, False, True])
    if "float" in dtype:
        with np.errstate(over="ignore"):
            return np.asarray(jnp.asarray(np.float32(_SPECIAL)).astype(dtype))
    return np.array(_LIMITS).astype(dtype)


def _random(dtype: str, shape: tuple[int, ...], seed: int) -> Any:
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if "float" in dtype:
        values = np.float32(random.standard_normal(shape) * 3)
        return np.asarray(jnp.asarray(values).astype(dtype))
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def _agree(
    program: Any, arguments: list[Any], target: str, rows: int = 1, cols: int = 1
) -> None:
    options = pf.CodeGenOptions(target=target, fabric_height=rows, fabric_width=cols)
    compiled = pf.compile_to_csl(program, *arguments, options=options)
    assert compiled.success, compiled.error_message
    got = compiled.simulate(*arguments).outputs
    # One by one: XLA keeps what several operations give together in more digits.
    want = [
        jax.jit(lambda *xs, n=n: program(*xs)[n])(*arguments) for n in range(len(got))
    ]
    assert not difference(got, want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_conversions_to_all_dtypes(dtype: str) -> None:
    _agree(
        lambda x: [lax.convert_element_type(x, other) for other in DTYPES],
        [_special(dtype)],
        "wse3",
    )


def _elements(a: Any, b: Any, flag: Any) -> list[Any]:
    dtype = a.dtype
    results = [a < b, a <= b, a > b, a >= b, a == b, a != b, lax.max(a, b)]
    results += [lax.min(a, b), lax.select(flag, a, b), a, jnp.zeros_like(a)]
    results += [lax.broadcast_in_dim(a, (3, *a.shape), (1,)), lax.full((5,), 1, dtype)]
    if dtype == jnp.bool_:
        return [*results, a & b, a | b, ~a]
    results += [a + b, a - b, a * b, -a, lax.sign(a), lax.iota(dtype, 300)]
    results += [a * a - b + jnp.array(3, dtype), lax.clamp(a, b, a)]
    if not jnp.issubdtype(dtype, jnp.unsignedinteger):
        results += [lax.abs(a)]
    if jnp.issubdtype(dtype, jnp.floating):
        results += [a / b, lax.exp(a), lax.full((3,), -jnp.inf, dtype), a * jnp.inf]
    return results


@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_wrap_round_and_compare(dtype: str) -> None:
    a, b = _random(dtype, (13,), 1), _random(dtype, (13,), 2)
    special = _special(dtype)[-4:]
    a, b = np.concatenate([a, special]), np.concatenate([b, special[::-1]])
    flag = _random("bool", a.shape, 3)
    _agree(_elements, [a, b, flag], "wse2" if dtype in ("bfloat16", "int8") else "wse3")


def _travels(a: Any, b: Any) -> list[Any]:
    results = [a.T, a.reshape(-1), a[1:4], jnp.where(b > b[1, 2], a, a[:, :1])]
    return [*results, lax.dynamic_slice(a, (b.shape[0] - 3, 1), (2, 3)), b.T[:, 4]]


def _words(a: Any, b: Any, one: Any) -> list[Any]:
    three = np.asarray(3, a.dtype)
    results = [a + b, a - b, a & b, a | b, a ^ b, ~a, -a, a + one, a - one, one - a]
    results += [a - three, three - a, a & three, a << 3, a >> 3, a.T - b.T, -a + -b]
    return [*results, a.at[1].add(b[0])]


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "uint16"])
def test_words_stay_in_loops_that_they_would_part(dtype: str) -> None:
    a, b, c = (_random(dtype, (3, 21), seed) for seed in (1, 2, 3))
    programs = {
        lambda a, b, c: [a * b - c]: True,
        lambda a, b, c: [(a - b) * c]: True,
        lambda a, b, c: [(a * b - c) * b]: False,
        lambda a, b, c: [a * b - c * b]: False,
        lambda a, b, c: [jnp.where(a < b, a - c, b)]: False,
    }
    for program, is_on_vectors in programs.items():
        result = pf.compile_to_csl(program, a, b, c)
        assert ("@sub16(" in result.sources["pe.csl"]) == is_on_vectors
        assert not difference(result.simulate(a, b, c).outputs, program(a, b, c))


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "uint16"])
def test_words_are_computed_on_vectors(dtype: str) -> None:
    arguments = [_random(dtype, (3, 21), seed) for seed in (1, 2)]
    arguments.append(_random(dtype, (), 3))
    _agree(_words, arguments, "wse2")
    _agree(_words, arguments, "wse3", 1, 2)
    result = pf.compile_to_csl(lambda a, b: [a - b, a ^ b, -a], *arguments[:2])
    text = "".join(result.sources.values())
    assert all(f"@{name}16(" in text for name in ("sub", "xor", "add"))
    assert "for (" not in result.sources["pe.csl"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int8", "uint16", "bool"])
def test_elements_travel_in_pairs(dtype: str) -> None:
    a, b = _random(dtype, (7, 5), 1), _random(dtype, (7, 5), 2)
    target = "wse2" if dtype in ("bfloat16", "bool") else "wse3"
    _agree(_travels, [a, b], target, 1, 3)
    _agree(_travels, [a, b], target, 2, 2)


def _reduces(a: Any, b: Any, c: Any) -> list[Any]:
    results = [lax.reduce_max(a, (0,)), lax.reduce_min(a, (1,)), a @ b, a.T @ c]
    results += [a[0] @ b, lax.dot_general(a, a, (((1,), (1,)), ((0,), (0,))))]
    if a.dtype == jnp.bool_:
        return [*results, jnp.sum(a, 1)]
    results += [lax.reduce_sum(a, (0,)), lax.reduce_sum(a, (1,)), jnp.sum(a)]
    if jnp.issubdtype(a.dtype, jnp.floating):
        return [*results, lax.dot(a, b, preferred_element_type=jnp.float32)]
    return [*results, lax.dot(a, b, preferred_element_type=jnp.int32)]


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_extremes_and_products(dtype: str, rows: int) -> None:
    shapes = [(7, 5), (5, 9), (7, 3)]
    arguments = [_random(dtype, shape, seed) for seed, shape in enumerate(shapes)]
    target = "wse2" if dtype in ("float16", "int8", "uint32") else "wse3"
    _agree(_reduces, arguments, target, rows, rows)


def test_sums_of_products_of_bytes_are_exact_beyond_24_bits() -> None:
    """1,024 of the largest products fill the digits of float32; here are 2,100."""
    a, b = (np.full(shape, -128, np.int8) for shape in ((2, 2100), (2100, 1)))
    _agree(
        lambda a, b: [lax.dot(a, b, preferred_element_type=jnp.int32)], [a, b], "wse3"
    )


def test_sums_over_a_line_that_one_pe_has_no_room_for() -> None:
    a = _random("int32", (4, 900), 1)
    _agree(lambda a: [a.sum(0), lax.reduce_xor(a, (0,))], [a], "wse3", 4, 1)


def _extremes(a: jax.Array, b: jax.Array) -> list[Any]:
    low, high = lax.min(a, lax.full_like(a, 0)), abs(a)
    minus_zero = np.asarray(-0.0, a.dtype)
    windows = (2, 2), (1, 1), "VALID"
    return [
        *(lax.max(a, b), lax.max(b, a), lax.min(a, b), lax.max(a[:1, 0], b[:1, 0])),
        *(jax.nn.relu(a), lax.max(minus_zero, a), jnp.clip(a, -1, 0)),
        *(low.max(), low.max(0), low.max(1), (-high).max(1), high.min(0)),
        *((high * b).min(1), lax.cummax(low, 0), lax.cummax(-high, 1, reverse=True)),
        *(lax.cummin(high * b, 0), lax.reduce_window(low, -jnp.inf, lax.max, *windows)),
        1 / jnp.maximum(a, b),
    ]


@pytest.mark.parametrize(
    ("dtype", "side"), [("float32", 1), ("float32", 2), ("float16", 2), ("bfloat16", 1)]
)
def test_extremes_of_zeros_have_the_sign_of_jax(dtype: str, side: int) -> None:
    random = np.random.default_rng(0)
    a, b = (
        np.asarray(jnp.asarray(random.choice(np.float32(numbers), (6, 8)), dtype))
        for numbers in ([0.0, -0.0, -1, -0.0, 2], [0.0, -0.0, -1])
    )
    _agree(_extremes, [a, b], "wse3", side, side)


def test_chunks_of_halves_are_added_in_float32() -> None:
    """In float16 a sum of ones ends at 2,048; operands are sent piece by piece."""
    a, b = (np.ones(shape, np.float16) for shape in ((4, 4100), (4100, 4)))
    _agree(lambda a, b: [a @ b, a.sum(1)], [a, b], "wse3", 2, 2)
