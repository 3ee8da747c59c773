"""Activation functions."""

import math

import numpy as np
import pytest

import pyflame as pf

X = np.array([-3.0, -0.5, 0.0, 0.25, 4.0], np.float32)


def _values(function) -> np.ndarray:
    return function(pf.tensor(X)).numpy()


def test_relu(documented) -> None:
    documented(pf.relu, x=...)
    assert pf.relu(pf.tensor([-4, 0, 3])).numpy().tolist() == [0.0, 0.0, 3.0]


def test_sigmoid(documented) -> None:
    documented(pf.sigmoid, x=...)
    assert pf.sigmoid(pf.tensor([0])).numpy().tolist() == [0.5]
    np.testing.assert_allclose(_values(pf.sigmoid), 1 / (1 + np.exp(-X)), rtol=1e-6)


def test_tanh(documented) -> None:
    documented(pf.tanh, x=...)
    assert pf.tanh(pf.tensor([0])).numpy().tolist() == [0.0]
    np.testing.assert_allclose(_values(pf.tanh), np.tanh(X), rtol=1e-6)


def test_gelu(documented) -> None:
    documented(pf.gelu, x=...)
    expected = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in X]
    np.testing.assert_allclose(_values(pf.gelu), expected, rtol=1e-5, atol=1e-6)


def test_silu(documented) -> None:
    documented(pf.silu, x=...)
    np.testing.assert_allclose(_values(pf.silu), X / (1 + np.exp(-X)), rtol=1e-5)


def test_softmax(documented) -> None:
    documented(pf.softmax, x=..., dim=-1)
    x = pf.randn([8, 5])
    rows = pf.softmax(x, dim=1)
    np.testing.assert_allclose(rows.sum(dim=1).numpy(), np.ones(8), rtol=1e-6)
    np.testing.assert_allclose(pf.softmax(x).numpy(), rows.numpy(), rtol=1e-6)
    columns = pf.softmax(x, dim=0).sum(dim=0)
    np.testing.assert_allclose(columns.numpy(), np.ones(5), rtol=1e-6)


def test_log_softmax(documented) -> None:
    documented(pf.log_softmax, x=..., dim=-1)
    x = pf.randn([8, 5])
    expected = np.log(pf.softmax(x, dim=1).numpy())
    np.testing.assert_allclose(pf.log_softmax(x, dim=1).numpy(), expected, rtol=1e-5)
    far = pf.log_softmax(pf.tensor([0.0, 1000.0])).numpy()
    assert far.tolist() == [-1000.0, 0.0]


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "gelu", "silu"])
def test_shapes_stay(name: str) -> None:
    assert getattr(pf, name)(pf.randn([100])).shape == [100]
