"""Why a run cannot go on: who waits for what, and why it will not come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pyflame.wse.machine.dsd import INFINITE_EXTENT
from pyflame.wse.machine.limits import DIRECTIONS, NO_ENTRY_POINT, RAMP
from pyflame.wse.machine.microthreads import Execution
from pyflame.wse.machine.operands import FabricDest, FabricSource, FifoDest, FifoSource
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.router import Channel, effective_sides
from pyflame.wse.machine.sites import short_place
from pyflame.wse.machine.wavelet import entry_point


class Routes(Protocol):
    """The fabric, as far as senders are looked for in it."""

    def is_inside(self, x: int, y: int) -> bool: ...
    @property
    def pe(self) -> Callable[[int, int], Pe]: ...
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
    pes = list(pes)
    lines = [*host_lines, *_ring_lines(pes, routes)]
    waiting = 0
    for pe in pes:
        found = _pe_lines(pe, routes)
        waiting += bool(found)
        lines += found
    lines += [line for channel in channels for line in _channel_lines(channel, routes)]
    shown = lines[:_MAX_LINES]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more")
    are = "1 PE waits" if waiting == 1 else f"{waiting} PEs wait"
    head = f"Deadlock at cycle {now}: {are} and nothing can move"
    return "\n  ".join([head, *shown])


def _pe_lines(pe: Pe, routes: Routes) -> list[str]:
    lines: list[str] = []
    for execution in _executions(pe):
        who = "" if execution.thread is not None else f" {pe.running}"
        cause = _cause(execution, pe, routes)
        lines.append(f"{pe}{who}: {_named(execution)} {cause}")
    for color in sorted(pe.inputs):
        line = _unread_line(pe, pe.inputs[color])
        if line:
            lines.append(line)
    for id_, task in pe.tasks.local.items():
        if pe.tasks.active[id_] and pe.tasks.blocked[id_]:
            name = task.function.name
            lines.append(
                f"{pe}: task {name} (id {id_}) has been activated, but is blocked"
            )
    command = pe.commands.current
    if command is not None:
        lines.append(
            f"{pe}: '{command.name}' was launched and unblock_cmd_stream() "
            "has not been called"
        )
    return lines


def _executions(pe: Pe) -> list[Execution]:
    return [e for e in (pe.waiting_for, *pe.microthreads) if e is not None]


def _named(execution: Execution) -> str:
    """An operation and where the source has it."""
    name = execution.spec.name
    if execution.site is None:
        return name
    return f"{name} ({short_place(execution.site.span)})"


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
        return start + _no_control_task(queue)
    if task is None:
        return f"{start}no operation reads it and no task is bound to it"
    if pe.tasks.blocked[queue.block_id]:
        return f"{start}task {task.function.name} is blocked"
    return f"{start}task {task.function.name} waits for the main thread"


def _no_control_task(queue: InputQueue) -> str:
    entry = entry_point(queue.words[0])
    if entry == NO_ENTRY_POINT:
        return "its control wavelet names no task, and its command lets it to the CE"
    return f"no control task is bound to id {queue.first_control_id + entry}"


def _wavelets(count: int) -> str:
    return "1 wavelet" if count == 1 else f"{count} wavelets"


def _channel_lines(channel: Channel, routes: Routes) -> list[str]:
    """Wavelets that a router holds because it has no route for them."""
    lines: list[str] = []
    for port in channel.ports:
        if not port.words or port not in channel.parked:
            continue
        start = f"{channel}: {_wavelets(len(port.words))} from "
        reason = _no_route(channel)
        if not routes.is_inside(channel.x, channel.y):
            reason = "that is outside of the program's rectangle"
        lines.append(f"{start}{DIRECTIONS[port.direction]}: {reason}")
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
    found, host = _sources(channel, routes)
    texts = [_sent(c, routes) for c in found]
    texts += ["the host sends it"] * host
    return f"; {', '.join(texts)}" if texts else "; no PE's route leads there"


def _sent(channel: Channel, routes: Routes) -> str:
    """What a CE has sent, and whether it has more."""
    text = f"PE({channel.x},{channel.y}) sent {channel.wavelets_sent}"
    pe = routes.pe(channel.x, channel.y)
    sends = any(_sends(e, channel.color) for e in _executions(pe))
    queued = any(_holds(queue, channel) for queue in pe.outputs)
    if sends or queued:
        return text
    if pe.waiting_for is not None:
        return f"{text} and waits itself"
    return f"{text} and sends no more"


def _sends(execution: Execution, color: int) -> bool:
    return any(
        isinstance(operand, FabricDest) and operand.dsd.color == color
        for operand in execution.operands
    )


def _holds(queue: OutputQueue, channel: Channel) -> bool:
    return queue.channel is channel and bool(queue.words)


def _sources(channel: Channel, routes: Routes) -> tuple[list[Channel], bool]:
    """The CEs whose wavelets are routed to a channel now, and whether the host is."""
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
    return sorted(found, key=lambda c: (c.y, c.x)), host


# --- rings ------------------------------------------------------------------------

_Place = tuple[int, int]


def _ring_lines(pes: list[Pe], routes: Routes) -> list[str]:
    """The first ring of PEs of which each waits for what the next would send."""
    waits: dict[_Place, list[_Place]] = {}
    for pe in pes:
        targets = _waited_for(pe, routes)
        if targets:
            waits[pe.x, pe.y] = targets
    for start in waits:
        ring = _ring(start, waits)
        if ring:
            names = [f"PE({x},{y})" for x, y in ring]
            links = ", which waits for ".join([*names[1:], names[0]])
            return [f"{names[0]} waits for {links}"]
    return []


def _waited_for(pe: Pe, routes: Routes) -> list[_Place]:
    """PEs that could send what the main thread waits for, if they went on."""
    execution = pe.waiting_for
    if execution is None or not isinstance(execution.waiting_on, FabricSource):
        return []
    queue = execution.waiting_on.queue
    if queue.fed_by_host:
        return []
    found, host = _sources(routes.channel(pe.x, pe.y, queue.color), routes)
    return [] if host else [(c.x, c.y) for c in found if (c.x, c.y) != (pe.x, pe.y)]


def _ring(start: _Place, waits: dict[_Place, list[_Place]]) -> list[_Place]:
    """The places from `start` back to it, each waiting for the next; or none."""
    path, at = [start], start
    while True:
        onward = [place for place in waits.get(at, []) if place in waits]
        if start in onward:
            return path
        fresh = [place for place in onward if place not in path]
        if not fresh:
            return []
        at = fresh[0]
        path.append(at)
