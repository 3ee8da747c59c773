"""Learning rate schedulers, beside their formulas."""

import math

import pytest

import pyflame as pf
from pyflame import optim


@pytest.fixture
def optimizer() -> optim.SGD:
    return optim.SGD([pf.zeros([1])], lr=0.8)


def _rates(optimizer, scheduler, steps: int, *metric: float) -> list[float]:
    """The learning rates of the first epochs, the one before any step included."""
    rates = [optimizer.get_lr()]
    for _ in range(steps):
        optimizer.step()
        scheduler.step(*metric)
        rates.append(optimizer.get_lr())
    return rates


def test_step_lr(documented, optimizer) -> None:
    documented(optim.StepLR, optimizer=..., step_size=..., gamma=0.1, last_epoch=-1)
    scheduler = optim.StepLR(optimizer, step_size=3, gamma=0.5)
    rates = _rates(optimizer, scheduler, 7)
    assert rates == pytest.approx([0.8] * 3 + [0.4] * 3 + [0.2] * 2)


def test_multi_step_lr(documented, optimizer) -> None:
    documented(
        optim.MultiStepLR, optimizer=..., milestones=..., gamma=0.1, last_epoch=-1
    )
    scheduler = optim.MultiStepLR(optimizer, milestones=[2, 5], gamma=0.1)
    rates = _rates(optimizer, scheduler, 6)
    assert rates == pytest.approx([0.8] * 2 + [0.08] * 3 + [0.008] * 2)


def test_exponential_lr(documented, optimizer) -> None:
    documented(optim.ExponentialLR, optimizer=..., gamma=..., last_epoch=-1)
    scheduler = optim.ExponentialLR(optimizer, gamma=0.9)
    assert _rates(optimizer, scheduler, 5) == pytest.approx(
        [0.8 * 0.9**epoch for epoch in range(6)]
    )


def test_cosine_annealing_lr(documented, optimizer) -> None:
    documented(
        optim.CosineAnnealingLR, optimizer=..., T_max=..., eta_min=0.0, last_epoch=-1
    )
    scheduler = optim.CosineAnnealingLR(optimizer, T_max=10, eta_min=0.1)
    expected = [0.1 + 0.35 * (1 + math.cos(math.pi * t / 10)) for t in range(11)]
    assert _rates(optimizer, scheduler, 10) == pytest.approx(expected)


def test_reduce_lr_on_plateau(documented, optimizer) -> None:
    documented(
        optim.ReduceLROnPlateau,
        optimizer=...,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        cooldown=0,
        min_lr=0.0,
    )
    scheduler = optim.ReduceLROnPlateau(optimizer, mode="min", patience=2)
    rates = _rates(optimizer, scheduler, 5, 1.0)
    assert rates == pytest.approx([0.8] * 4 + [0.08] * 2)


def test_reduce_lr_on_plateau_that_wants_more(optimizer) -> None:
    scheduler = optim.ReduceLROnPlateau(
        optimizer, mode="max", patience=0, factor=0.5, min_lr=0.3
    )
    for metric in (1.0, 2.0, 3.0):
        scheduler.step(metric)
    assert optimizer.get_lr() == 0.8
    for metric in (3.0, 3.0, 3.0):
        scheduler.step(metric)
    assert optimizer.get_lr() == pytest.approx(0.3)


def test_one_cycle_lr(documented, optimizer) -> None:
    documented(
        optim.OneCycleLR,
        optimizer=...,
        max_lr=...,
        total_steps=...,
        pct_start=0.3,
        anneal_strategy="cos",
        div_factor=25.0,
        final_div_factor=1e4,
        last_epoch=-1,
    )
    scheduler = optim.OneCycleLR(optimizer, max_lr=0.1, total_steps=20, pct_start=0.3)
    rates = _rates(optimizer, scheduler, 19)
    assert rates[0] == pytest.approx(0.1 / 25)
    assert max(rates) == pytest.approx(0.1)
    assert rates.index(max(rates)) == 5  # 0.3 * 20 steps, counted from 0
    assert rates[-1] == pytest.approx(0.1 / 25 / 1e4)


def test_linear_lr(documented, optimizer) -> None:
    documented(
        optim.LinearLR,
        optimizer=...,
        start_factor=1 / 3,
        end_factor=1.0,
        total_iters=5,
        last_epoch=-1,
    )
    scheduler = optim.LinearLR(
        optimizer, start_factor=0.5, end_factor=1.0, total_iters=4
    )
    factors = [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]
    expected = [0.8 * factor for factor in factors]
    assert _rates(optimizer, scheduler, 5) == pytest.approx(expected)


def test_polynomial_lr(documented, optimizer) -> None:
    documented(
        optim.PolynomialLR,
        optimizer=...,
        total_iters=...,
        power=1.0,
        end_lr=0.0,
        last_epoch=-1,
    )
    scheduler = optim.PolynomialLR(optimizer, total_iters=8, power=2.0)
    expected = [0.8 * (1 - epoch / 8) ** 2 for epoch in range(9)]
    assert _rates(optimizer, scheduler, 8) == pytest.approx(expected)
    high = optim.SGD([pf.zeros([1])], lr=0.8)
    ends = optim.PolynomialLR(high, total_iters=4, end_lr=0.2)
    assert _rates(high, ends, 6)[-1] == pytest.approx(0.2)
