"""Dropout as functions."""

from __future__ import annotations

from typing import Any

from pyflame.creation import rand
from pyflame.errors import ArgumentError, ShapeError
from pyflame.nn.arguments import check_probability
from pyflame.ops import dropout as ops
from pyflame.tensors import Tensor, apply


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
    result = apply(ops.dropout, input, noise, p)
    return _replace(name, input, result) if inplace else result


def _replace(name: str, input: Any, result: Any) -> Any:
    """Lets the Tensor `input` stand for `result`.

    Raises: ArgumentError, for a leaf, whose gradient would be lost (as in PyTorch).
    """
    if not isinstance(input, Tensor) or input._node.is_source:
        raise ArgumentError(
            f"{name}: inplace=True on a tensor that is no result of an op",
            rule="parameters and data do not change in place",
            help="use inplace=False",
        )
    old, input._node = input._node, result._node
    input._node.names += 1
    old.release()
    return input
