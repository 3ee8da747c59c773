"""Streams between the host and the ports of an SdkLayout program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import HostPort, Image
from pyflame.wse.sdk import memcpy
from pyflame.wse.sdk.command_stream import HostWafer, StreamTask
from pyflame.wse.sdk.read_log import Received


class PortWafer(HostWafer, Protocol):
    """What streams need of the machine."""

    def send_to_port(self, name: str, words: NDArray[np.uint32]) -> int: ...
    def receive_from_port(self, name: str, n: int) -> int: ...


def send_task(
    wafer: PortWafer,
    image: Image,
    port: str | int,
    src: NDArray[np.generic],
    n_wavelets: int | None,
) -> StreamTask:
    """Sends a private copy of the first `n_wavelets` elements, by default all."""
    name = _port(image, port, "send").name
    count = src.size if n_wavelets is None else n_wavelets
    _check_count(count, "send")
    words = memcpy.host_words(src, count, "send").copy()
    return StreamTask(lambda: [wafer.send_to_port(name, words)])


def receive_task(
    wafer: PortWafer,
    image: Image,
    port: str | int,
    dest: NDArray[np.generic],
    n_wavelets: int,
    received: Received,
) -> StreamTask:
    """Receives the next `n_wavelets` wavelets of a port into an array, in place."""
    name = _port(image, port, "receive").name
    _check_count(n_wavelets, "receive")
    words = memcpy.host_words(dest, n_wavelets, "receive")
    if not words.flags.writeable:
        raise HostError("receive: the host tensor is read-only")

    def collect(tickets: Sequence[int]) -> None:
        words[:] = wafer.words(tickets[0])
        received(words)

    return StreamTask(lambda: [wafer.receive_from_port(name, n_wavelets)], collect)


def _check_count(count: int, what: str) -> None:
    if count < 1:
        raise HostError(f"{what}: the number of wavelets must be positive: {count}")


def port_id(image: Image, name: str) -> int:
    """The id of a stream. Raises HostError if there is none of that name."""
    names = [port.name for port in image.wiring.host_ports]
    if name not in names:
        raise HostError(
            f"get_port_id: there is no stream '{name}'; the program's streams: "
            f"{', '.join(names) or 'none'}"
        )
    return names.index(name)


def report_lines(image: Image) -> list[str]:
    """One line per stream: id, name, direction, PE and color."""
    lines: list[str] = []
    for number, port in enumerate(image.wiring.host_ports):
        side = port.side
        way = "host to PE" if port.direction == "in" else "host from PE"
        lines.append(
            f"{number}: {port.name}, {way}({side.x},{side.y}), color {side.color}"
        )
    return lines


def _port(image: Image, port: object, what: str) -> HostPort:
    """The stream of a name or an id, checked to have the direction of the call."""
    ports = image.wiring.host_ports
    found = [p for n, p in enumerate(ports) if port in (p.name, n)]
    if isinstance(port, bool) or not found:
        names = ", ".join(p.name for p in ports) or "none"
        raise HostError(
            f"{what}: there is no stream {port!r}; the program's streams: {names}"
        )
    wanted = "in" if what == "send" else "out"
    if found[0].direction != wanted:
        other = "receive" if what == "send" else "send"
        raise HostError(
            f"{what}: stream '{found[0].name}' goes the other way; {other}() it"
        )
    return found[0]
