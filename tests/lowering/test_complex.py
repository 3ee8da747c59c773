"""Complex numbers as pairs: every rule beside JAX's own complex arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering import jaxprs
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise.fft import factors_of
from lowering.normalise.normalise import normalise

COUNT = 200
SPECIAL = np.array([0.0, -0.0, 1, -1, 0.5, 2, -3, 1e-3, 1e20, -1e20], np.float32)

UNARY: dict[str, Callable[[Any], Any]] = {
    name: getattr(jnp, name)
    for name in (
        "exp exp2 expm1 log log1p sqrt sin cos tan sinh cosh tanh arcsin arccos "
        "arctan arcsinh arccosh arctanh abs sign square conj".split()
    )
} | {
    "rsqrt": lax.rsqrt,
    "logistic": jax.nn.sigmoid,
    "integer_pow": lambda z: [z**3, z**0, z**-2],
    "convert": lambda z: [z.astype(bool), z.real.astype(jnp.complex64), z.imag],
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: (
        jnp.where((x == 0) | (abs(x) > 99), 2j, x) ** (y / (1 + abs(y)))
    ),
    "equal": lambda x, y: [x == y, x != y, x == x],
}


def _parts(outputs: Any) -> list[Any]:
    leaves = jax.tree.leaves(outputs)
    is_complex = [jnp.iscomplexobj(leaf) for leaf in leaves]
    return [
        part
        for leaf, pair in zip(leaves, is_complex, strict=True)
        for part in ((leaf.real, leaf.imag) if pair else (leaf,))
    ]


def _check(function: Callable[..., Any], *inputs: Any) -> None:
    """That the normalised function of real and imaginary parts is JAX's."""

    def real(*parts: Any) -> list[Any]:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return _parts(function(*(lax.complex(a, b) for a, b in pairs)))

    parts = [part for z in inputs for part in (z.real, z.imag)]
    normalised = normalise(jax.make_jaxpr(real)(*parts))
    got = jax.jit(jaxprs.jaxpr_as_fun(normalised))(*parts)
    for mine, reference in zip(got, jax.jit(real)(*parts), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=2e-5, atol=2e-6)


def _numbers(seed: int) -> np.ndarray[Any, Any]:
    """Numbers of many sizes, and all pairs of special ones."""
    random = np.random.default_rng(seed)
    sizes = 10 ** random.uniform(-3, 1, (2, COUNT))
    some = (random.standard_normal((2, COUNT)) * sizes).astype(np.float32)
    re, im = np.meshgrid(SPECIAL, SPECIAL)
    return np.concatenate([some[0] + 1j * some[1], (re + 1j * im).ravel()]).astype(
        np.complex64
    )


@pytest.mark.parametrize("name", UNARY)
def test_functions_are_those_of_jax(name: str) -> None:
    _check(UNARY[name], _numbers(0))


@pytest.mark.parametrize("name", BINARY)
def test_operations_are_those_of_jax(name: str) -> None:
    x, y = _numbers(0), _numbers(1)
    _check(BINARY[name], np.append(x, x[::-1]), np.append(y, y))


def test_quotients_at_their_limits() -> None:
    infinite = np.array([np.inf, 1 - 1j * np.inf, 3, 1 - 2j, -2j, 0, 1], np.complex64)
    divisors = np.array(
        [1 + 2j, 3 - 1j, np.inf, -1j * np.inf, 0, 0, np.nan], np.complex64
    )
    _check(lambda x, y: x / y, infinite, divisors)


def _moves(z: Any, w: Any) -> list[Any]:
    index = jnp.array([3, 1, 9])
    z = z.reshape(6, 5)
    return [
        z.T[::-1, 1:5:2],
        jnp.pad(z, 1, constant_values=2 + 1j),
        jnp.concatenate([z, z.conj()], 1),
        lax.dynamic_slice(z, (w.real[0].astype(int), 0), (2, 3)),
        lax.dynamic_update_slice(z, z[:2] * 1j, (1, 0)),
        z[index],
        z.at[index].get(mode="fill"),
        z.at[index].get(mode="fill", fill_value=1 - 2j),
        z.at[index].set(4 + 2j),
        z.at[index].add(z[:3]),
        z.at[index, index].subtract(1j),
        jnp.where(z.real > 0, z, 1j),
        z.sum(0),
        jnp.cumsum(z, 1),
        jnp.roll(z, 2, 0),
        jnp.stack([z, z.conj()], 1),
        jnp.tile(z, (1, 2)),
        jnp.unstack(z)[2],
        lax.iota(np.complex64, 4) + z[0, 0],
    ]


def _products(z: Any, w: Any) -> list[Any]:
    a, b = z.reshape(6, 5), w.reshape(5, 6)
    image = z[:25].reshape(1, 1, 5, 5)
    return [
        a @ b,
        jnp.einsum("ij,kj->ik", a, a.conj()),
        a @ b.real.astype(jnp.complex64),
        lax.conv_general_dilated(image, image[..., :2, :2], (1, 1), "SAME"),
        jnp.prod(a, 1),
        jnp.prod(a[:5, :3]),
        jnp.cumprod(a, 0),
    ]


def _extremes(z: Any, w: Any) -> list[Any]:
    a = jnp.round(z.reshape(6, 5))
    b = jnp.where(w.reshape(6, 5).real > 1, jnp.nan * 1j, a.conj())
    return [
        *(f(a, b) for f in (lax.max, lax.min)),
        *(f(a, axis) for f in (jnp.max, jnp.min) for axis in (0, 1)),
        *(f(a, 0) for f in (lax.cummax, lax.cummin)),
        lax.bitcast_convert_type(a, jnp.complex64),
    ]


def _factors(z: Any, w: Any) -> list[Any]:
    a = z[:25].reshape(5, 5)
    positive = a @ a.conj().T + 5 * jnp.eye(5)
    lower = jnp.linalg.cholesky(positive)
    right = w[:10].reshape(5, 2)
    q, r = jnp.linalg.qr(z.reshape(6, 5))
    return [
        lower,
        *lax.linalg.lu(a),
        jnp.linalg.solve(a, right),
        jnp.linalg.det(a / 2),
        lax.linalg.triangular_solve(lower, right, left_side=True, lower=True),
        lax.linalg.triangular_solve(
            lower, right, left_side=True, lower=True, transpose_a=True, conjugate_a=True
        ),
        *(q, r, jnp.linalg.qr(z.reshape(5, 6), mode="complete")[1]),
    ]


def _flow(z: Any, w: Any) -> list[Any]:
    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        return carry * 0.5j + x, (carry, jnp.abs(x))

    def grow(state: Any) -> Any:
        return state[0] + 1, state[1] * (1 + 0.5j)

    last, stacked = lax.scan(step, jnp.complex64(1), z)
    count, grown = lax.while_loop(lambda s: abs(s[1]) < 9, grow, (0, w[0]))
    each = jax.vmap(lambda x: lax.while_loop(lambda s: abs(s) < 5, lambda s: s * 2, x))
    chosen = lax.cond(z[0].real > 0, lambda x: x * 1j, lambda x: x.conj(), z)
    hidden = lax.fori_loop(0, 3, lambda i, x: abs(lax.complex(x, x) ** 2), z.real)
    return [last, stacked, count, grown, each(w + 1), chosen, hidden]


def _gradients(z: Any, w: Any) -> list[Any]:
    def energy(z: Any, w: Any) -> Any:
        return jnp.sum(jnp.abs(jnp.exp(1j * z) * w / (z + 3j)) ** 2)

    turned = jax.vjp(lambda z: jnp.tanh(z) * w, z)[1](w)
    return [jax.grad(energy, (0, 1))(z, w), turned, jax.jvp(jnp.sin, (z,), (w,))]


PROGRAMS = [_moves, _products, _extremes, _factors, _flow, _gradients]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_those_of_jax(program: Callable[..., Any]) -> None:
    random = np.random.default_rng(2)
    z, w = random.standard_normal((2, 30)) + 1j * random.standard_normal((2, 30))
    _check(program, z.astype(np.complex64), w.astype(np.complex64))


@pytest.mark.parametrize("length", [1, 2, 3, 12, 37, 64, 210])
def test_transforms_are_those_of_jax(length: int) -> None:
    random = np.random.default_rng(length)
    z = random.standard_normal((3, length)) + 1j * random.standard_normal((3, length))
    _check(
        lambda z: [
            jnp.fft.fft(z),
            jnp.fft.ifft(z),
            jnp.fft.rfft(z.real),
            jnp.fft.irfft(z[:, : length // 2 + 1], length),
        ],
        z.astype(np.complex64) / max(1, length // 8),
    )


def test_transforms_of_several_dimensions() -> None:
    random = np.random.default_rng(0)
    z = random.standard_normal((2, 6, 5, 8)) + 1j * random.standard_normal((2, 6, 5, 8))

    def program(z: Any) -> list[Any]:
        squares = jax.grad(lambda x: (abs(jnp.fft.rfftn(x, axes=(1, 2))) ** 2).sum())
        return [
            jnp.fft.fft2(z),
            jnp.fft.ifftn(z, axes=(1, 2, 3)),
            jnp.fft.rfftn(z.real, axes=(1, 2, 3)),
            jnp.fft.irfft2(z),
            jnp.fft.fft(z, axis=1),
            squares(z[0, :, :, 0].real[None] / 8),
        ]

    _check(program, z.astype(np.complex64) / 4)


@pytest.mark.parametrize(
    ("length", "factors"), [(16, (16,)), (64, (8, 8)), (1000, (10, 10, 10)), (74, None)]
)
def test_lengths_are_split_into_small_factors(length: int, factors: Any) -> None:
    assert factors_of(length) == factors


def test_what_has_no_rule_is_named() -> None:
    def program(a: Any) -> Any:
        z = lax.complex(a, a)
        return jnp.linalg.eigh(z)[0], jnp.sort(z[0]).imag

    with pytest.raises(UnsupportedPrimitiveError) as raised:
        normalise(jax.make_jaxpr(program)(np.ones((2, 2), np.float32)))
    first = str(raised.value).splitlines()[0]
    assert "eigh of complex numbers" in first
    assert "sort of complex numbers" in first
