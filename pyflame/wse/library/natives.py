"""The natives behind the library's CSL: each is `function(pe, *arguments)`.

Importing this module registers them. `LibraryPe` is all they need of a PE.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

# Importing them registers their natives.
import pyflame.wse.library.ce_settings  # pyright: ignore[reportUnusedImport]
import pyflame.wse.library.filter_natives  # pyright: ignore[reportUnusedImport]
import pyflame.wse.library.messages  # pyright: ignore[reportUnusedImport]
import pyflame.wse.library.queue_natives  # pyright: ignore[reportUnusedImport]
import pyflame.wse.library.router_settings  # pyright: ignore[reportUnusedImport]
import pyflame.wse.library.symbol_natives  # noqa: F401 # pyright: ignore[reportUnusedImport]
from pyflame.wse.errors import MachineFault
from pyflame.wse.library import numeric
from pyflame.wse.library.state import LineBuffer, TimestampCounter
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.natives import register


class LibraryPe(Protocol):
    """The part of a PE that natives use; `library` is theirs to fill."""

    x: int
    y: int
    clock: int
    memory: Memory
    library: dict[str, Any]

    def unblock_cmd_stream(self) -> None: ...
    def seed_random(self, seed: int) -> None: ...
    def print_line(self, text: str) -> None: ...


# --- <memcpy/memcpy>, <layout>, <random> --------------------------------------------


@register("unblock_cmd_stream", cost="call_cycles")
def unblock_cmd_stream(pe: LibraryPe) -> None:
    pe.unblock_cmd_stream()


@register("get_x_coord", cost="issue_cycles")
def get_x_coord(pe: LibraryPe) -> int:
    return pe.x


@register("get_y_coord", cost="issue_cycles")
def get_y_coord(pe: LibraryPe) -> int:
    return pe.y


@register("set_random_seed", cost="issue_cycles")
def set_random_seed(pe: LibraryPe, seed: int) -> None:
    pe.seed_random(seed)


# --- <time>, <debug> ----------------------------------------------------------------


def _counter(pe: LibraryPe) -> TimestampCounter:
    return pe.library.setdefault("tsc", TimestampCounter())


def _write_u48(pe: LibraryPe, address: int, value: int) -> None:
    for word in range(3):
        pe.memory.store_bits(address + 2 * word, 2, (value >> (16 * word)) & 0xFFFF)


@register("tsc_enable", cost="issue_cycles")
def tsc_enable(pe: LibraryPe) -> None:
    _counter(pe).enable(pe.clock)


@register("tsc_disable", cost="issue_cycles")
def tsc_disable(pe: LibraryPe) -> None:
    _counter(pe).disable(pe.clock)


@register("tsc_reset", cost="issue_cycles")
def tsc_reset(pe: LibraryPe) -> None:
    _counter(pe).reset(pe.clock)


@register("tsc_read", cost="timestamp_cycles")
def tsc_read(pe: LibraryPe, address: int) -> None:
    _write_u48(pe, address, _counter(pe).read(pe.clock))


@register("tsc_trace", cost="timestamp_cycles")
def tsc_trace(pe: LibraryPe, address: int) -> None:
    """Reads the counter for <debug>, whose users need not have enabled it."""
    counter = _counter(pe)
    counter.start_from_zero_time()
    _write_u48(pe, address, counter.read(pe.clock))


@register("perf_counter", cost="timestamp_cycles")
def perf_counter(pe: LibraryPe, address: int, number: int) -> None:
    """Both counters count clock cycles since loading: nothing says what they count
    before a program sets them up.

    Raises:
        MachineFault: for a number other than 0 and 1.
    """
    if number not in (0, 1):
        raise MachineFault(
            f"PE({pe.x},{pe.y}) at cycle {pe.clock}: get_perf_cntr of counter "
            f"{number}; a PE has the counters 0 and 1"
        )
    _write_u48(pe, address, pe.clock)


# --- <simprint> ---------------------------------------------------------------------


@register("print_string")
def print_string(pe: LibraryPe, text: str) -> None:
    """Adds to the PE's line; a finished line is logged after `@CYCLE `, the cycle in
    which it was finished."""
    line: LineBuffer = pe.library.setdefault("line", LineBuffer())
    for complete in line.add(text):
        pe.print_line(f"@{pe.clock} {complete}")


@register("print_decimal")
def print_decimal(pe: LibraryPe, value: int) -> None:
    print_string(pe, str(value))


@register("print_hex")
def print_hex(pe: LibraryPe, value: int, digits: int) -> None:
    print_string(pe, f"{value:0{digits}X}")


@register("print_binary")
def print_binary(pe: LibraryPe, value: int, digits: int) -> None:
    print_string(pe, f"{value:0{digits}b}")


@register("print_float")
def print_float(pe: LibraryPe, value: np.floating[Any] | float) -> None:
    """The shortest decimal notation that reads back as the same float."""
    print_string(pe, str(value))


# --- <math> -------------------------------------------------------------------------

# Cost parameter by function; `{}` is the type.
_COSTS = {
    "ceil": "scalar_operation_cycles",
    "cos": "sin_{}_cycles",
    "exp": "exp_{}_cycles",
    "floor": "scalar_operation_cycles",
    "inv": "div_{}_cycles",
    "invsqrt": "sqrt_{}_cycles",
    "log": "log_{}_cycles",
    "sig": "scalar_operation_cycles",
    "sin": "sin_{}_cycles",
    "sqrt": "sqrt_{}_cycles",
    "tanh": "tanh_{}_cycles",
}


def _register_function(name: str) -> None:
    function = numeric.FUNCTIONS[name]

    @register(f"{name}_f32", cost=_COSTS[name].format("f32"))
    def _f32(pe: LibraryPe, x: np.float32) -> np.float32:
        return numeric.to_f32(function(float(x)))

    @register(f"{name}_f16", cost=_COSTS[name].format("f16"))
    def _f16(pe: LibraryPe, x: np.float16) -> np.float16:
        return numeric.to_f16(function(float(x)))


for _name in numeric.FUNCTIONS:
    _register_function(_name)


@register("fscale_f32", cost="scalar_operation_cycles")
def fscale_f32(pe: LibraryPe, x: np.float32, exponent: int) -> np.float32:
    return numeric.to_f32(numeric.fscale(float(x), exponent))


@register("fscale_f16", cost="scalar_operation_cycles")
def fscale_f16(pe: LibraryPe, x: np.float16, exponent: int) -> np.float16:
    return numeric.to_f16(numeric.fscale(float(x), exponent))


# No cost of `pow` is known; `tanh`, the dearest function, stands in for it.
@register("pow_f32", cost="tanh_f32_cycles")
def pow_f32(pe: LibraryPe, x: np.float32, y: np.float32) -> np.float32:
    return numeric.to_f32(numeric.pow(float(x), float(y)))


@register("pow_f16", cost="tanh_f16_cycles")
def pow_f16(pe: LibraryPe, x: np.float16, y: np.float16) -> np.float16:
    return numeric.to_f16(numeric.pow(float(x), float(y)))
