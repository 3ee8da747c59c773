"""What generated code calls around its own accesses to memory in strict mode.

Each function that checks an access gives its address back, so that it can stand where
the address stands otherwise.
"""

from __future__ import annotations

from typing import Any, NoReturn

from pyflame.wse.machine.scalar_support import fault_at
from pyflame.wse.machine.sites import Site

_PROGRAM = "the program"


def read_at(pe: Any, site: Site, address: int, size: int) -> int:
    """A load from a variable that the source names."""
    pe.guard.check_read(site, _PROGRAM, address, size)
    return address


def write_at(pe: Any, site: Site, address: int, size: int) -> int:
    pe.guard.check_write(site, _PROGRAM, address, size)
    return address


def read_through(pe: Any, site: Site, origin: int, address: int, size: int) -> int:
    """A load through a pointer; `origin` is its value, `address` may lie beyond."""
    address &= 0xFFFF
    if address + size <= pe.memory.size_bytes:
        what = f"the pointer {site.name}"
        pe.guard.check_inside(site, what, origin, address, address + size)
        pe.guard.check_read(site, what, address, size)
    return address


def write_through(pe: Any, site: Site, origin: int, address: int, size: int) -> int:
    address &= 0xFFFF
    if address + size <= pe.memory.size_bytes:
        what = f"the pointer {site.name}"
        pe.guard.check_inside(site, what, origin, address, address + size)
        pe.guard.check_write(site, what, address, size)
    return address


def is_defined(pe: Any, address: int, size: int) -> bool:
    return pe.memory.is_defined(address, size)


def forget(pe: Any, address: int, size: int) -> None:
    """A local in memory comes to life without a value."""
    pe.memory.forget(address, size)


def unset(pe: Any, site: Site) -> NoReturn:
    """A local, or a field of one, is read that has no value yet."""
    raise fault_at(pe, f"{site.name} is read before it has a value", site.span)
