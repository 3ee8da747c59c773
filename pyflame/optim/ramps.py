"""Schedules along a curve: a line, a polynomial, a cosine."""

from __future__ import annotations

import math

from pyflame.optim.checks import check_integer, check_number
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer
from pyflame.optim.scheduler import LRScheduler


class LinearLR(LRScheduler):
    """From `start_factor` times the initial rate to `end_factor` times it.

    It takes `total_iters` epochs; then the rate stays.
    """

    _options = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        op = "LinearLR"
        self.start_factor = check_number(
            op, "start_factor", start_factor, above=0, at_most=1
        )
        self.end_factor = check_number(
            op, "end_factor", end_factor, at_least=0, at_most=1
        )
        self.total_iters = check_integer(op, "total_iters", total_iters, at_least=0)
        super().__init__(optimizer, last_epoch)

    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        if epoch == 0:
            return group["lr"] * self.start_factor
        if starting or epoch > self.total_iters:
            return group["lr"]
        slope = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (epoch - 1) * slope
        return group["lr"] * (1.0 + slope / before)


class PolynomialLR(LRScheduler):
    """From the initial rate to `end_lr` as (1 - epoch / total_iters) ** power.

    After `total_iters` epochs the rate stays. PyTorch has no `end_lr`: there it is 0.
    """

    _options = ("total_iters", "power", "end_lr")

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int,
        power: float = 1.0,
        end_lr: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        op = "PolynomialLR"
        self.total_iters = check_integer(op, "total_iters", total_iters, at_least=0)
        self.power = check_number(op, "power", power, at_least=0)
        self.end_lr = check_number(op, "end_lr", end_lr, at_least=0)
        super().__init__(optimizer, last_epoch)

    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        if starting or epoch > self.total_iters:
            return group["lr"]
        left = 1.0 - epoch / self.total_iters
        factor = (left / (1.0 - (epoch - 1) / self.total_iters)) ** self.power
        return (group["lr"] - self.end_lr) * factor + self.end_lr


class CosineAnnealingLR(LRScheduler):
    """Half a cosine down from the initial rate to `eta_min` in `T_max` epochs.

    Then it goes up again, as long. Source: Loshchilov & Hutter 2017, without restarts.
    """

    _options = ("T_max", "eta_min")

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max = check_integer("CosineAnnealingLR", "T_max", T_max, at_least=1)
        self.eta_min = check_number("CosineAnnealingLR", "eta_min", eta_min, at_least=0)
        super().__init__(optimizer, last_epoch)

    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        if starting:
            return group["lr"]
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            rise = (base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max))
            return group["lr"] + rise / 2
        above = 1 + math.cos(math.pi * epoch / self.T_max)
        before = 1 + math.cos(math.pi * (epoch - 1) / self.T_max)
        return above / before * (group["lr"] - self.eta_min) + self.eta_min
