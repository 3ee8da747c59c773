"""The host's command stream as one PE sees it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from pyflame.wse.machine.processor import Processor
from pyflame.wse.machine.program import CompiledFunction


@dataclass(frozen=True, slots=True)
class Command:
    """A launched function with its arguments; the PE may start it from `due` on."""

    ticket: int
    name: str
    function: CompiledFunction
    arguments: tuple[Any, ...]
    due: int


class CommandStream:
    """Commands run one after another: the next one waits until the program has
    called `unblock_cmd_stream` for the one before."""

    __slots__ = ("_pe", "_unblocking", "_waiting", "added", "current", "finished")

    def __init__(self, pe: Processor) -> None:
        self._pe = pe
        self._waiting: deque[Command] = deque()
        self.current: Command | None = None
        self._unblocking = False
        self.added = self.finished = 0  # commands so far, and those unblocked

    def add(self, command: Command) -> None:
        self._waiting.append(command)
        self.added += 1
        self._pe.wake(command.due)

    @property
    def idle(self) -> bool:
        return self.current is None and not self._waiting

    def ready(self, now: int) -> bool:
        if self.current is not None or not self._waiting:
            return False
        return self._waiting[0].due <= now

    def take(self) -> tuple[CompiledFunction, tuple[Any, ...]]:
        self.current = command = self._waiting.popleft()
        return command.function, command.arguments

    def unblock(self, clock: int) -> None:
        """The program is done with the current command at its local time.

        Without a current command the call has no effect: programs that only stream
        call it too.
        """
        if self.current is not None and not self._unblocking:
            self._unblocking = True
            self._pe.timeline.at(max(clock, self._pe.timeline.now), self)

    def run(self, now: int) -> None:
        """The unblocking takes effect."""
        self._unblocking = False
        self.current = None
        self.finished += 1
        if self._waiting:
            self._pe.wake(max(now, self._waiting[0].due))
