"""Schedules that multiply the learning rate by gamma now and then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyflame.errors import ArgumentError
from pyflame.optim.checks import check_integer, check_number
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer
from pyflame.optim.scheduler import LRScheduler


class StepLR(LRScheduler):
    """Multiplies the rate by `gamma` every `step_size` epochs."""

    _options = ("step_size", "gamma")

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.step_size = check_integer("StepLR", "step_size", step_size, at_least=1)
        self.gamma = check_number("StepLR", "gamma", gamma, at_least=0)
        super().__init__(optimizer, last_epoch)

    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        if epoch == 0 or epoch % self.step_size:
            return group["lr"]
        return group["lr"] * self.gamma


class MultiStepLR(LRScheduler):
    """Multiplies the rate by `gamma` at each of the `milestones`.

    An epoch that stands twice among them counts twice.
    """

    _options = ("milestones", "gamma")

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = _checked_milestones(milestones)
        self.gamma = check_number("MultiStepLR", "gamma", gamma, at_least=0)
        super().__init__(optimizer, last_epoch)

    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        count = self.milestones.count(epoch)
        return group["lr"] * self.gamma**count if count else group["lr"]


class ExponentialLR(LRScheduler):
    """Multiplies the rate by `gamma` every epoch."""

    _options = ("gamma",)

    def __init__(
        self, optimizer: Optimizer, gamma: float, last_epoch: int = -1
    ) -> None:
        self.gamma = check_number("ExponentialLR", "gamma", gamma, at_least=0)
        super().__init__(optimizer, last_epoch)

    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        return group["lr"] if starting else group["lr"] * self.gamma


def _checked_milestones(milestones: Any) -> list[int]:
    if isinstance(milestones, (str, dict)) or not isinstance(milestones, Iterable):
        raise ArgumentError(
            f"MultiStepLR: milestones={milestones!r}",
            rule="milestones is a list of epochs",
        )
    return sorted(
        check_integer("MultiStepLR", "a milestone", epoch, at_least=0)
        for epoch in milestones
    )
