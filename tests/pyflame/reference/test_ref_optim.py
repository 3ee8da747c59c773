"""Optimizers: one step of each by hand, and what all of them can do."""

import numpy as np
import pytest

import pyflame as pf
from pyflame import optim


def _step(make, grad: float = 0.5, steps: int = 1) -> float:
    """What becomes of a parameter of 1.0 whose gradient is always the same."""
    parameter = pf.tensor([1.0])
    optimizer = make([parameter])
    for _ in range(steps):
        optimizer.zero_grad()
        pf.autograd.backward((parameter * grad).sum())
        optimizer.step()
    return parameter.numpy()[0]


def test_sgd(documented) -> None:
    documented(
        optim.SGD,
        params=...,
        lr=...,
        momentum=0.0,
        dampening=0.0,
        weight_decay=0.0,
        nesterov=False,
    )
    assert _step(lambda p: optim.SGD(p, lr=0.1)) == pytest.approx(0.95)
    heavy = _step(lambda p: optim.SGD(p, lr=0.1, momentum=0.9), steps=2)
    assert heavy == pytest.approx(0.95 - 0.1 * (0.9 * 0.5 + 0.5))
    decayed = _step(lambda p: optim.SGD(p, lr=0.1, weight_decay=0.2))
    assert decayed == pytest.approx(1 - 0.1 * 0.7)


def test_a_training_loop() -> None:
    pf.manual_seed(0)
    model = pf.nn.Linear(10, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loss_fn = pf.nn.MSELoss()
    batches = [(pf.randn([16, 10]), pf.randn([16, 3])) for _ in range(2)]
    losses = []
    for _ in range(20):
        for x, y in batches:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            pf.autograd.backward(loss)
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


ADAM = {
    "params": ...,
    "lr": 0.001,
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "weight_decay": 0.0,
    "amsgrad": False,
}


def test_adam(documented) -> None:
    documented(optim.Adam, **ADAM)
    # Bias correction makes the first step as long as the learning rate.
    assert _step(lambda p: optim.Adam(p)) == pytest.approx(0.999)
    assert _step(lambda p: optim.Adam(p, lr=0.01)) == pytest.approx(0.99)
    decayed = _step(lambda p: optim.Adam(p, lr=0.01, weight_decay=1e-4))
    assert decayed == pytest.approx(0.99, abs=1e-6)
    kept = _step(lambda p: optim.Adam(p, lr=0.01, amsgrad=True), steps=3)
    assert kept == pytest.approx(0.97, abs=1e-5)


def test_adamw(documented) -> None:
    documented(optim.AdamW, **{**ADAM, "weight_decay": 0.01})
    found = _step(lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.5))
    assert found == pytest.approx(1 * (1 - 0.1 * 0.5) - 0.1)


def test_rmsprop(documented) -> None:
    documented(
        optim.RMSprop,
        params=...,
        lr=0.01,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0.0,
        momentum=0.0,
        centered=False,
    )
    first = 0.01 * 0.5 / np.sqrt(0.01 * 0.25)
    assert _step(lambda p: optim.RMSprop(p, lr=0.01)) == pytest.approx(1 - first)
    second = 0.01 * 0.5 / np.sqrt(0.0199 * 0.25)
    heavy = _step(lambda p: optim.RMSprop(p, lr=0.01, momentum=0.9), steps=2)
    assert heavy == pytest.approx(1 - first - (0.9 * first + second), rel=1e-5)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_optimizer_methods(kind: str) -> None:
    parameter = pf.tensor([1.0, -2.0])
    optimizer = getattr(optim, kind)([parameter], lr=0.1)
    pf.autograd.backward((parameter * parameter).sum())
    before = parameter.numpy()
    optimizer.step()
    assert (parameter.numpy() != before).all()
    assert optimizer.get_lr() == 0.1
    optimizer.set_lr(0.025)
    assert optimizer.get_lr() == 0.025
    optimizer.zero_grad()
    assert parameter.grad is None

    state = optimizer.state_dict()
    twin = pf.tensor(parameter.numpy())
    resumed = getattr(optim, kind)([twin], lr=9.0)
    resumed.load_state_dict(state)
    assert resumed.get_lr() == 0.025
    for p, o in ((parameter, optimizer), (twin, resumed)):
        pf.autograd.backward((p * p).sum())
        o.step()
    np.testing.assert_array_equal(parameter.numpy(), twin.numpy())
