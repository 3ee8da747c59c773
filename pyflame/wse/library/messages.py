"""The natives of <message_passing>: messages between any two PEs of a wafer.

How the vendor's library routes them is not public. Here a message goes from ramp to
ramp by a path of its own: a header, the data and a final control wavelet, one
wavelet per cycle, with the latency of the shortest path. What a PE sends, and what
reaches a PE, goes one message after another; paths do not disturb each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakKeyDictionary

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.natives import register
from pyflame.wse.machine.timeline import Timeline

MAX_WAVELETS = 32
_FRAME_WAVELETS = 2  # the header and the final control wavelet


class MailingPe(Protocol):
    """The part of a PE that messages need."""

    x: int
    y: int
    clock: int
    timeline: Timeline
    memory: Memory
    costs: Costs

    def activate_by_hardware(self, id_: int, now: int) -> None: ...
    def unblock_by_hardware(self, kind: str, id_: int, now: int) -> None: ...


@dataclass(frozen=True, slots=True)
class End:
    """What happens at the end of a call: `kind` is activate, unblock or none."""

    kind: str
    id: int

    def reach(self, pe: MailingPe, now: int) -> None:
        if self.kind == "activate":
            pe.activate_by_hardware(self.id, now)
        elif self.kind == "unblock":
            pe.unblock_by_hardware("local_task_id", self.id, now)


@dataclass(slots=True)
class Mailbox:
    """The messages of one PE: those that have come, and who waits for the next."""

    pe: MailingPe
    sends_until: int = 0
    receives_until: int = 0
    arrived: deque[list[int]] = field(default_factory=deque[list[int]])
    reader: tuple[int, End] | None = None

    def deliver(self, now: int) -> None:
        """Hands the oldest message to the reader, if there are both."""
        if self.reader is None or not self.arrived:
            return
        (address, end), self.reader = self.reader, None
        for place, word in enumerate(self.arrived.popleft()):
            self.pe.memory.store_bits(address + 4 * place, 4, word)
        end.reach(self.pe, now)


@dataclass(slots=True)
class Due:
    """An event that calls back."""

    call: Callable[[int], None]

    def run(self, now: int) -> None:
        self.call(now)


# the mailboxes of a wafer, whose PEs share their time, by column and row
_POST: WeakKeyDictionary[Timeline, dict[tuple[int, int], Mailbox]] = WeakKeyDictionary()


def _mailbox(pe: MailingPe, x: int, y: int, function: str) -> Mailbox:
    found = _POST.get(pe.timeline, {}).get((x, y))
    if found is None:
        whose = "it" if (x, y) == (pe.x, pe.y) else f"PE({x},{y})"
        raise _fault(pe, f"{function}, but {whose} has not called init")
    return found


def _fault(pe: MailingPe, text: str) -> MachineFault:
    return MachineFault(f"PE({pe.x},{pe.y}) at cycle {pe.clock}: {text}")


@register("message_init", cost="issue_cycles")
def message_init(pe: MailingPe) -> None:
    boxes = _POST.setdefault(pe.timeline, {})
    boxes.setdefault((pe.x, pe.y), Mailbox(pe))


@register("message_send", cost="issue_cycles")
def message_send(
    pe: MailingPe, x: int, y: int, address: int, length: int, kind: str, id_: int
) -> None:
    """Sends words of memory; the receiver must have been initialised on arrival.

    Raises:
        MachineFault: too long a message, or a PE without init.
    """
    if length > MAX_WAVELETS:
        raise _fault(
            pe, f"send_message of {length} wavelets; a message holds {MAX_WAVELETS}"
        )
    own = _mailbox(pe, pe.x, pe.y, "send_message")
    words = [pe.memory.load_bits(address + 4 * n, 4) for n in range(length)]
    start = max(pe.clock, own.sends_until)
    own.sends_until = sent = start + length + _FRAME_WAVELETS
    pe.timeline.at(sent, Due(lambda now: End(kind, id_).reach(pe, now)))
    hops = abs(x - pe.x) + abs(y - pe.y)
    latency = 2 * pe.costs.ramp_cycles + hops * pe.costs.hop_cycles

    def arrive(now: int) -> None:
        box = _mailbox(pe, x, y, f"send_message to PE({x},{y})")
        box.receives_until = done = (
            max(now, box.receives_until) + length + _FRAME_WAVELETS
        )
        pe.timeline.at(done, Due(lambda later: _put(box, words, later)))

    pe.timeline.at(start + latency, Due(arrive))


def _put(box: Mailbox, words: list[int], now: int) -> None:
    box.arrived.append(words)
    box.deliver(now)


@register("message_receive", cost="issue_cycles")
def message_receive(pe: MailingPe, address: int, kind: str, id_: int) -> None:
    """Waits for the next message.

    Raises:
        MachineFault: the PE already waits for one, or lacks init.
    """
    box = _mailbox(pe, pe.x, pe.y, "recv_message")
    if box.reader is not None:
        raise _fault(pe, "recv_message, but an earlier one still waits for a message")
    box.reader = (address, End(kind, id_))
    pe.timeline.at(max(pe.clock, pe.timeline.now), Due(box.deliver))
