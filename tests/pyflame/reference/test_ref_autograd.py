"""Automatic differentiation."""

import numpy as np
import pytest

import pyflame as pf


def test_grad_mode(documented) -> None:
    mode = pf.autograd.GradMode
    documented(mode.set_enabled, enabled=...)
    assert mode.is_enabled() is True
    mode.set_enabled(False)
    try:
        assert mode.is_enabled() is False
        hidden = (pf.ones([2]) * 3).sum()
    finally:
        mode.set_enabled(True)
    assert mode.is_enabled() is True
    with pytest.raises(pf.ArgumentError, match="depends on no tensor"):
        pf.autograd.backward(hidden)


def test_no_grad() -> None:
    model = pf.nn.Linear(4, 2)
    with pf.autograd.no_grad():
        assert not pf.autograd.GradMode.is_enabled()
        output = model(pf.randn([3, 4]))
    assert pf.autograd.GradMode.is_enabled()
    assert output.shape == [3, 2]
    with pytest.raises(pf.ArgumentError, match="depends on no tensor"):
        output.sum().backward()


def test_backward(documented) -> None:
    documented(pf.autograd.backward, output=..., grad_output=None)
    x = pf.randn([4, 3])
    y = pf.randn([3, 2])
    z = x @ y
    loss = z.sum()
    pf.autograd.backward(loss)
    ones = np.ones((4, 2), np.float32)
    np.testing.assert_allclose(x.grad.numpy(), ones @ y.numpy().T, rtol=1e-5)
    np.testing.assert_allclose(y.grad.numpy(), x.numpy().T @ ones, rtol=1e-5)


def test_backward_with_a_gradient_of_the_output() -> None:
    x = pf.tensor([1.0, 2.0, 3.0])
    weights = pf.tensor([1.0, 0.0, -2.0])
    pf.autograd.backward(x * x, grad_output=weights)
    assert x.grad.numpy().tolist() == [2.0, 0.0, -12.0]
