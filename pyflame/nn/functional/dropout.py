"""Dropout as functions."""

from __future__ import annotations

from typing import Any

from pyflame.creation import rand
from pyflame.errors import ShapeError
from pyflame.nn.arguments import check_probability
from pyflame.nn.functional.inplace import replaced
from pyflame.ops import dropout as ops
from pyflame.tensors import apply


def dropout(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Any:
    """In training, each element is 0 with probability `p`, else divided by 1 - p.

    `inplace` makes `input` stand for the result, too.

    Raises: ArgumentError, unless `p` is a probability, or if a leaf is to change.
    """
    return _dropped("dropout", input, list(input.shape), p, training, inplace)


def dropout2d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Any:
    """Dropout of whole channels of [N, C, H, W] or [N, C, L].

    Raises: ShapeError, for other numbers of dimensions; and as dropout.
    """
    shape = list(input.shape)
    if len(shape) not in (3, 4):
        raise ShapeError(
            f"dropout2d of {shape}: {len(shape)} dimensions",
            rule="the input is [N, C, H, W] or [N, C, L]",
        )
    kept = shape[:2] + [1] * (len(shape) - 2)
    return _dropped("dropout2d", input, kept, p, training, inplace)


def _dropped(
    name: str, input: Any, shape: list[int], p: float, training: bool, inplace: bool
) -> Any:
    p = check_probability(name, p)
    if not training or p == 0:
        return input
    noise = rand(shape).detach()
    return replaced(name, input, apply(ops.dropout, input, noise, p), inplace)
