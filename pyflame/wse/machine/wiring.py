"""What a layout built in Python adds to the fabric: pipes, host ports, initial data.

A pipe joins a side of one router to a side of another. It stands for a route of its
own: one wavelet per cycle, the latency of the shortest path, and room for as many
wavelets as the routers of that path would hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import HostPort, Pipe, RouterSide
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.fabric import Fabric, Side
from pyflame.wse.machine.limits import DIRECTIONS
from pyflame.wse.machine.links import Link
from pyflame.wse.machine.queues import HostSink, HostSource, PortSink
from pyflame.wse.machine.timeline import Timeline


@dataclass(frozen=True, slots=True)
class _Source:
    port: HostPort
    source: HostSource


@dataclass(frozen=True, slots=True)
class _Sink:
    port: HostPort
    sink: HostSink


class Wires:
    """The pipes and named host ports of one wafer."""

    def __init__(self, timeline: Timeline, costs: Costs, fabric: Fabric) -> None:
        self._timeline = timeline
        self._costs = costs
        self._fabric = fabric
        self._sources: dict[str, _Source] = {}
        self._sinks: dict[str, _Sink] = {}

    def lay(self, pipe: Pipe) -> None:
        """Leads what leaves at the pipe's source to its target."""
        source, target = pipe.source, pipe.target
        across, down = abs(source.x - target.x), abs(source.y - target.y)
        hops = max(1, across + down)
        latency = hops * self._costs.hop_cycles
        if across and down:
            latency += self._costs.turn_cycles
        channel = self._fabric.channel(target.x, target.y, target.color)
        entrance = channel.ports[DIRECTIONS.index(target.direction)]
        entrance.capacity *= hops
        self._fabric.lead(_side(source), entrance, latency)

    def open(self, port: HostPort) -> None:
        """Gives the host its end of a named port."""
        latency = port.hops * self._costs.hop_cycles
        if port.direction == "in":
            entrance = self._fabric.host_entrance(_side(port.side))
            entrance.capacity *= port.hops
            link = Link(self._timeline, self._costs.wavelet_millicycles)
            source = HostSource(self._timeline, entrance, link, latency)
            self._sources[port.name] = _Source(port, source)
        else:
            sink = PortSink(self._timeline, port.buffer_wavelets)
            self._fabric.lead(_side(port.side), sink, latency)
            self._sinks[port.name] = _Sink(port, sink)

    def source(self, name: str) -> tuple[HostSource, int]:
        """The source of a port, and how many wavelets its buffer holds.

        Raises:
            HostError: no port of that name takes wavelets.
        """
        found = self._sources.get(name)
        if found is None:
            raise HostError(f"no port '{name}' takes wavelets from the host")
        return found.source, found.port.buffer_wavelets

    def sink(self, name: str) -> HostSink:
        """The sink of a port.

        Raises:
            HostError: no port of that name gives wavelets.
        """
        found = self._sinks.get(name)
        if found is None:
            raise HostError(f"no port '{name}' gives wavelets to the host")
        return found.sink

    def waiting_lines(self) -> list[str]:
        """One line for each port that the host waits for."""
        lines: list[str] = []
        for name, given in self._sources.items():
            source, side = given.source, given.port.side
            if source.words:
                total = source.sent_count + len(source.words)
                lines.append(
                    f"the host has sent {source.sent_count} of {total} wavelets to "
                    f"port '{name}' of PE({side.x},{side.y})"
                )
        for name, found in self._sinks.items():
            sink, side = found.sink, found.port.side
            if len(sink.arrived) < sink.asked:
                lines.append(
                    f"the host has received {len(sink.arrived)} of {sink.asked} "
                    f"wavelets from port '{name}' of PE({side.x},{side.y})"
                )
        return lines


def _side(side: RouterSide) -> Side:
    return side.x, side.y, side.color, DIRECTIONS.index(side.direction)
