"""Elementary and special functions in core primitives, against double precision.

Subnormal numbers are left out: XLA's CPU code flushes them to zero.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import special

from lowering import jaxprs
from lowering.normalise.core_set import CORE
from lowering.normalise.normalise import normalise

RANDOM = np.random.default_rng(0)
TINY = float(np.finfo(np.float32).tiny)
SPECIAL = [0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 88, -88, 100, -104, 1e10, -1e10, 1e-30]
SPECIAL += [np.inf, -np.inf, np.nan, 0.99999994, 1.0000001, 51471, 51472, 1e30, 3.4e38]
SPREAD = np.sign(RANDOM.standard_normal(800)) * 10.0 ** RANDOM.uniform(-37, 38.5, 800)
X = np.concatenate(
    [SPECIAL, np.linspace(-12, 12, 801), np.linspace(-1.001, 1.001, 801), SPREAD]
).astype(np.float32)

# The function in double precision, and how many ulps of f32 its value may differ.
UNARY: dict[str, tuple[Callable[..., Any], float]] = {
    "log1p": (np.log1p, 3),
    "expm1": (np.expm1, 3),
    "cbrt": (np.cbrt, 2),
    "sinh": (np.sinh, 4),
    "cosh": (np.cosh, 4),
    "asinh": (np.arcsinh, 4),
    "acosh": (np.arccosh, 4),
    "atanh": (np.arctanh, 4),
    "atan": (np.arctan, 3),
    "asin": (np.arcsin, 3),
    "acos": (np.arccos, 3),
    "sin": (np.sin, 3),
    "cos": (np.cos, 3),
    "tan": (np.tan, 5),
    "floor": (np.floor, 0),
    "ceil": (np.ceil, 0),
    "erf": (special.erf, 4),
}


def core(function: Callable[..., Any], *arrays: Any) -> np.ndarray[Any, Any]:
    """What the function gives in core primitives, of which it must consist."""
    normal = normalise(jax.make_jaxpr(function)(*arrays))
    assert {eqn.primitive.name for eqn in normal.jaxpr.eqns} <= CORE
    (result,) = jax.jit(jaxprs.jaxpr_as_fun(normal))(*arrays)
    return np.asarray(result)


def exactly(function: Callable[..., Any], *arrays: Any) -> np.ndarray[Any, Any]:
    with np.errstate(all="ignore"):
        wide = function(*(array.astype(np.float64) for array in arrays))
        return np.asarray(wide)


def check(got: np.ndarray[Any, Any], want: np.ndarray[Any, Any], ulps: float) -> None:
    with np.errstate(over="ignore"):
        near = want.astype(np.float32)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(near))
    np.testing.assert_array_equal(np.isinf(got), np.isinf(near))
    known = np.isfinite(near) & (np.abs(near) >= TINY)
    error = np.abs(got[known].astype(np.float64) - want[known])
    assert np.max(error / np.spacing(np.abs(near[known]))) <= ulps + 0.5
    signed = ~np.isnan(near)
    np.testing.assert_array_equal(np.signbit(got[signed]), np.signbit(near[signed]))


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name: str) -> None:
    function, ulps = UNARY[name]
    check(core(getattr(lax, name), X), exactly(function, X), ulps)


POINTS = np.concatenate([SPECIAL, RANDOM.standard_normal(30) * 10]).astype(np.float32)
Y_GRID, X_GRID = (grid.ravel() for grid in np.meshgrid(POINTS, POINTS))


def test_functions_of_two_numbers() -> None:
    check(core(lax.atan2, Y_GRID, X_GRID), exactly(np.arctan2, Y_GRID, X_GRID), 3)
    large = np.abs(exactly(np.fmod, Y_GRID, X_GRID)) >= TINY
    y, x = Y_GRID[large], X_GRID[large]
    check(core(lax.rem, y, x), exactly(np.fmod, y, x), 0)


def test_rounding() -> None:
    numbers = np.concatenate([np.arange(-9, 9, 0.25), X]).astype(np.float32)
    even, away = lax.RoundingMethod.TO_NEAREST_EVEN, lax.RoundingMethod.AWAY_FROM_ZERO
    check(core(lambda x: lax.round(x, even), numbers), np.round(numbers), 0)
    got = core(lambda x: lax.round(x, away), numbers)
    np.testing.assert_array_equal(got, lax.round(numbers, away))


V = np.array([0, 1, 2, 0.5, -1, -0.5, -3.5, np.inf, np.nan, 1e-3, 40.5, 8], np.float32)
A_GRID, B_GRID = (grid.ravel() for grid in np.meshgrid(V, V))
ORDERS = np.array([0, 1, 2, 5, -1, 1.5], np.float32)
N_GRID, Q_GRID = (grid.ravel() for grid in np.meshgrid(ORDERS, V))
SHARES = np.array([0, 1, 0.3, 0.77, -0.1, 1.1, np.nan, 1e-4], np.float32)
CUBE = [grid.ravel() for grid in np.meshgrid(V, V, SHARES)]

LIKE_JAX: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "exp2": (lax.exp2, [X]),
    "erfc": (lax.erfc, [X]),
    "erf_inv": (lax.erf_inv, [X]),
    "bessel_i0e": (lax.bessel_i0e, [X]),
    "bessel_i1e": (lax.bessel_i1e, [X]),
    "lgamma": (lax.lgamma, [X]),
    "digamma": (lax.digamma, [X]),
    "power": (lax.pow, [Y_GRID, X_GRID]),
    "polygamma": (lax.polygamma, [N_GRID, Q_GRID]),
    "zeta": (lax.zeta, [N_GRID, Q_GRID]),
    "igamma": (lax.igamma, [A_GRID, B_GRID]),
    "igammac": (lax.igammac, [A_GRID, B_GRID]),
    "derivative of igamma": (lax.igamma_grad_a, [A_GRID, B_GRID]),
    "betainc": (lax.betainc, CUBE),
}


@pytest.mark.parametrize("name", LIKE_JAX)
def test_functions_that_jax_approximates_itself(name: str) -> None:
    function, arrays = LIKE_JAX[name]
    want = np.asarray(jax.jit(function)(*arrays))
    # Of betainc, both are 1 less a number near 1 that is known to a few ulps only.
    atol = 1e-5 if name == "betainc" else 1e-6
    np.testing.assert_allclose(core(function, *arrays), want, rtol=2e-5, atol=atol)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_rounded_once(dtype: str) -> None:
    x = jnp.asarray(np.linspace(-3, 3, 301), dtype)
    for function in (lax.sin, lax.tan, lax.erf, lax.atan, lax.floor, lax.expm1):
        got = core(function, x)
        want = function(x.astype(jnp.float32)).astype(dtype)
        assert got.dtype == want.dtype
        steps = got.view(np.int16).astype(int) - np.asarray(want).view(np.int16)
        assert np.max(np.abs(steps)) <= 1
