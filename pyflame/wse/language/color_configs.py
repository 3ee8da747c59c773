"""Color configuration structs: routes, switches and filters of one router."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language import code, types
from pyflame.wse.language.builtins_tasks import choice
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.image import (
    ColorConfig,
    Filter,
    Switches,
    SwitchPosition,
)
from pyflame.wse.language.operands import (
    fields_of,
    need_known,
    parts_of,
)
from pyflame.wse.language.source import Span

Fields = dict[str, code.Expression]

_FILTER_KINDS = ("range", "counter", "sparse_counter")
_FILTER_FIELDS = (
    *("min_idx", "max_idx", "count_data", "count_control", "init_counter"),
    *("limit1", "limit2", "max_counter", "filter_control", "fast_mode"),
)
_POP_MODES = ("no_pop", "always_pop", "pop_on_advance", "pop_on_advance_nop")
_SWITCH_FIELDS = (
    *("pos1", "pos2", "pos3", "ring_mode", "pop_mode", "current_switch_pos"),
)


def parse_color_config(operand: code.Expression, arch: str, span: Span) -> ColorConfig:
    """The record of a configuration struct.

    Raises:
        CslError: a field is unknown, missing or contradicts the architecture.
    """
    given = _fields(operand, "a color configuration")
    _check_names(given, ("routes", "switches", "filter", "teardown"))
    if "routes" not in given:
        fail("a color configuration needs the field 'routes'", span)
    routes = _fields(given["routes"], "'routes'")
    _check_names(routes, ("rx", "tx", "color_swap_x", "color_swap_y"))
    if arch != "wse2":
        for name in ("color_swap_x", "color_swap_y"):
            if name in routes:
                fail(f"'{name}' exists on wse2 only", routes[name].span)
    return ColorConfig(
        rx=_directions(routes.get("rx"), "rx"),
        tx=_directions(routes.get("tx"), "tx"),
        switches=_switches(given["switches"], arch) if "switches" in given else None,
        filter=_filter(given["filter"]) if "filter" in given else None,
        teardown=_bool(given, "teardown"),
        color_swap_x=_bool(routes, "color_swap_x"),
        color_swap_y=_bool(routes, "color_swap_y"),
    )


def _fields(operand: code.Expression, what: str) -> Fields:
    struct = operand.type
    if isinstance(struct, types.Struct) and not struct.types:
        return {}
    return fields_of(need_known(operand, what), what)


def _check_names(given: Fields, allowed: tuple[str, ...]) -> None:
    for name, operand in given.items():
        if name not in allowed:
            fail(
                f"unknown field '{name}'",
                operand.span,
                help=f"fields: {', '.join(allowed)}",
            )


def _bool(given: Fields, name: str) -> bool:
    if name not in given:
        return False
    operand = need_known(given[name], f"'{name}'")
    if operand.type != types.BOOL:
        fail(f"'{name}' must be 'bool', got: '{operand.type}'", operand.span)
    return operand.value


def _directions(operand: code.Expression | None, what: str) -> tuple[str, ...]:
    """One direction, or a tuple or array of different ones."""
    if operand is None:
        return ()
    known = need_known(operand, f"'{what}'")
    if known.type == types.DIRECTION:
        return (known.value,)
    found: list[str] = []
    for part in _direction_parts(known, what):
        if part.type != types.DIRECTION:
            fail(f"'{what}' takes directions, got: '{part.type}'", operand.span)
        if part.value in found:
            fail(f"direction {part.value} occurs twice in '{what}'", operand.span)
        found.append(part.value)
    return tuple(found)


def _direction_parts(known: code.Constant, what: str) -> list[code.Constant]:
    if isinstance(known.type, types.Array):
        element = known.type.element
        values = known.value.elements
        return [code.Constant(element, known.span, v) for v in values]
    parts = parts_of(known)
    if parts is None or (
        isinstance(known.type, types.Struct) and known.type.names and known.type.types
    ):
        fail(f"'{what}' must be a direction or a tuple of them", known.span)
    return [p for p in parts if isinstance(p, code.Constant)]


# --- switches ---------------------------------------------------------------------


def _switches(operand: code.Expression, arch: str) -> Switches:
    given = _fields(operand, "'switches'")
    _check_names(given, _SWITCH_FIELDS)
    names = ("pos1", "pos2", "pos3")
    first, second, third = (_position(given.get(name), name, arch) for name in names)
    current = _integer(given, "current_switch_pos", 3)
    pop_mode = choice(given.get("pop_mode"), _POP_MODES, "pop_mode")
    return Switches(
        positions=(first, second, third),
        ring_mode=_bool(given, "ring_mode"),
        pop_mode=pop_mode or "no_pop",
        current=current,
    )


def _position(operand: code.Expression | None, name: str, arch: str) -> SwitchPosition:
    if operand is None:
        return SwitchPosition()
    given = _fields(operand, f"'{name}'")
    _check_names(given, ("rx", "tx", "invalid"))
    if "invalid" in given:
        if _bool(given, "invalid"):
            return SwitchPosition()
    if "rx" in given and "tx" in given and arch == "wse2":
        fail(
            "cannot have both an input and an output in the same switch position",
            operand.span,
            note="a switch position of wse2 changes one side of the route",
        )
    rx = _directions(given["rx"], "rx") if "rx" in given else None
    tx = _directions(given["tx"], "tx") if "tx" in given else None
    return SwitchPosition(rx, tx, valid=rx is not None or tx is not None)


def _integer(given: Fields, name: str, high: int) -> int:
    if name not in given:
        return 0
    operand = need_known(given[name], f"'{name}'")
    value: Any = operand.value
    if not isinstance(value, int) or not 0 <= value <= high:
        fail(f"'{name}' must be an integer from 0 to {high}", operand.span)
    return value


# --- filters ----------------------------------------------------------------------


def _filter(operand: code.Expression) -> Filter:
    given = _fields(operand, "'filter'")
    _check_names(given, ("kind", *_FILTER_FIELDS))
    kind = choice(given.get("kind"), _FILTER_KINDS, "kind")
    if kind is None:
        fail("a filter needs the field 'kind'", operand.span)
    values: dict[str, int | bool] = {}
    for name, field in given.items():
        if name == "kind":
            continue
        known = need_known(field, f"'{name}'")
        if not isinstance(known.value, int):
            fail(
                f"'{name}' must be an integer or bool, got: '{known.type}'", field.span
            )
        if not 0 <= known.value <= 0xFFFF:
            fail(f"'{name}' {known.value} is out of range (0 to 65535)", field.span)
        values[name] = known.value
    return Filter(kind, values)
