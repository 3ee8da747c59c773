"""Matrix operations."""

import numpy as np

import pyflame as pf


def test_matmul(documented) -> None:
    documented(pf.matmul, a=..., b=...)
    a, b = pf.randn([10, 5]), pf.randn([5, 7])
    operator, function = a @ b, pf.matmul(a, b)
    assert operator.shape == function.shape == [10, 7]
    expected = a.numpy() @ b.numpy()
    np.testing.assert_allclose(operator.numpy(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(operator.numpy(), function.numpy())


def test_batch_matrix_multiplication() -> None:
    a, b = pf.randn([3, 10, 5]), pf.randn([3, 5, 7])
    c = a @ b
    assert c.shape == [3, 10, 7]
    expected = a.numpy() @ b.numpy()
    np.testing.assert_allclose(c.numpy(), expected, rtol=1e-5, atol=1e-5)
    assert (pf.randn([4, 1, 2, 5]) @ b[:, :, :3]).shape == [4, 3, 2, 3]
