"""RMSprop."""

from __future__ import annotations

from itertools import compress
from typing import Any

from pyflame.optim import updates
from pyflame.optim.checks import check_bool, check_lr, check_number
from pyflame.optim.fused import Rule
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer


class RMSprop(Optimizer):
    """Gradients scaled by the root of a running average of their squares.

    Args:
        params: Tensors, or dicts with "params" and options of their own.
        lr: the learning rate, 0 or more.
        alpha: how much of the average is kept, from 0 to 1.
        eps: added to the root.
        weight_decay: this times the parameter is added to the gradient.
        momentum: how much of the last direction is kept.
        centered: scales by the estimated variance instead.
        maximize: goes up instead of down.

    Raises: ArgumentError, DTypeError. Source: Hinton, lecture 6e of "Neural Networks
    for Machine Learning" 2012; centered: Graves 2013. As PyTorch, eps is added after
    the root.
    """

    _per_param = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(
        self,
        params: Any,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _checked_options(self, options: dict[str, Any]) -> dict[str, Any]:
        op = "RMSprop"
        checked: dict[str, Any] = {
            "lr": check_lr(op, options["lr"]),
            "alpha": check_number(op, "alpha", options["alpha"], at_least=0, at_most=1),
        }
        for name in ("eps", "weight_decay", "momentum"):
            checked[name] = check_number(op, name, options[name], at_least=0)
        for name in ("centered", "maximize"):
            checked[name] = check_bool(op, name, options[name])
        return checked

    def _rule(self, group: Group) -> Rule:
        flags = {
            "centered": group["centered"],
            "momentum": group["momentum"] != 0,
            "near": 1 - group["alpha"] < 0.5,
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
        }
        wanted = (True, flags["centered"], flags["momentum"])
        return Rule(
            updates.rmsprop,
            tuple(compress(self._per_param, wanted)),
            tuple(flags.items()),
        )

    def _numbers(self, group: Group, entry: dict[str, Any]) -> tuple[float, ...]:
        return (
            group["lr"],
            group["alpha"],
            1 - group["alpha"],
            group["eps"],
            group["weight_decay"],
            group["momentum"],
        )
