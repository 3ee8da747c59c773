"""Computing what was recorded."""

from __future__ import annotations

from typing import Any

from pyflame import staging
from pyflame.errors import ArgumentError
from pyflame.recorded import Recorded


def eval(*tensors: Recorded) -> Any:
    """Computes the tensors together; returns the one, or a tuple of several.

    Raises: ArgumentError, if one is no Tensor.
    """
    staging.evaluate([_tensor("eval", x)._node for x in tensors])
    return tensors[0] if len(tensors) == 1 else tensors


def is_lazy(tensor: Recorded) -> bool:
    """Whether the tensor has not been computed yet.

    Raises: ArgumentError, if it is no Tensor.
    """
    return not _tensor("is_lazy", tensor).is_evaluated()


def clone(x: Recorded) -> Any:
    """The same values as the result of an op: gradients flow on to `x`."""
    return _tensor("clone", x).clone()


def detach(x: Recorded) -> Any:
    """The same values, through which no gradient flows."""
    return _tensor("detach", x).detach()


def _tensor(name: str, x: Any) -> Any:
    if not isinstance(x, Recorded):
        raise ArgumentError(
            f"{name}: {type(x).__name__} is no Tensor",
            help="make one with pf.tensor(...)",
        )
    return x
