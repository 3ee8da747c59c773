"""The registers of WSE-2 that hold the settings of the input queues.

Programs for releases before 1.4 set bit 8 (medium) or bit 9 (high) of 0x7f58 + queue
just after they have started an operation on that queue, whose microthread has its
number: what they later write as the operation's `.priority`. So the bits count for
the operation in progress; the next one starts with its own priority.
"""

from __future__ import annotations

from pyflame.wse.language.registers import INPUT_QUEUE_CONFIG
from pyflame.wse.machine.microthreads import RANKS
from pyflame.wse.machine.router_changes import RouterPe, when_due

_MEDIUM_BIT, _HIGH_BIT = 1 << 8, 1 << 9


def read(pe: RouterPe, queue: int) -> int:
    """What was last written; 0 before."""
    return pe.config_words.get(INPUT_QUEUE_CONFIG + queue, 0)


def write(pe: RouterPe, queue: int, value: int) -> None:
    pe.config_words[INPUT_QUEUE_CONFIG + queue] = value
    level = "high" if value & _HIGH_BIT else "medium" if value & _MEDIUM_BIT else "low"

    def change(now: int) -> None:
        running = pe.microthreads[queue]
        if running is not None:
            running.rank = RANKS[level]

    when_due(pe, change)
