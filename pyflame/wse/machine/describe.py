"""What DSD builtins do to descriptors at run time."""

from __future__ import annotations

from dataclasses import replace

from pyflame.wse.machine.dsd import (
    Descriptor,
    FabIn,
    FabOut,
    Mem1d,
    Memory1or4,
    replaced,
    with_base,
    with_stride,
)


def moved_to(dsd: Memory1or4, address: int) -> Memory1or4:
    """`@set_dsd_base_addr`: a new base, and no offset."""
    return with_base(dsd, address)


def incremented(dsd: Memory1or4, elements: int, size_bytes: int) -> Memory1or4:
    """`@increment_dsd_offset`: the base moves by that many elements of that size.

    Addresses have 16 bits.
    """
    if type(dsd) is Mem1d:  # in the loops of kernels
        base, offset, stride, extent, index, origin = dsd
        moved = base + elements * size_bytes & 0xFFFF
        kept = base if origin is None else origin
        return Mem1d(moved, offset, stride, extent, index, kept)
    return replaced(dsd, dsd.base + elements * size_bytes & 0xFFFF, dsd.offset)


def with_length(dsd: Mem1d | FabIn | FabOut, length: int) -> Descriptor:
    """`@set_dsd_length`"""
    if isinstance(dsd, Mem1d):
        return Mem1d(
            dsd.base, dsd.offset, dsd.stride, length, dsd.index_offset, dsd.origin
        )
    return replace(dsd, extent=length)


__all__ = ["incremented", "moved_to", "with_length", "with_stride"]
