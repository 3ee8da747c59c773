"""RMSprop."""

from __future__ import annotations

from typing import Any

from pyflame.optim import updates
from pyflame.optim.checks import check_bool, check_lr, check_number
from pyflame.optim.groups import Group
from pyflame.optim.optimizer import (
    Optimizer,
    Update,
    kept,
    shared_numbers,
    with_gradients,
)
from pyflame.tensors import Tensor, apply


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

    def _updates(self, group: Group) -> list[tuple[Tensor, Update]]:
        number = shared_numbers()
        return [
            (param, self._update(param, grad, group, number))
            for param, grad in with_gradients(group)
        ]

    def _update(self, param: Tensor, grad: Tensor, group: Group, number: Any) -> Update:
        state = self.state.get(param, {})
        flags = {
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
        }
        update = self._averages(param, grad, group, number, flags)
        scale = (*update.values(), number(group["eps"]), number(group["weight_decay"]))
        flags["centered"] = group["centered"]
        lr = number(group["lr"])
        if not group["momentum"]:
            new = apply(updates.rms_step, param, grad, *scale, lr, **flags)
            return {"param": new, **update}
        direction = apply(
            updates.rms_ratio,
            kept(state, "momentum_buffer", param),
            param,
            grad,
            *scale,
            number(group["momentum"]),
            **flags,
        )
        new = apply(updates.minus_scaled, param, direction, lr)
        return {"param": new, "momentum_buffer": direction, **update}

    def _averages(
        self, param: Tensor, grad: Tensor, group: Group, number: Any, flags: Any
    ) -> Update:
        """The average of the squares, then that of the gradient if centered."""
        state, alpha = self.state.get(param, {}), group["alpha"]
        towards, decay = number(1 - alpha), number(group["weight_decay"])
        square = kept(state, "square_avg", param)
        averages = {
            "square_avg": apply(
                updates.second_moment,
                square,
                param,
                grad,
                number(alpha),
                towards,
                decay,
                **flags,
            )
        }
        if group["centered"]:
            averages["grad_avg"] = apply(
                updates.first_moment,
                kept(state, "grad_avg", param),
                param,
                grad,
                towards,
                decay,
                near=1 - alpha < 0.5,
                **flags,
            )
        return averages
