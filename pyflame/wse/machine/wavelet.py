"""Wavelets as integers: a 32-bit payload, and flags in the bits above it.

The lower half of a payload is its data, the upper half its index. A control payload
holds an entry point and eight switch commands of three bits (opcode, then "not for
the CE"), laid round the word from bit 22 by way of bit 0.
"""

from __future__ import annotations

PAYLOAD_MASK = 0xFFFF_FFFF
CONTROL = 1 << 32
# Set by `.advance_switch` on the last wavelet of an operation: the sender's own
# router advances its switch behind it.
ADVANCE_LOCAL = 1 << 33

NOP, SWITCH_ADVANCE, SWITCH_RESET, TEARDOWN = range(4)
_NOP_NOT_FOR_CE = 0b100


def entry_point(payload: int) -> int:
    """The control task id that a control payload names."""
    return payload >> 16 & 0x3F


def opcode(payload: int) -> int:
    """The command for the next router."""
    return payload >> 22 & 3


def not_for_ce(payload: int) -> bool:
    """Whether the next router keeps the wavelet from its CE."""
    return payload >> 24 & 1 == 1


def popped(payload: int) -> int:
    """The payload with the first command gone.

    The last slot becomes "no command, not for the CE": the documents do not say, and
    a known pair of payloads before and after a pop fits it.
    """
    commands = payload >> 22 & 0xFF | (payload & 0xFFFF) << 8
    commands = commands >> 3 | _NOP_NOT_FOR_CE << 21
    kept = payload & ~(0xFF << 22 | 0xFFFF)
    return kept | (commands & 0xFF) << 22 | commands >> 8
