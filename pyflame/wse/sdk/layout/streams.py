"""Streams between the host and ports, and connections between ports."""

from __future__ import annotations

from dataclasses import dataclass

from pyflame.wse.errors import HostError
from pyflame.wse.sdk.layout.ports import Direction, PortHandle
from pyflame.wse.sdk.layout.vectors import IntVector, need_vector


@dataclass(frozen=True, slots=True)
class Stream:
    """A port that the host feeds or drains.

    `io_place`: where the host's buffer stands; None for beside the port.
    """

    port: PortHandle
    io_place: IntVector | None
    buffer_wavelets: int


class Links:
    """What every port is joined to: one connection or one stream each."""

    def __init__(self) -> None:
        self.connections: list[tuple[PortHandle, PortHandle]] = []
        self.streams: list[Stream] = []
        self._used: dict[PortHandle, str] = {}

    def connect(self, tx: PortHandle, rx: PortHandle) -> None:
        """Joins an output port to an input port, lane by lane.

        Raises:
            HostError: wrong directions, sizes that disagree, or a port in use.
        """
        _need_port(tx, "connect", "output")
        _need_port(rx, "connect", "input")
        if len(tx.places) != len(rx.places):
            raise HostError(
                f"connect: port '{tx.name}' has {len(tx.places)} PEs, but port "
                f"'{rx.name}' has {len(rx.places)}"
            )
        if tx.data_size != rx.data_size:
            raise HostError(
                f"connect: port '{tx.name}' has data_size {tx.data_size}, but port "
                f"'{rx.name}' has {rx.data_size}"
            )
        self._use(tx, f"connected to '{rx.name}'")
        self._use(rx, f"connected to '{tx.name}'")
        self.connections.append((tx, rx))

    def add_stream(
        self,
        port: PortHandle,
        direction: Direction,
        io_loc: IntVector | None,
        io_buffer_size: int,
    ) -> str:
        """Joins a port to the host; gives the name for send and receive.

        Raises:
            HostError: the wrong direction, several lanes, or a port in use.
        """
        what = f"create_{direction}_stream"
        _need_port(port, what, direction)
        if len(port.places) != 1:
            raise HostError(
                f"{what}: port '{port.name}' has {len(port.places)} PEs, but a stream "
                "goes through one; put a code region between that spreads or gathers "
                "the wavelets"
            )
        if io_buffer_size < 1:
            raise HostError(
                f"{what}: io_buffer_size must be positive, not {io_buffer_size}"
            )
        place = None if io_loc is None else need_vector(io_loc, f"{what}: io_loc")
        self._use(port, "streamed by the host")
        self.streams.append(Stream(port, place, io_buffer_size))
        return port.name

    def _use(self, port: PortHandle, how: str) -> None:
        if port in self._used:
            raise HostError(f"port '{port.name}' is {self._used[port]} already")
        self._used[port] = how


def _need_port(port: object, what: str, direction: Direction) -> None:
    if not isinstance(port, PortHandle):
        raise HostError(
            f"{what} takes the {direction} port of a code region, "
            f"not {type(port).__name__}"
        )
    if port.direction != direction:
        raise HostError(
            f"{what}: port '{port.name}' is an {port.direction} port; an "
            f"{direction} port is needed here"
        )
