"""Host state that a traced function moves on: it is moved on again at every call.

An event knows what it must find for the program to be the right one (`holds`), does
the host's part of the call (`run`), and takes it back if the call fails (`undo`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from itertools import chain
from operator import is_, itemgetter
from typing import Any

from pyflame import creation
from pyflame.node import Node
from pyflame.optim.fused import Job


class RandomRequests:
    """Random tensors: `count` of them before the seed was set anew, if it was."""

    def __init__(self, seed: int, taken: int) -> None:
        self.count = 0
        self.reseeded = False
        self.now = (seed, taken)
        self.after = (0, 0)

    def settle(self) -> None:
        """The traced run is over: remembers where it left the generator."""
        self.after = creation.random_state()

    def holds(self) -> str:
        return ""

    def run(self, numbers: list[float]) -> None:
        self.now = creation.take_random(self.count)
        if self.reseeded:
            creation.set_random_state(*self.after)

    def undo(self) -> None:
        """Requests stay taken, as they do when an op fails."""


class OptimizerStep:
    """A step: its numbers are worked out from the options and counts of the moment."""

    def __init__(self, optimizer: Any, jobs: Sequence[Job]) -> None:
        self.optimizer = optimizer
        self._state = optimizer.state
        self._jobs = [_JobState(optimizer, job) for job in jobs]
        self._groups = list(optimizer.param_groups)

    def first_numbers(self) -> list[float]:
        return [x for job in self._jobs for set_ in job.distinct for x in set_]

    def split(self, made: list[Node]) -> list[list[Node]]:
        """The nodes of `first_numbers`, job by job."""
        rest = iter(made)
        return [
            [next(rest) for set_ in job.distinct for _ in set_] for job in self._jobs
        ]

    def holds(self) -> str:
        optimizer = self.optimizer
        if optimizer.state is not self._state:
            return "an optimizer has loaded another state"
        if not _same(optimizer.param_groups, self._groups):
            return "an optimizer has other parameter groups"
        for job in self._jobs:
            if reason := job.holds(optimizer):
                return reason
        return ""

    def run(self, numbers: list[float]) -> None:
        for job in self._jobs:
            job.run(self.optimizer, numbers)
        self.optimizer.steps_taken += 1

    def undo(self) -> None:
        for job in self._jobs:
            job.move(-1)
        self.optimizer.steps_taken -= 1

    def first_undo(self) -> Callable[[], None]:
        """Takes back the traced run, which may have made the state."""
        optimizer = self.optimizer
        state = {param: dict(entry) for param, entry in optimizer.state.items()}
        taken = optimizer.steps_taken

        def undo() -> None:
            for param in list(optimizer.state):
                if param not in state:
                    del optimizer.state[param]
                else:
                    optimizer.state[param].clear()
                    optimizer.state[param].update(state[param])
            optimizer.steps_taken = taken

        return undo


class _JobState:
    """The parameters that one group's step updates, and what it found."""

    def __init__(self, optimizer: Any, job: Job) -> None:
        self.group, self.rule = job.group, job.rule
        self.params = list(job.params)
        self.all_params = list(job.group["params"])
        self.distinct = list(dict.fromkeys(job.numbers))
        self.entries = [optimizer.state.get(param) for param in job.params]
        which = {numbers: i for i, numbers in enumerate(self.distinct)}
        self.sets: list[list[Any]] = [[] for _ in self.distinct]
        for numbers, entry in zip(job.numbers, self.entries, strict=True):
            self.sets[which[numbers]].append(entry)
        self.counts = "step" in optimizer._per_param
        self.options_of = itemgetter(*optimizer.defaults)
        self.options = _as_tuple(self.options_of(job.group))
        self.kept_of = itemgetter(*job.rule.state) if job.rule.state else None
        self.kept = [tensor for state in job.states for tensor in state]

    def holds(self, optimizer: Any) -> str:
        group = self.group
        if not _same(group["params"], self.all_params):
            return "a parameter group has other parameters"
        options = _as_tuple(self.options_of(group))
        if not all(map(is_, options, self.options)):
            named = dict(zip(optimizer.defaults, options, strict=True))
            group.update(optimizer._checked_options(named))
            if optimizer._rule(group) != self.rule:
                return "an option of an optimizer asks for other arithmetic"
            self.options = _as_tuple(self.options_of(group))
        if not all(map(is_, map(optimizer.state.get, self.params), self.entries)):
            return "an optimizer has state that it had not"
        if None in self.entries:
            return "an optimizer has had no state"
        return self._kept_holds() or self._counts_hold()

    def _kept_holds(self) -> str:
        if self.kept_of is None:
            return ""
        try:
            kept = map(self.kept_of, self.entries)
            if len(self.rule.state) > 1:
                kept = chain.from_iterable(kept)
            same = all(map(is_, kept, self.kept))
        except KeyError:
            same = False
        return "" if same else "an optimizer has other tensors in its state"

    def _counts_hold(self) -> str:
        if self.counts:
            for entries in self.sets:
                steps = [entry["step"] for entry in entries]
                if steps.count(steps[0]) != len(steps):
                    return "parameters have been updated unequally often"
        return ""

    def run(self, optimizer: Any, numbers: list[float]) -> None:
        for entries in self.sets:
            numbers += optimizer._numbers(self.group, entries[0])
        self.move(1)

    def move(self, steps: int) -> None:
        if self.counts:
            for entry in self.entries:
                entry["step"] += steps


class SchedulerStep:
    """A scheduler's step, taken at every call."""

    def __init__(self, scheduler: Any, args: tuple[Any, ...]) -> None:
        self._scheduler, self._args = scheduler, args
        self._before: Callable[[], None] | None = None

    def holds(self) -> str:
        return ""

    def run(self, numbers: list[float]) -> None:
        self._before = self.snapshot()
        self._scheduler.step(*self._args)

    def undo(self) -> None:
        if self._before is not None:
            self._before()

    def snapshot(self) -> Callable[[], None]:
        """What puts the scheduler and the learning rates back to now."""
        mine = {k: copy(v) for k, v in vars(self._scheduler).items()}
        mine["optimizer"] = self._scheduler.optimizer
        groups = [dict(group) for group in self._scheduler.optimizer.param_groups]

        def restore() -> None:
            vars(self._scheduler).update(mine)
            optimizer = self._scheduler.optimizer
            for group, before in zip(optimizer.param_groups, groups, strict=True):
                group.clear()
                group.update(before)

        return restore


Event = RandomRequests | OptimizerStep | SchedulerStep


def _same(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return len(a) == len(b) and all(map(is_, a, b))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
