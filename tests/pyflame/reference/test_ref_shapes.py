"""Shape operations and tensor combination."""

import numpy as np

import pyflame as pf


def test_reshape() -> None:
    x = pf.arange(18)
    assert x.reshape([3, 6]).shape == pf.reshape(x, [3, 6]).shape == [3, 6]
    assert x.reshape([3, 2, 3]).shape == [3, 2, 3]
    np.testing.assert_array_equal(
        pf.reshape(x, new_shape=[2, 9]).numpy(), np.arange(18).reshape(2, 9)
    )


def test_reshape_with_an_automatic_dimension() -> None:
    x = pf.randn([30])
    assert x.reshape([5, -1]).shape == [5, 6]
    assert x.reshape([-1, 2, 3]).shape == [5, 2, 3]


def test_transpose(documented) -> None:
    documented(pf.transpose, x=..., dim0=..., dim1=...)
    x = pf.randn([2, 3, 6])
    assert x.transpose(0, 2).shape == pf.transpose(x, 0, 2).shape == [6, 3, 2]
    np.testing.assert_array_equal(
        pf.transpose(x, -1, 1).numpy(), x.numpy().swapaxes(-1, 1)
    )


def test_squeeze(documented) -> None:
    documented(pf.squeeze, x=..., dim=None)
    x = pf.randn([1, 2, 1, 7, 1])
    assert x.squeeze().shape == pf.squeeze(x).shape == [2, 7]
    assert x.squeeze(0).shape == pf.squeeze(x, dim=0).shape == [2, 1, 7, 1]


def test_unsqueeze(documented) -> None:
    documented(pf.unsqueeze, x=..., dim=...)
    x = pf.randn([2, 7])
    assert x.unsqueeze(0).shape == pf.unsqueeze(x, 0).shape == [1, 2, 7]
    assert x.unsqueeze(-1).shape == pf.unsqueeze(x, dim=-1).shape == [2, 7, 1]


def test_cat(documented) -> None:
    documented(pf.cat, tensors=..., dim=0)
    a, b = pf.randn([2, 3]), pf.randn([4, 3])
    joined = pf.cat([a, b], dim=0)
    assert joined.shape == [6, 3]
    np.testing.assert_array_equal(joined.numpy()[2:], b.numpy())
    assert pf.cat([a, a], dim=1).shape == [2, 6]
    assert pf.cat([a, b]).shape == [6, 3]


def test_stack(documented) -> None:
    documented(pf.stack, tensors=..., dim=0)
    a, b = pf.randn([2, 3]), pf.randn([2, 3])
    stacked = pf.stack([a, b], dim=0)
    assert stacked.shape == pf.stack([a, b]).shape == [2, 2, 3]
    np.testing.assert_array_equal(stacked.numpy()[1], b.numpy())
    assert pf.stack([a, b, a], dim=-1).shape == [2, 3, 3]
