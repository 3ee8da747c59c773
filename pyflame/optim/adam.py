"""Adam, and AdamW with decoupled weight decay."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pyflame.optim import updates
from pyflame.optim.checks import check_bool, check_lr, check_number
from pyflame.optim.fused import Rule
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer


class Adam(Optimizer):
    """Steps scaled by running averages of the gradient and of its square.

    Args:
        params: Tensors, or dicts with "params" and options of their own.
        lr: the learning rate, 0 or more.
        beta1, beta2: how much of the averages is kept, from 0 to below 1.
        eps: added to the root of the second average.
        weight_decay: this times the parameter is added to the gradient.
        amsgrad: scales by the largest second average so far.
        maximize: goes up instead of down.

    Raises: ArgumentError, DTypeError. Source: Kingma & Ba 2014; amsgrad: Reddi et al.
    2018.
    """

    _per_param = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Any,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta1": beta1,
            "beta2": beta2,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _checked_options(self, options: dict[str, Any]) -> dict[str, Any]:
        op = type(self).__name__
        checked: dict[str, Any] = {"lr": check_lr(op, options["lr"])}
        for name in ("beta1", "beta2"):
            checked[name] = check_number(op, name, options[name], at_least=0, below=1)
        for name in ("eps", "weight_decay"):
            checked[name] = check_number(op, name, options[name], at_least=0)
        for name in ("amsgrad", "maximize"):
            checked[name] = check_bool(op, name, options[name])
        return checked

    def _rule(self, group: Group) -> Rule:
        decays = group["weight_decay"] != 0
        flags = {
            "amsgrad": group["amsgrad"],
            "near": 1 - group["beta1"] < 0.5,
            "shrinks": decays and self._decoupled,
            "maximize": group["maximize"],
            "decays": decays and not self._decoupled,
        }
        state = self._per_param[1:] if flags["amsgrad"] else self._per_param[1:3]
        return Rule(updates.adam, state, tuple(flags.items()))

    def _numbers(self, group: Group, entry: dict[str, Any]) -> tuple[float, ...]:
        step = entry.get("step", 0) + 1
        lr, beta1, beta2 = group["lr"], group["beta1"], group["beta2"]
        decay = group["weight_decay"]
        return (
            lr / (1 - beta1**step),
            math.sqrt(1 - beta2**step),
            group["eps"],
            1 - lr * decay,
            1 - beta1,
            beta2,
            1 - beta2,
            decay,
        )


class AdamW(Adam):
    """Adam that shrinks the parameters by lr * weight_decay instead of changing the
    gradient.

    The arguments are Adam's. Source: Loshchilov & Hutter 2019.
    """

    _decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize=maximize
        )
