"""The smallest mesh on which a program fits, found in few tries.

A mesh is taken to fit if one with fewer rows or columns does: tiles only shrink. So a
mesh that does not fit rules out all meshes inside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lowering.mesh import Mesh

Fits = Callable[[Mesh], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A mesh that fits; `is_smallest` says that none of fewer PEs does."""

    mesh: Mesh
    is_smallest: bool


def smallest_mesh(
    fits: Fits, limit: tuple[int, int], max_tries: int, first_side: int = 1
) -> Found | None:
    """The mesh of fewest PEs that fits, nearly square if there are several.

    Args: `limit` are the rows and columns of the largest mesh; `first_side` is that of
    a square that may fit. Where `max_tries` end the search, a larger mesh may be found.
    Returns: None, if the largest mesh does not fit.
    """
    trial = _Trial(fits, max_tries)
    found = _smallest_square(trial, limit, first_side)
    if found is None:
        return None
    for narrow in _narrow_sides(found):
        for is_rows in (True, False):
            if trial.is_over:
                return Found(found, False)
            found = _narrower(trial, limit, found, narrow, is_rows)
    return Found(found, True)


@dataclass(slots=True)
class _Trial:
    """Counts the tries, which are all that costs time."""

    fits: Fits
    left: int

    @property
    def is_over(self) -> bool:
        return self.left <= 0

    def __call__(self, mesh: Mesh) -> bool:
        self.left -= 1
        return self.fits(mesh)


def _smallest_square(trial: _Trial, limit: tuple[int, int], side: int) -> Mesh | None:
    """The smallest square, cut at the limit; doubled until it fits, then bisected."""
    low, last = 0, max(limit)
    side = min(side, last)
    while not trial(_cut_square(side, limit)):
        if side == last:
            return None
        low, side = side, min(2 * side, last)
    fitting = _least(low, side, lambda side: trial(_cut_square(side, limit)))
    return _cut_square(fitting, limit)


def _cut_square(side: int, limit: tuple[int, int]) -> Mesh:
    return Mesh(min(side, limit[0]), min(side, limit[1]))


def _least(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The least number that fits, above `low`, which does not; `high` does."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _narrow_sides(square: Mesh) -> list[int]:
    """The shorter sides of the meshes of fewer PEs.

    Halves of halves come first: what suits a long array is soon found, and rules out
    most of the others, which follow with the nearly square ones in front.
    """
    side = max(square.extent)
    halves = [side >> count for count in range(side.bit_length())]
    return list(dict.fromkeys([*halves, *range(side, 0, -1)]))


def _narrower(
    trial: _Trial, limit: tuple[int, int], best: Mesh, narrow: int, is_rows: bool
) -> Mesh:
    """The smallest mesh with `narrow` rows (or columns), if it is better.

    It is if it has fewer PEs, or as many and is nearer to a square.
    """
    short, long = limit if is_rows else limit[::-1]
    fewer = 0 if narrow > min(best.extent) else 1
    wide = min((best.pe_count - fewer) // narrow, long)
    if narrow > short or wide < narrow:
        return best

    def mesh(wide: int) -> Mesh:
        return Mesh(narrow, wide) if is_rows else Mesh(wide, narrow)

    if not trial(mesh(wide)):
        return best
    return mesh(_least(0, wide, lambda wide: trial(mesh(wide))))
