"""Many steps: nothing compiled or traced after the second, and memory is flat.

Marked slow, the same over 10,000 steps.
"""

import gc
import resource
from collections.abc import Callable

import jax
import numpy as np
import pytest

import pyflame as pf
from pyflame import nn, staging
from pyflame.node import Node

STEPS = [300, pytest.param(10_000, marks=pytest.mark.slow)]
SIZE_LIMIT_KIB = 8 * 1024

Step = Callable[[], object]


def _batch(generator: np.random.Generator) -> tuple[pf.Tensor, pf.Tensor]:
    x = generator.normal(size=(8, 6)).astype(np.float32)
    y = generator.integers(0, 3, size=8).astype(np.int32)
    return pf.from_numpy(x), pf.from_numpy(y)


def _parts(*extra: nn.Module) -> tuple[nn.Module, pf.optim.Optimizer, Step]:
    pf.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), *extra, nn.Tanh(), nn.Linear(5, 3))
    optimizer = pf.optim.Adam(model.parameters(), lr=0.01)
    generator = np.random.default_rng(0)
    return model, optimizer, lambda: _batch(generator)


def _training(*extra: nn.Module) -> Step:
    model, optimizer, batch = _parts(*extra)
    loss_of = nn.CrossEntropyLoss()

    def step() -> pf.Tensor:
        x, y = batch()
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        pf.autograd.backward(loss)
        optimizer.step()
        return loss

    return step


def plain() -> Step:
    return _training()


def statistics_unread() -> Step:
    return _training(nn.BatchNorm1d(5))


def random_numbers() -> Step:
    return _training(nn.Dropout(0.3))


def loss_read_before_backward() -> Step:
    model, optimizer, batch = _parts()

    def step() -> None:
        x, y = batch()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        assert np.isfinite(loss.item())
        pf.autograd.backward(loss)
        optimizer.step()

    return step


def learning_rate_changes() -> Step:
    model, optimizer, batch = _parts()
    scheduler = pf.optim.CosineAnnealingLR(optimizer, T_max=1_000)

    def step() -> None:
        x, y = batch()
        optimizer.zero_grad()
        pf.autograd.backward(nn.functional.cross_entropy(model(x), y))
        optimizer.step()
        scheduler.step()

    return step


def evaluation_without_optimizer() -> Step:
    model, _, batch = _parts()
    model.eval()
    total = pf.zeros([])
    count = 0

    def step() -> None:
        nonlocal total, count
        x, y = batch()
        with pf.autograd.no_grad():
            total = total + nn.functional.cross_entropy(model(x), y)
        count += 1
        if count % 4 == 0:  # the sum of a few batches is pending in between
            assert np.isfinite(total.item())

    return step


def gradients_accumulate() -> Step:
    model, optimizer, batch = _parts()
    count = 0

    def step() -> None:
        nonlocal count
        x, y = batch()
        pf.autograd.backward(nn.functional.cross_entropy(model(x), y))
        count += 1
        if count % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()

    return step


def jitted() -> Step:
    return pf.jit(_training())


CASES = [
    plain,
    statistics_unread,
    random_numbers,
    loss_read_before_backward,
    learning_rate_changes,
    evaluation_without_optimizer,
    gradients_accumulate,
    jitted,
]


def _state() -> tuple[int, int, int, int]:
    gc.collect()
    nodes = sum(issubclass(type(x), Node) for x in gc.get_objects())
    counts = staging.counts
    return counts.inferences, counts.traces, nodes, len(jax.live_arrays())


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("case", CASES)
def test_memory_and_work_stay_the_same(case, steps):
    step = case()
    for _ in range(12):  # rounds of the cases that do something every fourth step
        step()
    before = _state()
    for _ in range(steps // 2):
        step()
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(steps // 2):
        step()
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kib
    *work, arrays = _state()  # lists every object, which takes memory itself
    assert work == list(before[:3])
    assert arrays <= before[3] + 2  # a number that has settled is kept as an array
    assert grown_kib < SIZE_LIMIT_KIB


@pytest.mark.parametrize("case", CASES)
def test_steps_leave_no_garbage(case):
    """Arrays go with their last name, not when Python looks for cycles."""
    step = case()
    for _ in range(8):
        step()
    gc.collect()
    gc.disable()
    try:
        before = len(jax.live_arrays())
        for _ in range(8):
            step()
        assert len(jax.live_arrays()) <= before + 1
    finally:
        gc.enable()


def test_a_kept_loss_keeps_no_parameters():
    step = _training()
    step()
    kept = [step()]
    gc.collect()
    before = len(jax.live_arrays())
    kept += [step() for _ in range(20)]
    gc.collect()
    assert len(jax.live_arrays()) <= before + 20


def test_a_loss_that_is_read_keeps_no_copies_of_what_it_was_computed_from():
    w, x = pf.randn([30, 40]).eval(), pf.randn([5, 40]).eval()
    loss = nn.functional.linear(x, w).square().sum()
    value = loss.item()
    kept = jax.tree.leaves(loss._node.via.value)
    assert all(array.size < w.numel for array in kept)
    before = w.numpy()
    w._assign(w * 0)  # backward is at the old values
    pf.autograd.backward(loss)
    out = x.numpy() @ before.T
    assert np.square(out).sum() == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(w.grad.numpy(), 2 * out.T @ x.numpy(), rtol=1e-4)


def test_a_kept_loss_says_that_its_graph_is_gone():
    loss = _training()()
    value = loss.item()
    with pytest.raises(pf.GraphError, match="gave up its graph"):
        pf.autograd.backward(loss)
    assert loss.item() == value


def test_a_copy_keeps_its_gradient_when_the_tensor_goes_on():
    x = pf.tensor([1.0, 2.0])
    pf.autograd.backward((x * x).sum())
    other = x.__copy__()
    x._assign(pf.zeros([2]))
    del x
    assert other.grad.numpy().tolist() == [2.0, 4.0]


def test_statistics_are_computed_with_the_step():
    pf.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    optimizer = pf.optim.SGD(model.parameters(), lr=0.1)
    x, y = _batch(np.random.default_rng(0))
    pf.autograd.backward(nn.functional.cross_entropy(model(x), y))
    optimizer.step()
    assert all(buffer.is_evaluated() for buffer in model.buffers())


def test_statistics_are_computed_with_a_loss_that_is_read():
    pf.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    pf.eval(*model.parameters(), *model.buffers())
    x, y = _batch(np.random.default_rng(0))
    loss = nn.functional.cross_entropy(model(x), y)
    mean = model[1].running_mean
    unrelated = pf.ones([3]).sum()
    unrelated.item()
    assert not mean.is_evaluated()
    loss.item()
    assert mean.is_evaluated()


def test_the_second_step_with_statistics_is_like_the_first():
    step = statistics_unread()
    step()
    traces = staging.counts.traces
    step()
    step()
    assert staging.counts.traces == traces
