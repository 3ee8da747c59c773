"""Colors, queues and task ids of the exchanges, from a small budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lowering.errors import ResourcesExhaustedError
from lowering.mesh import AXES, Axis
from lowering.plan.steps import MoveStep, Step
from lowering.target import SWITCH_COLORS, Target

CHANNELS = ("inward", "star", "flood", "across", "outward")
# Corners, edges and the inside: a compiler's time does not grow with the mesh.
MAX_KINDS_OF_PLACE = 9
_COLORS = {"star": 1, "flood": 1}  # of a channel; the others have two


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of traffic along a line.

    Neighbour channels (inward, outward) have two colors: PEs of even index send on
    the first, those of odd index on the second; so do the groups of `across`. The flood
    has one color. Only PE 0 sends it, and all others receive it: so it shares both
    queues with the star, which only PE 0 receives, or else the output queue of
    `inward`, on which PE 0 has no neighbour.
    """

    colors: tuple[int, ...]
    input_queue: int
    output_queue: int


@dataclass(frozen=True, slots=True)
class Line:
    """What the exchanges along one mesh axis use; a group has `group` PEs."""

    axis: Axis
    size: int
    channels: dict[str, Channel]
    group: int

    @property
    def colors(self) -> list[int]:
        return [c for channel in self.channels.values() for c in channel.colors]

    @property
    def kinds_of_place(self) -> int:
        """How many sets of colors the layout gives the PEs of the line."""
        repeats_after = 2 * self.group if "across" in self.channels else 2
        return len({self._kind(i) for i in range(min(self.size, repeats_after + 1))})

    def _kind(self, index: int) -> tuple[bool, bool, bool]:
        """What the colors of a PE depend on; see `emit.lines.tile_params`."""
        channels = self.channels
        first = "star" in channels or {"flood", "inward"} <= channels.keys()
        parity = "inward" in channels or "outward" in channels
        across = "across" in channels and index % self.group == 0
        return (
            first and index == 0,
            parity and index % 2 == 1,
            across and index // self.group % 2 == 1,
        )


@dataclass(frozen=True, slots=True)
class Resources:
    """The lines of a program and the task that takes up the program again.

    Both lines have the same channels, since one module serves both; `functions` are
    those of its functions that the program calls.
    """

    lines: tuple[Line, ...]
    functions: tuple[str, ...]
    resume_task_id: int | None

    @property
    def colors(self) -> list[int]:
        return [color for line in self.lines for color in line.colors]

    @property
    def kinds_of_place(self) -> int:
        """How many sets of parameters the PE program is compiled for."""
        return math.prod(line.kinds_of_place for line in self.lines)


def assign(steps: Sequence[Step], target: Target) -> Resources:
    """Gives each channel that the steps use colors and queues of its own.

    On the WSE-3 a queue serves one color for good, and on the WSE-2 an operation's
    microthread has the number of its queue: a channel's two queues have different
    numbers, so that a PE can send and receive at once.
    Raises: ResourcesExhaustedError, if the budget of the target is too small.
    """
    moves = [step for step in steps if isinstance(step, MoveStep)]
    colors = _Budget("colors", target.colors)
    inputs = _Budget("input queues", target.input_queues)
    outputs = _Budget("output queues", target.output_queues)
    sizes = {move.axis: move.size for move in moves}
    groups = {move.axis: move.group for move in moves if move.group}
    if not sizes:
        return Resources((), (), None)
    wanted = {channel for move in moves for channel in move.channels}
    lines = [
        Line(
            axis,
            sizes[axis],
            _channels(wanted, colors, inputs, outputs),
            groups.get(axis, sizes[axis]),
        )
        for axis in AXES
        if axis in sizes
    ]
    functions = tuple(dict.fromkeys(map(function_name, moves)))
    used = set(colors.taken)
    tasks = [number for number in target.local_task_ids if number not in used]
    return Resources(tuple(lines), functions, _Budget("local tasks", tasks).take())


def _channels(
    wanted: set[str], colors: _Budget, inputs: _Budget, outputs: _Budget
) -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    for name in (channel for channel in CHANNELS if channel in wanted):
        among = SWITCH_COLORS if name == "star" else None
        own = tuple(colors.take(among=among) for _ in range(_COLORS.get(name, 2)))
        if name == "flood" and "star" in channels:
            star = channels["star"]
            channels[name] = Channel(own, star.input_queue, star.output_queue)
            continue
        receive = inputs.take()
        if name == "flood" and "inward" in channels:
            send = channels["inward"].output_queue
        else:
            send = outputs.take(but=receive)
        channels[name] = Channel(own, receive, send)
    return channels


def function_name(move: MoveStep) -> str:
    """The function of the collectives module that runs the exchange."""
    if move.kind.startswith("reduce"):
        return f"{move.kind}_{move.op}"
    if move.kind == "shift":
        return "shift_outward" if move.step > 0 else "shift_inward"
    return move.kind


class _Budget:
    """Numbers handed out in order, once each."""

    def __init__(self, what: str, numbers: Sequence[int]) -> None:
        self._what = what
        self._total = len(numbers)
        self._left = list(numbers)
        self.taken: list[int] = []

    def take(self, but: int | None = None, among: Sequence[int] | None = None) -> int:
        candidates = (n for n in self._left if n != but and (not among or n in among))
        number = next(candidates, None)
        if number is None:
            raise ResourcesExhaustedError(
                f"the program needs more than the {self._total} {self._what} "
                "that generated code may use",
                rule="memcpy and the hardware take the others",
                help="use a mesh of one row or one column, which needs half of them",
            )
        self._left.remove(number)
        self.taken.append(number)
        return number
