"""The natives behind `@queue_flush`, <tile_config/queue_flush> and
<tile_config/control_transform>."""

from __future__ import annotations

from pyflame.wse.machine.control_transform import MASK_BITS, MASK_KEY
from pyflame.wse.machine.natives import register
from pyflame.wse.machine.queue_flush import FlushingPe, flush, flushes_of


@register("queue_flush", cost="issue_cycles")
def queue_flush(pe: FlushingPe, kind: str, number: int) -> None:
    flush(pe, kind, number)


@register("queue_flush_exit", cost="issue_cycles")
def queue_flush_exit(pe: FlushingPe, kind: str, number: int) -> None:
    flushes_of(pe).bits.discard((kind, number))


@register("queue_flush_status", cost="issue_cycles")
def queue_flush_status(pe: FlushingPe, kind: str) -> int:
    return flushes_of(pe).mask(kind)


@register("control_mask", cost="issue_cycles")
def control_mask(pe: FlushingPe, mask: int) -> None:
    """Sets the mask of `.control_transform`; only six bits count."""
    pe.library[MASK_KEY] = mask & MASK_BITS
