"""How values cross a line of PEs: the pattern with the fewest predicted cycles.

A reduction or a gather to PE 0 can run in several ways, after Luczynski et al.,
"Near-Optimal Wafer-Scale Reduce" (HPDC 2024):

chain      each PE adds its own to what its outer neighbour sends, element by element:
           n + (P - 1) stages. A gather hands on what comes from outside.
two_phase  chains within groups of PEs, then one through the first PEs of the groups,
           whose messages pass the others by: 2 n + (G + P / G - 2) stages
star       every PE sends its own; its router lets the outer ones pass behind it, and
           PE 0 adds them up or stores them: (n + 1) (P - 1), and no stages between

A tree needs a queue per round, and each of its rounds is an exchange: two phases are
faster wherever a tree could be used. A ring needs two operations of each PE for every
element, where a chain and a flood need one each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from lowering.errors import OptionError, ResourcesExhaustedError
from lowering.mesh import AXES, Axis
from lowering.plan.control import LoopEnd, LoopStart
from lowering.plan.cycles import step_cycles
from lowering.plan.resources import MAX_KINDS_OF_PLACE, assign
from lowering.plan.steps import MoveKind, MoveStep, Step
from lowering.target import Target

Pattern = Literal["chain", "two_phase", "star"]
PATTERNS: tuple[Pattern, ...] = ("chain", "two_phase", "star")
# Which patterns a line may mix, the more of them the more queues.
_MIXTURES: tuple[tuple[Pattern, ...], ...] = (
    ("chain", "two_phase", "star"),
    ("chain", "star"),
    ("chain", "two_phase"),
    ("chain",),
)

_Key = tuple[MoveKind, Axis, int, int]
_Ways = dict[_Key, list[MoveStep]]


@dataclass(slots=True)
class _Crossing:
    """Exchanges of one kind, line and length: one of them, and how often they run."""

    step: MoveStep
    count: int


def with_patterns(
    steps: Sequence[Step], target: Target, pattern: Pattern | None = None
) -> list[Step]:
    """The steps, each reduction and gather in its fastest pattern.

    Where colors or queues are too few for all patterns that would be fastest, or PEs
    would be of too many kinds, the program uses fewer of them. `pattern` leaves no
    choice: what it cannot do stays a chain.
    Raises: OptionError, if there is no such pattern.
    """
    if pattern is not None and pattern not in PATTERNS:
        raise OptionError(
            f"unknown pattern {pattern!r}",
            rule=f"a pattern is one of {', '.join(PATTERNS)}, or None",
        )
    crossings = _crossings(steps)
    if not crossings:
        return list(steps)
    only: tuple[Pattern, ...] = () if pattern is None else (pattern,)
    mixtures = (only,) if only else _MIXTURES
    by_axis = [_ways_along(axis, crossings, target, mixtures) for axis in AXES]
    found = [first | second for first, second in product(*by_axis)]
    found.sort(key=lambda ways: _cycles(crossings, ways, target))
    replaced = (_replaced(steps, ways) for ways in found[:-1])
    possible = (each for each in replaced if _is_possible(each, target))
    return next(possible, _replaced(steps, found[-1]))


def _crossings(steps: Sequence[Step]) -> dict[_Key, _Crossing]:
    """What has a choice of patterns; in a loop it counts once for each pass."""
    found: dict[_Key, _Crossing] = {}
    passes = [1]
    for step in steps:
        if isinstance(step, LoopStart):
            passes.append(passes[-1] * (step.loop.trips or 1))
        elif isinstance(step, LoopEnd):
            passes.pop()
        elif isinstance(step, MoveStep) and _has_choice(step):
            found.setdefault(_key(step), _Crossing(step, 0)).count += passes[-1]
    return found


def _has_choice(step: MoveStep) -> bool:
    return step.kind in ("reduce_inward", "gather_inward")


def _key(step: MoveStep) -> _Key:
    return step.kind, step.axis, step.size, step.extent_words


def _ways_along(
    axis: Axis,
    crossings: dict[_Key, _Crossing],
    target: Target,
    mixtures: Sequence[Sequence[Pattern]],
) -> list[_Ways]:
    """By each mixture of patterns, the fastest way of every crossing along an axis.

    Routes are static: all reductions of a program along an axis share their groups, of
    a power of two PEs.
    """
    those = {key: each for key, each in crossings.items() if each.step.axis == axis}
    if not those:
        return [{}]
    longest = max(each.step.size for each in those.values())
    groups = [1 << n for n in range(1, (longest - 1).bit_length())] or [0]

    def fastest(patterns: Sequence[Pattern]) -> _Ways:
        options = [
            {
                key: _fastest(each.step, target, patterns, group)
                for key, each in those.items()
            }
            for group in groups
        ]
        return min(options, key=lambda option: _cycles(those, option, target))

    return list(map(fastest, mixtures))


def _fastest(
    step: MoveStep, target: Target, patterns: Sequence[Pattern], group: int
) -> list[MoveStep]:
    options = [_way(step, pattern, target, group) for pattern in patterns]
    possible = [way for way in options if way] or [_way(step, "chain", target, group)]
    return min(possible, key=lambda way: _way_cycles(way, target))


def _way(
    step: MoveStep, pattern: Pattern, target: Target, group: int
) -> list[MoveStep]:
    """The pattern as steps; none if it cannot do what the step does."""
    match pattern:
        case "chain":
            is_handed_on = step.kind == "gather_inward" and step.size > 2
            onward = replace(step, kind="pass_inward", source=None)
            return [step, onward] if is_handed_on else [step]
        case "star":
            words = (step.size - 1) * step.extent_words
            star = "reduce_star" if step.kind == "reduce_inward" else "gather_star"
            is_long = words > target.max_extent_elements
            return [] if is_long else [replace(step, kind=star)]
        case "two_phase":
            if step.kind == "gather_inward" or not 0 < group < step.size:
                return []
            within = replace(step, kind="reduce_groups", group=group)
            return [within, replace(within, kind="reduce_across")]


def _cycles(crossings: dict[_Key, _Crossing], ways: _Ways, target: Target) -> int:
    return sum(
        crossing.count * _way_cycles(ways[key], target)
        for key, crossing in crossings.items()
    )


def _way_cycles(way: Sequence[MoveStep], target: Target) -> int:
    return sum(step_cycles(step, target) for step in way)


def _replaced(steps: Sequence[Step], ways: _Ways) -> list[Step]:
    return [each for step in steps for each in _instead_of(step, ways)]


def _instead_of(step: Step, ways: _Ways) -> Iterator[Step]:
    if not isinstance(step, MoveStep) or not _has_choice(step):
        yield step
        return
    for way in ways[_key(step)]:
        source = None if way.kind == "pass_inward" else step.source
        yield replace(step, kind=way.kind, group=way.group, source=source)


def _is_possible(steps: Sequence[Step], target: Target) -> bool:
    try:
        return assign(steps, target).kinds_of_place <= MAX_KINDS_OF_PLACE
    except ResourcesExhaustedError:
        return False
