"""Norms, classes as vectors, and edges, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyflame.errors import ArgumentError, ShapeError
from pyflame.nn.arguments import check_positive
from pyflame.ops import vectors as ops
from pyflame.tensors import apply

_MODES = ("constant", "reflect", "replicate", "circular")


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """input over its p-norm along `dim`, which counts as at least `eps`.

    Raises: ArgumentError, unless `p` is above 0; ShapeError, for a dim out of range.
    """
    if not p > 0:
        raise ArgumentError(f"normalize: p={p}", rule="p is above 0")
    return apply(ops.normalize, input, float(eps), p=float(p), dim=dim)


def one_hot(tensor: Any, num_classes: int) -> Any:
    """[...] classes as int32 [..., num_classes] with a 1 at the class.

    A class out of range gives zeros. The number of classes has to be given, because
    values are not known when the op is recorded.

    Raises: ArgumentError, DTypeError.
    """
    check_positive("one_hot", num_classes=num_classes)
    return apply(ops.one_hot, tensor, num_classes=num_classes)


def pad(
    input: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0
) -> Any:
    """input with more elements at its edges; fewer, where a number is negative.

    Args:
        pad: before and behind the last dimension, then the one before it, and so on.
        mode: "constant" (of `value`), "reflect", "replicate" or "circular".

    Raises: ArgumentError, ShapeError.
    """
    if mode not in _MODES:
        raise ArgumentError(
            f"pad: mode={mode!r} is not known",
            rule=f"mode is one of {', '.join(map(repr, _MODES))}",
        )
    sizes = tuple(pad)
    if len(sizes) % 2 or not all(type(size) is int for size in sizes):
        raise ShapeError(
            f"pad: {list(sizes)} are no pads",
            rule="pads are two integers for each padded dimension, the last one first",
        )
    pairs = tuple(zip(sizes[::2], sizes[1::2], strict=True))
    return apply(ops.pad, input, float(value), pads=pairs[::-1], mode=mode)
