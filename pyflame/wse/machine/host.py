"""The host's streaming ports at the PEs."""

from __future__ import annotations

from collections.abc import Callable

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import Image
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.fabric import Fabric
from pyflame.wse.machine.limits import MAX_SWITCH_POSITION, RAMP
from pyflame.wse.machine.links import Link
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.queues import HostSink, HostSource
from pyflame.wse.machine.router import Branch, Hop, Route
from pyflame.wse.machine.timeline import Timeline


class HostPorts:
    """Sources and sinks by (color, x, y): memcpy's streaming colors at each PE."""

    def __init__(
        self,
        timeline: Timeline,
        costs: Costs,
        fabric: Fabric,
        pe_at: Callable[[int, int], Pe],
    ) -> None:
        self._timeline = timeline
        self._costs = costs
        self._fabric = fabric
        self._pe_at = pe_at
        self._streams: dict[int, str] = {}
        self._sources: dict[tuple[int, int, int], HostSource] = {}
        self._sinks: dict[tuple[int, int, int], HostSink] = {}

    def open_sinks(self, image: Image) -> None:
        """Leads every d2h color from each CE to its sink."""
        self._streams = dict(image.host_streams)
        for color, direction in sorted(self._streams.items()):
            if direction == "d2h":
                for y in range(image.height):
                    for x in range(image.width):
                        self._open_sink(color, x, y)

    def _open_sink(self, color: int, x: int, y: int) -> None:
        capacity = self._costs.host_buffer_wavelets
        sink = HostSink(self._timeline, capacity)
        link = Link(self._timeline, self._costs.wavelet_millicycles)
        hops = (Hop(link, sink, self._costs.hop_cycles),)
        route: Route = tuple(
            Branch(hops, hops) if d == RAMP else None for d in range(RAMP + 1)
        )
        channel = self._fabric.channel(x, y, color)
        channel.set_routes([route] * (MAX_SWITCH_POSITION + 1))
        self._sinks[color, x, y] = sink

    def source(self, color: int, x: int, y: int) -> HostSource:
        """The port that feeds a PE.

        Raises:
            HostError: if the color is no h2d streaming color.
        """
        self._check_stream(color, "h2d")
        source = self._sources.get((color, x, y))
        if source is None:
            pe = self._pe_at(x, y)
            queue = pe.input_of_color(color)
            queue.fed_by_host = True
            latency = self._costs.ramp_cycles
            source = HostSource(self._timeline, queue, pe.ramp_up, latency)
            self._sources[color, x, y] = source
        return source

    def sink(self, color: int, x: int, y: int) -> HostSink:
        """The port that takes what a PE streams out.

        Raises:
            HostError: if the color is no d2h streaming color, or off the rectangle.
        """
        self._check_stream(color, "d2h")
        self._pe_at(x, y)
        return self._sinks[color, x, y]

    def waiting_lines(self) -> list[str]:
        """One line for each stream that the host waits for."""
        lines: list[str] = []
        for (color, x, y), source in self._sources.items():
            if source.words:
                total = source.sent_count + len(source.words)
                lines.append(
                    f"the host has streamed {source.sent_count} of {total} wavelets "
                    f"on color {color} into PE({x},{y})"
                )
        for (color, x, y), sink in self._sinks.items():
            if len(sink.arrived) < sink.asked:
                lines.append(
                    f"the host has received {len(sink.arrived)} of {sink.asked} "
                    f"wavelets on color {color} from PE({x},{y})"
                )
        return lines

    def _check_stream(self, color: int, direction: str) -> None:
        if self._streams.get(color) != direction:
            known = [c for c, d in sorted(self._streams.items()) if d == direction]
            raise HostError(
                f"color {color} does not stream {direction}; the program's "
                f"{direction} colors are {known or 'none'}"
            )
