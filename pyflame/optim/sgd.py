"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from pyflame.errors import ArgumentError
from pyflame.optim import updates
from pyflame.optim.checks import check_bool, check_lr, check_number
from pyflame.optim.fused import Rule
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent, with momentum, dampening, weight decay and Nesterov's form.

    Args:
        params: Tensors, or dicts with "params" and options of their own.
        lr: the learning rate, 0 or more.
        momentum: how much of the last direction is kept.
        dampening: how much of the gradient is left out of the momentum.
        weight_decay: this times the parameter is added to the gradient.
        nesterov: looks ahead along the momentum.
        maximize: goes up instead of down.

    Raises: ArgumentError, DTypeError. Source: Sutskever et al. 2013; as PyTorch, the
    learning rate multiplies the momentum and the first momentum is the gradient.
    """

    _per_param = ("momentum_buffer",)

    def __init__(
        self,
        params: Any,
        lr: float,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _checked_options(self, options: dict[str, Any]) -> dict[str, Any]:
        checked = {
            "lr": check_lr("SGD", options["lr"]),
            "momentum": check_number(
                "SGD", "momentum", options["momentum"], at_least=0
            ),
            "dampening": check_number("SGD", "dampening", options["dampening"]),
            "weight_decay": check_number(
                "SGD", "weight_decay", options["weight_decay"], at_least=0
            ),
            "nesterov": check_bool("SGD", "nesterov", options["nesterov"]),
            "maximize": check_bool("SGD", "maximize", options["maximize"]),
        }
        momentum, dampening = checked["momentum"], checked["dampening"]
        if checked["nesterov"] and (momentum == 0 or dampening != 0):
            raise ArgumentError(
                f"SGD: nesterov with momentum={momentum} and dampening={dampening}",
                rule="nesterov needs a momentum above 0 and a dampening of 0",
            )
        return checked

    def _rule(self, group: Group) -> Rule:
        flags = {
            "momentum": group["momentum"] != 0,
            "nesterov": group["nesterov"],
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
        }
        state = self._per_param if flags["momentum"] else ()
        return Rule(updates.sgd, state, tuple(flags.items()))

    def _numbers(self, group: Group, entry: dict[str, Any]) -> tuple[float, ...]:
        first = "momentum_buffer" not in entry
        weight = 1.0 if first else 1 - group["dampening"]
        return group["lr"], group["momentum"], weight, group["weight_decay"]
