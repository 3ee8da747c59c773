"""Arithmetic operations and broadcasting."""

import numpy as np
import pytest

import pyflame as pf

A = np.array([[2.0, -3.0], [0.5, 8.0]], np.float32)
B = np.array([[4.0, 1.5], [-2.0, 0.25]], np.float32)


@pytest.fixture
def a() -> pf.Tensor:
    return pf.tensor(A)


@pytest.fixture
def b() -> pf.Tensor:
    return pf.tensor(B)


def test_addition(a, b) -> None:
    np.testing.assert_array_equal((a + b).numpy(), A + B)
    np.testing.assert_array_equal((a + 7.0).numpy(), A + 7)
    np.testing.assert_array_equal((7.0 + a).numpy(), A + 7)


def test_subtraction(a, b) -> None:
    np.testing.assert_array_equal((a - b).numpy(), A - B)
    np.testing.assert_array_equal((a - 7.0).numpy(), A - 7)
    np.testing.assert_array_equal((7.0 - a).numpy(), 7 - A)


def test_multiplication(a, b) -> None:
    np.testing.assert_array_equal((a * b).numpy(), A * B)
    np.testing.assert_array_equal((a * 3.0).numpy(), A * 3)
    np.testing.assert_array_equal((3.0 * a).numpy(), A * 3)


def test_division(a, b) -> None:
    np.testing.assert_allclose((a / b).numpy(), A / B, rtol=1e-6)
    np.testing.assert_array_equal((a / 4.0).numpy(), A / 4)
    np.testing.assert_allclose((4.0 / a).numpy(), 4 / A, rtol=1e-6)


def test_negation(a) -> None:
    np.testing.assert_array_equal((-a).numpy(), -A)


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ([2, 5], [5], [2, 5]),
        ([6, 1], [1, 3], [6, 3]),
        ([4, 1, 2], [3, 1], [4, 3, 2]),
        ([], [2], [2]),
    ],
)
def test_broadcasting(left, right, result) -> None:
    x, y = pf.randn(left), pf.randn(right)
    for ours, numpys in ((x + y, np.add), (x * y, np.multiply)):
        assert ours.shape == result
        np.testing.assert_allclose(
            ours.numpy(), numpys(x.numpy(), y.numpy()), rtol=1e-6
        )
