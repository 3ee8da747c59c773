"""Math functions, element by element."""

import numpy as np

import pyflame as pf


def _check(documented, function, values, expected) -> None:
    documented(function, x=...)
    result = function(pf.tensor(values)).numpy()
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


def test_abs(documented) -> None:
    _check(documented, pf.abs, [-5, 0, 2], [5, 0, 2])


def test_sqrt(documented) -> None:
    _check(documented, pf.sqrt, [16, 25, 0], [4, 5, 0])
    assert np.isnan(pf.sqrt(pf.tensor([-1.0])).numpy()).all()


def test_exp(documented) -> None:
    _check(documented, pf.exp, [0, 1, -2], [1, np.e, np.exp(-2)])


def test_log(documented) -> None:
    _check(documented, pf.log, [1, np.e, np.e**3], [0, 1, 3])


def test_sin(documented) -> None:
    _check(documented, pf.sin, [0, np.pi / 6, np.pi / 2], [0, 0.5, 1])


def test_cos(documented) -> None:
    _check(documented, pf.cos, [0, np.pi / 3, np.pi], [1, 0.5, -1])
