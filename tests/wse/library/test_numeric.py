"""The functions of <math>, at the ends of their domains and against NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflame.wse.library import numeric

INF, NAN = math.inf, math.nan


@given(st.floats(min_value=0, width=32, allow_nan=False, allow_infinity=False))
def test_sqrt_equals_numpy_bit_for_bit(x: float) -> None:
    assert numeric.to_f32(numeric.sqrt(x)) == np.sqrt(np.float32(x))


@given(st.floats(width=32, allow_nan=False))
def test_inv_equals_numpy_bit_for_bit(x: float) -> None:
    with np.errstate(all="ignore"):
        expected = np.float32(1) / np.float32(x)
    assert numeric.to_f32(numeric.inv(x)).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", 1000.0, INF),
        ("exp", -1000.0, 0.0),
        ("log", 0.0, -INF),
        ("log", -1.0, NAN),
        ("log", NAN, NAN),
        ("sqrt", -1.0, NAN),
        ("sqrt", -0.0, -0.0),
        ("sqrt", NAN, NAN),
        ("sqrt", INF, INF),
        ("inv", -0.0, -INF),
        ("invsqrt", 0.0, INF),
        ("invsqrt", -2.0, NAN),
        ("invsqrt", INF, 0.0),
        ("sin", INF, NAN),
        ("cos", -INF, NAN),
        ("ceil", -0.5, -0.0),
        ("ceil", INF, INF),
        ("floor", -0.5, -1.0),
        ("floor", -0.0, -0.0),
        ("sig", 12.0, 1.5),
        ("sig", -0.375, -1.5),
        ("sig", 0.0, 0.0),
        ("sig", INF, INF),
        ("tanh", INF, 1.0),
    ],
)
def test_edges(name: str, x: float, expected: float) -> None:
    got = numeric.FUNCTIONS[name](x)
    assert (math.isnan(got) and math.isnan(expected)) or (
        got == expected and math.copysign(1, got) == math.copysign(1, expected)
    )


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (2.0, 10.0, 1024.0),
        (0.0, -1.0, INF),
        (-0.0, -1.0, -INF),
        (-0.0, -2.0, INF),
        (-8.0, 1 / 3, NAN),
        (1e200, 2.0, INF),
        (-1e200, 3.0, -INF),
        (5.0, 0.0, 1.0),
    ],
)
def test_pow(x: float, y: float, expected: float) -> None:
    np.testing.assert_equal(numeric.pow(x, y), expected)


def test_fscale_scales_by_a_power_of_two() -> None:
    assert numeric.fscale(1.5, 4) == 24.0
    assert numeric.fscale(1.0, -3) == 0.125
    assert numeric.fscale(-1.0, 5000) == -INF


def test_rounding_to_a_type_overflows_to_infinity() -> None:
    assert numeric.to_f32(1e300) == INF
    assert numeric.to_f32(-INF) == -INF
    assert np.isnan(numeric.to_f32(NAN))
    assert numeric.to_f32(float(np.finfo(np.float32).max)) < INF
    assert numeric.to_f16(65519.0) == np.float16(65504)
    assert numeric.to_f16(65520.0) == INF
    assert np.isnan(numeric.to_f16(NAN))
