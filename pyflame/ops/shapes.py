"""What ops say about shapes: dims, and text for messages."""

from __future__ import annotations

import operator
from typing import Any

from pyflame.errors import ShapeError

Dims = int | tuple[int, ...] | None


class Unfit:
    """A static argument of the wrong type, on its way to the op that refuses it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def text(x: Any) -> str:
    """An array for a message: `float32[3, 4]`; a Python number as it is."""
    return f"{x.dtype}{list(x.shape)}" if hasattr(x, "shape") else repr(x)


def one_dim(op: str, x: Any, dim: Any, ndim: int | None = None) -> int:
    """`dim` counted from the front.

    Raises: ShapeError, if it is no integer or out of range of `ndim` dimensions.
    """
    rank: int = x.ndim if ndim is None else ndim
    try:
        index = operator.index(dim)
    except TypeError:
        raise ShapeError(
            f"{op} of {text(x)}: dim={dim!r} is no integer",
            rule="a dim is an integer, counted from the back if negative",
        ) from None
    if not -rank <= index < rank:
        raise ShapeError(
            f"{op} of {text(x)}: dim={dim} is out of range",
            rule=f"dim is at least {-rank} and at most {rank - 1}"
            if rank
            else "a scalar has no dims",
        )
    return index % rank


def dims(op: str, x: Any, dim: Dims) -> tuple[int, ...]:
    """`dim` as sorted-by-use dims from the front; None means all of them.

    A scalar takes the dim 0 or -1, as in PyTorch, and has none of it.

    Raises: ShapeError, if one is out of range or named twice.
    """
    if dim is None:
        return tuple(range(x.ndim))
    given = dim if isinstance(dim, tuple) else (dim,)
    found = tuple(one_dim(op, x, d, max(x.ndim, 1)) for d in given)
    if len(set(found)) != len(found):
        raise ShapeError(
            f"{op} of {text(x)}: dim={dim} names a dimension twice",
            rule="each dimension is named at most once",
        )
    return found if x.ndim else ()


def reduced_dims(op: str, x: Any, dim: Dims) -> tuple[int, ...]:
    """The dims of a reduction: of an empty tuple all, as of None and as in PyTorch.

    Raises: ShapeError, as `dims`.
    """
    return dims(op, x, None if dim == () else dim)
