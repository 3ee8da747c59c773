"""The task table of a PE: what is bound, active and blocked, and who runs next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pyflame.wse.language.types import Float, Int, Type
from pyflame.wse.machine.arithmetic import from_bits
from pyflame.wse.machine.limits import TASK_IDS
from pyflame.wse.machine.memory import F16, F32
from pyflame.wse.machine.program import CompiledFunction
from pyflame.wse.machine.queues import InputQueue
from pyflame.wse.machine.scalar_support import SMALL_FLOATS

# `.kind` values that name a microthread's gate instead of a task or channel.
MICROTHREAD_KINDS = frozenset({"ut_id"})


@dataclass(frozen=True, slots=True)
class BoundTask:
    """A task that can be started; `decode` maps a payload to its arguments."""

    kind: str
    id: int
    function: CompiledFunction
    decode: Callable[[int], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A runnable task; `queue` holds its wavelet, None for local tasks.

    `after_completion` tells that a finished operation activated it.
    """

    task: BoundTask
    queue: InputQueue | None = None
    after_completion: bool = False


@dataclass(slots=True)
class Rotation:
    """After `limit` starts of a data task the other task runs instead, once."""

    task: BoundTask
    limit: int
    count: int

    def next(self, main: BoundTask) -> BoundTask:
        if self.count == self.limit:
            self.count = 0
            return self.task
        self.count += 1
        return main


class TaskTable:
    """State bits by id. Colors (WSE-2) or input queues (WSE-3) share the ids of data
    tasks, and with them the block bit.

    `own_control_table`: the entry points of control wavelets name control tasks only
    (`@set_control_task_table`, WSE-3).
    """

    __slots__ = (
        "_last",
        "active",
        "blocked",
        "by_completion",
        "control",
        "data",
        "high_priority",
        "local",
        "own_control_table",
        "rotations",
    )

    def __init__(self) -> None:
        self.local: dict[int, BoundTask] = {}
        self.data: dict[int, BoundTask] = {}
        self.control: dict[int, BoundTask] = {}
        self.active = [False] * TASK_IDS
        self.by_completion = [False] * TASK_IDS
        self.blocked = [False] * TASK_IDS
        self.high_priority = [False] * TASK_IDS
        self.own_control_table = False
        self.rotations: dict[int, Rotation] = {}  # by id of the data task
        self._last = -1

    def bind(self, task: BoundTask) -> None:
        table = {"local": self.local, "data": self.data, "control": self.control}
        table[task.kind][task.id] = task

    def activate(self, id_: int, by_completion: bool) -> None:
        """Sets the active bit; activating an active task changes nothing."""
        if not self.active[id_]:
            self.active[id_] = True
            self.by_completion[id_] = by_completion

    def runnable(self, queues: Iterable[InputQueue], now: int) -> list[Choice]:
        """All tasks that could start now, local ones first, in order of id."""
        active, blocked = self.active, self.blocked
        choices = [
            Choice(task, after_completion=self.by_completion[id_])
            for id_, task in self.local.items()
            if active[id_] and not blocked[id_]
        ]
        for queue in queues:
            if not queue.has_head(now) or queue.reader or blocked[queue.block_id]:
                continue
            task = self.triggered_by(queue)
            if task is not None:
                choices.append(Choice(task, queue))
        return choices

    def triggered_by(self, queue: InputQueue) -> BoundTask | None:
        """The task that the wavelet at the head of a queue asks for.

        Unless those of control have one of their own, all tasks share one table of
        ids: programs for releases before 1.2 start data tasks by control wavelets that
        name their color.
        """
        word = queue.words[0]
        if word >> 32:
            entry = queue.first_control_id + (word >> 16 & 0x3F)
            others = {} if self.own_control_table else self.data
            return self.control.get(entry) or others.get(entry)
        return self.data.get(queue.block_id)

    def pick(self, choices: list[Choice], pick_equal: Callable[[int], int]) -> Choice:
        """High priority first; equals take turns, by id after the one that ran last
        (no order is documented; taking turns starves nobody)."""
        high = [choice for choice in choices if self._is_high(choice)]
        equals = sorted(high or choices, key=self._turn)
        choice = equals[pick_equal(len(equals))]
        self._last = self._id(choice)
        if choice.queue is None:
            self.active[choice.task.id] = False
        return choice

    def rotated(self, choice: Choice) -> BoundTask:
        """The task to start: the one that was chosen, unless it is another's turn."""
        task = choice.task
        rotation = self.rotations.get(task.id) if task.kind == "data" else None
        return task if rotation is None else rotation.next(task)

    def _id(self, choice: Choice) -> int:
        return choice.task.id if choice.queue is None else choice.queue.block_id

    def _is_high(self, choice: Choice) -> bool:
        return self.high_priority[self._id(choice)]

    def _turn(self, choice: Choice) -> int:
        return (self._id(choice) - self._last - 1) % TASK_IDS


# --- arguments --------------------------------------------------------------------


def word_decoder(type_: Type) -> Callable[[int], Any]:
    """From raw bits (16 or 32, by the type) to a run-time value."""
    match type_:
        case Int():
            return type_.wrap
        case Float(name="f32"):
            return lambda bits: from_bits(bits, F32)
        case Float(name="f16"):
            return lambda bits: from_bits(bits, F16)
        case Float(name=name) if name in SMALL_FLOATS:
            return lambda bits: SMALL_FLOATS[name].decode(bits & 0xFFFF)
        case _:
            return lambda bits: bits & 0xFFFF


def _bits(type_: Type) -> int:
    return type_.bits if isinstance(type_, Int | Float) else 16


def payload_decoder(params: tuple[Type, ...]) -> Callable[[int], tuple[Any, ...]]:
    """From a payload to task arguments, the lowest bits first."""
    decoders: list[tuple[int, Callable[[int], Any]]] = []
    shift = 0
    for type_ in params:
        decoders.append((shift, word_decoder(type_)))
        shift += max(16, _bits(type_))
    return lambda payload: tuple(decode(payload >> at) for at, decode in decoders)
