"""What a run looked like: counts for reports, and why it cannot go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pyflame.wse.machine.dsd import INFINITE_EXTENT
from pyflame.wse.machine.limits import DIRECTIONS, RAMP
from pyflame.wse.machine.microthreads import Execution
from pyflame.wse.machine.operands import FabricDest, FabricSource, FifoDest, FifoSource
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.queues import InputQueue
from pyflame.wse.machine.router import Channel, effective_sides


@dataclass(frozen=True, slots=True)
class PeReport:
    """Cycles of one PE's main thread, and of its datapath for waiting operations.

    Args:
        stalled_cycles: the main thread waited in a synchronous operation.
        stream_cycles: elements that fabric and FIFO operations processed.
        memory_bytes: memory that the program takes.
    """

    x: int
    y: int
    busy_cycles: int
    stalled_cycles: int
    idle_cycles: int
    stream_cycles: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of a run. `wavelets` were sent by CEs; `hops` are copies over a link.

    `seconds` are the cycles at the clock of the cost model.
    """

    cycles: int
    seconds: float
    wavelets: int
    hops: int
    pes: list[PeReport]


class Routes(Protocol):
    """The fabric, as far as senders are looked for in it."""

    def channel(self, x: int, y: int, color: int) -> Channel: ...
    def feeder(self, channel: Channel, direction: int) -> Channel | None: ...
    def host_feeds(self, channel: Channel, direction: int) -> bool: ...


_MAX_LINES = 12


def explain_deadlock(
    now: int,
    pes: Iterable[Pe],
    channels: Iterable[Channel],
    routes: Routes,
    host_lines: list[str],
) -> str:
    """Who waits for what when no event is left, one line each."""
    lines = list(host_lines)
    waiting = 0
    for pe in pes:
        found = _pe_lines(pe, routes)
        waiting += bool(found)
        lines += found
    lines += [line for channel in channels for line in _channel_lines(channel)]
    shown = lines[:_MAX_LINES]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more")
    are = "1 PE waits" if waiting == 1 else f"{waiting} PEs wait"
    head = f"Deadlock at cycle {now}: {are} and nothing can move"
    return "\n  ".join([head, *shown])


def _pe_lines(pe: Pe, routes: Routes) -> list[str]:
    lines: list[str] = []
    executions = [e for e in (pe.waiting_for, *pe.microthreads) if e is not None]
    for execution in executions:
        who = "" if execution.thread is not None else f" {pe.running}"
        cause = _cause(execution, pe, routes)
        lines.append(f"{pe}{who}: {execution.spec.name} {cause}")
    for color in sorted(pe.inputs):
        line = _unread_line(pe, pe.inputs[color])
        if line:
            lines.append(line)
    command = pe.commands.current
    if command is not None:
        lines.append(
            f"{pe}: '{command.name}' was launched and unblock_cmd_stream() "
            "has not been called"
        )
    return lines


def _cause(execution: Execution, pe: Pe, routes: Routes) -> str:
    """What an operation lacks."""
    operand = execution.waiting_on
    if isinstance(operand, FabricSource):
        color = operand.queue.color
        senders = "; the host streams it"
        if not operand.queue.fed_by_host:
            senders = _senders(routes.channel(pe.x, pe.y, color), routes)
        return f"has read {_progress(execution)} of color {color}{senders}"
    if isinstance(operand, FabricDest):
        color = operand.dsd.color
        return (
            f"has sent {_progress(execution)} on color {color}; output queue "
            f"{operand.queue.number} is full"
        )
    if isinstance(operand, FifoSource):
        return f"has moved {_progress(execution)}; its source FIFO is empty"
    if isinstance(operand, FifoDest):
        return f"has moved {_progress(execution)}; its destination FIFO is full"
    if execution.thread in pe.gated_microthreads:
        return f"stands at blocked microthread {execution.thread}"
    return f"has moved {_progress(execution)}"


def _progress(execution: Execution) -> str:
    if execution.length == INFINITE_EXTENT:
        return f"{execution.processed} wavelets, without end,"
    return f"{execution.processed} of {execution.length} elements"


def _unread_line(pe: Pe, queue: InputQueue) -> str:
    """A queue with wavelets that nobody takes."""
    count = len(queue.words)
    if not count or queue.reader is not None:
        return ""
    start = f"{pe}: {_wavelets(count)} of color {queue.color} in the input queue: "
    if pe.arch.queues_need_init and queue.number is None:
        return f"{start}no @initialize_queue binds the color to one"
    task = pe.tasks.triggered_by(queue)
    if task is None and queue.words[0] >> 32:
        entry = queue.words[0] >> 16 & 0x3F
        return f"{start}no control task is bound to id {entry}"
    if task is None:
        return f"{start}no operation reads it and no task is bound to it"
    if pe.tasks.blocked[queue.block_id]:
        return f"{start}task {task.function.name} is blocked"
    return f"{start}task {task.function.name} waits for the main thread"


def _wavelets(count: int) -> str:
    return "1 wavelet" if count == 1 else f"{count} wavelets"


def _channel_lines(channel: Channel) -> list[str]:
    """Wavelets that a router holds because it has no route for them."""
    lines: list[str] = []
    for port in channel.ports:
        if not port.words or port not in channel.parked:
            continue
        start = f"{channel}: {_wavelets(len(port.words))} from "
        lines.append(f"{start}{DIRECTIONS[port.direction]}: {_no_route(channel)}")
    return lines


def _no_route(channel: Channel) -> str:
    if channel.teardown:
        return "the color is in teardown"
    if channel.config is None:
        return "the color has no route there"
    rx, tx = effective_sides(channel.config, channel.position)
    return f"the route is rx {' '.join(rx) or 'none'}, tx {' '.join(tx) or 'none'}"


def _senders(channel: Channel, routes: Routes) -> str:
    """ "; PE(1,1) sent 2" for the CEs whose wavelets are routed here now."""
    found: list[Channel] = []
    host = False
    seen: set[tuple[int, int, int]] = set()
    frontier = [channel]
    while frontier:
        at = frontier.pop()
        if (at.x, at.y, at.color) in seen or at.config is None:
            continue
        seen.add((at.x, at.y, at.color))
        for name in effective_sides(at.config, at.position)[0]:
            direction = DIRECTIONS.index(name)
            if direction == RAMP:
                found.append(at)
                continue
            host = host or routes.host_feeds(at, direction)
            before = routes.feeder(at, direction)
            if before is not None:
                frontier.append(before)
    texts = [f"PE({c.x},{c.y}) sent {c.wavelets_sent}" for c in _by_place(found)]
    texts += ["the host sends it"] * host
    return f"; {', '.join(texts)}" if texts else "; no PE's route leads there"


def _by_place(channels: list[Channel]) -> list[Channel]:
    return sorted(channels, key=lambda channel: (channel.y, channel.x))
