"""The natives behind `@queue_flush` and <tile_config/queue_flush>."""

from __future__ import annotations

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
