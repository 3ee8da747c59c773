"""Router inputs that count what comes over their link, and write it down."""

from __future__ import annotations

from collections import deque

from pyflame.wse.machine import wavelet
from pyflame.wse.machine.limits import DIRECTIONS, OPPOSITE, RAMP
from pyflame.wse.machine.recorder import Recorder
from pyflame.wse.machine.router import Branch, Channel, Port
from pyflame.wse.machine.timeline import Timeline

_LETTERS = tuple(name[0] for name in DIRECTIONS)
_SLOTS = "ENWSR"  # of the directions in which a wavelet departs


class CountingPort(Port):
    """Counts wavelets, and those of them that are control wavelets."""

    __slots__ = ("arrived", "control_count", "first_at", "last_at", "recorder")

    def __init__(
        self,
        recorder: Recorder,
        timeline: Timeline,
        channel: Channel,
        direction: int,
        capacity: int,
    ) -> None:
        super().__init__(timeline, channel, direction, capacity)
        self.recorder = recorder
        self.arrived = self.control_count = 0
        self.first_at = self.last_at = -1

    def push(self, word: int, seen_from: int) -> None:
        super().push(word, seen_from)
        self.arrived += 1
        self.control_count += word >> 32 & 1
        self.last_at = self.times[-1]
        if self.first_at < 0:
            self.first_at = self.last_at


class WritingPort(CountingPort):
    """Also writes the lines of the vendor's simulator, as public viewers read them.

    A wavelet keeps its `ident` from router to router.
    """

    __slots__ = ("_idents", "_place")

    def __init__(
        self,
        offsets: tuple[int, int],
        recorder: Recorder,
        timeline: Timeline,
        channel: Channel,
        direction: int,
        capacity: int,
    ) -> None:
        super().__init__(recorder, timeline, channel, direction, capacity)
        self._idents: deque[int] = deque()
        x, y = channel.x + offsets[0], channel.y + offsets[1]
        self._place = f"P{x}.{y}"

    def push(self, word: int, seen_from: int) -> None:
        super().push(word, seen_from)
        recorder = self.recorder
        self._idents.append(recorder.ident or recorder.new_ident())
        if "landing" in recorder.observe.lines:
            cycle, link = self.times[-1], _LETTERS[self.direction]
            recorder.add_line(
                cycle,
                f"@{cycle} {self._place} (hwtile) landing C{self.channel.color} from "
                f"link {link}, {_payload(word)}",
            )

    def run(self, now: int) -> None:
        branch = self.channel.route[self.direction]
        before = len(self.words)
        if branch is None or not before:
            super().run(now)
            return
        word, recorder = self.words[0], self.recorder
        departing = self._departing(word, branch)
        recorder.ident = self._idents[0]
        super().run(now)
        ident, recorder.ident = recorder.ident, 0
        if len(self.words) < before:
            self._idents.popleft()
            self._write(now, word, ident, departing)

    def _departing(self, word: int, branch: Branch) -> str:
        """A letter for each direction in which the head would leave, else a blank."""
        targets = [hop.target for hop in self._selected_hops(word, branch)]
        letters = {
            _LETTERS[OPPOSITE[t.direction]] if isinstance(t, Port) else _LETTERS[RAMP]
            for t in targets
        }
        return "".join(slot if slot in letters else " " for slot in _SLOTS)

    def _write(self, now: int, word: int, ident: int, departing: str) -> None:
        if "router" not in self.recorder.observe.lines:
            return
        to_ce = ", to_ce_from_router" if departing[-1] != " " else ", no_ce"
        self.recorder.add_line(
            now,
            f"@{now} {self._place} (hwtile) wavelet C{self.channel.color} "
            f"{_payload(word)} (u16({word & 0xFFFF})), half=0, ident={ident:x} "
            f"landing={_LETTERS[self.direction]} departing=/{departing}/{to_ce}",
        )


def _payload(word: int) -> str:
    control = int(bool(word & wavelet.CONTROL))
    return f"ctrl={control}, idx={word >> 16 & 0xFFFF:04x}, data={word & 0xFFFF:04x}"
