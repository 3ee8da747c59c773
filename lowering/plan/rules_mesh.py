"""Selection rules of the collectives: each becomes exchanges along one line of PEs.

Data travels inward, PE by PE, to the first PE of the line; from there a flood reaches
all. No exchange waits for a PE that waits for it: inward, PE i waits only for PEs
beyond it; outward, only for PEs before it; and all PEs of a line run the same exchanges
in the same order. `patterns` has faster ways inward, of which the same is true: in a
star, what PE i sends waits only for the PEs before it to have sent their own.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from lowering.dtypes import is_narrow
from lowering.errors import UnsupportedDtypeError
from lowering.jaxprs import JaxprEqn, type_of
from lowering.plan import views
from lowering.plan.origins import Origin
from lowering.plan.select import Selection, number_text, register
from lowering.plan.steps import CutStep, FillStep, MoveStep, Root, ZeroUnlessStep
from lowering.plan.values import (
    Constant,
    Count,
    Operand,
    Value,
    View,
    contiguous_strides,
    whole,
)


@register("mesh_broadcast")
def _broadcast(selection: Selection, eqn: JaxprEqn) -> None:
    axis, size = eqn.params["axis"], eqn.params["size"]
    root, text = _root(selection, eqn)
    text += _ending(eqn)

    def exchange(value: Value, origin: Origin) -> Value:
        count = value.element_count
        if root != 0:
            selection.add(
                MoveStep("relay_inward", axis, size, value, count, origin, root=root)
            )
        if not eqn.params["first_only"]:
            selection.add(MoveStep("flood", axis, size, value, count, origin))
        return value

    _in_place(selection, eqn, "broadcast", f"root={text}", exchange)


def _root(selection: Selection, eqn: JaxprEqn) -> tuple[Root, str]:
    """The root, a number or an i32[] that the program computes, and its text."""
    if eqn.params["root"] is not None:
        return eqn.params["root"], str(eqn.params["root"])
    operand = selection.read(eqn.invars[1])
    if isinstance(operand, Constant):
        number = operand.number
        return number if isinstance(number, Count) else int(number), str(number)
    text = selection.text(eqn.invars[1])
    if isinstance(operand, View):
        return operand, text
    return whole(selection.materialise(operand, "root", Origin(text))), text


@register("mesh_all_reduce")
def _all_reduce(selection: Selection, eqn: JaxprEqn) -> None:
    _check_reducible(selection, eqn)
    op: str = eqn.params["op"]

    def exchange(value: Value, origin: Origin) -> Value:
        floods = not eqn.params["first_only"]
        return _reduce_line(selection, eqn, value, origin, flood=floods)

    text = f"op={op}{_ending(eqn)}"
    _in_place(selection, eqn, f"line_{op}", text, exchange, negate=op == "min")


@register("mesh_reduce")
def _reduce(selection: Selection, eqn: JaxprEqn) -> None:
    _check_reducible(selection, eqn)
    op, root = eqn.params["op"], eqn.params["root"]

    def exchange(value: Value, origin: Origin) -> Value:
        _reduce_line(selection, eqn, value, origin, flood=root != 0)
        selection.add(ZeroUnlessStep(value, eqn.params["axis"], root, origin))
        return value

    call = f"op={op}, root={root}"
    _in_place(selection, eqn, f"line_{op}", call, exchange, negate=op == "min")


@register("mesh_all_gather")
def _all_gather(selection: Selection, eqn: JaxprEqn) -> None:
    source, origin = _sendable(selection, eqn, "gathered")
    if is_narrow(source.dtype):
        _gather_words(selection, eqn, source, origin)
        return
    target = selection.value(eqn, "gathered")
    origin = _renamed(origin, target)
    _gather(selection, eqn, source, target, eqn.params["dim"], origin)
    _bind_as(selection, eqn, whole(target))


def _gather_words(
    selection: Selection, eqn: JaxprEqn, source: Value, origin: Origin
) -> None:
    """Each tile comes in whole words, tile by tile; then the tiles are joined."""
    size, dim = eqn.params["size"], eqn.params["dim"]
    pitch = source.element_count + source.element_count % 2
    name = selection.names.unique("gathered_tiles")
    target = Value(name, (size, pitch), source.dtype, place=origin.place)
    origin = _renamed(origin, target)
    _gather(selection, eqn, source, target, 0, origin)
    strides = contiguous_strides(source.shape)
    tiles = View(target, (size, *source.shape), (pitch, *strides))
    order = (*range(1, dim + 1), 0, *range(dim + 1, len(source.shape) + 1))
    joined = views.transpose(tiles, order)
    aval: Any = eqn.outvars[0].aval
    if views.reshape(joined, aval.shape) is None:
        joined = whole(selection.materialise(joined, "gathered", origin))
    _bind_as(selection, eqn, joined)


def _gather(
    selection: Selection,
    eqn: JaxprEqn,
    source: Value,
    target: Value,
    dim: int,
    origin: Origin,
) -> None:
    axis, size = eqn.params["axis"], eqn.params["size"]
    count, total = target.element_count // size, target.element_count
    selection.add(
        MoveStep(
            "gather_inward", axis, size, target, count, origin, source=source, dim=dim
        )
    )
    if not eqn.params["first_only"]:
        selection.add(MoveStep("flood", axis, size, target, total, origin))


def _ending(eqn: JaxprEqn) -> str:
    """What the text of an exchange says of where it ends."""
    return ", to the first" if eqn.params["first_only"] else ""


def _renamed(origin: Origin, value: Value) -> Origin:
    """The origin of what is called `gathered` until the value has a name."""
    equation = origin.equation.replace("gathered", value.name, 1)
    return Origin(equation, origin.place)


@register("mesh_fill_padding")
def _fill_padding(selection: Selection, eqn: JaxprEqn) -> None:
    """Inputs are filled with zero in place: what their padding holds, nobody minds."""
    x = selection.read(eqn.invars[0])
    axis, dim, length, number = (
        eqn.params[key] for key in ("axis", "dim", "length", "value")
    )
    call = f"fill_padding({selection.text(eqn.invars[0])}, {number_text(number)})"
    owner = x.value if isinstance(x, View) and x.is_whole else None
    if (
        owner is not None
        and owner.role == "input"
        and owner.shape == x.shape
        and not number
    ):
        value = owner
        origin = selection.origin(eqn, value.name, call)
    else:
        value = selection.value(eqn, "filled")
        origin = selection.origin(eqn, value.name, call)
        selection.element("copy", value, [x], origin)
    selection.add(FillStep(value, axis, dim, length, number, origin))
    _bind_as(selection, eqn, whole(value))


@register("mesh_slice")
def _cut(selection: Selection, eqn: JaxprEqn) -> None:
    axis, size, dim, tile = (eqn.params[key] for key in ("axis", "size", "dim", "tile"))
    out = selection.value(eqn, "tile")
    text = selection.text(eqn.invars[0])
    origin = selection.origin(eqn, out.name, f"tile({text}, {axis})")
    x = selection.read(eqn.invars[0])
    if not isinstance(x, View):
        x = whole(selection.materialise(x, "whole", origin))
    is_even = x.shape[dim] == size * tile
    selection.add(CutStep(out, x, axis, dim, is_even, origin))
    selection.bind_value(eqn.outvars[0], out)


@register("mesh_shift")
def _shift(selection: Selection, eqn: JaxprEqn) -> None:
    """A shift by k is k exchanges with the neighbour."""
    axis, size = eqn.params["axis"], eqn.params["size"]
    offset: int = eqn.params["offset"]
    aval: Any = eqn.outvars[0].aval
    if abs(offset) >= size:
        zero = Constant(_zero(aval.dtype), aval.shape, aval.dtype)
        selection.bind(eqn.outvars[0], zero, "0")
        return
    if offset == 0:
        _bind_copy(selection, eqn)
        return
    source, origin = _sendable(selection, eqn, "shifted")
    step = 1 if offset > 0 else -1
    for _ in range(abs(offset)):
        name = selection.names.unique("shifted")
        target = Value(name, source.shape, source.dtype, place=origin.place)
        count = source.element_count
        selection.add(
            MoveStep(
                "shift", axis, size, target, count, origin, source=source, step=step
            )
        )
        source = target
    _bind_as(selection, eqn, whole(source))


def _reduce_line(
    selection: Selection, eqn: JaxprEqn, value: Value, origin: Origin, flood: bool
) -> Value:
    axis, size = eqn.params["axis"], eqn.params["size"]
    op: Literal["sum", "max"] = "sum" if eqn.params["op"] == "sum" else "max"
    count = value.element_count
    selection.add(MoveStep("reduce_inward", axis, size, value, count, origin, op=op))
    if flood:
        selection.add(MoveStep("flood", axis, size, value, count, origin))
    return value


def _in_place(
    selection: Selection,
    eqn: JaxprEqn,
    name: str,
    call: str,
    exchange: Callable[[Value, Origin], Value],
    negate: bool = False,
) -> None:
    """Runs an exchange on a copy of the operand; min is max of the negated."""
    if eqn.params["size"] == 1:
        _bind_copy(selection, eqn)
        return
    x = selection.read(eqn.invars[0])
    text = selection.text(eqn.invars[0])
    value = _like(x, selection, eqn, name) if negate else selection.value(eqn, name)
    call = f"{eqn.primitive.name}({text}, {eqn.params['axis']}, {call})"
    origin = selection.origin(eqn, value.name, call)
    selection.element("neg" if negate else "copy", value, [x], origin)
    value = exchange(value, origin)
    if negate:
        out = selection.value(eqn, name)
        selection.element("neg", out, [whole(value)], origin)
        value = out
    _bind_as(selection, eqn, whole(value))


def _sendable(selection: Selection, eqn: JaxprEqn, name: str) -> tuple[Value, Origin]:
    """The operand as a contiguous value that may be sent."""
    x = selection.read(eqn.invars[0])
    text = selection.text(eqn.invars[0])
    call = f"{eqn.primitive.name}({text}, {eqn.params['axis']})"
    origin = selection.origin(eqn, name, call)
    if isinstance(x, View) and x.is_whole and x.value.shape == x.shape:
        return x.value, origin
    return selection.materialise(x, f"{name}_source", origin), origin


def _like(x: Operand, selection: Selection, eqn: JaxprEqn, name: str) -> Value:
    """What the result is made of later."""
    unique = selection.names.unique(f"{name}_words")
    return Value(unique, x.shape, x.dtype, place=selection.place(eqn))


def _bind_as(selection: Selection, eqn: JaxprEqn, operand: Operand) -> None:
    """Binds the result in the shape of the equation."""
    aval: Any = eqn.outvars[0].aval
    reshaped = views.reshape(operand, aval.shape)
    assert reshaped is not None, "a contiguous value takes any shape"
    selection.bind(eqn.outvars[0], reshaped, _base_name(reshaped))


def _base_name(operand: Operand) -> str:
    value = getattr(operand, "value", None)
    return value.name if isinstance(value, Value) else "constant"


def _bind_copy(selection: Selection, eqn: JaxprEqn) -> None:
    selection.bind(
        eqn.outvars[0], selection.read(eqn.invars[0]), selection.text(eqn.invars[0])
    )


def _zero(dtype: Any) -> float | int | bool:
    return np.zeros((), dtype).item()


def _check_reducible(selection: Selection, eqn: JaxprEqn) -> None:
    aval: Any = eqn.invars[0].aval
    if str(aval.dtype) != "float32":
        raise UnsupportedDtypeError(
            f"{eqn.primitive.name} of {type_of(eqn.invars[0])} is not supported",
            place=selection.place(eqn),
            rule="PEs reduce float32 on the fabric",
            help="convert it with astype(float32) first",
        )
