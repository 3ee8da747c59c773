"""What backward fills in, adds up and refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf


def _data(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_example_of_the_reference() -> None:
    x, y = pf.randn([10, 5]), pf.randn([5, 3])
    loss = (x @ y).sum()
    pf.autograd.backward(loss)
    ones = np.ones((10, 3), np.float32)
    np.testing.assert_allclose(x.grad.numpy(), ones @ y.numpy().T, rtol=1e-5)
    np.testing.assert_allclose(y.grad.numpy(), x.numpy().T @ ones, rtol=1e-5)
    assert loss.grad is None


def test_backward_of_a_constant_of_a_trace_leaves_no_tracer_behind():
    """With a shape of its own, whose first gradient is made inside the trace."""

    def slope() -> list[float]:
        w = pf.tensor([[[[2.0]]]])
        (w * w).backward()
        return w.grad.numpy().ravel().tolist()

    def traced(x: jax.Array) -> jax.Array:
        return x + slope()[0]

    assert jax.jit(traced)(1.0) == 5
    assert slope() == [4.0]


def test_gradients_add_up_over_calls() -> None:
    w = pf.tensor([1.0, 2.0])
    (w * w).sum().backward()
    (w * 3).sum().backward()
    assert w.grad.numpy().tolist() == [5, 7]
    w.grad = None
    (w * 3).sum().backward()
    assert pf.eval(w.grad).numpy().tolist() == [3, 3]


def test_reading_the_loss_first_changes_nothing() -> None:
    w = pf.tensor(_data(4, 3))
    loss = pf.tanh(pf.tensor(_data(5, 4)) @ w).mean()
    loss.item()
    loss.backward()
    expected = jax.grad(lambda w: jnp.tanh(_data(5, 4) @ w).mean())(w.numpy())
    np.testing.assert_allclose(w.grad.numpy(), expected, rtol=1e-5, atol=1e-7)


def test_grad_output_weighs_the_elements() -> None:
    x = pf.tensor([1.0, 2.0, 3.0])
    pf.autograd.backward(x * x, pf.tensor([1.0, 0.0, 2.0]))
    assert x.grad.numpy().tolist() == [2, 0, 12]


def test_assigned_tensors_are_leaves() -> None:
    w = pf.tensor([2.0])
    (w * w).sum().backward()
    w._assign(w - 0.5 * w.grad)
    assert w.grad.numpy().tolist() == [4]
    assert w.numpy().tolist() == [0]
    w.grad = None
    ((w + 3) ** 2).sum().backward()
    assert pf.eval(w.grad).numpy().tolist() == [6]


def test_gradients_of_old_values_still_end_in_the_tensor() -> None:
    w = pf.tensor([2.0])
    old = (w * w).sum()
    w._assign(w * 10)
    old.backward()
    assert w.grad.numpy().tolist() == [4]


def test_no_gradient_passes_detach_or_no_grad() -> None:
    x = pf.tensor([3.0])
    with pf.autograd.no_grad():
        constant = x * x
    (x.detach() * x + constant * x + x.clone()).sum().backward()
    assert x.grad.numpy().tolist() == [3 + 9 + 1]


def test_modes_nest_and_come_back() -> None:
    assert pf.autograd.GradMode.is_enabled()
    with pf.autograd.no_grad():
        with pf.autograd.enable_grad():
            assert pf.autograd.GradMode.is_enabled()
        assert not pf.autograd.GradMode.is_enabled()
    assert pf.autograd.GradMode.is_enabled()

    @pf.autograd.no_grad()
    def evaluate() -> bool:
        return pf.autograd.GradMode.is_enabled()

    assert evaluate() is False


def test_a_vector_needs_grad_output() -> None:
    with pytest.raises(pf.ShapeError) as caught:
        (pf.ones([2, 3]) * 2).backward()
    assert str(caught.value) == (
        "backward of float32[2, 3]: there are 6 elements\n"
        "  rule  grad can be implicitly created only for scalar outputs\n"
        "  help  reduce it first, as in loss.sum(), or pass grad_output"
    )


def test_grad_output_has_the_shape_of_the_output() -> None:
    x = pf.ones([2])
    with pytest.raises(pf.ShapeError) as caught:
        (x * 2).backward(pf.ones([3]))
    assert str(caught.value) == (
        "backward of float32[2]: grad_output is float32[3]\n"
        "  rule  grad_output has the shape and dtype of the output"
    )


def test_integers_have_no_gradients() -> None:
    n = pf.tensor([1, 2], dtype=pf.int32)
    with pytest.raises(pf.DTypeError) as caught:
        n.sum().backward()
    assert str(caught.value) == (
        "backward of int32[]: only floating tensors have gradients\n"
        "  help  convert before the computation: x.to(pf.float32)"
    )
    x = pf.ones([2])
    (x * n).sum().backward()
    assert n.grad is None
    assert x.grad.numpy().tolist() == [1, 2]


def test_backward_is_refused_where_gradients_are_off() -> None:
    loss = pf.ones([2]).sum()
    with pf.autograd.no_grad(), pytest.raises(pf.ArgumentError) as caught:
        loss.backward()
    assert str(caught.value) == (
        "backward of float32[]: gradients are disabled here\n"
        "  rule  backward runs outside no_grad, with GradMode enabled\n"
        "  help  call it after the no_grad block, or inside enable_grad()"
    )


_NOTHING = (
    "backward of float32[]: it depends on no tensor that takes gradients\n"
    "  rule  gradients end in floating tensors that no op computed, and do not pass "
    "detach(), no_grad blocks, integers or other gradients\n"
    "  help  keep a name on the tensors whose grad is wanted; for gradients of "
    "gradients use jax.grad over a function of pf ops"
)


def test_nothing_to_differentiate_is_an_error() -> None:
    x = pf.ones([2])
    with pytest.raises(pf.ArgumentError) as caught:
        x.detach().sum().backward()
    assert str(caught.value) == _NOTHING


def test_gradients_of_gradients_are_refused() -> None:
    x = pf.ones([2])
    (x**3).sum().backward()
    with pytest.raises(pf.ArgumentError) as caught:
        x.grad.sum().backward()
    assert str(caught.value) == _NOTHING


def test_backward_wants_a_tensor() -> None:
    with pytest.raises(pf.ArgumentError) as caught:
        pf.autograd.backward(jnp.ones(()))  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == (
        "backward: ArrayImpl is no Tensor\n"
        "  help  inside jax.jit or jax.grad, use jax.grad instead of backward"
    )


def test_set_enabled_takes_a_bool() -> None:
    with pytest.raises(pf.ArgumentError) as caught:
        pf.autograd.GradMode.set_enabled(1)  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == (
        "GradMode.set_enabled: 1 is no bool\n"
        "  rule  gradients are either on (True) or off (False)"
    )


def test_grad_has_the_shape_of_its_tensor() -> None:
    x = pf.ones([2])
    with pytest.raises(pf.ShapeError) as caught:
        x.grad = pf.ones([3])
    assert str(caught.value) == (
        "grad of float32[2]: float32[3] was given\n"
        "  rule  a gradient has the shape and dtype of its tensor"
    )
    with pytest.raises(pf.ArgumentError) as wrong:
        x.grad = 3.0  # pyright: ignore[reportAttributeAccessIssue]
    assert str(wrong.value) == (
        "grad: float is no Tensor\n  rule  a gradient is a Tensor or None"
    )
