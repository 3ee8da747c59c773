"""What cannot be honest inside pf.jit says so, and what to do instead."""

from queue import SimpleQueue
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

READ = (
    "{} is read inside pf.jit: it has no values while the function is traced\n"
    "  rule  pf.jit runs the Python function once, before there are values; later "
    "calls do not run it\n"
    "  help  return the tensor and read it outside; choose by value with pf.where"
)


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.sum()),
        lambda x: bool(x.sum() > 0),
        lambda x: 1 if x.sum() > 0 else 2,
        lambda x: print(x.sum()),
        lambda x: f"{x.sum()}",
        lambda x: np.asarray(x.sum()),
        lambda x: x.sum().numpy(),
        lambda x: jnp.sin(x.sum()),
    ],
)
def test_reading_values(read: Any) -> None:
    x = pf.tensor([1.0, 2.0])
    kept = pf.ones([2])

    @pf.jit
    def f(x: Any) -> Any:
        with pf.autograd.no_grad():
            kept._assign(x * 2)
        return read(x)

    for _ in range(2):
        with pytest.raises(pf.GraphError) as caught:
            f(x)
        text = str(caught.value)
        assert text in (READ.format("float32[]"), READ.format("bool[]"))
    assert kept.numpy().tolist() == [1, 1]
    assert x.numpy().tolist() == [1, 2]
    assert (x + kept).sum().item() == 5


def test_constants_can_be_read() -> None:
    @pf.jit
    def f(x: Any) -> Any:
        size = int(pf.arange(4).sum().item())
        return x * size

    assert f(pf.tensor([2.0])).item() == 12
    assert f(pf.tensor([3.0])).item() == 18


def test_random_numbers_cannot_be_read() -> None:
    f = pf.jit(lambda: pf.rand([2]).numpy())
    with pytest.raises(pf.GraphError, match=r"float32\[2\] is read inside pf.jit"):
        f()


def test_tensors_that_left_in_a_hidden_way() -> None:
    hidden: SimpleQueue[Any] = SimpleQueue()

    @pf.jit
    def f(x: Any) -> Any:
        hidden.put(x * 2)
        return x

    f(pf.tensor([1.0]))
    left = hidden.get()
    with pytest.raises(pf.GraphError) as caught:
        left.numpy()
    assert str(caught.value) == (
        "float32[1] was made while pf.jit traced a function, and left it\n"
        "  rule  what a traced function computes leaves it as a result, as a tensor "
        "assigned to, or as a gradient\n"
        "  help  return the tensor from the function"
    )


def test_gradients_that_would_flow_out() -> None:
    w, v = pf.tensor([2.0]), pf.tensor([1.0])
    features = w * 3

    @pf.jit
    def f(x: Any) -> Any:
        loss = (x * x * v).sum()
        loss.backward()
        return loss

    with pytest.raises(pf.GraphError) as caught:
        f(features)
    assert str(caught.value) == (
        "backward of float32[] inside pf.jit: gradients would flow on to what was "
        "computed before the call\n"
        "  rule  gradients inside pf.jit end in its arguments and in tensors that no "
        "op computed\n"
        "  help  compute all of it inside the function, or detach() what comes in"
    )
    assert f(features.detach()).item() == 36


def test_preprocessed_data_is_no_computed_value() -> None:
    w = pf.tensor([2.0])

    @pf.jit
    def f(x: Any) -> Any:
        (w * x).sum().backward()

    for i in range(3):
        f(pf.tensor([float(i)]) / 2)
    assert w.grad is not None
    assert w.grad.item() == 1.5


def test_freezing_inside() -> None:
    w = pf.tensor([2.0])

    @pf.jit
    def f() -> None:
        w.requires_grad = False

    with pytest.raises(pf.ArgumentError) as caught:
        f()
    assert str(caught.value) == (
        "requires_grad=False of float32[1] inside pf.jit\n"
        "  rule  what has gradients is known before a function is traced\n"
        "  help  set it before the first call"
    )
    w.requires_grad = False
    g = pf.jit(lambda x: (w * x).sum())
    x = pf.tensor([1.0]).detach()
    assert not g(x).requires_grad
    w.requires_grad = True
    assert g(x).requires_grad


def test_a_metric_of_the_function_for_a_plateau_scheduler() -> None:
    w = pf.tensor([2.0])
    optimizer = pf.optim.SGD([w], lr=0.1)
    scheduler = pf.optim.ReduceLROnPlateau(optimizer)
    f = pf.jit(lambda: scheduler.step((w * w).sum()))
    with pytest.raises(pf.GraphError, match="is read inside pf"):
        f()
    assert scheduler.last_epoch == 0
