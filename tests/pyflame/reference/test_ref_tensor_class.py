"""The Tensor class: properties, evaluation, and every documented method."""

import numpy as np
import pytest

import pyflame as pf


@pytest.fixture
def table() -> pf.Tensor:
    return pf.tensor([[1.0, -4.0, 2.5], [0.5, 3.0, 6.0]])


def test_properties() -> None:
    x = pf.randn([2, 6, 3])
    assert x.shape == [2, 6, 3]
    assert type(x.shape) is list
    assert x.dtype is pf.float32
    assert repr(x.dtype) == "DType.float32"
    assert (x.ndim, x.numel) == (3, 36)
    assert x.layout == pf.MeshLayout.single_pe()


def test_eval() -> None:
    x = pf.randn([20, 20])
    y = pf.relu(x)
    assert not y.is_evaluated()
    y.eval()
    assert y.is_evaluated()
    assert y.numpy().min() >= 0


def test_is_evaluated() -> None:
    x = pf.randn([10])
    assert x.is_evaluated() is False
    x.eval()
    assert x.is_evaluated() is True


def test_numpy() -> None:
    x = pf.randn([3, 4])
    array = x.numpy()
    assert type(array) is np.ndarray
    assert (array.shape, array.dtype) == ((3, 4), np.float32)
    assert x.is_evaluated()


def test_sum(documented, table) -> None:
    documented(pf.zeros([1]).sum, dim=None, keepdim=False)
    assert table.sum().item() == 9.0
    assert table.sum().shape == []
    assert table.sum(dim=0).numpy().tolist() == [1.5, -1.0, 8.5]
    assert table.sum(dim=1).numpy().tolist() == [-0.5, 9.5]
    assert table.sum(dim=1, keepdim=True).numpy().tolist() == [[-0.5], [9.5]]


def test_mean(documented, table) -> None:
    documented(pf.zeros([1]).mean, dim=None, keepdim=False)
    assert table.mean().item() == 1.5
    assert table.mean(dim=0).numpy().tolist() == [0.75, -0.5, 4.25]
    assert table.mean(dim=1, keepdim=True).shape == [2, 1]


def test_max(documented, table) -> None:
    documented(pf.zeros([1]).max, dim=None, keepdim=False)
    assert table.max().item() == 6.0
    assert table.max(dim=1).numpy().tolist() == [2.5, 6.0]
    assert table.max(dim=0, keepdim=True).shape == [1, 3]


def test_min(documented, table) -> None:
    documented(pf.zeros([1]).min, dim=None, keepdim=False)
    assert table.min().item() == -4.0
    assert table.min(dim=0).numpy().tolist() == [0.5, -4.0, 2.5]
    assert table.min(dim=0, keepdim=True).shape == [1, 3]


def test_reshape() -> None:
    x = pf.arange(12)
    assert x.reshape([3, 4]).shape == [3, 4]
    np.testing.assert_array_equal(x.reshape([4, 3]).numpy()[1], [3, 4, 5])
    assert x.reshape(new_shape=[2, 6]).shape == [2, 6]


def test_transpose(documented, table) -> None:
    documented(pf.zeros([1]).transpose, dim0=..., dim1=...)
    y = table.transpose(0, 1)
    assert y.shape == [3, 2]
    np.testing.assert_array_equal(y.numpy(), table.numpy().T)
    assert table.transpose(dim0=-1, dim1=-2).shape == [3, 2]


def test_squeeze(documented) -> None:
    documented(pf.zeros([1]).squeeze, dim=None)
    x = pf.randn([1, 5, 1, 2])
    assert x.squeeze().shape == [5, 2]
    assert x.squeeze(0).shape == [5, 1, 2]
    assert x.squeeze(dim=2).shape == [1, 5, 2]


def test_unsqueeze(documented) -> None:
    documented(pf.zeros([1]).unsqueeze, dim=...)
    x = pf.randn([5, 2])
    assert x.unsqueeze(0).shape == [1, 5, 2]
    assert x.unsqueeze(2).shape == [5, 2, 1]
