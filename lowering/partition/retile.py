"""Pieces of a split dimension, joined in other tiles by exchanges between neighbours.

Along a line of PEs a dimension is made of pieces, one behind the other: a slice or a
border makes one piece, a concatenation several. Each PE puts what it holds of a piece,
and what its neighbours send of theirs, into a buffer, wherever that lies in its new
tile. Later pieces overwrite what the padding of earlier ones left behind them.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax import lax
from jax.core import Tracer

from lowering.mesh import Axis
from lowering.partition import mesh_primitives as prims

MAX_NEIGHBOURS = 3  # on one side, whose tiles a PE is sent


@dataclass(frozen=True, slots=True)
class Line:
    """A dimension `dim` of `length` elements in tiles of `tile`, over `size` PEs."""

    axis: Axis
    size: int
    dim: int
    length: int
    tile: int

    @property
    def filled(self) -> np.ndarray[Any, Any]:
        """The coordinates of the PEs that hold an element."""
        return np.arange(-(-self.length // self.tile))


@dataclass(frozen=True, slots=True)
class Piece:
    """`length` elements that begin at `start` of the new dimension.

    Each PE holds `tile` of them, or all if `is_whole`.
    """

    value: Any
    start: int
    length: int
    tile: int
    is_whole: bool = False

    def reach(self, line: Line) -> tuple[int, int]:
        """How many elements of PEs before and behind it a PE needs, at most."""
        if self.is_whole:
            return 0, 0
        first = line.filled * line.tile - self.start
        last = np.minimum(first + line.tile, line.length - self.start)
        first = np.clip(first, 0, self.length)
        last = np.clip(last, 0, self.length)
        needs = last > first
        before = np.where(needs, line.filled * self.tile - first, 0)
        behind = np.where(needs, last - (line.filled + 1) * self.tile, 0)
        return max(0, int(before.max())), max(0, int(behind.max()))

    def is_near(self, line: Line) -> bool:
        """Whether everything comes from few neighbours."""
        return max(self.reach(line)) <= MAX_NEIGHBOURS * self.tile


@dataclass(frozen=True, slots=True)
class _Part:
    """What a PE puts into its buffer: `size` elements, from `pitch * index + first` on.

    They begin at `lowest` or behind; PEs before `from_index` have no such part.
    """

    value: Any
    size: int
    pitch: int
    first: int
    lowest: int
    from_index: int = 0

    def offsets(self, line: Line) -> np.ndarray[Any, Any]:
        """Where the part begins on each PE, at most its own size outside."""
        found = np.clip(self.pitch * line.filled + self.first, self.lowest, line.tile)
        return np.where(line.filled < self.from_index, -self.size, found)

    def offset(self, index: Any, line: Line) -> Any:
        """The same, of this PE; of one without elements it may be anywhere."""
        offsets = self.offsets(line)
        low, high = offsets.min(), offsets.max()
        if low == high:
            return np.int32(low)
        found = index * np.int32(self.pitch) + np.int32(self.first)
        found = lax.max(lax.min(found, np.int32(high)), np.int32(low))
        if not self.from_index:
            return found
        is_there = lax.ge(index, np.int32(self.from_index))
        return lax.select(is_there, found, np.int32(-self.size))


def join(line: Line, pieces: Sequence[Piece], filling: Any = None) -> Any:
    """This PE's tile of the new dimension.

    What no piece covers is `filling`, a scalar; without one it may be anything.
    """
    parts = [part for piece in pieces for part in _parts(line, piece)]
    if filling is not None:
        parts += _tail(line, pieces[-1], filling)
    (first, *others) = parts
    if not others and first.size == line.tile and not first.offsets(line).any():
        return first.value
    dtype = np.result_type(first.value)
    blank = np.zeros((), dtype)[()] if filling is None else filling
    before = max(0, *(-int(part.offsets(line).min()) for part in parts))
    ends = [int(part.offsets(line).max()) + part.size for part in parts]
    shape = list(np.shape(first.value))
    shape[line.dim] = before + max(line.tile, *ends)
    buffer = lax.broadcast(blank, shape)
    index = prims.mesh_index(axis=line.axis)
    for part in parts:
        buffer = _put(buffer, part, part.offset(index, line) + np.int32(before), line)
    return lax.slice_in_dim(buffer, before, before + line.tile, axis=line.dim)


def is_zero(filling: Any) -> bool:
    """Whether it is known to be what PEs receive at the ends of a line."""
    if isinstance(filling, Tracer):
        return False
    known = np.asarray(filling)
    return known.tobytes() == np.zeros((), known.dtype).tobytes()


def moved(line: Line, piece: Piece) -> Any:
    """This PE's tile of the piece, moved along the dimension that it fills, and zeros
    where it has left. A tile is made of parts of two tiles, which come as they are."""
    value, tile = piece.value, line.tile
    if piece.start < 0 and line.size * tile != line.length:
        value = _zero_behind(line, value)
    hops, rest = divmod(piece.start, tile)
    parts = [
        _from(line, value, hops + 1, tile - rest, tile),
        _from(line, value, hops, 0, tile - rest),
    ]
    return lax.concatenate(parts, line.dim) if rest else parts[1]


def _from(line: Line, value: Any, hops: int, first: int, last: int) -> Any:
    """Elements `first` to `last` of the tile of the PE so many places before."""
    if first == last:
        return None
    part = value
    if last - first < line.tile:
        part = lax.slice_in_dim(value, first, last, axis=line.dim)
    if not hops:
        return part
    return prims.mesh_shift(part, axis=line.axis, size=line.size, offset=hops)


def _zero_behind(line: Line, value: Any) -> Any:
    """Zeros in what lies behind the last element, and may be anything."""
    return prims.mesh_fill_padding(
        value,
        axis=line.axis,
        size=line.size,
        dim=line.dim,
        length=line.length,
        value=0,
    )


def _parts(line: Line, piece: Piece) -> list[_Part]:
    """The piece's tiles that a PE needs, in order."""
    if piece.is_whole:
        size = piece.length
        return [_Part(piece.value, size, -line.tile, piece.start, -size)]
    before, behind = piece.reach(line)
    pitch, tile = piece.tile - line.tile, piece.tile
    sent_on = _neighbours(line, piece, before, 1)
    parts: list[_Part] = []
    for number in range(len(sent_on), 0, -1):
        value = sent_on[number - 1]
        size = np.shape(value)[line.dim]
        first = piece.start + (1 - number) * tile - size
        parts.append(_Part(value, size, pitch, first, -size, number))
    parts.append(_Part(piece.value, tile, pitch, piece.start, -tile))
    for number, value in enumerate(_neighbours(line, piece, behind, -1), 1):
        size = np.shape(value)[line.dim]
        first = piece.start + number * tile
        parts.append(_Part(value, size, pitch, first, -size))
    return parts


def _neighbours(line: Line, piece: Piece, reach: int, offset: int) -> list[Any]:
    """The tiles of the PEs on one side, the nearest first; only what is needed."""
    found: list[Any] = []
    value = piece.value
    while reach > 0:
        if not found and reach < piece.tile:
            first = piece.tile - reach if offset > 0 else 0
            value = lax.slice_in_dim(value, first, first + reach, axis=line.dim)
        value = prims.mesh_shift(value, axis=line.axis, size=line.size, offset=offset)
        found.append(value)
        reach -= piece.tile
    return found


def _tail(line: Line, last: Piece, filling: Any) -> list[_Part]:
    """The filling behind the last piece, on top of what its padding left there."""
    end = last.start + last.length
    if end >= line.length:
        return []
    shape = list(np.shape(last.value))
    shape[line.dim] = line.tile
    value = lax.broadcast(filling, shape)
    return [_Part(value, line.tile, -line.tile, end, lowest=0)]


def _put(buffer: Any, part: _Part, start: Any, line: Line) -> Any:
    starts: list[Any] = [np.int32(0)] * buffer.ndim
    starts[line.dim] = start
    return lax.dynamic_update_slice(
        buffer, part.value, starts, allow_negative_indices=False
    )
