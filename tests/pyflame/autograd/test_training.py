"""Training loops: nothing is traced, compiled or run twice, and memory is flat."""

import gc
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame import node, staging

Work = tuple[int, int, int]


def _work() -> Work:
    counts = staging.counts
    return counts.inferences, counts.traces, counts.evaluations


def _work_of(step: Callable[[], object]) -> Work:
    before = _work()
    step()
    i, t, e = (b - a for a, b in zip(before, _work(), strict=True))
    return i, t, e


def _nodes() -> int:
    gc.collect()
    return sum(issubclass(type(thing), node.Node) for thing in gc.get_objects())


class Net:
    """A small classifier with plain gradient descent."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)
        self.w1 = pf.tensor(self._normal(6, 5))
        self.b1 = pf.zeros([5])
        self.w2 = pf.tensor(self._normal(5, 3))
        self.step_number = 0

    def _normal(self, *shape: int) -> np.ndarray:
        return self.generator.normal(size=shape).astype(np.float32)

    @property
    def parameters(self) -> list[pf.Tensor]:
        return [self.w1, self.b1, self.w2]

    def loss(self, x: pf.Tensor) -> pf.Tensor:
        hidden = pf.tanh(x @ self.w1 + self.b1)
        return -(pf.log_softmax(hidden @ self.w2)[:, 0]).mean()

    def batch(self) -> pf.Tensor:
        return pf.tensor(self._normal(8, 6))

    def update(self) -> None:
        self.step_number += 1
        rate = 0.1 / self.step_number
        with pf.autograd.no_grad():
            for p in self.parameters:
                p._assign(p - rate * p.grad)
        pf.eval(*self.parameters)
        for p in self.parameters:
            p.grad = None


def _step(net: Net) -> None:
    loss = net.loss(net.batch())
    loss.backward()
    net.update()


def _step_reading_after(net: Net) -> None:
    loss = net.loss(net.batch())
    loss.backward()
    net.update()
    loss.item()


def _step_reading_before(net: Net) -> None:
    loss = net.loss(net.batch())
    loss.item()
    loss.backward()
    net.update()


def _step_with_named_batch(net: Net) -> None:
    x = net.batch()
    loss = net.loss(x)
    loss.backward()
    net.update()


def _step_accumulating(net: Net) -> None:
    for _ in range(3):
        net.loss(net.batch()).backward()
    net.update()


def _evaluation(net: Net) -> None:
    net.loss(net.batch()).item()


def _evaluation_without_gradients(net: Net) -> None:
    with pf.autograd.no_grad():
        net.loss(net.batch()).item()


STEPS = [
    (_step, 1),
    (_step_reading_after, 1),
    (_step_reading_before, 2),
    (_step_with_named_batch, 1),
    (_step_accumulating, 3),
    (_evaluation, 1),
    (_evaluation_without_gradients, 1),
]


@pytest.mark.parametrize(("step", "calls"), STEPS)
def test_later_steps_trace_nothing_and_stay_flat(
    step: Callable[[Net], None], calls: int
) -> None:
    net = Net()
    pf.eval(*net.parameters)
    for _ in range(3):
        step(net)
    before = _nodes()
    for _ in range(5):
        assert _work_of(lambda: step(net)) == (0, 0, calls)
    assert _nodes() == before


def test_the_steps_are_the_same_however_they_are_read() -> None:
    nets = []
    for step in (_step, _step_reading_after, _step_reading_before):
        net = Net()
        for _ in range(4):
            step(net)
        nets.append(net)
    for net in nets[1:]:
        for a, b in zip(net.parameters, nets[0].parameters, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)


def test_a_step_equals_jax() -> None:
    net = Net()
    arrays = [jnp.asarray(p.numpy()) for p in net.parameters]
    x = net.batch()

    def loss(w1: jax.Array, b1: jax.Array, w2: jax.Array) -> jax.Array:
        logits = jnp.tanh(jnp.asarray(x) @ w1 + b1) @ w2
        return -jax.nn.log_softmax(logits)[:, 0].mean()

    expected = jax.grad(loss, (0, 1, 2))(*arrays)
    net.loss(x).backward()
    for p, grad in zip(net.parameters, expected, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), grad, rtol=1e-5, atol=1e-6)


def test_a_batch_that_lives_on_does_not_pile_up_gradients() -> None:
    net, x = Net(), pf.tensor(np.ones((8, 6), np.float32))
    pf.eval(x, *net.parameters)

    def step() -> None:
        net.loss(x).backward()
        net.update()

    for _ in range(3):
        step()
    before = _nodes()
    for _ in range(5):
        assert _work_of(step) == (0, 0, 1)
    assert _nodes() == before


def test_a_running_total_of_losses_stays_flat() -> None:
    net, total = Net(), pf.zeros([])

    def step() -> None:
        nonlocal total
        loss = net.loss(net.batch())
        loss.backward()
        net.update()
        total = total + loss
        total.item()

    for _ in range(3):
        step()
    before = _nodes()
    for _ in range(5):
        step()
    assert _nodes() == before


def test_backward_twice_adds_twice() -> None:
    x = pf.tensor([1.0, 2.0])
    loss = (x * x).sum()
    loss.backward()
    loss.backward()
    assert x.grad.numpy().tolist() == [4, 8]
    loss.item()
    loss.backward()
    assert x.grad.numpy().tolist() == [6, 12]


def test_a_shared_part_is_differentiated_by_each_loss() -> None:
    x = pf.tensor([1.0, 2.0])
    h = x * x
    (h * 3).sum().backward()
    h.eval()
    (h * 4).sum().backward()
    assert x.grad.numpy().tolist() == [14, 28]


def test_gradients_pass_values_that_were_read_and_dropped() -> None:
    x = pf.tensor([1.0, 2.0])
    h = x * x
    h.eval()
    y = h * h
    del h
    y.eval()
    y.sum().backward()
    assert x.grad.numpy().tolist() == [4, 32]


def test_masks_of_pending_values_are_computed_once_with_them() -> None:
    x = pf.tensor([-1.0, 2.0])
    h = x * 3
    pf.where(h > 0, h, 0.0).sum().backward()
    assert x.grad.numpy().tolist() == [0, 3]


def test_a_value_given_up_says_so() -> None:
    x = pf.tensor([1.0, 2.0])
    h = (x * x).eval()
    h.sum().backward()
    y = h * 2
    x.grad.eval()
    del h
    with pytest.raises(pf.GraphError) as caught:
        y.sum().backward()
    assert str(caught.value) == (
        "backward of float32[]: a value it was computed from gave up its graph to an "
        "earlier backward or an optimizer's step\n"
        "  rule  after backward, a computed value keeps its graph while it has a name, "
        "and until a step replaces the parameters in it\n"
        "  help  add the losses up and call backward once, or detach() the value"
    )


def test_running_statistics_that_wait_for_the_step() -> None:
    x, running = pf.tensor([1.0, 3.0]), pf.zeros([])
    m = x.mean()
    with pf.autograd.no_grad():
        running._assign(0.9 * running + 0.1 * m)
    ((x - m) * running.detach() + x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1, 1], atol=1e-7)
    np.testing.assert_allclose(running.item(), 0.2, rtol=1e-6)


def test_gradients_can_be_shown() -> None:
    x = pf.tensor([1.0])
    (x * x).sum().backward()
    assert x.grad is not None
    assert "gradient(" in str(pf.get_graph(x.grad * 2))
    run = pf.compile_to_csl(x.grad)
    assert run.success, run.error_message
    assert run.simulate().outputs == [2]
