"""Fourier transforms as products with small matrices.

A length is split into factors (Cooley and Tukey, 1965): for each, a product with the
matrix of its transform, and a turn of every element before the next. A length with a
large prime is a convolution with a chirp (Bluestein, 1970), of a power of two.
Angles are computed in float64, so that the error is that of the sums.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.complex_arithmetic import scaled, times
from lowering.normalise.complex_pairs import Pair, complex_rule

Floats = np.ndarray[Any, Any]

MAX_FACTOR = 32  # a matrix of 32x32 and its turns take 8 KiB of a PE
_STEP = 12  # what another factor costs, as multiply-adds per element


@complex_rule("fft")
def _fft(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """All kinds: of complex numbers, back, of real ones, and back to real ones."""
    z, kind = args[0], lax.FftType(int(eqn.params["fft_type"]))
    lengths: tuple[int, ...] = eqn.params["fft_lengths"]
    rank = len(jaxprs.shape_of(eqn.invars[0]))
    axes = range(rank - len(lengths), rank)
    others = list(zip(axes, lengths, strict=True))
    backward = kind in (lax.FftType.IFFT, lax.FftType.IRFFT)
    if kind == lax.FftType.RFFT:
        z = _half(_along_last(Pair(z, None), lengths[-1], False), lengths[-1])
        others.pop()
    elif kind == lax.FftType.IRFFT:
        others.pop()
    for axis, length in reversed(others):
        z = _along(z, axis, length, backward)
    if kind != lax.FftType.IRFFT:
        return [z]
    return [_along_last(_mirrored(z, lengths[-1]), lengths[-1], True).re]


def _half(z: Pair, length: int) -> Pair:
    """The first half of a spectrum of real numbers; the other one mirrors it."""
    return _each(z, lambda x: lax.slice_in_dim(x, 0, length // 2 + 1, axis=-1))


def _mirrored(z: Pair, length: int) -> Pair:
    """The whole spectrum of real numbers, from its first half.

    The imaginary parts of the ends are not looked at, as in XLA.
    """
    count = length // 2 + 1
    own = np.ones(count, np.float32)
    own[0] = 0
    if length % 2 == 0:
        own[-1] = 0
    im = jnp.where(own > 0, z.im, np.float32(0))
    others = slice(length - count, 0, -1)
    return Pair(
        jnp.concatenate([z.re, z.re[..., others]], -1),
        jnp.concatenate([im, -im[..., others]], -1),
    )


def _along(z: Pair, axis: int, length: int, backward: bool) -> Pair:
    """The transform along any axis."""
    last = _each(z, lambda x: jnp.moveaxis(x, axis, -1))
    return _each(
        _along_last(last, length, backward), lambda x: jnp.moveaxis(x, -1, axis)
    )


def _along_last(z: Pair, length: int, backward: bool) -> Pair:
    factors = factors_of(length)
    if factors is None:
        result = _by_chirp(z, length, backward)
    else:
        result = _by_factors(z, factors, backward)
    return scaled(result, np.float32(1 / length)) if backward else result


def _by_factors(z: Pair, factors: tuple[int, ...], backward: bool) -> Pair:
    """One product for each factor; digits of the frequency come behind each other.

    The element m j + i of `left` ones gives, for each digit k, a transform over i of
    what its turn by i k / left has left of it.
    """
    batch = z.re.shape[:-1]
    left, axis = int(np.prod(factors)), len(batch)
    digits: list[int] = []
    for factor in factors:
        rest = left // factor
        shape = (*batch, factor, rest, *digits)
        z = _each(z, lambda x, shape=shape: x.reshape(shape))
        z = _product(z, _matrix(factor, backward), axis)
        digits.append(factor)
        if rest > 1:
            z = times(z, _turns(left, factor, backward, len(digits) - 1))
        left = rest
    order = (*range(axis + 1), *range(axis + len(digits), axis, -1))
    return _each(z, lambda x: jnp.transpose(x, order).reshape(*batch, -1))


def _by_chirp(z: Pair, length: int, backward: bool) -> Pair:
    """With j k = (j^2 + k^2 - (j - k)^2) / 2 a transform is a convolution."""
    size = 1 << (2 * length - 2).bit_length()
    squares = np.arange(length, dtype=np.int64) ** 2 % (2 * length)
    chirp = np.exp((1j if backward else -1j) * np.pi * squares / length)
    filter_ = np.zeros(size, np.complex128)
    filter_[:length] = chirp.conj()
    filter_[size - length + 1 :] = chirp[:0:-1].conj()
    turn, spectrum = _constant(chirp), _constant(np.fft.fft(filter_))
    turned = scaled(turn, z.re) if z.im is None else times(z, turn)
    edges = [(0, 0)] * (z.re.ndim - 1) + [(0, size - length)]
    z = _along_last(_each(turned, lambda x: jnp.pad(x, edges)), size, False)
    z = _along_last(times(z, spectrum), size, True)
    return times(_each(z, lambda x: x[..., :length]), turn)


def _product(z: Pair, matrix: Pair, axis: int) -> Pair:
    """What `axis` of z is multiplied by the matrix becomes its last dimension."""

    def product(x: Any, y: Floats) -> Any:
        dims = (((axis,), (0,)), ((), ()))
        return lax.dot_general(x, y, dims, precision=lax.Precision.HIGHEST)

    re, im = product(z.re, matrix.re), product(z.re, matrix.im)
    if z.im is None:
        return Pair(re, im)
    return Pair(re - product(z.im, matrix.im), im + product(z.im, matrix.re))


def _each(z: Pair, function: Any) -> Pair:
    return Pair(*(None if part is None else function(part) for part in z))


def _matrix(factor: int, backward: bool) -> Pair:
    """[j, k] of the transform of one factor."""
    return _roots(np.outer(np.arange(factor), np.arange(factor)), factor, backward)


def _turns(left: int, factor: int, backward: bool, between: int) -> Pair:
    """[rest, ..., k] by i k / left, with as many dimensions between as digits were."""
    rest = left // factor
    turns = np.outer(np.arange(rest), np.arange(factor))
    shape = (rest, *(1,) * between, factor)
    return _roots(turns.reshape(shape), left, backward)


def _roots(powers: Floats, order: int, backward: bool) -> Pair:
    sign = 2j if backward else -2j
    return _constant(np.exp(sign * np.pi * (powers % order) / order))


def _constant(values: Floats) -> Pair:
    return Pair(np.real(values).astype(np.float32), np.imag(values).astype(np.float32))


def factors_of(length: int) -> tuple[int, ...] | None:
    """The factors of a length, at most MAX_FACTOR each, that cost least together.

    None, if a prime of it is larger.
    """
    cost, factors = _cheapest(length)
    return None if cost == np.inf else factors


@lru_cache(maxsize=1024)
def _cheapest(length: int) -> tuple[float, tuple[int, ...]]:
    if length <= MAX_FACTOR:
        best = (float(length + _STEP), (length,))
    else:
        best = (np.inf, ())
    for factor in range(2, min(length, MAX_FACTOR + 1)):
        if length % factor == 0:
            cost, factors = _cheapest(length // factor)
            best = min(best, (cost + factor + _STEP, (factor, *factors)))
    return best


CASES = [
    Case("spectrum", lambda x: jnp.abs(jnp.fft.rfft(x)), ("f32[k,m]",)),
    Case(
        "there and back",
        lambda x: jnp.fft.ifft2(jnp.fft.fft2(x) * 1j).imag,
        ("f32[k,4]",),
    ),
]
