"""The 1cycle policy: warm up to a high rate, then anneal far below the first one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from pyflame.errors import ArgumentError
from pyflame.optim.checks import check_bool, check_choice, check_integer, check_number
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer
from pyflame.optim.scheduler import LRScheduler, check_optimizer


class _Phase(NamedTuple):
    """A part of the cycle: between which of a group's values it goes."""

    end_step: float
    lrs: tuple[str, str]
    momenta: tuple[str, str]


class OneCycleLR(LRScheduler):
    """One cycle over `total_steps`, stepped after every batch.

    Args:
        max_lr: the highest rate, or one per group.
        total_steps: how many steps the cycle has; or instead of it
        epochs, steps_per_epoch: their product.
        pct_start: the part of it that warms up, from 0 to 1.
        anneal_strategy: "cos" or "linear".
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first / final_div_factor.
        cycle_momentum: also takes momentum (Adam: beta1) from `max_momentum` down to
            `base_momentum` and back; both may be one per group.
        three_phase: comes down to the first rate as slowly as it went up, and then
            to the last.

    Raises: ArgumentError, also for a step beyond the last.
    Source: Smith & Topin 2018; the two-phase form: fast.ai.
    """

    _options = (
        "total_steps",
        "pct_start",
        "anneal_strategy",
        "cycle_momentum",
        "three_phase",
    )

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        last_epoch: int = -1,
        *,
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        three_phase: bool = False,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> None:
        op = "OneCycleLR"
        check_optimizer(op, optimizer)
        self.total_steps = _cycle_length(total_steps, epochs, steps_per_epoch)
        self.pct_start = check_number(op, "pct_start", pct_start, at_least=0, at_most=1)
        self.anneal_strategy = check_choice(
            op, "anneal_strategy", anneal_strategy, ("cos", "linear")
        )
        self.cycle_momentum = check_bool(op, "cycle_momentum", cycle_momentum)
        self.three_phase = check_bool(op, "three_phase", three_phase)
        div = check_number(op, "div_factor", div_factor, above=0)
        final_div = check_number(op, "final_div_factor", final_div_factor, above=0)
        groups = optimizer.param_groups
        rates = _per_group("max_lr", max_lr, len(groups), {"at_least": 0})
        bounds = {"at_least": 0, "below": 1}
        highs = _per_group("max_momentum", max_momentum, len(groups), bounds)
        lows = _per_group("base_momentum", base_momentum, len(groups), bounds)
        if last_epoch == -1:
            for group, rate, high, low in zip(groups, rates, highs, lows, strict=True):
                group["initial_lr"] = rate / div
                group["max_lr"] = rate
                group["min_lr"] = group["initial_lr"] / final_div
                group["max_momentum"], group["base_momentum"] = high, low
        else:
            _check_remembered(groups, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        if epoch > self.total_steps:
            raise ArgumentError(
                f"OneCycleLR: step {epoch} of a cycle of {self.total_steps} steps",
                rule="a cycle ends after total_steps",
                help="stop stepping the scheduler, or make total_steps larger",
            )
        phase, part = self._phase_at(epoch)
        anneal = _ANNEALING[self.anneal_strategy]
        if self.cycle_momentum:
            name = "beta1" if "beta1" in group else "momentum"
            start, end = phase.momenta
            group[name] = anneal(group[start], group[end], part)
        start, end = phase.lrs
        return anneal(group[start], group[end], part)

    def _phase_at(self, epoch: int) -> tuple[_Phase, float]:
        """The phase at an epoch, and which part of it has passed."""
        start = 0.0
        phases = self._phases()
        for phase in phases:
            if epoch <= phase.end_step or phase is phases[-1]:
                length = phase.end_step - start
                return phase, (epoch - start) / length if length else 1.0
            start = phase.end_step
        raise AssertionError("the last phase takes all that is left")

    def _phases(self) -> list[_Phase]:
        up, down = ("max_momentum", "base_momentum"), ("base_momentum", "max_momentum")
        warm = float(self.pct_start * self.total_steps) - 1
        last = self.total_steps - 1
        first = _Phase(warm, ("initial_lr", "max_lr"), up)
        if not self.three_phase:
            return [first, _Phase(last, ("max_lr", "min_lr"), down)]
        cooled = float(2 * self.pct_start * self.total_steps) - 2
        still = ("max_momentum", "max_momentum")
        return [
            first,
            _Phase(cooled, ("max_lr", "initial_lr"), down),
            _Phase(last, ("initial_lr", "min_lr"), still),
        ]


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


def _line(start: float, end: float, part: float) -> float:
    return (end - start) * part + start


_ANNEALING: dict[str, Callable[[float, float, float], float]] = {
    "cos": _cosine,
    "linear": _line,
}


def _cycle_length(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    op = "OneCycleLR"
    if total_steps is not None and epochs is None and steps_per_epoch is None:
        return check_integer(op, "total_steps", total_steps, at_least=1)
    if total_steps is not None or epochs is None or steps_per_epoch is None:
        raise ArgumentError(
            f"{op}: total_steps={total_steps!r}, epochs={epochs!r}, "
            f"steps_per_epoch={steps_per_epoch!r}",
            rule="either total_steps is given, or epochs and steps_per_epoch",
        )
    count = check_integer(op, "epochs", epochs, at_least=1)
    return count * check_integer(op, "steps_per_epoch", steps_per_epoch, at_least=1)


def _per_group(name: str, value: Any, count: int, bounds: Any) -> list[float]:
    values = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(values) != count:
        raise ArgumentError(
            f"OneCycleLR: {name} has {len(values)} values for {count} parameter groups",
            rule=f"{name} is one number, or one per group",
        )
    return [check_number("OneCycleLR", name, number, **bounds) for number in values]


def _check_remembered(groups: list[Group], last_epoch: int) -> None:
    needed = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum")
    for i, group in enumerate(groups):
        missing = [key for key in needed if key not in group]
        if missing:
            raise ArgumentError(
                f"OneCycleLR: last_epoch={last_epoch}, but group {i} has no "
                f"{', '.join(map(repr, missing))}",
                rule="going on at a later step needs the bounds the cycle began with",
                help="load the optimizer's state first",
            )
