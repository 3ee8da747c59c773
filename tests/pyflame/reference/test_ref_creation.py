"""Tensor creation functions."""

import numpy as np

import pyflame as pf

GRID = pf.MeshLayout.grid(2, 2)


def _fill(documented, function) -> None:
    documented(function, shape=..., dtype=pf.float32, layout=None)
    assert function([3, 4]).shape == function((3, 4)).shape == [3, 4]
    assert function([8, 8], layout=GRID).layout == GRID
    assert function([8]).layout == pf.MeshLayout.single_pe()


def test_zeros(documented) -> None:
    _fill(documented, pf.zeros)
    assert not pf.zeros([3, 4]).numpy().any()
    half = pf.zeros([10, 10], dtype=pf.float16)
    assert (half.dtype, half.numel) == (pf.float16, 100)


def test_ones(documented) -> None:
    _fill(documented, pf.ones)
    assert (pf.ones([3, 4]).numpy() == 1).all()
    assert pf.ones([5], dtype=pf.int32).numpy().dtype == np.int32


def test_full(documented) -> None:
    documented(pf.full, shape=..., value=..., dtype=pf.float32, layout=None)
    np.testing.assert_allclose(pf.full([2, 2], 2.75).numpy(), 2.75)
    minus = pf.full([4], -3, dtype=pf.int32)
    assert minus.numpy().tolist() == [-3] * 4
    assert pf.full([4, 4], 1.5, layout=GRID).layout == GRID


def test_randn(documented) -> None:
    _fill(documented, pf.randn)
    pf.manual_seed(3)
    x = pf.randn([4000])
    pf.eval(x)
    assert abs(x.numpy().mean()) < 0.1
    assert abs(x.numpy().std() - 1) < 0.1


def test_rand(documented) -> None:
    _fill(documented, pf.rand)
    pf.manual_seed(4)
    x = pf.rand([4000])
    pf.eval(x)
    assert x.numpy().min() >= 0
    assert x.numpy().max() < 1
    assert abs(x.numpy().mean() - 0.5) < 0.05


def test_arange(documented) -> None:
    documented(pf.arange, start=..., end=None, step=1, dtype=pf.float32)
    assert pf.arange(4).numpy().tolist() == [0, 1, 2, 3]
    assert pf.arange(3, 6).numpy().tolist() == [3, 4, 5]
    assert pf.arange(0, 9, 3).numpy().tolist() == [0, 3, 6]
    whole = pf.arange(0, 3, dtype=pf.int32)
    assert (whole.dtype, whole.numpy().tolist()) == (pf.int32, [0, 1, 2])
    assert pf.arange(start=2, end=0, step=-1).numpy().tolist() == [2, 1]


def test_tensor(documented) -> None:
    documented(pf.tensor, data=..., dtype=None)
    nested = pf.tensor([[7, 8, 9], [1, 2, 3]])
    assert (nested.shape, nested.dtype) == ([2, 3], pf.float32)
    array = np.random.default_rng(0).normal(size=(2, 5))
    taken = pf.tensor(array)
    assert taken.dtype is pf.float32
    np.testing.assert_allclose(taken.numpy(), array, rtol=1e-6)
    assert pf.tensor([1, 0], dtype=pf.bool_).numpy().tolist() == [True, False]


def test_from_numpy(documented) -> None:
    documented(pf.from_numpy, arr=...)
    array = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
    x = pf.from_numpy(array)
    assert (x.shape, x.dtype) == ([2, 5], pf.float32)
    np.testing.assert_array_equal(x.numpy(), array)
