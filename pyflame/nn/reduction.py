"""How the losses of a batch become one."""

from __future__ import annotations

from enum import Enum

from pyflame.errors import ArgumentError


class Reduction(Enum):
    """Per-element losses, their mean, or their sum; the value is PyTorch's name."""

    NONE = "none"
    MEAN = "mean"
    SUM = "sum"


def reduction_name(op: str, reduction: object, *more: str) -> str:
    """ "none", "mean" or "sum", from a Reduction or its name.

    Raises: ArgumentError, for anything else.
    """
    name = reduction.value if isinstance(reduction, Reduction) else reduction
    names = (*(r.value for r in Reduction), *more)
    rule = f"a reduction is one of {', '.join(map(repr, names))}"
    if not isinstance(name, str):
        raise ArgumentError(
            f"{op}: a reduction of type {type(reduction).__name__}",
            rule=rule,
            help="weights go by name, where a loss has them: weight=...",
        )
    if name not in names:
        raise ArgumentError(f"{op}: {reduction!r} is no reduction", rule=rule)
    return name
