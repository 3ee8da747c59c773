"""Adam, and AdamW with decoupled weight decay."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pyflame.errors import ArgumentError
from pyflame.optim import updates
from pyflame.optim.checks import check_bool, check_lr, check_number
from pyflame.optim.fused import Rule
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import Optimizer

_BETA1, _BETA2 = 0.9, 0.999


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
        betas: beta1 and beta2 as PyTorch writes them; groups may have them, too.

    Raises: ArgumentError, DTypeError. Source: Kingma & Ba 2014; amsgrad: Reddi et al.
    2018.
    """

    _per_param = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Any,
        lr: float = 0.001,
        beta1: float = _BETA1,
        beta2: float = _BETA2,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        betas: tuple[float, float] | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            **self._two_betas(beta1, beta2, betas),
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

    def _two_betas(self, beta1: Any, beta2: Any, betas: Any) -> dict[str, Any]:
        op = type(self).__name__
        if betas is None:
            return {"beta1": beta1, "beta2": beta2}
        if (beta1, beta2) != (_BETA1, _BETA2):
            raise ArgumentError(
                f"{op}: beta1={beta1!r}, beta2={beta2!r} and betas={betas!r}",
                rule="either betas is given, or beta1 and beta2",
            )
        if not isinstance(betas, (list, tuple)) or len(betas) != 2:
            raise ArgumentError(f"{op}: betas={betas!r}", rule="betas is two numbers")
        return {"beta1": betas[0], "beta2": betas[1]}

    def _spelled(self, group: Group) -> Group:
        if "betas" not in group:
            return group
        rest = {key: value for key, value in group.items() if key != "betas"}
        beta1, beta2 = rest.get("beta1", _BETA1), rest.get("beta2", _BETA2)
        return rest | self._two_betas(beta1, beta2, group["betas"])

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
        beta1: float = _BETA1,
        beta2: float = _BETA2,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        betas: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            beta1,
            beta2,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            betas=betas,
        )
