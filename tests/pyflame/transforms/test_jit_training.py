"""Training steps under pf.jit: the same numbers as without, and nothing done twice."""

import gc
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame import node, staging

F = pf.nn.functional
Counts = tuple[int, int, int]


def work_of(call: Callable[[], object]) -> Counts:
    """Recordings, traces and jitted calls that a call costs."""
    counts = staging.counts
    before = (counts.recordings, counts.traces, counts.evaluations)
    call()
    return (
        counts.recordings - before[0],
        counts.traces - before[1],
        counts.evaluations - before[2],
    )


def batches(count: int = 5) -> list[tuple[Any, Any]]:
    generator = np.random.default_rng(0)
    return [
        (
            pf.tensor(generator.normal(size=(8, 6)).astype(np.float32)),
            pf.tensor(generator.integers(0, 3, 8)),
        )
        for _ in range(count)
    ]


def network(*middle: Any) -> Any:
    pf.manual_seed(0)
    return pf.nn.Sequential(pf.nn.Linear(6, 5), *middle, pf.nn.Linear(5, 3))


def train(model: Any, optimizer: Any, jitted: bool, after: Any = None) -> list[float]:
    """Losses of a few steps."""

    def step(x: pf.Tensor, y: pf.Tensor) -> pf.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    call = pf.jit(step) if jitted else step
    losses = []
    for x, y in batches():
        losses.append(call(x, y).item())
        if after is not None:
            after()
    return losses


def values_of(model: Any) -> list[np.ndarray]:
    return [x.numpy() for x in [*model.parameters(), *model.buffers()]]


def assert_same_training(make: Callable[[], tuple[Any, Any, Any]]) -> None:
    """After the same steps: losses, parameters, buffers, gradients, optimizer state.

    Unread gradients are left out of the compiled step, so that it is not the very
    program that eager steps run, and the last bit may differ.
    """
    runs = []
    for jitted in (False, True):
        model, optimizer, after = make()
        losses = train(model, optimizer, jitted, after)
        state = optimizer.state_dict()["state"]
        grads = [p.grad.numpy() for p in model.parameters()]
        runs.append((losses, values_of(model), grads, state))
    (losses, values, grads, state), other = runs
    np.testing.assert_allclose(losses, other[0], rtol=1e-6)
    for a, b in zip([*values, *grads], [*other[1], *other[2]], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)
    for index, entry in state.items():
        for name, value in entry.items():
            other_value = np.asarray(other[3][index][name])
            np.testing.assert_allclose(value, other_value, rtol=2e-6, atol=1e-7)


OPTIMIZERS = [
    lambda p: pf.optim.SGD(p, lr=0.1),
    lambda p: pf.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    lambda p: pf.optim.Adam(p, lr=0.01, amsgrad=True),
    lambda p: pf.optim.AdamW(p, lr=0.01),
    lambda p: pf.optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
]


@pytest.mark.parametrize("optimizer_of", OPTIMIZERS)
def test_equals_eager(optimizer_of: Any) -> None:
    def make() -> tuple[Any, Any, Any]:
        model = network(pf.nn.ReLU())
        return model, optimizer_of(model.parameters()), None

    assert_same_training(make)


def test_with_dropout_batch_norm_and_a_scheduler() -> None:
    def make() -> tuple[Any, Any, Any]:
        model = network(pf.nn.BatchNorm1d(5), pf.nn.ReLU(), pf.nn.Dropout(0.3))
        optimizer = pf.optim.Adam(model.parameters(), lr=0.01)
        scheduler = pf.optim.StepLR(optimizer, step_size=2, gamma=0.5)
        return model, optimizer, scheduler.step

    assert_same_training(make)


def test_equals_hand_written_jax() -> None:
    model = network(pf.nn.Tanh())
    arrays = [jnp.asarray(p.numpy()) for p in model.parameters()]
    losses = train(model, pf.optim.SGD(model.parameters(), lr=0.1), jitted=True)

    @jax.jit
    def step(ps: list[jax.Array], x: jax.Array, y: jax.Array) -> Any:
        def loss(ps: list[jax.Array]) -> jax.Array:
            hidden = jnp.tanh(x @ ps[0].T + ps[1])
            scores = jax.nn.log_softmax(hidden @ ps[2].T + ps[3])
            return -scores[jnp.arange(len(y)), y].mean()

        value, grads = jax.value_and_grad(loss)(ps)
        return value, [p - 0.1 * g for p, g in zip(ps, grads, strict=True)]

    expected = []
    for x, y in batches():
        value, arrays = step(arrays, jnp.asarray(x), jnp.asarray(y))
        expected.append(float(value))
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for p, array in zip(model.parameters(), arrays, strict=True):
        np.testing.assert_allclose(p.numpy(), array, rtol=1e-4, atol=1e-6)


def test_the_second_call_records_what_the_first_made_and_the_third_nothing() -> None:
    model = network()
    optimizer = pf.optim.Adam(model.parameters())

    @pf.jit
    def step(x: pf.Tensor, y: pf.Tensor) -> pf.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    data = batches()
    work = [work_of(lambda: step(x, y)) for x, y in data]  # noqa: B023
    assert work[0][0] == 1
    assert work[1] == (1, 0, 1)
    assert work[2:] == [(0, 0, 1)] * 3


def test_a_new_learning_rate_acts_and_records_nothing() -> None:
    w = pf.tensor([1.0])
    optimizer = pf.optim.SGD([w], lr=1.0)

    @pf.jit
    def step() -> None:
        optimizer.zero_grad()
        (w * 3.0).sum().backward()
        optimizer.step()

    for rate, expected in [(1.0, -2), (1.0, -5), (0.5, -6.5), (0.5, -8), (2.0, -14)]:
        optimizer.set_lr(rate)
        work = work_of(step)
        assert w.item() == expected
    assert work == (0, 0, 1)
    optimizer.param_groups[0]["lr"] = float("nan")
    with pytest.raises(pf.ArgumentError, match="lr"):
        step()
    assert w.item() == -14


def test_options_that_ask_for_other_arithmetic_record_again() -> None:
    w = pf.tensor([1.0])
    optimizer = pf.optim.SGD([w], lr=1.0)

    @pf.jit
    def step() -> None:
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()

    step()
    step()
    optimizer.param_groups[0]["maximize"] = True
    assert work_of(step)[0] == 1
    assert w.item() == 0.0


def test_a_scheduler_inside_steps_at_every_call() -> None:
    runs = []
    for jitted in (False, True):
        w = pf.tensor([1.0])
        optimizer = pf.optim.SGD([w], lr=1.0)
        scheduler = pf.optim.ExponentialLR(optimizer, gamma=0.5)

        def step() -> None:
            optimizer.zero_grad()  # noqa: B023
            w.sum().backward()  # noqa: B023
            optimizer.step()  # noqa: B023
            scheduler.step()  # noqa: B023

        call = pf.jit(step) if jitted else step
        for _ in range(4):
            call()
        runs.append((w.item(), optimizer.get_lr(), scheduler.last_epoch))
        if jitted:
            assert work_of(call)[0] == 0
    assert runs[0] == runs[1]
    assert runs[1] == (1 - 1 - 0.5 - 0.25 - 0.125, 0.0625, 4)


def test_a_rate_set_inside_is_set_at_every_call() -> None:
    w = pf.tensor([0.0])
    optimizer = pf.optim.SGD([w], lr=1.0)

    @pf.jit
    def step() -> None:
        optimizer.set_lr(optimizer.get_lr() / 2)
        w.grad = pf.ones([1])
        optimizer.step()

    for _ in range(3):
        step()
    assert w.item() == -0.875


def test_gradients_accumulate_over_calls() -> None:
    values = []
    for jitted in (False, True):
        model = network()
        optimizer = pf.optim.SGD(model.parameters(), lr=0.1)

        def accumulate(x: pf.Tensor, y: pf.Tensor) -> pf.Tensor:
            loss = F.cross_entropy(model(x), y) / 2  # noqa: B023
            loss.backward()
            return loss

        call = pf.jit(accumulate) if jitted else accumulate
        for i, (x, y) in enumerate(batches(6)):
            call(x, y)
            if i % 2:
                optimizer.step()
                optimizer.zero_grad()
        values.append(values_of(model))
    for a, b in zip(*values, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_gradients_left_behind_are_computed_when_read() -> None:
    w = pf.tensor([1.0, 2.0])
    optimizer = pf.optim.SGD([w], lr=0.5)

    @pf.jit
    def step(x: pf.Tensor) -> None:
        optimizer.zero_grad()
        (w * w * x).sum().backward()
        optimizer.step()

    x = pf.tensor([1.0, 1.0]).detach()
    for _ in range(3):
        step(x)
    assert work_of(lambda: step(x)) == (0, 0, 1)
    before = w.numpy()
    step(x)
    assert w.grad is not None
    np.testing.assert_allclose(w.grad.numpy(), 2 * before)
    before = w.numpy()
    step(x)  # from now on they are computed with the step
    assert work_of(lambda: w.grad.numpy()) == (0, 0, 0)
    np.testing.assert_allclose(w.grad.numpy(), 2 * before)


def test_gradients_of_arguments() -> None:
    x = pf.tensor([1.0, 2.0])

    @pf.jit
    def loss(x: pf.Tensor) -> pf.Tensor:
        value = (x * x).sum()
        value.backward()
        return value

    for i in range(4):
        loss(x)
        assert x.grad is not None
        assert x.grad.numpy().tolist() == [2 * (i + 1), 4 * (i + 1)]
    y = pf.tensor([3.0, 4.0])
    loss(y)
    assert y.grad is not None
    assert y.grad.numpy().tolist() == [6, 8]
    assert x.grad.numpy().tolist() == [8, 16]


def test_parameters_shared_by_two_models() -> None:
    pf.manual_seed(0)
    shared = pf.nn.Linear(4, 4)
    a = pf.nn.Sequential(shared, pf.nn.Linear(4, 1))
    b = pf.nn.Sequential(shared, pf.nn.Linear(4, 1))
    values = []
    start = {id(p): p.numpy() for p in [*a.parameters(), *b.parameters()]}
    for jitted in (False, True):
        for p in [*a.parameters(), *b.parameters()]:
            p._assign(pf.tensor(start[id(p)]))
        params = list({id(p): p for p in [*a.parameters(), *b.parameters()]}.values())
        optimizer = pf.optim.SGD(params, lr=0.1, momentum=0.5)

        def step(x: pf.Tensor) -> pf.Tensor:
            optimizer.zero_grad()  # noqa: B023
            loss = (a(x) ** 2).mean() + (b(x) ** 2).mean()
            loss.backward()
            optimizer.step()  # noqa: B023
            return loss

        call = pf.jit(step) if jitted else step
        x = pf.tensor(np.arange(8, dtype=np.float32).reshape(2, 4) / 8).detach()
        values.append([call(x).item() for _ in range(4)])
    assert values[0] == values[1]


def test_memory_is_flat_and_old_values_stay_as_they_were() -> None:
    model = network()
    optimizer = pf.optim.Adam(model.parameters(), lr=0.1)

    @pf.jit
    def step(x: pf.Tensor, y: pf.Tensor) -> pf.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = batches(1)[0]
    x = x.detach()
    for _ in range(3):
        step(x, y)
    saved = model.state_dict()
    pending = model[0].weight * 1.0
    before = {k: v.numpy() for k, v in saved.items()}
    gc.collect()
    count = sum(issubclass(type(thing), node.Node) for thing in gc.get_objects())
    for _ in range(5):
        step(x, y)
    gc.collect()
    now = sum(issubclass(type(thing), node.Node) for thing in gc.get_objects())
    assert now - count <= len(before)
    for name, value in saved.items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    np.testing.assert_array_equal(pending.numpy(), before["0.weight"])
    assert not np.array_equal(model[0].weight.numpy(), before["0.weight"])


def test_training_can_change_between_eager_and_jitted() -> None:
    def run(pattern: str) -> list[np.ndarray]:
        model = network(pf.nn.Dropout(0.5))
        optimizer = pf.optim.Adam(model.parameters(), lr=0.05)

        def step(x: pf.Tensor, y: pf.Tensor) -> None:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

        jitted = pf.jit(step)
        for how, (x, y) in zip(pattern, batches(6), strict=True):
            (jitted if how == "j" else step)(x, y)
        return values_of(model)

    expected = run("eeeeee")
    for pattern in ("jjjjjj", "ejejej", "jjeejj"):
        for a, b in zip(expected, run(pattern), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)


def test_state_saved_and_loaded_between_calls() -> None:
    model = network()
    optimizer = pf.optim.Adam(model.parameters(), lr=0.05)

    @pf.jit
    def step(x: pf.Tensor, y: pf.Tensor) -> pf.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    data = batches(6)
    for x, y in data[:3]:
        step(x, y)
    saved = model.state_dict(), optimizer.state_dict()
    first = [step(x, y).item() for x, y in data[3:]]
    model.load_state_dict(saved[0])
    optimizer.load_state_dict(saved[1])
    assert [step(x, y).item() for x, y in data[3:]] == first


def test_is_bit_by_bit_the_eager_step_where_gradients_are_read() -> None:
    runs = []
    for jitted in (False, True):
        model = network(pf.nn.ReLU(), pf.nn.Dropout(0.4))
        optimizer = pf.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def after() -> None:
            for p in model.parameters():  # noqa: B023
                p.grad.eval()

        losses = train(model, optimizer, jitted, after)
        runs.append((losses, values_of(model)))
    assert runs[0][0] == runs[1][0]
    for a, b in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_changed_inside() -> None:
    runs = []
    for jitted in (False, True):
        w = pf.tensor([1.0, 2.0])
        optimizer = pf.optim.SGD([w], lr=0.1)

        def step(x: pf.Tensor) -> None:
            optimizer.zero_grad()  # noqa: B023
            (w * w * x).sum().backward()  # noqa: B023
            w.grad = w.grad * 0.5  # noqa: B023
            optimizer.step()  # noqa: B023

        call = pf.jit(step) if jitted else step
        for _ in range(4):
            x = pf.tensor([1.0, 2.0])
            call(x)
        assert w.grad is not None
        assert x.grad is not None
        runs.append([*w.numpy(), *w.grad.numpy(), *x.grad.numpy()])
    np.testing.assert_allclose(*runs, rtol=1e-6)


def test_two_optimizers_in_turn() -> None:
    runs = []
    for jitted in (False, True):
        pf.manual_seed(0)
        maker, judge = pf.nn.Linear(2, 2), pf.nn.Linear(2, 1)
        first = pf.optim.Adam(maker.parameters(), lr=0.01)
        second = pf.optim.SGD(judge.parameters(), lr=0.01, momentum=0.9)

        def step() -> tuple[pf.Tensor, pf.Tensor]:
            z = pf.randn([4, 2])
            second.zero_grad()  # noqa: B023
            a = (judge(maker(z).detach()) ** 2).mean()  # noqa: B023
            a.backward()
            second.step()  # noqa: B023
            first.zero_grad()  # noqa: B023
            b = ((judge(maker(z)) - 1) ** 2).mean()  # noqa: B023
            b.backward()
            first.step()  # noqa: B023
            return a, b

        call = pf.jit(step) if jitted else step
        runs.append([x.item() for _ in range(4) for x in call()])
    np.testing.assert_allclose(*runs, rtol=1e-5)


def test_two_steps_in_one_call() -> None:
    runs = []
    for jitted in (False, True):
        w = pf.tensor([1.0, 2.0])
        optimizer = pf.optim.Adam([w], lr=0.1)

        def step() -> None:
            for _ in range(2):
                optimizer.zero_grad()  # noqa: B023
                (w * w).sum().backward()  # noqa: B023
                optimizer.step()  # noqa: B023

        call = pf.jit(step) if jitted else step
        for _ in range(4):
            call()
        runs.append([*w.numpy(), optimizer.state[w]["step"], optimizer.steps_taken])
    np.testing.assert_allclose(*runs, rtol=1e-6)


def test_parameters_frozen_and_thawed() -> None:
    runs = []
    for jitted in (False, True):
        w, v = pf.tensor([1.0]), pf.tensor([1.0])
        optimizer = pf.optim.Adam([w, v], lr=0.1)

        def step() -> None:
            optimizer.zero_grad()  # noqa: B023
            (w * v).sum().backward()  # noqa: B023
            optimizer.step()  # noqa: B023

        call = pf.jit(step) if jitted else step
        for frozen in (False, False, False, True, True, False, False):
            v.requires_grad = not frozen
            call()
        runs.append(
            [w.item(), v.item(), *(s["step"] for s in optimizer.state.values())]
        )
    np.testing.assert_allclose(*runs, rtol=1e-6)
    assert runs[1][2:] == [7, 5]
