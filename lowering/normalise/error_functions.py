"""The error function, its complement and inverse, and Bessel functions of one f32.

Cephes is S. Moshier's library of that name (erff, erfcf, i0ef, i1ef).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.normalise.bits import bits_of, float_of
from lowering.normalise.elementary import F32, horner, with_sign
from lowering.normalise.registry import rewrites_each

_ERF = [
    7.853861353153693e-5,
    -8.010193625184903e-4,
    5.188327685732524e-3,
    -2.685381193529856e-2,
    1.128358514861418e-1,
    -3.761262582423300e-1,
    1.128379165726710,
]
# erfc(x) = exp(-x^2) / x times one of these, of 1 / x^2: below 2, and beyond.
_ERFC_NEAR = [
    2.326819970068386e-2,
    -1.387039388740657e-1,
    3.687424674597105e-1,
    -5.824733027278666e-1,
    6.210004621745983e-1,
    -4.944515323274145e-1,
    3.404879937665872e-1,
    -2.741127028184656e-1,
    5.638259427386472e-1,
]
_ERFC_FAR = [
    -10.47766399936249,
    12.97719955372516,
    -7.495518717768503,
    2.921019019210786,
    -1.015265279202700,
    4.218463358204948e-1,
    -2.820767439740514e-1,
    5.641895067754075e-1,
]
# M. Giles, "Approximating the erfinv function" (2010), single precision.
_INVERSE_CENTER = [
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
]
_INVERSE_TAIL = [
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
]
_I0_NEAR = [
    -1.30002500998624804212e-8,
    6.04699502254191894932e-8,
    -2.67079385394061173391e-7,
    1.11738753912010371815e-6,
    -4.41673835845875056359e-6,
    1.64484480707288970893e-5,
    -5.75419501008210370398e-5,
    1.88502885095841655729e-4,
    -5.76375574538582365885e-4,
    1.63947561694133579842e-3,
    -4.32430999505057594430e-3,
    1.05464603945949983183e-2,
    -2.37374148058994688156e-2,
    4.93052842396707084878e-2,
    -9.49010970480476444210e-2,
    1.71620901522208775349e-1,
    -3.04682672343198398683e-1,
    6.76795274409476084995e-1,
]
_I0_FAR = [
    3.39623202570838634515e-9,
    2.26666899049817806459e-8,
    2.04891858946906374183e-7,
    2.89137052083475648297e-6,
    6.88975834691682398426e-5,
    3.36911647825569408990e-3,
    8.04490411014108831608e-1,
]
_I1_NEAR = [
    9.38153738649577178388e-9,
    -4.44505912879632808065e-8,
    2.00329475355213526229e-7,
    -8.56872026469545474066e-7,
    3.47025130813767847674e-6,
    -1.32731636560394358279e-5,
    4.78156510755005422638e-5,
    -1.61760815825896745588e-4,
    5.12285956168575772895e-4,
    -1.51357245063125314899e-3,
    4.15642294431288815669e-3,
    -1.05640848946261981558e-2,
    2.47264490306265168283e-2,
    -5.29459812080949914269e-2,
    1.02643658689847095384e-1,
    -1.76416518357834055153e-1,
    2.52587186443633654823e-1,
]
_I1_FAR = [
    -3.83538038596423702205e-9,
    -2.63146884688951950684e-8,
    -2.51223623787020892529e-7,
    -3.88256480887769039346e-6,
    -1.10588938762623716291e-4,
    -9.76109749136146840777e-3,
    7.78576235018280120474e-1,
]


@rewrites_each("erf")
def _erf(x: Any) -> Any:
    size = jnp.abs(x)
    return jnp.where(size < F32(1), x * horner(x * x, _ERF), F32(1) - lax.erfc(x))


@rewrites_each("erfc")
def _erfc(x: Any) -> Any:
    size = jnp.abs(x)
    near = F32(1) - x * horner(x * x, _ERF)
    inverse = F32(1) / size
    square = inverse * inverse
    factor = jnp.where(
        size < F32(2), horner(square, _ERFC_NEAR), horner(square, _ERFC_FAR)
    )
    far = _exp_of_minus_square(size) * inverse * factor
    far = jnp.where(size < F32(14), far, F32(0))
    far = jnp.where(x < F32(0), F32(2) - far, far)
    far = jnp.where(x == x, far, x)
    return jnp.where(size < F32(1), near, far)


def _exp_of_minus_square(x: Any) -> Any:
    """exp(-x^2), whose error a rounded square would multiply: the upper bits of x have
    an exact square, and the rest is small."""
    upper = float_of(bits_of(x) & np.uint32(0xFFFFF000))
    return jnp.exp(-upper * upper) * jnp.exp((upper - x) * (upper + x))


@rewrites_each("erf_inv")
def _erf_inv(x: Any) -> Any:
    """A polynomial of w = -log(1 - x^2), or of sqrt(w) in the tails (Giles 2010)."""
    w = -lax.log1p(-x * x)
    center = horner(w - F32(2.5), _INVERSE_CENTER)
    tail = horner(jnp.sqrt(w) - F32(3), _INVERSE_TAIL)
    inside = x * jnp.where(w < F32(5), center, tail)
    return jnp.where(jnp.abs(x) == F32(1), x * F32(np.inf), inside)


@rewrites_each("bessel_i0e")
def _bessel_i0e(x: Any) -> Any:
    return _bessel(jnp.abs(x), _I0_NEAR, _I0_FAR)


@rewrites_each("bessel_i1e")
def _bessel_i1e(x: Any) -> Any:
    size = jnp.abs(x)
    factor = jnp.where(size <= F32(8), size, F32(1))
    return with_sign(factor * _bessel(size, _I1_NEAR, _I1_FAR), x)


def _bessel(size: Any, near: Sequence[float], far: Sequence[float]) -> Any:
    """Chebyshev's series around 4, or in 1 / size beyond 8 (Cephes)."""
    inner = _chebyshev(F32(0.5) * size - F32(2), near)
    outer = _chebyshev(F32(32) / size - F32(2), far) / jnp.sqrt(size)
    return jnp.where(size <= F32(8), inner, outer)


def _chebyshev(x: Any, coefficients: Sequence[float]) -> Any:
    """Clenshaw's recurrence, the highest coefficient first, in 2x as Cephes has it."""
    before: Any = F32(0)
    current: Any = F32(coefficients[0])
    last: Any = F32(0)
    for coefficient in coefficients[1:]:
        last, before = before, current
        current = x * before - last + F32(coefficient)
    return F32(0.5) * (current - last)


CASES = [
    Case("erf, erfc", lambda x: (lax.erf(x), lax.erfc(x)), ("f32[n,m]",)),
    Case("erf_inv", lambda x: lax.erf_inv(lax.tanh(x)), ("f32[n,m]",)),
    Case("Bessel", lambda x: (lax.bessel_i0e(x), lax.bessel_i1e(9 * x)), ("f32[n]",)),
]
