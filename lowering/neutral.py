"""Neutral values of reductions: what their padding and their empty start hold."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

Op = Literal["sum", "max", "min", "prod", "and", "or", "xor"]
_SAME: dict[Op, int] = {"sum": 0, "prod": 1, "or": 0, "xor": 0}


def neutral(op: Op, dtype: Any) -> float | int | bool:
    """The value that changes no reduction by `op`."""
    if op in _SAME:
        return _SAME[op]
    if jnp.issubdtype(dtype, np.floating):
        return -np.inf if op == "max" else np.inf
    if np.dtype(dtype) == np.bool_:
        return op != "max"
    limits = np.iinfo(dtype)
    if op == "and":
        return -1 if limits.min < 0 else int(limits.max)
    return int(limits.min if op == "max" else limits.max)
