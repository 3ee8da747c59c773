"""Counters of a watched run: where cycles went, and what each link carried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pyflame.wse.machine.fabric import Fabric
from pyflame.wse.machine.limits import DIRECTIONS, OPPOSITE, RAMP
from pyflame.wse.machine.observe import Report
from pyflame.wse.machine.observed_operations import MOVING
from pyflame.wse.machine.observed_ports import CountingPort
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.recorder import MAIN_THREAD, Recorder


@dataclass(frozen=True, slots=True)
class PeCounters:
    """Cycles and wavelets of one PE.

    Args:
        busy_cycles: the main thread ran code or operations on memory.
        stalled_cycles: the main thread was in an operation that may wait, by cause;
            "moving elements" is the part that was no wait.
        idle_cycles: no task ran. The three together are the cycles of the run.
        microthread_cycles: of each microthread that ran, by cause.
        tasks: how often each task has started.
        wavelets_in, wavelets_out: taken and sent by the CE, by color.
    """

    x: int
    y: int
    busy_cycles: int
    stalled_cycles: dict[str, int]
    idle_cycles: int
    microthread_cycles: dict[int, dict[str, int]]
    tasks: dict[str, int]
    wavelets_in: dict[int, int]
    wavelets_out: dict[int, int]


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """Wavelets of one color on one link; `control` of them are control wavelets.

    `direction` is where they go. `source` is off the rectangle if the host sends.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    direction: str
    color: int
    wavelets: int
    control: int
    first_cycle: int
    last_cycle: int


@dataclass(frozen=True, slots=True)
class Counters:
    """All counters of a run of `cycles` on `width` x `height` PEs."""

    cycles: int
    width: int
    height: int
    pes: list[PeCounters]
    links: list[LinkCounters]

    def heat_map(self, direction: str) -> list[list[int]]:
        """Wavelets that leave each PE in a direction, as rows of columns."""
        grid = [[0] * self.width for _ in range(self.height)]
        for link in self.links:
            x, y = link.source
            if link.direction == direction and self._inside(x, y):
                grid[y][x] += link.wavelets
        return grid

    def _inside(self, x: int, y: int) -> bool:
        return 0 <= x < self.width and 0 <= y < self.height

    def as_json(self) -> dict[str, Any]:
        maps = {name: self.heat_map(name) for name in DIRECTIONS[:RAMP]}
        return {**asdict(self), "heat_maps": maps}

    def table(self, rows: int = 20) -> str:
        """The busiest PEs and links as text."""
        lines = [f"{self.cycles:,} cycles", *self._pe_lines(rows)]
        return "\n".join([*lines, *self._link_lines(rows)])

    def _pe_lines(self, rows: int) -> list[str]:
        lines = ["PE            busy  stalled     idle   in  out  stalled most on"]
        busiest = sorted(self.pes, key=lambda pe: -pe.busy_cycles)
        for pe in busiest[:rows]:
            waits = {k: v for k, v in pe.stalled_cycles.items() if k != MOVING}
            cause = max(waits, key=lambda k: waits[k], default="")
            worst = f"{cause} ({waits[cause]:,})" if cause else ""
            place = f"PE({pe.x},{pe.y})"
            stalled = sum(pe.stalled_cycles.values())
            lines.append(
                f"{place:<10}{pe.busy_cycles:>8,} {stalled:>8,} {pe.idle_cycles:>8,} "
                f"{sum(pe.wavelets_in.values()):>4} {sum(pe.wavelets_out.values()):>4}"
                f"  {worst}".rstrip()
            )
        return [*lines, *_more(len(busiest), rows, "PEs")]

    def _link_lines(self, rows: int) -> list[str]:
        busiest = sorted(self.links, key=lambda link: -link.wavelets)
        lines = ["link                      color  wavelets"] if busiest else []
        for link in busiest[:rows]:
            source, target = (f"({p[0]},{p[1]})" for p in (link.source, link.target))
            name = f"{source} {link.direction.lower()} to {target}"
            lines.append(f"{name:<26}{link.color:>5} {link.wavelets:>9,}")
        return [*lines, *_more(len(busiest), rows, "links")]


def _more(count: int, rows: int, what: str) -> list[str]:
    return [f"and {count - rows} more {what}"] if count > rows else []


def counters(
    recorder: Recorder,
    report: Report,
    pes: Iterable[Pe],
    fabric: Fabric,
    size: tuple[int, int],
) -> Counters:
    by_place = {(pe.x, pe.y): pe for pe in report.pes}
    found = [
        _pe_counters(recorder, pe, by_place[pe.x, pe.y].busy_cycles, report.cycles)
        for pe in pes
    ]
    sent: dict[tuple[int, int], dict[int, int]] = {}
    for channel in fabric.channels():
        if channel.wavelets_sent:
            at = sent.setdefault((channel.x, channel.y), {})
            at[channel.color] = channel.wavelets_sent
    for pe in found:
        pe.wavelets_out.update(sorted(sent.get((pe.x, pe.y), {}).items()))
    return Counters(report.cycles, *size, found, _links(fabric))


def _pe_counters(recorder: Recorder, pe: Pe, busy: int, cycles: int) -> PeCounters:
    threads: dict[int, dict[str, int]] = {}
    for (thread, cause), count in recorder.waits[pe.x, pe.y].items():
        threads.setdefault(thread, {})[cause] = count
    stalled = threads.pop(MAIN_THREAD, {})
    return PeCounters(
        pe.x,
        pe.y,
        busy,
        dict(sorted(stalled.items())),
        max(0, cycles - busy - sum(stalled.values())),
        {t - 1: dict(sorted(c.items())) for t, c in sorted(threads.items())},
        dict(sorted(recorder.tasks[pe.x, pe.y].items())),
        {c: q.read_count for c, q in sorted(pe.inputs.items()) if q.read_count},
        {},
    )


def _links(fabric: Fabric) -> list[LinkCounters]:
    links: list[LinkCounters] = []
    for channel in fabric.channels():
        for port in channel.ports[:RAMP]:
            assert isinstance(port, CountingPort), "a watched run counts at every port"
            if port.arrived:
                links.append(
                    LinkCounters(
                        fabric.origin(channel, port.direction),
                        (channel.x, channel.y),
                        DIRECTIONS[OPPOSITE[port.direction]],
                        channel.color,
                        port.arrived,
                        port.control_count,
                        port.first_at,
                        port.last_at,
                    )
                )
    return sorted(links, key=lambda k: (k.target[::-1], k.direction, k.color))
