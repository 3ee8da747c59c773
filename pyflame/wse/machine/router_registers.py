"""The registers of WSE-2 that hold the routes and the switch of each color.

Addresses count words, as those of all registers. Addresses and bits are the ones that
published programs write out, which change routes this way:

    0x7f20 + color  0-4 tx, 5-9 rx (west, east, south, north, ramp), 10 color swap of
                    north and south, 11 of east and west, 12-13 pop mode, 14 teardown
    0x7f40 + color  0-2 direction of position 1 (0 to 4 as above, 5 none), 3 its side
                    (1 rx, 0 tx; kept while there is no direction), 4-7 and 8-11 the
                    same for positions 2 and 3, 12 ring mode, 13-14 current position

Those of the input queues behind them are in `queue_registers.py`.
"""

from __future__ import annotations

from dataclasses import replace

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.image import ColorConfig, Switches, SwitchPosition
from pyflame.wse.language.registers import (
    COLOR_CONFIG,
    INPUT_QUEUE_CONFIG,
    SWITCH_CONFIG,
)
from pyflame.wse.machine import queue_registers
from pyflame.wse.machine.limits import MAX_SWITCH_POSITION
from pyflame.wse.machine.router_changes import (
    NO_SWITCHES,
    POP_MODES,
    RouterPe,
    Setting,
    reconfigure,
    setting_of,
    when_due,
)

_DIRECTIONS = ("WEST", "EAST", "SOUTH", "NORTH", "RAMP")
_NO_DIRECTION = 5
_TEARDOWN_BIT = 1 << 14


class RouterRegisters:
    """The registers of one PE. What code has changed it reads back at once, although
    the router changes only in the cycle of the write: the checked builtins wait out
    such hazards."""

    def __init__(self, pe: RouterPe) -> None:
        self._pe = pe
        self._written: dict[int, int] = {}  # switch words by color

    def read(self, address: int) -> int:
        if address >= INPUT_QUEUE_CONFIG:
            return queue_registers.read(self._pe, address - INPUT_QUEUE_CONFIG)
        if address < SWITCH_CONFIG:
            return _color_word(setting_of(self._pe, address - COLOR_CONFIG))
        return self._switch_word(address - SWITCH_CONFIG)

    def write(self, address: int, value: int) -> None:
        if address >= INPUT_QUEUE_CONFIG:
            queue_registers.write(self._pe, address - INPUT_QUEUE_CONFIG, value)
            return
        if address < SWITCH_CONFIG:
            self._write_color(address - COLOR_CONFIG, value)
        else:
            self._write_switch(address - SWITCH_CONFIG, value)

    def _write_color(self, color: int, value: int) -> None:
        teardown = bool(value & _TEARDOWN_BIT)

        def apply(now: int) -> None:
            channel = reconfigure(self._pe, color, change, now)
            if channel.teardown and not teardown:
                channel.exit_teardown(now)
            channel.teardown = teardown

        def change(config: ColorConfig) -> ColorConfig:
            return _with_color_word(config, value)

        def preview(setting: Setting) -> Setting:
            config = change(setting.config)
            return replace(setting, config=config, teardown=teardown)

        when_due(self._pe, apply, color, preview)

    def _write_switch(self, color: int, value: int) -> None:
        self._written[color] = value
        position = value >> 13 & MAX_SWITCH_POSITION

        def apply(now: int) -> None:
            reconfigure(self._pe, color, change, now).move_to(position, now)

        def change(config: ColorConfig) -> ColorConfig:
            return _with_switch_word(config, value)

        def preview(setting: Setting) -> Setting:
            config = change(setting.config)
            return replace(setting, config=config, position=position)

        when_due(self._pe, apply, color, preview)

    def _switch_word(self, color: int) -> int:
        setting = setting_of(self._pe, color)
        switches: Switches = setting.config.switches or NO_SWITCHES
        word = setting.position << 13 | int(switches.ring_mode) << 12
        for number, position in enumerate(switches.positions):
            bits = _NO_DIRECTION | self._written.get(color, 0) >> 4 * number & 8
            if position.valid:
                bits = self._position_bits(color, position)
            word |= bits << 4 * number
        return word

    def _position_bits(self, color: int, position: SwitchPosition) -> int:
        directions = (position.rx or ()) + (position.tx or ())
        if len(directions) != 1:
            pe = self._pe
            raise MachineFault(
                f"PE({pe.x},{pe.y}) at cycle {pe.clock}: the switch register of color "
                f"{color} cannot be read: one of its positions has the "
                f"directions {', '.join(directions)}, and a register holds one each"
            )
        return int(position.rx is not None) << 3 | _DIRECTIONS.index(directions[0])


def _with_color_word(config: ColorConfig, value: int) -> ColorConfig:
    pop_mode = POP_MODES[value >> 12 & 3]
    switches = config.switches
    if switches is not None or pop_mode != "no_pop":
        switches = replace(switches or NO_SWITCHES, pop_mode=pop_mode)
    return replace(
        config,
        tx=_named(value),
        rx=_named(value >> 5),
        color_swap_y=bool(value >> 10 & 1),
        color_swap_x=bool(value >> 11 & 1),
        switches=switches,
    )


def _with_switch_word(config: ColorConfig, value: int) -> ColorConfig:
    first, second, third = (_position(value >> shift) for shift in (0, 4, 8))
    switches = replace(
        config.switches or NO_SWITCHES,
        positions=(first, second, third),
        ring_mode=bool(value >> 12 & 1),
    )
    return replace(config, switches=switches)


def _color_word(setting: Setting) -> int:
    config = setting.config
    pop_mode = config.switches.pop_mode if config.switches else "no_pop"
    return (
        _mask(config.tx)
        | _mask(config.rx) << 5
        | int(config.color_swap_y) << 10
        | int(config.color_swap_x) << 11
        | POP_MODES.index(pop_mode) << 12
        | (_TEARDOWN_BIT if setting.teardown else 0)
    )


def _mask(directions: tuple[str, ...]) -> int:
    return sum(1 << _DIRECTIONS.index(direction) for direction in directions)


def _named(mask: int) -> tuple[str, ...]:
    return tuple(d for bit, d in enumerate(_DIRECTIONS) if mask >> bit & 1)


def _position(bits: int) -> SwitchPosition:
    if bits & 7 >= _NO_DIRECTION:
        return SwitchPosition()
    side = (_DIRECTIONS[bits & 7],)
    if bits & 8:
        return SwitchPosition(valid=True, rx=side)
    return SwitchPosition(valid=True, tx=side)
