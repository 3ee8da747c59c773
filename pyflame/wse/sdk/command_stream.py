"""The order in which host commands happen.

Launches and copies form one ordered stream: a copy starts when every launch before
it has been acknowledged by all PEs, and a launch may be handed to the wafer as soon
as the copies before it are done. Streaming transfers go around that stream, so that
a stream into the wafer and one out of it overlap. Streams into the wafer keep their
order: the fabric comes to rest with one, as far as it takes it in, before the next
stream or launch reaches it. The host is far slower than the wafer, and programs rely
on that (two streams may pass through one buffer of a PE).

Simulated time passes only inside calls that wait. A call that does not wait still
does what can be done at once, and leaves the rest to a later call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import Deadlock


class HostWafer(Protocol):
    """The part of the machine that the host runtime drives."""

    def launch(self, name: str, args: list[int]) -> int: ...
    def done(self, ticket: int) -> bool: ...
    def send(self, color: int, x: int, y: int, words: NDArray[np.uint32]) -> int: ...
    def receive(self, color: int, x: int, y: int, n: int) -> int: ...
    def words(self, ticket: int) -> NDArray[np.uint32]: ...
    def run_until(self, ticket: int) -> None: ...
    def run_until_quiet(self) -> None: ...


class Task:
    """One host operation, as `task_wait` and `is_task_done` know it."""

    def __init__(self) -> None:
        self.finished = False


class LaunchTask(Task):
    """Runs an exported function on every PE."""

    def __init__(self, name: str, words: list[int]) -> None:
        super().__init__()
        self.name = name
        self.words = words
        self.ticket: int | None = None

    def issue(self, wafer: HostWafer) -> int:
        """Hands the launch to the wafer, once; gives its ticket."""
        if self.ticket is None:
            self.ticket = wafer.launch(self.name, self.words)
        return self.ticket


class CopyTask(Task):
    """Reads or writes PE memory when its turn comes."""

    def __init__(self, action: Callable[[], None]) -> None:
        super().__init__()
        self.action = action


class StreamTask(Task):
    """Wavelets under way to or from the PEs of a region.

    `issue` hands it to the wafer and gives one ticket per PE; `collect` stores what
    was received, once everything is there.
    """

    def __init__(
        self,
        issue: Callable[[], Sequence[int]],
        collect: Callable[[Sequence[int]], None] | None = None,
    ) -> None:
        super().__init__()
        self._issue = issue
        self._collect = collect
        self.tickets: Sequence[int] = ()

    @property
    def sends(self) -> bool:
        """Whether the wavelets go to the wafer."""
        return self._collect is None

    def start(self) -> None:
        self.tickets = self._issue()

    def finish(self) -> None:
        if self._collect is not None:
            self._collect(self.tickets)
        self.finished = True


class CommandStream:
    """The host's operations on one running wafer."""

    def __init__(self, wafer: HostWafer) -> None:
        self._wafer = wafer
        self._ordered: list[LaunchTask | CopyTask] = []
        self._streams: list[StreamTask] = []

    def add(self, task: LaunchTask | CopyTask, nonblock: bool) -> Task:
        """Appends to the ordered stream.

        Raises:
            Deadlock: the call blocks and the wafer can never get that far.
        """
        if isinstance(task, LaunchTask):
            self._take_in_sends()
        self._ordered.append(task)
        if nonblock:
            self._start_ready()
        else:
            self.wait(task)
        return task

    def add_receive(self, task: StreamTask, nonblock: bool) -> Task:
        """A transfer from the wafer. Raises Deadlock as `add` does."""
        task.start()
        self._streams.append(task)
        if not nonblock:
            self.wait(task)
        return task

    def add_send(self, task: StreamTask, nonblock: bool) -> Task:
        """A transfer to the wafer.

        A blocking one returns when the fabric has come to rest with the data. What
        does not fit waits in the host's buffers, so this is no deadlock by itself.
        """
        self._take_in_sends()
        task.start()
        self._streams.append(task)
        if not nonblock:
            self._take_in_sends()
        return task

    def wait(self, task: Task) -> None:
        """Returns when a task is done.

        Raises:
            Deadlock: it never will be.
        """
        if isinstance(task, StreamTask):
            self._finish_stream(task)
        while not task.finished:
            self._finish_first()
        self._collect_streams()

    def try_finish(self, task: Task) -> bool:
        """Whether a task is done, after running the wafer as far as it needs."""
        try:
            self.wait(task)
        except Deadlock:
            self._collect_streams()
        return task.finished

    def wait_for_all(self) -> None:
        """Returns when every operation is done. Raises Deadlock if one never is."""
        while self._ordered:
            self._finish_first()
        while self._streams:
            self._finish_stream(self._streams[0])

    # --- the ordered stream -------------------------------------------------------

    def _finish_first(self) -> None:
        task = self._ordered[0]
        if isinstance(task, LaunchTask):
            self._issue_launches()
            self._wafer.run_until(task.issue(self._wafer))
        else:
            task.action()
        task.finished = True
        del self._ordered[0]

    def _issue_launches(self) -> None:
        """Hands the launches at the head of the stream to the wafer."""
        for task in self._ordered:
            if not isinstance(task, LaunchTask):
                return
            task.issue(self._wafer)

    def _start_ready(self) -> None:
        """Does what needs no waiting for the host: see the module's docstring."""
        try:
            while any(isinstance(task, CopyTask) for task in self._ordered):
                self._finish_first()
        except Deadlock:
            return  # a later host call has to come first
        self._issue_launches()

    # --- streams ------------------------------------------------------------------

    def _take_in_sends(self) -> None:
        """Lets the fabric come to rest with the streams that are under way to it."""
        if any(task.sends for task in self._streams):
            self._wafer.run_until_quiet()
            self._collect_streams()

    def _finish_stream(self, task: StreamTask) -> None:
        if task.finished:
            return
        for ticket in task.tickets:
            self._wafer.run_until(ticket)
        self._complete(task)

    def _collect_streams(self) -> None:
        for task in list(self._streams):
            if all(self._wafer.done(ticket) for ticket in task.tickets):
                self._complete(task)

    def _complete(self, task: StreamTask) -> None:
        task.finish()
        self._streams.remove(task)
