"""Reduction operations, as functions."""

import numpy as np
import pytest

import pyflame as pf


@pytest.fixture
def x() -> pf.Tensor:
    return pf.tensor([[6, 1], [2, 9]])


def test_sum(documented, x) -> None:
    documented(pf.sum, x=..., dim=None, keepdim=False)
    assert x.sum().item() == pf.sum(x).item() == 18
    assert pf.sum(x, dim=0).numpy().tolist() == [8, 10]
    assert pf.sum(x, dim=1).numpy().tolist() == [7, 11]


def test_mean(documented, x) -> None:
    documented(pf.mean, x=..., dim=None, keepdim=False)
    assert x.mean().item() == pf.mean(x).item() == 4.5
    assert pf.mean(x, dim=0).numpy().tolist() == [4, 5]


def test_max(documented, x) -> None:
    documented(pf.max, x=..., dim=None, keepdim=False)
    assert x.max().item() == pf.max(x).item() == 9
    assert pf.max(x, dim=1).numpy().tolist() == [6, 9]


def test_min(documented, x) -> None:
    documented(pf.min, x=..., dim=None, keepdim=False)
    assert x.min().item() == pf.min(x).item() == 1
    assert pf.min(x, dim=0).numpy().tolist() == [2, 1]


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2), [1, 2], (0, 1, 2)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_dims_of_every_kind(name: str, dim, keepdim: bool) -> None:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    ours = getattr(pf, name)(pf.tensor(values), dim=dim, keepdim=keepdim)
    axis = tuple(dim) if isinstance(dim, list) else dim
    expected = getattr(np, name)(values, axis=axis, keepdims=keepdim)
    assert ours.shape == list(expected.shape)
    np.testing.assert_array_equal(ours.numpy(), expected)
