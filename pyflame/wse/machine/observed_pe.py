"""A PE that records what it runs."""

from __future__ import annotations

from typing import Any

from pyflame.wse.machine.describe_operation import operation_text
from pyflame.wse.machine.memory_objects import MemoryObjects
from pyflame.wse.machine.observed_operations import WatchedFilter, WatchedOperation
from pyflame.wse.machine.operations import Operation
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.program import CompiledFunction
from pyflame.wse.machine.recorder import MAIN_THREAD, Recorder, Slice
from pyflame.wse.machine.sites import Site, short_place


class ObservedPe(Pe):
    """Behaves as `Pe` does, to the cycle. `objects` names memory in its log."""

    def __init__(self, recorder: Recorder, *args: Any) -> None:
        self.recorder = recorder
        self.objects = MemoryObjects(())
        super().__init__(*args)
        self.execution_kinds = (WatchedOperation, WatchedFilter)
        self._task_began = 0
        self._last_logged = (-1, "")

    def _begin(self, function: CompiledFunction, arguments: tuple[Any, ...]) -> None:
        self._task_began = self._busy_until
        self.recorder.tasks[self.x, self.y][self.running] += 1
        values = f"({', '.join(map(str, arguments))})" if arguments else ""
        self.note(self._busy_until, f"task {self.running}{values} starts")
        super()._begin(function, arguments)

    def _end_task(self) -> None:
        name, end = self.running, self.clock
        self._slice(self._task_began, end, "task", name)
        self.note(end, f"task {name} ends")
        super()._end_task()

    def run_memory_op(self, operation: Operation) -> bool:
        start = self.clock
        result = super().run_memory_op(operation)
        self._ran(start, operation)
        return result

    def issue(self, operation: Operation) -> bool | None:
        start = self.clock
        text = self._text(operation)
        result = super().issue(operation)
        if result is None:
            self.note(start, f"{text} is issued; the main thread waits for it")
        elif operation.config.asynchronous:
            self.note(start, f"{text} is issued")
        else:
            self._ran(start, operation)
        return result

    def start_async(self, operation: Operation) -> None:
        self.note(self.clock, f"{self._text(operation)} is issued")
        super().start_async(operation)

    def activate(self, id_: int) -> None:
        self.note(self.clock, f"activates task id {id_}")
        super().activate(id_)

    def resume(self, result: bool, now: int) -> None:
        self.note(now, "the main thread goes on")
        super().resume(result, now)

    def log_statement(self, site: Site) -> None:
        """Called by generated code before each statement. Expressions that are made
        of several statements, such as `if`, count as one."""
        if (self.x, self.y) not in self.recorder.observe.log:
            return
        line, _ = site.span.line_column()
        text = site.span.source.line_text(line).strip()
        logged = (self.clock, f"{short_place(site.span)}  {text}")
        if logged != self._last_logged:
            self._last_logged = logged
            self.note(*logged)

    def note(self, cycle: int, text: str) -> None:
        self.recorder.log(self.x, self.y, cycle, text)

    def _ran(self, start: int, operation: Operation) -> None:
        cycles = self.clock - start
        name = operation.spec.name
        self._slice(start, self.clock, "operation", name, operation.site)
        self.note(start, f"{self._text(operation)} takes {cycles} cycles")

    def _text(self, operation: Operation) -> str:
        if (self.x, self.y) not in self.recorder.observe.log:
            return ""
        return operation_text(operation, self.objects)

    def _slice(
        self, start: int, end: int, kind: str, name: str, site: Site | None = None
    ) -> None:
        self.recorder.add_slice(
            Slice(self.x, self.y, MAIN_THREAD, start, end, kind, name, site)
        )
