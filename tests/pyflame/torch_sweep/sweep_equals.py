"""Sorting where elements are equal: PyTorch leaves open which of them comes first.

Each function is given PyTorch's function, our results and PyTorch's arguments. Ours are
right if they are indices of different elements along the dim, and these elements are
PyTorch's values; then PyTorch's gradient is that of gathering them. With
`stable`, only PyTorch's own indices are right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from sweep_values import as_torch

_Function = Callable[..., Any]
_Pair = tuple[torch.Tensor, torch.Tensor]


def any_order(
    argsort: _Function, ours: Sequence[Any], x: torch.Tensor, *args: Any, **kwargs: Any
) -> torch.Tensor:
    """Our order, or PyTorch's if ours is none of the right ones."""
    order = argsort(x, *args, **kwargs)
    dim = kwargs.get("dim", args[0] if args else -1)
    pair = (x.gather(dim, order), order)
    return order if kwargs.get("stable") else _of_ours(pair, ours[0], x, dim)[1]


def any_sorted(
    sort: _Function, ours: Sequence[Any], x: torch.Tensor, *args: Any, **kwargs: Any
) -> _Pair:
    """PyTorch's values, and our order; or PyTorch's if ours is none of the right."""
    pair = sort(x, *args, **kwargs)
    dim = kwargs.get("dim", args[0] if args else -1)
    return pair if kwargs.get("stable") else _of_ours(pair, ours[1], x, dim)


def any_top(topk: _Function, ours: Sequence[Any], x: torch.Tensor, *args: Any) -> _Pair:
    """As `any_sorted`, of some of the elements."""
    dim = args[1] if len(args) > 1 else -1
    return _of_ours(topk(x, *args), ours[1], x, dim)


def _of_ours(theirs: _Pair, indices: Any, x: torch.Tensor, dim: int) -> _Pair:
    mine = as_torch(indices).long()
    if not _chooses(mine, theirs[0], x, dim):
        return theirs
    return x.gather(dim, mine), mine


def _chooses(
    indices: torch.Tensor, values: torch.Tensor, x: torch.Tensor, dim: int
) -> bool:
    if indices.shape != values.shape or not _are_different(indices, x, dim):
        return False
    chosen = x.gather(dim, indices)
    return bool(((chosen == values) | (chosen.isnan() & values.isnan())).all())


def _are_different(indices: torch.Tensor, x: torch.Tensor, dim: int) -> bool:
    if not indices.ndim:
        return int(indices) == 0
    ordered = indices.sort(dim).values
    inside = (indices >= 0) & (indices < x.shape[dim])
    return bool(inside.all() and (ordered.diff(dim=dim) > 0).all())
