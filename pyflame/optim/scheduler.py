"""What all learning rate schedulers do: epochs, and their state."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from pyflame import tracing
from pyflame.errors import ArgumentError
from pyflame.optim.checks import check_integer, check_keys, check_lr
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer


class LRScheduler(ABC):
    """Sets the learning rates of an optimizer's groups, epoch by epoch.

    Making one already sets the rates of epoch 0; `step()` goes to the next epoch and
    is called after the optimizer's. The rates are computed from those before, as
    PyTorch does, so that several schedulers may share an optimizer.

    Args:
        last_epoch: the epoch to go on from; then the groups need an "initial_lr".
            With -1 training starts, and the rates of now become the initial ones.
    """

    _options: ClassVar[tuple[str, ...]]  # attributes that are part of the state

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = check_optimizer(type(self).__name__, optimizer)
        self.last_epoch = check_integer(
            type(self).__name__, "last_epoch", last_epoch, at_least=-1
        )
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise _no_initial_lr(type(self).__name__, i, last_epoch)
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_lr: list[float] = []
        self.step_count = 0
        self._advance(starting=True)

    def step(self) -> None:
        """Goes to the next epoch. Warns if the optimizer has not stepped before it."""
        if (trace := tracing.current()) is not None:
            trace.scheduler_step(self)
        if self.step_count == 1 and not self.optimizer.steps_taken:
            warnings.warn(
                f"{type(self).__name__}.step() before the first optimizer.step(): the "
                "first learning rate of the schedule is skipped; call optimizer.step() "
                "before scheduler.step()",
                UserWarning,
                stacklevel=2,
            )
        self._advance(starting=False)

    def _advance(self, starting: bool) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ArgumentError(
                f"{type(self).__name__}: the optimizer has {len(groups)} parameter "
                f"groups, the scheduler was made for {len(self.base_lrs)}",
                help="make a new scheduler after changing the groups",
            )
        epoch = self.last_epoch + 1
        rates = [
            self._next_lr(epoch, group, base_lr, starting)
            for group, base_lr in zip(groups, self.base_lrs, strict=True)
        ]
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = check_lr(f"{type(self).__name__} at epoch {epoch}", rate)
        self.last_epoch = epoch
        self.step_count += 1
        self.last_lr = rates

    @abstractmethod
    def _next_lr(
        self, epoch: int, group: Group, base_lr: float, starting: bool
    ) -> float:
        """The rate of a group at `epoch`; `starting` while the scheduler is made."""

    def get_last_lr(self) -> list[float]:
        """The learning rates it set last, one per group."""
        return list(self.last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as plain numbers, strings and lists."""
        return {name: _copied(getattr(self, name)) for name in self._state_names()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave; the optimizer keeps its learning rates.

        Nothing changes if the state does not fit.

        Raises: ArgumentError, for missing, unknown and unfitting entries.
        """
        where = f"{type(self).__name__}.load_state_dict"
        check_keys(f"{where}: the state", state, self._state_names())
        check_alike(where, self, state)
        for name, value in state.items():
            setattr(self, name, _copied(value))

    def _state_names(self) -> tuple[str, ...]:
        return (*self._options, "base_lrs", "last_epoch", "last_lr", "step_count")


def check_optimizer(op: str, optimizer: Any) -> Optimizer:
    """Raises: ArgumentError, unless `optimizer` is one of ours."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    raise ArgumentError(
        f"{op}: {type(optimizer).__name__} is no optimizer",
        rule="a scheduler is made for an optimizer of pf.optim",
    )


def _no_initial_lr(op: str, i: int, last_epoch: int) -> ArgumentError:
    return ArgumentError(
        f"{op}: last_epoch={last_epoch}, but group {i} has no 'initial_lr'",
        rule="going on at a later epoch needs the rates that training started with",
        help="load the optimizer's state first, or give each group an 'initial_lr'",
    )


def _copied(value: Any) -> Any:
    return [_copied(item) for item in value] if isinstance(value, list) else value


def check_alike(where: str, scheduler: Any, state: dict[str, Any]) -> None:
    """Raises: ArgumentError, if a value cannot take the place of the attribute."""
    for name, value in state.items():
        mine = getattr(scheduler, name)
        if not _alike(name, mine, value):
            raise ArgumentError(
                f"{where}: {name}={value!r} where the scheduler has {mine!r}",
                rule="a state fits the scheduler and the groups it was saved for",
            )


def _alike(name: str, mine: Any, value: Any) -> bool:
    if isinstance(mine, list):
        fits = isinstance(value, list) and all(map(_is_number, value))
        return fits and (name == "milestones" or len(mine) == len(value))
    if isinstance(mine, float):
        return _is_number(value)
    return type(mine) is type(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and not math.isnan(value)
