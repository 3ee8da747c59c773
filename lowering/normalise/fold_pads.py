"""Folds of borders: stencils pad an array, and slice it at each neighbour's place.

Between PEs a padded array has other tiles than the array, and its slices have others
again. A slice of a pad is one pad, which may cut off elements at one end: the array
moved along its dimensions, in the tiles that it has.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.origins import Origins, identity

Config = list[tuple[int, int, int]]


def slice_of_pad(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A part of a padded array that holds some of the array, as a pad of the array."""
    origin = origins.of(args[0], "pad")
    strides = eqn.params["strides"]
    if origin is None or (strides is not None and any(s != 1 for s in strides)):
        return None
    array, value = origin[1]
    bounds = zip(eqn.params["start_indices"], eqn.params["limit_indices"], strict=True)
    lengths = jaxprs.shape_of(eqn.invars[0])
    config: Config = []
    for (low, high, interior), (start, limit), length in zip(
        origin[0].params["padding_config"], bounds, lengths, strict=True
    ):
        if interior and (start, limit) != (0, length):
            return None
        config.append((low - start, high + limit - length, interior))
    return _padded(array, value, config)


def pad_of_pad(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """Two borders of one value as one, unless the second stands where the first has
    cut elements off."""
    origin = origins.of(args[0], "pad")
    if origin is None or identity(origin[1][1]) != identity(args[1]):
        return None
    inner, outer = (e.params["padding_config"] for e in (origin[0], eqn))
    if _moves(inner) and _moves(outer) and _moves(inner) != _moves(outer):
        return None  # along one dimension after the other
    config: Config = []
    for first, second in zip(inner, outer, strict=True):
        if first[2] or second[2]:
            return None
        ends = list(zip(first[:2], second[:2], strict=True))
        if any(before < 0 < after for before, after in ends):
            return None
        config.append((sum(ends[0]), sum(ends[1]), 0))
    array, value = origin[1]
    return _padded(array, value, config)


def _padded(array: Any, value: Any, config: Config) -> Any:
    """The array with another border; None if nothing of it would be left.

    Where it only moves, it moves along one dimension after the other, as the others
    that are at the same place along some of them.
    """
    lengths = np.shape(array)
    if any(n + min(c[:2]) <= 0 for n, c in zip(lengths, config, strict=True) if any(c)):
        return None
    moves = _moves(config)
    if not moves:
        return lax.pad(array, value, config)
    for dim in moves:
        only = [each if d == dim else (0, 0, 0) for d, each in enumerate(config)]
        array = lax.pad(array, value, only)
    return array


def _moves(config: Sequence[tuple[int, int, int]]) -> list[int]:
    """The dimensions along which a pad moves the array; none if it does more."""
    changed = [dim for dim, each in enumerate(config) if any(each)]
    only = all(config[d][0] == -config[d][1] and not config[d][2] for d in changed)
    return changed if only else []
