"""What a watched run leaves behind: slices of time, waits by cause, wavelets, logs."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from pyflame.wse.machine.sites import Site

MAIN_THREAD = 0  # in slices; microthread n is 1 + n


@dataclass(frozen=True, kw_only=True)
class Observe:
    """What to record of a run. All of it costs time and memory; nothing is the default.

    Args:
        trace: slices of tasks, operations and waits, for a Chrome trace.
        counters: waits by cause, and wavelets by link.
        log: PEs, as (x, y), whose every statement and operation is written down.
        lines: kinds of lines of the vendor simulator's log, as its users ask for
            them: "landing", "router", "inst_trace".
        max_events: slices, and lines, kept; later ones are only counted.
    """

    trace: bool = False
    counters: bool = False
    log: tuple[tuple[int, int], ...] = ()
    lines: frozenset[str] = frozenset()
    max_events: int = 2_000_000

    @property
    def slices(self) -> bool:
        return self.trace or "inst_trace" in self.lines


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time on one thread of a PE, from cycle `start` to before `end`.

    Args:
        kind: "task", "operation" or "wait".
        name: of the task or operation, or the cause of the wait.
    """

    x: int
    y: int
    thread: int
    start: int
    end: int
    kind: str
    name: str
    site: Site | None = None


@dataclass(slots=True)
class Recorder:
    """Collects what `Observe` asks for.

    `waits` counts cycles by (x, y), thread and cause. `lines` and `logs` hold pairs
    of cycle and text; `dropped` counts what came after `max_events`.
    """

    observe: Observe
    slices: list[Slice] = field(default_factory=list[Slice])
    waits: dict[tuple[int, int], Counter[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    tasks: dict[tuple[int, int], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    lines: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    logs: dict[tuple[int, int], list[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    dropped: int = 0
    ident: int = 0  # of the wavelet that a router forwards now; 0 for none
    idents: int = 0  # given out so far

    def add_slice(self, slice_: Slice) -> None:
        if not self.observe.slices or slice_.end <= slice_.start:
            return
        if len(self.slices) < self.observe.max_events:
            self.slices.append(slice_)
        else:
            self.dropped += 1

    def add_line(self, cycle: int, text: str) -> None:
        if len(self.lines) < self.observe.max_events:
            self.lines.append((cycle, text))
        else:
            self.dropped += 1

    def log(self, x: int, y: int, cycle: int, text: str) -> None:
        """A line of the log of one PE, if that PE has one."""
        if (x, y) not in self.observe.log:
            return
        lines = self.logs[x, y]
        if len(lines) < self.observe.max_events:
            lines.append((cycle, text))
        else:
            self.dropped += 1

    def new_ident(self) -> int:
        self.idents += 1
        return self.idents
