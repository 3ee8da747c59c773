"""The steps of a run: cycle after cycle, with leaps over what is steady."""

from __future__ import annotations

from pyflame.wse.machine.leaps import (
    certain_periods,
    flows_between,
    leap,
    share_memory,
)
from pyflame.wse.machine.steady import (
    Pending,
    Survey,
    pending_streams,
    streams_come_next,
    survey,
)
from pyflame.wse.machine.timeline import Timeline

# A period is looked for over so many steps, then from another cycle on.
_LONGEST_PERIOD_STEPS = 16
# After a look that cost a survey and found nothing.
_FIRST_PAUSE_STEPS = 16
_LONGEST_PAUSE_STEPS = 512
# Shorter leaps cost more than the steps.
_SHORTEST_LEAP_CYCLES = 8


class Stepper:
    """Steps the timeline, and leaps where it finds a period.

    That the same is due as some cycles ago is quickly seen, and costs next to nothing
    where it is not so. Then two surveys, a period apart, decide.
    """

    __slots__ = ("_before", "_glance", "_pause", "_steps_left", "_timeline", "leaps")

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._glance: Pending = []
        self._before: Survey | None = None
        self._pause = _FIRST_PAUSE_STEPS
        self._steps_left = 0
        self.leaps = 0

    def step_within(self, max_cycles: int) -> bool:
        """`Timeline.step_within`, after a leap if there can be one."""
        self._steps_left -= 1
        if self._steps_left < 0:
            self._look_from_here()
        elif self._glance and self._timeline.awaits(self._glance):
            self._survey(max_cycles)
        return self._timeline.step_within(max_cycles)

    def forget(self) -> None:
        """The machine is about to change from outside."""
        self._steps_left = 0
        self._glance = []
        self._before = None

    def _look_from_here(self) -> None:
        self.forget()
        self._steps_left = _LONGEST_PERIOD_STEPS
        if streams_come_next(self._timeline):
            pending, fixed_at = pending_streams(self._timeline)
            near = fixed_at - self._timeline.now < _SHORTEST_LEAP_CYCLES
            self._glance = [] if near else pending

    def _survey(self, max_cycles: int) -> None:
        """The first time remembers how things stand, the second compares."""
        before, self._before = self._before, survey(self._timeline)
        found = self._before
        if found is None or not found.progress:
            self._rest()
        elif before is None:
            self._glance = found.pending
            self._steps_left = _LONGEST_PERIOD_STEPS
        elif before.standings != found.standings or before.pending != found.pending:
            self._rest()
        elif not self._leap(before, found, max_cycles):
            self._rest()

    def _leap(self, before: Survey, after: Survey, max_cycles: int) -> bool:
        period = after.now - before.now
        flows = flows_between(before, after)
        if not period or not flows:
            return False
        periods = certain_periods(after, flows, period, max_cycles)
        too_short = periods * period < _SHORTEST_LEAP_CYCLES
        if too_short or share_memory(flows, periods):
            return False
        leap(self._timeline, before, after, flows, periods)
        self.leaps += 1
        self.forget()
        self._pause = _FIRST_PAUSE_STEPS
        return True

    def _rest(self) -> None:
        self.forget()
        self._steps_left = self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_STEPS)
