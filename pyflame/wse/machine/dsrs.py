"""DSRs: what `@load_to_dsr` leaves in them, and operations with their contents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pyflame.wse.machine.describe import with_length
from pyflame.wse.machine.dsd import (
    Descriptor,
    Dsr,
    FabIn,
    FabOut,
    Fifo,
    Mem1d,
    Memory1or4,
    advanced,
    with_base,
)
from pyflame.wse.machine.operations import PLAIN, OpConfig, OpSpec
from pyflame.wse.machine.sites import Site
from pyflame.wse.machine.vectors import MEMORY_KINDS


@dataclass(slots=True)
class LoadedDsr:
    """What `@load_to_dsr` left in a DSR, for instructions from a cycle on."""

    descriptor: Descriptor
    config: OpConfig
    save_address: bool
    single_step: bool
    usable_from: int
    extended: tuple[Dsr, ...] = ()


class DsrFile:
    """The DSRs of one PE.

    Args:
        fault: makes the error of the PE that uses an empty one.
    """

    __slots__ = ("_dsrs", "_fault", "_owners")

    def __init__(self, fault: Callable[[str], Exception]) -> None:
        self._dsrs: dict[tuple[str, int], LoadedDsr] = {}
        self._owners: dict[Dsr, LoadedDsr] = {}  # of extended ones: the last load
        self._fault = fault

    def load(
        self,
        dsr: Dsr,
        descriptor: Descriptor,
        config: dict[str, Any],
        usable_from: int = 0,
        extended: tuple[Dsr, ...] = (),
    ) -> None:
        """Fills a DSR; `extended` are the XDSR and SRs that hold a part of it."""
        save = bool(config.get("save_address", False))
        step = bool(config.get("single_step", False))
        held = LoadedDsr(
            descriptor, op_config(config), save, step, usable_from, extended
        )
        self._dsrs[dsr.kind, dsr.number] = held
        for register in extended:
            self._owners[register] = held

    def loaded(self, dsr: Dsr) -> LoadedDsr:
        """The contents of a DSR.

        Raises:
            MachineFault: nothing has been loaded into it, or a part of it has been
                overwritten by the load of another DSR.
        """
        held = self._dsrs.get((dsr.kind, dsr.number))
        if held is None:
            raise self._fault(
                f"{dsr.kind} {dsr.number} is used before @load_to_dsr has filled it"
            )
        for register in held.extended:
            if self._owners[register] is not held:
                raise self._fault(
                    f"{dsr.kind} {dsr.number} is used after another load has "
                    f"overwritten its {register.kind} {register.number}"
                )
        return held

    def rebase(self, dsr: Dsr, address: int) -> None:
        """`@set_dsr_base_addr`: what it holds, from another address on."""
        held = self.loaded(dsr)
        if not isinstance(held.descriptor, MEMORY_KINDS):
            raise self._fault(
                f"@set_dsr_base_addr of {dsr.kind} {dsr.number}, which holds no vector "
                "in memory"
            )
        held.descriptor = with_base(held.descriptor, address)

    def resize(self, dsr: Dsr, length: int) -> None:
        """`@set_dsr_length`: what it holds, with another number of elements."""
        held = self.loaded(dsr)
        if not isinstance(held.descriptor, Mem1d | FabIn | FabOut):
            raise self._fault(
                f"@set_dsr_length of {dsr.kind} {dsr.number}, which holds a vector of "
                "several dimensions; its shape cannot change"
            )
        held.descriptor = with_length(held.descriptor, length)

    def stepped(self, dsr: Dsr) -> Descriptor:
        """The descriptor that `@map` goes through element by element.

        Raises:
            MachineFault: the DSR has not been loaded for that.
        """
        held = self.loaded(dsr)
        if not held.single_step:
            raise self._fault(
                f"@map uses {dsr.kind} {dsr.number}, which was loaded without "
                ".single_step; give .single_step = true at @load_to_dsr"
            )
        return held.descriptor

    def advance(self, dsr: Dsr, elements: int) -> None:
        held = self.loaded(dsr)
        if held.save_address and isinstance(held.descriptor, MEMORY_KINDS):
            held.descriptor = advanced(held.descriptor, elements)


@dataclass(frozen=True, slots=True)
class Issued:
    """An operation whose DSR operands have been replaced by their contents.

    `moving` pairs DSRs with `.save_address` with the descriptors they held.
    `dsr_loads` counts the operands that have still to be loaded into registers;
    those that the program has loaded are `usable_from` a cycle on.
    """

    spec: OpSpec
    dest: Any
    sources: tuple[Any, ...]
    config: OpConfig
    length: int
    accumulates: bool
    moving: tuple[tuple[LoadedDsr, Memory1or4], ...]
    dsr_loads: int
    usable_from: int
    site: Site | None = None

    @property
    def waits(self) -> bool:
        operands = (self.dest, *self.sources)
        return any(isinstance(o, FabIn | FabOut | Fifo) for o in operands)

    @property
    def zeroed(self) -> int | None:
        """The place of the source that `.zero` of the destination clears at the end;
        None if there is none. The only source is the second: it is read through src1.
        """
        zero = self.dest.zero if isinstance(self.dest, FabOut) else ""
        if len(self.sources) == 1:
            return 0 if zero == "second_source" else None
        return {"": None, "first_source": 0, "second_source": 1}[zero]

    def save_addresses(self, count: int) -> None:
        """Moves the DSRs with `.save_address` past `count` elements."""
        for held, descriptor in self.moving:
            held.descriptor = advanced(descriptor, count)


# --- settings ---------------------------------------------------------------------


def op_config(fields: dict[str, Any]) -> OpConfig:
    """From the fields of a comptime or run-time config struct, as CSL spells them.

    `activate` is a local task id; `unblock` is (kind, id). `PLAIN` if nothing is set.
    """
    if not fields:
        return PLAIN
    on_control = on_control_target = None
    for action in ("terminate", "activate", "unblock"):
        value = fields.get(f"on_control.{action}")
        if value is not None and value is not False:
            on_control, on_control_target = action, value
    config = OpConfig(
        asynchronous=bool(fields.get("async", False)),
        activate=fields.get("activate"),
        unblock=fields.get("unblock"),
        on_control=on_control,
        on_control_target=on_control_target,
        index=fields.get("index"),
        priority=fields.get("priority"),
        ut_id=fields.get("ut_id"),
    )
    return PLAIN if config == PLAIN else config


def merged(operation: OpConfig, dsr: OpConfig) -> OpConfig:
    """An operation's settings, where unset those of its DSR's load; but the microthread
    is its own: see `register_rules`."""
    return replace(
        operation,
        asynchronous=operation.asynchronous or dsr.asynchronous,
        activate=dsr.activate if operation.activate is None else operation.activate,
        unblock=operation.unblock or dsr.unblock,
        on_control=operation.on_control or dsr.on_control,
        on_control_target=operation.on_control_target or dsr.on_control_target,
        priority=operation.priority or dsr.priority,
    )
