"""A learning rate that falls when a metric stops improving."""

from __future__ import annotations

import math
from typing import Any

from pyflame import tracing
from pyflame.errors import ArgumentError
from pyflame.optim.checks import check_choice, check_integer, check_keys, check_number
from pyflame.optim.optimizer import Optimizer
from pyflame.optim.scheduler import check_alike, check_optimizer
from pyflame.tensors import Tensor


class ReduceLROnPlateau:
    """Multiplies the rate by `factor` after `patience` epochs without improvement.

    Args:
        mode: "min" if the metric should fall, "max" if it should rise.
        factor: from 0 to below 1.
        patience: how many epochs without improvement are borne.
        threshold: how much better counts as better; as a part of the best value, or
            with threshold_mode="abs" as a difference.
        cooldown: for how many epochs after a reduction nothing is counted.
        min_lr: the rate falls no lower; one number, or one per group.
        eps: a change of the rate that is not larger is not made.
    """

    _state = (
        *("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown"),
        *("min_lrs", "eps", "best", "num_bad_epochs", "cooldown_counter"),
        *("last_epoch", "last_lr"),
    )

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        *,
        threshold_mode: str = "rel",
        eps: float = 1e-8,
    ) -> None:
        op = "ReduceLROnPlateau"
        self.optimizer = check_optimizer(op, optimizer)
        self.mode = check_choice(op, "mode", mode, ("min", "max"))
        self.factor = check_number(op, "factor", factor, at_least=0, below=1)
        self.patience = check_integer(op, "patience", patience, at_least=0)
        self.threshold = check_number(op, "threshold", threshold, at_least=0)
        self.threshold_mode = check_choice(
            op, "threshold_mode", threshold_mode, ("rel", "abs")
        )
        self.cooldown = check_integer(op, "cooldown", cooldown, at_least=0)
        self.min_lrs = _checked_bounds(min_lr, len(optimizer.param_groups))
        self.eps = check_number(op, "eps", eps, at_least=0)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self.last_lr = self._rates()

    def step(self, metric: Any) -> None:
        """Takes the metric of an epoch: a number, or a tensor with one element.

        NaN counts as no improvement.

        Raises: ArgumentError, if it is neither.
        """
        current = _as_metric(metric)
        self._check_groups()
        if (trace := tracing.current()) is not None:
            trace.scheduler_step(self, current)
        self.last_epoch += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self.last_lr = self._rates()

    def _check_groups(self) -> None:
        count = len(self.optimizer.param_groups)
        if count != len(self.min_lrs):
            raise ArgumentError(
                f"ReduceLROnPlateau: the optimizer has {count} parameter groups, the "
                f"scheduler was made for {len(self.min_lrs)}",
                help="make a new scheduler after changing the groups",
            )

    def _is_better(self, current: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "abs":
            bound = self.best + sign * self.threshold
        else:
            bound = self.best * (1.0 + sign * self.threshold)
        return current > bound if self.mode == "max" else current < bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                group["lr"] = new

    def _rates(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """The learning rates after the last step, one per group."""
        return list(self.last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as plain numbers, strings and lists."""
        values = {name: getattr(self, name) for name in self._state}
        return {k: list(v) if isinstance(v, list) else v for k, v in values.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave; the optimizer keeps its learning rates.

        Nothing changes if the state does not fit.

        Raises: ArgumentError, for missing, unknown and unfitting entries.
        """
        where = "ReduceLROnPlateau.load_state_dict"
        check_keys(f"{where}: the state", state, self._state)
        check_alike(where, self, state)
        for name, value in state.items():
            setattr(self, name, list(value) if isinstance(value, list) else value)


def _as_metric(metric: Any) -> float:
    if isinstance(metric, Tensor):
        return float(metric)
    try:
        return float(metric)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"ReduceLROnPlateau.step: the metric is {metric!r}",
            rule="the metric is one number, such as the validation loss",
        ) from None


def _checked_bounds(min_lr: Any, count: int) -> list[float]:
    values = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * count
    if len(values) != count:
        raise ArgumentError(
            f"ReduceLROnPlateau: min_lr has {len(values)} values for {count} "
            "parameter groups",
            rule="min_lr is one number, or one per group",
        )
    return [
        check_number("ReduceLROnPlateau", "min_lr", number, at_least=0)
        for number in values
    ]
