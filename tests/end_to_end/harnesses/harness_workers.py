"""Jobs in processes of their own: one that hangs or dies costs itself only.

Limits are of processor time, so that what else the machine does matters little; a
process that waits instead of computing is ended after many times as long.
"""

from __future__ import annotations

import resource
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing import connection, get_context
from typing import Any

from harness_verdict import Job, Outcome, outcome_of

MEMORY_BYTES = 8 << 30
_JOBS_PER_PROCESS = 150  # JAX keeps what it has compiled
_START_SECONDS = 600.0
_WAITING = 20  # times the limit


class OutOfTime(BaseException):
    """Raised in the midst of a job; no handler of errors takes it for one."""


class Worker:
    """A process that answers one job at a time; it gets a new one when it is old."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.done = 0

    def give(self, job: Job, limit_seconds: float) -> None:
        if self.done >= _JOBS_PER_PROCESS:
            self.end()
            self._start()
        starting = 0.0 if self.done else _START_SECONDS
        self.job = job
        self.deadline = time.monotonic() + _WAITING * limit_seconds + starting
        self.pipe.send((job, limit_seconds))

    def take(self) -> Outcome | None:
        """The outcome, if there is one by now."""
        assert self.job is not None, "no job was given"
        outcome: Outcome | None = None
        if self.pipe.poll():
            outcome = self._received()
        elif time.monotonic() > self.deadline:
            outcome = self._lost("timeout", "waited longer than the limit")
        if outcome is not None:
            self.job = None
            self.done += 1
        return outcome

    def _received(self) -> Outcome:
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            code = self.process.exitcode
            return self._lost("crash", f"the process died with {code}")

    def _lost(self, verdict: str, reason: str) -> Outcome:
        job = self.job
        assert job is not None, "no job was given"
        self.end()
        self._start()
        return Outcome(job.harness, job.mesh, job.target, verdict, reason)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def outcomes(
    jobs: Iterable[Job], processes: int, limit_seconds: float
) -> Iterator[Outcome]:
    """The outcome of every job, as they come."""
    waiting = deque(jobs)
    workers = [Worker() for _ in range(min(processes, len(waiting)))]
    try:
        while waiting or any(worker.job for worker in workers):
            for worker in workers:
                if worker.job is None and waiting:
                    worker.give(waiting.popleft(), limit_seconds)
            busy = [worker for worker in workers if worker.job]
            connection.wait([worker.pipe for worker in busy], timeout=1.0)
            found = [worker.take() for worker in busy]
            yield from (outcome for outcome in found if outcome is not None)
    finally:
        for worker in workers:
            worker.end()


def _serve(pipe: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGPROF, _stop)
    while True:
        pipe.send(_timed(*pipe.recv()))


def _stop(*_: Any) -> None:
    raise OutOfTime


def _timed(job: Job, limit_seconds: float) -> Outcome:
    try:
        # Again and again: what is raised inside a callback is not handed on.
        signal.setitimer(signal.ITIMER_PROF, max(limit_seconds, 1e-6), 0.05)
        return outcome_of(job)
    except OutOfTime:
        reason = "took longer than the limit"
        return Outcome(job.harness, job.mesh, job.target, "timeout", reason)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
