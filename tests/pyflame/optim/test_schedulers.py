"""Learning rate schedules: PyTorch's to the last bit, and by formulas."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pyflame as pf
from pyflame import optim


def make(lr: float = 0.1, **options: Any) -> optim.SGD:
    return optim.SGD([pf.zeros([1])], lr=lr, **options)


def rates(optimizer: Any, scheduler: Any, count: int) -> list[float]:
    """The rates of epochs 0 to count - 1."""
    optimizer.step()
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return found


# --- by formulas ---

FORMULAS: dict[str, tuple[Callable[[Any], Any], Callable[[int], float]]] = {
    "step": (
        lambda o: optim.StepLR(o, step_size=30, gamma=0.1),
        lambda t: 0.1 * 0.1 ** (t // 30),
    ),
    "multi_step": (
        lambda o: optim.MultiStepLR(o, milestones=[80, 30, 80], gamma=0.5),
        lambda t: 0.1 * 0.5 ** ((t >= 30) + 2 * (t >= 80)),
    ),
    "exponential": (
        lambda o: optim.ExponentialLR(o, gamma=0.95),
        lambda t: 0.1 * 0.95**t,
    ),
    "cosine": (
        lambda o: optim.CosineAnnealingLR(o, T_max=40, eta_min=1e-6),
        lambda t: 1e-6 + (0.1 - 1e-6) * (1 + math.cos(math.pi * t / 40)) / 2,
    ),
    "linear": (
        lambda o: optim.LinearLR(o, start_factor=0.1, end_factor=0.8, total_iters=10),
        lambda t: 0.1 * (0.1 + 0.7 * min(t, 10) / 10),
    ),
    "polynomial": (
        lambda o: optim.PolynomialLR(o, total_iters=100, power=2.0),
        lambda t: 0.1 * (1 - min(t, 100) / 100) ** 2,
    ),
    "polynomial_to_an_end": (
        lambda o: optim.PolynomialLR(o, total_iters=50, power=1.5, end_lr=0.02),
        lambda t: 0.02 + 0.08 * (1 - min(t, 50) / 50) ** 1.5,
    ),
    "polynomial_up": (
        lambda o: optim.PolynomialLR(o, 20, end_lr=0.3),
        lambda t: 0.1 + 0.2 * min(t, 20) / 20,
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_schedules_follow_their_formulas(name: str) -> None:
    build, formula = FORMULAS[name]
    optimizer = make()
    found = rates(optimizer, build(optimizer), 200)
    assert found == pytest.approx([formula(t) for t in range(200)], rel=1e-9, abs=1e-15)


def test_one_cycle_warms_up_and_anneals() -> None:
    optimizer = make(momentum=0.9)
    scheduler = optim.OneCycleLR(optimizer, max_lr=0.1, total_steps=100)
    momenta = []
    optimizer.step()
    found = []
    for _ in range(100):
        found.append(optimizer.get_lr())
        momenta.append(optimizer.param_groups[0]["momentum"])
        scheduler.step()
    assert found[0] == pytest.approx(0.004)
    assert found[29] == max(found) == pytest.approx(0.1)
    assert found[99] == pytest.approx(4e-7)
    assert found[:30] == sorted(found[:30])
    assert (momenta[0], momenta[29], momenta[99]) == pytest.approx((0.95, 0.85, 0.95))


def test_one_cycle_whose_warm_up_is_a_single_step() -> None:
    optimizer = make()
    optim.OneCycleLR(optimizer, max_lr=0.1, total_steps=10, pct_start=0.1)
    assert optimizer.get_lr() == pytest.approx(0.1)


def test_one_cycle_of_adam_turns_beta1() -> None:
    optimizer = optim.Adam([pf.zeros([1])])
    optim.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)
    assert optimizer.param_groups[0]["beta1"] == 0.95
    other = optim.Adam([pf.zeros([1])])
    optim.OneCycleLR(other, max_lr=0.1, total_steps=10, cycle_momentum=False)
    assert other.param_groups[0]["beta1"] == 0.9


def test_plateau_waits_reduces_and_cools_down() -> None:
    optimizer = make(lr=1.0)
    scheduler = optim.ReduceLROnPlateau(
        optimizer, patience=2, factor=0.5, cooldown=2, min_lr=0.2
    )
    found = []
    for metric in [5, 4, 4, 4, 4, 4, 4, 4, 4, math.nan, 4, 4, 4, 4, 4, 4, 4]:
        scheduler.step(metric)
        found.append(optimizer.get_lr())
    assert found == [1] * 4 + [0.5] * 5 + [0.25] * 5 + [0.2] * 3
    assert scheduler.get_last_lr() == [0.2]


def test_plateau_takes_tensors_and_rises_with_max() -> None:
    optimizer = make(lr=1.0)
    scheduler = optim.ReduceLROnPlateau(optimizer, mode="max", patience=0)
    for metric in (1.0, 2.0, 3.0):
        scheduler.step(pf.tensor(metric))
    assert optimizer.get_lr() == 1
    scheduler.step(pf.tensor([3.0]))
    assert optimizer.get_lr() == 0.1


# --- beside PyTorch ---


SAME: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.99}),
    ("MultiStepLR", {"milestones": [3, 50, 50, 120], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("CosineAnnealingLR", {"T_max": 37}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 250, "eta_min": 1e-5}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.0, "total_iters": 150}),
    ("LinearLR", {"start_factor": 0.5, "total_iters": 0}),
    ("PolynomialLR", {"total_iters": 5}),
    ("PolynomialLR", {"total_iters": 180, "power": 0.7}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 200}),
    ("OneCycleLR", {"max_lr": [0.3, 0.01], "total_steps": 201, "pct_start": 0.0}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.3,
            "total_steps": 205,
            "pct_start": 0.45,
            "anneal_strategy": "linear",
            "div_factor": 10.0,
            "final_div_factor": 100.0,
            "three_phase": True,
            "base_momentum": 0.8,
            "max_momentum": 0.9,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 200, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.3, "epochs": 21, "steps_per_epoch": 10}),
]


def beside_torch(**options: Any) -> tuple[Any, Any, Any]:
    torch = pytest.importorskip("torch")
    both = []
    for library, zeros in ((optim, pf.zeros), (torch.optim, torch.zeros)):
        groups = [
            {"params": [zeros([1])], **options},
            {"params": [zeros([2])], "lr": 0.07, **options},
        ]
        both.append(library.SGD(groups, lr=0.1, momentum=0.9))
    return torch, *both


def options_of(optimizer: Any) -> list[tuple[float, float]]:
    return [(group["lr"], group["momentum"]) for group in optimizer.param_groups]


@pytest.mark.parametrize(("name", "arguments"), SAME)
def test_200_steps_equal_pytorchs(name: str, arguments: dict[str, Any]) -> None:
    torch, ours, theirs = beside_torch()
    mine = getattr(optim, name)(ours, **arguments)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **arguments)
    ours.step()
    theirs.step()
    for _ in range(200):
        assert options_of(ours) == options_of(theirs)
        assert mine.get_last_lr() == reference.get_last_lr()
        mine.step()
        reference.step()


@pytest.mark.parametrize("last_epoch", [0, 6, 13])
@pytest.mark.parametrize(
    ("name", "arguments"), [s for s in SAME if s[0] != "OneCycleLR"]
)
def test_going_on_at_a_later_epoch(
    name: str, arguments: dict[str, Any], last_epoch: int
) -> None:
    torch, ours, theirs = beside_torch(initial_lr=0.2)
    last = {"last_epoch": last_epoch}
    mine = getattr(optim, name)(ours, **arguments, **last)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **arguments, **last)
    ours.step()
    theirs.step()
    for _ in range(60):
        assert options_of(ours) == options_of(theirs)
        mine.step()
        reference.step()


@pytest.mark.parametrize("arguments", [a for n, a in SAME if n == "OneCycleLR"])
def test_a_cycle_goes_on_where_it_stopped(arguments: dict[str, Any]) -> None:
    torch, ours, theirs = beside_torch()
    theirs_library = torch.optim.lr_scheduler
    mine = optim.OneCycleLR(ours, **arguments)
    reference = theirs_library.OneCycleLR(theirs, **arguments)
    for part in ([ours, mine], [theirs, reference]):
        part[0].step()
        for _ in range(70):
            part[1].step()
    mine = optim.OneCycleLR(ours, **arguments, last_epoch=mine.last_epoch)
    reference = theirs_library.OneCycleLR(
        theirs, **arguments, last_epoch=reference.last_epoch
    )
    for _ in range(100):
        assert options_of(ours) == options_of(theirs)
        assert mine.get_last_lr() == reference.get_last_lr()
        mine.step()
        reference.step()


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateau_equals_pytorchs(mode: str, threshold_mode: str) -> None:
    torch, ours, theirs = beside_torch()
    arguments: dict[str, Any] = {
        "mode": mode,
        "factor": 0.7,
        "patience": 3,
        "threshold": 0.01,
        "threshold_mode": threshold_mode,
        "cooldown": 2,
        "min_lr": [0.001, 0.01],
    }
    mine = optim.ReduceLROnPlateau(ours, **arguments)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **arguments)
    for i in range(200):
        metric = math.sin(i * 0.9) + 2 / (1 + i)
        mine.step(metric)
        reference.step(metric)
        assert options_of(ours) == options_of(theirs)


def test_two_schedulers_share_an_optimizer() -> None:
    torch, ours, theirs = beside_torch()
    library = torch.optim.lr_scheduler
    mine = [optim.ExponentialLR(ours, 0.9), optim.StepLR(ours, 3)]
    reference = [library.ExponentialLR(theirs, 0.9), library.StepLR(theirs, 3)]
    ours.step()
    theirs.step()
    for _ in range(20):
        for scheduler in (*mine, *reference):
            scheduler.step()
        assert options_of(ours) == options_of(theirs)


# --- state ---

BUILD: list[Callable[[Any], Any]] = [build for build, _ in FORMULAS.values()]
BUILD.append(lambda o: optim.OneCycleLR(o, 0.3, 100))


@pytest.mark.parametrize("build", BUILD)
def test_saved_and_resumed_bit_for_bit(
    build: Callable[[Any], Any], tmp_path: Path
) -> None:
    first = make(momentum=0.9)
    scheduler = build(first)
    rates(first, scheduler, 33)
    pf.save([first.state_dict(), scheduler.state_dict()], tmp_path / "state")
    second = make(lr=0.5)
    resumed = build(second)
    states = pf.load(tmp_path / "state")
    second.load_state_dict(states[0])
    resumed.load_state_dict(states[1])
    assert resumed.state_dict() == scheduler.state_dict()
    assert rates(second, resumed, 60) == rates(first, scheduler, 60)
    assert second.param_groups[0].keys() == first.param_groups[0].keys()


def test_plateau_is_saved_and_resumed(tmp_path: Path) -> None:
    first, second = make(lr=1.0), make(lr=1.0)
    scheduler = optim.ReduceLROnPlateau(first, patience=3)
    pf.save(scheduler.state_dict(), tmp_path / "fresh")  # best is infinite
    scheduler.load_state_dict(pf.load(tmp_path / "fresh"))
    for _ in range(4):
        scheduler.step(1.0)
    pf.save(scheduler.state_dict(), tmp_path / "state")
    resumed = optim.ReduceLROnPlateau(second)
    resumed.load_state_dict(pf.load(tmp_path / "state"))
    resumed.step(1.0)
    assert second.get_lr() == 0.1


def test_state_is_a_copy() -> None:
    scheduler = optim.MultiStepLR(make(), [1, 2])
    scheduler.state_dict()["milestones"].append(3)
    assert scheduler.milestones == [1, 2]


# --- misuse ---

WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (
        lambda o: optim.StepLR(o, 0),
        "StepLR: step_size=0\n  rule  step_size is an integer of 1 or more",
    ),
    (
        lambda o: optim.StepLR(o, 2.0),
        "StepLR: step_size=2.0\n  rule  step_size is an integer of 1 or more",
    ),
    (
        lambda o: optim.StepLR(o, 3, gamma=math.nan),
        "StepLR: gamma=nan\n  rule  gamma is a finite number, 0 or more",
    ),
    (
        lambda o: optim.MultiStepLR(o, 30),
        "MultiStepLR: milestones=30\n  rule  milestones is a list of epochs",
    ),
    (
        lambda o: optim.MultiStepLR(o, [30, 1.5]),
        "MultiStepLR: a milestone=1.5\n  rule  a milestone is an integer of 0 or more",
    ),
    (
        lambda o: optim.CosineAnnealingLR(o, 0),
        "CosineAnnealingLR: T_max=0\n  rule  T_max is an integer of 1 or more",
    ),
    (
        lambda o: optim.LinearLR(o, start_factor=0),
        "LinearLR: start_factor=0\n"
        "  rule  start_factor is a finite number, above 0 and at most 1",
    ),
    (
        lambda o: optim.LinearLR(o, end_factor=1.5),
        "LinearLR: end_factor=1.5\n"
        "  rule  end_factor is a finite number, 0 or more and at most 1",
    ),
    (
        lambda o: optim.PolynomialLR(o, -1),
        "PolynomialLR: total_iters=-1\n  rule  total_iters is an integer of 0 or more",
    ),
    (
        lambda o: optim.OneCycleLR(o, 0.1, 0),
        "OneCycleLR: total_steps=0\n  rule  total_steps is an integer of 1 or more",
    ),
    (
        lambda o: optim.OneCycleLR(o, 0.1),
        "OneCycleLR: total_steps=None, epochs=None, steps_per_epoch=None\n"
        "  rule  either total_steps is given, or epochs and steps_per_epoch",
    ),
    (
        lambda o: optim.OneCycleLR(o, 0.1, 10, epochs=2, steps_per_epoch=5),
        "OneCycleLR: total_steps=10, epochs=2, steps_per_epoch=5\n"
        "  rule  either total_steps is given, or epochs and steps_per_epoch",
    ),
    (
        lambda o: optim.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=0),
        "OneCycleLR: steps_per_epoch=0\n"
        "  rule  steps_per_epoch is an integer of 1 or more",
    ),
    (
        lambda o: optim.OneCycleLR(o, [0.1, 0.2], 10),
        "OneCycleLR: max_lr has 2 values for 1 parameter groups\n"
        "  rule  max_lr is one number, or one per group",
    ),
    (
        lambda o: optim.OneCycleLR(o, 0.1, 10, pct_start=1.2),
        "OneCycleLR: pct_start=1.2\n"
        "  rule  pct_start is a finite number, 0 or more and at most 1",
    ),
    (
        lambda o: optim.OneCycleLR(o, 0.1, 10, anneal_strategy="sin"),
        "OneCycleLR: anneal_strategy='sin'\n"
        "  rule  anneal_strategy is 'cos' or 'linear'",
    ),
    (
        lambda o: optim.ReduceLROnPlateau(o, mode="low"),
        "ReduceLROnPlateau: mode='low'\n  rule  mode is 'min' or 'max'",
    ),
    (
        lambda o: optim.ReduceLROnPlateau(o, factor=1.0),
        "ReduceLROnPlateau: factor=1.0\n"
        "  rule  factor is a finite number, 0 or more and below 1",
    ),
    (
        lambda o: optim.ReduceLROnPlateau(o, min_lr=[0.1, 0.1]),
        "ReduceLROnPlateau: min_lr has 2 values for 1 parameter groups\n"
        "  rule  min_lr is one number, or one per group",
    ),
    (
        lambda o: optim.ReduceLROnPlateau(o).step("good"),
        "ReduceLROnPlateau.step: the metric is 'good'\n"
        "  rule  the metric is one number, such as the validation loss",
    ),
    (
        lambda o: optim.StepLR(o.param_groups, 3),
        "StepLR: list is no optimizer\n"
        "  rule  a scheduler is made for an optimizer of pf.optim",
    ),
    (
        lambda o: optim.ExponentialLR(o, 0.9, last_epoch=5),
        "ExponentialLR: last_epoch=5, but group 0 has no 'initial_lr'\n"
        "  rule  going on at a later epoch needs the rates that training started "
        "with\n  help  load the optimizer's state first, or give each group an "
        "'initial_lr'",
    ),
    (
        lambda o: optim.StepLR(o, 3, last_epoch=-2),
        "StepLR: last_epoch=-2\n  rule  last_epoch is an integer of -1 or more",
    ),
    (
        lambda o: optim.OneCycleLR(o, 0.1, 10, last_epoch=4),
        "OneCycleLR: last_epoch=4, but group 0 has no 'initial_lr', 'max_lr', "
        "'min_lr', 'max_momentum', 'base_momentum'\n  rule  going on at a later step "
        "needs the bounds the cycle began with\n  help  load the optimizer's state "
        "first",
    ),
    (
        lambda o: optim.ExponentialLR(o, 0.9).load_state_dict({"gama": 1}),
        "ExponentialLR.load_state_dict: the state lacks 'gamma', 'base_lrs', "
        "'last_epoch', 'last_lr', 'step_count' and has the unknown 'gama'\n"
        "  rule  its keys are 'gamma', 'base_lrs', 'last_epoch', 'last_lr', "
        "'step_count'",
    ),
]


@pytest.mark.parametrize(("misuse", "text"), WRONG)
def test_misuse(misuse: Callable[[Any], Any], text: str) -> None:
    optimizer = make()
    with pytest.raises(pf.ArgumentError) as caught:
        misuse(optimizer)
    assert str(caught.value) == text
    assert optimizer.get_lr() == 0.1


def test_states_that_do_not_fit_change_nothing() -> None:
    scheduler = optim.StepLR(make(), 3)
    before = scheduler.state_dict()
    for change in ({"base_lrs": [1.0, 2.0]}, {"last_epoch": 1.5}, {"gamma": "x"}):
        name, value = next(iter(change.items()))
        text = (
            f"StepLR.load_state_dict: {name}={value!r} where the scheduler has "
            f"{before[name]!r}"
        )
        with pytest.raises(pf.ArgumentError, match=re.escape(text)):
            scheduler.load_state_dict({**before, "step_size": 9, **change})
        assert scheduler.state_dict() == before


def test_stepping_beyond_the_cycle() -> None:
    optimizer = make()
    scheduler = optim.OneCycleLR(optimizer, 0.1, total_steps=3)
    rates(optimizer, scheduler, 3)
    with pytest.raises(
        pf.ArgumentError, match=r"^OneCycleLR: step 4 of a cycle of 3 steps\n"
    ):
        scheduler.step()


def test_stepping_before_the_optimizer_warns_once() -> None:
    scheduler = optim.StepLR(make(), 3)
    with pytest.warns(UserWarning, match=r"StepLR\.step\(\) before the first"):
        scheduler.step()
    scheduler.step()
