"""Builtins on DSDs: language reference 12.7, machine reference 7."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.addresses import pointer_to
from pyflame.wse.language.builtins_ids import routable
from pyflame.wse.language.builtins_tasks import choice
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate
from pyflame.wse.language.identifiers import OUTPUT_QUEUES
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import is_integer, need_known, parts_of
from pyflame.wse.language.types import element_size_bytes
from pyflame.wse.language.values import (
    ArrayValue,
    DsdValue,
    PointerValue,
    StructValue,
)

_MEMORY = ("base_address", "offset", "stride", "extent", "wavelet_index_offset")
_FIELDS = {
    "mem1d_dsd": ("tensor_access", *_MEMORY),
    "mem4d_dsd": ("tensor_access", *_MEMORY),
    "circbuf_dsd": ("base_address", "extent", "wraparound"),
    "fabin_dsd": (
        *("fabric_color", "input_queue", "extent"),
        *("simd_mode", "control_transform", "priority"),
    ),
    "fabout_dsd": (
        *("fabric_color", "output_queue", "extent", "control", "simd_mode", "zero"),
        *("wavelet_index_offset", "advance_switch", "control_transform", "priority"),
    ),
}
_CHOICES = {
    "simd_mode": ("simd_32", "simd_64", "simd_32_or_64"),
    "zero": ("first_source", "second_source"),
    "priority": ("high", "medium", "low"),
}
_FLAGS = ("wavelet_index_offset", "control", "advance_switch", "control_transform")
DSD_KINDS = tuple(_FIELDS)

Fields = dict[str, code.Expression]


def get_dsd(call: Invocation) -> code.Expression:
    kind = str(call.type(0))
    if kind not in _FIELDS:
        fail(
            f"'@get_dsd' takes a kind of DSD, got: '{kind}'",
            call.span,
            help=f"kinds: {', '.join(_FIELDS)}",
        )
    given = call.fields(1, "the properties of a DSD")
    for name, operand in given.items():
        if name not in _FIELDS[kind]:
            fail(f"a {kind} has no property '{name}'", operand.span)
    if kind == "circbuf_dsd":
        fields = _circular_fields(call, given)
    elif kind.startswith("mem"):
        fields = _memory_fields(call, kind, given)
    else:
        fields = _fabric_fields(call, kind, given)
    return _finished(call, kind, fields)


def _finished(call: Invocation, kind: str, fields: Fields) -> code.Expression:
    type_ = types.Simple(kind)
    known = {n: _plain(v) for n, v in fields.items() if isinstance(v, code.Constant)}
    if len(known) == len(fields):
        base = fields.get("base_address")
        element = None if base is None else _element_type(base.type)
        return call.constant(type_, DsdValue(kind, known, element))
    kind_operand = call.constant(types.TYPE, type_)
    return call.emit(type_, [kind_operand], fields)


def _plain(operand: code.Constant) -> Any:
    """Extents and strides as tuples, everything else as it is."""
    parts = parts_of(operand)
    if parts is None:
        return operand.value
    return tuple(p.value for p in parts if isinstance(p, code.Constant))


def _element_type(pointer: types.Type) -> types.Type | None:
    if not isinstance(pointer, types.Pointer):
        return None
    pointee = pointer.pointee
    return pointee.element if isinstance(pointee, types.Array) else pointee


# --- memory -----------------------------------------------------------------------


def _memory_fields(call: Invocation, kind: str, given: Fields) -> Fields:
    if "tensor_access" in given:
        given = _expanded(call, given)
    if "base_address" not in given or "extent" not in given:
        missing = "base_address" if "base_address" not in given else "extent"
        fail(
            f"a {kind} needs the property '{missing}'",
            call.span,
            help="give .tensor_access, or .base_address and .extent",
        )
    fields: Fields = {"base_address": _base(given)}
    if "offset" in given:
        fields["offset"] = number(given["offset"], types.I16, "offset")
    fields |= _shape(call, kind, given)
    if "wavelet_index_offset" in given:
        fields["wavelet_index_offset"] = _flag(given, "wavelet_index_offset")
    return fields


def _base(given: Fields) -> code.Expression:
    base = given["base_address"]
    if not isinstance(base.type, types.Pointer):
        fail(f"'base_address' must be a pointer, got: '{base.type}'", base.span)
    _check_element(base)
    return base


def _circular_fields(call: Invocation, given: Fields) -> Fields:
    """Elements from `base_address` on, `wraparound` of them over and over again.

    Known at compile time; an array's size is the default of `wraparound` (2.x).
    """
    for name in ("base_address", "extent"):
        if name not in given:
            fail(f"a circbuf_dsd needs the property '{name}'", call.span)
    base = need_known(_base(given), "'base_address' of a circbuf_dsd")
    size = _array_size(base.type)
    around = given.get("wraparound")
    if around is None:
        if size is None:
            fail(
                f"a circbuf_dsd over a '{base.type}' needs the property 'wraparound'",
                call.span,
                note="only an array has a size that it can be inferred from",
            )
        around = call.constant(types.COMPTIME_INT, size)
    numbers = {"extent": given["extent"], "wraparound": around}
    fields = {name: _known_u16(value, name) for name, value in numbers.items()}
    _check_wraparound(fields["wraparound"], size)
    return {"base_address": base, **fields}


def _known_u16(operand: code.Expression, name: str) -> code.Constant:
    return need_known(number(operand, types.U16, name), f"'{name}' of a circbuf_dsd")


def _check_wraparound(around: code.Constant, size: int | None) -> None:
    if not around.value:
        fail("'wraparound' must be at least 1", around.span)
    if size is not None and around.value > size:
        fail(
            f"'wraparound' {around.value} reaches beyond the array, which has {size} "
            "elements",
            around.span,
        )


def _array_size(pointer: types.Type) -> int | None:
    pointee = pointer.pointee if isinstance(pointer, types.Pointer) else None
    return pointee.count if isinstance(pointee, types.Array) else None


def _check_element(base: code.Expression) -> None:
    """Vector operations know elements of 16 and 32 bits only."""
    element = _element_type(base.type)
    narrow = isinstance(element, types.Int) and element.bits not in (16, 32)
    if narrow or not _has_size(element):
        fail(
            f"a DSD cannot describe elements of type '{element}'",
            base.span,
            note="DSD operations work on elements of 16 and 32 bits",
        )


def _has_size(element: types.Type | None) -> bool:
    try:
        return element is None or element_size_bytes(element) > 0
    except TypeError:
        return False


def _expanded(call: Invocation, given: Fields) -> Fields:
    """The four properties that a tensor access stands for."""
    for name in ("base_address", "offset", "stride", "extent"):
        if name in given:
            fail(
                f"property '{name}' is already given by 'tensor_access'",
                given[name].span,
            )
    access = given["tensor_access"]
    struct, parts = access.type, parts_of(access)
    wanted = ("base_address", "offset", "stride", "extent")
    if not isinstance(struct, types.Struct) or struct.names != wanted or parts is None:
        fail(
            "'tensor_access' must be a tensor access",
            access.span,
            help="write |i|{n} -> A[i]",
        )
    rest = {n: v for n, v in given.items() if n != "tensor_access"}
    return {**dict(zip(wanted, parts, strict=True)), **rest}


def _shape(call: Invocation, kind: str, given: Fields) -> Fields:
    extents = _items(given["extent"])
    strides = _items(given["stride"]) if "stride" in given else None
    rank = len(extents)
    limit = 1 if kind == "mem1d_dsd" else 4
    if not rank:
        fail(f"the 'extent' of a {kind} is empty", given["extent"].span)
    if rank > limit:
        fail(
            f"a {kind} has at most {limit} dimension{'s' * (limit > 1)}, got {rank}",
            call.span,
            help="use mem4d_dsd" if kind == "mem1d_dsd" else "",
        )
    if strides is not None and len(strides) != rank:
        fail(f"{rank} extents but {len(strides)} strides are given", call.span)
    stride_type = types.I8 if kind == "mem1d_dsd" else types.I16
    shaped: Fields = {"extent": _pack(call, kind, extents, types.U16, "extent")}
    if strides is not None or kind == "mem4d_dsd":
        ones: list[code.Expression] = [call.constant(types.I16, 1)] * rank
        shaped["stride"] = _pack(call, kind, strides or ones, stride_type, "stride")
    return shaped


def _items(operand: code.Expression) -> list[code.Expression]:
    if isinstance(operand.type, types.Struct):
        return list(parts_of(operand) or ())
    known = isinstance(operand, code.Constant)
    if known and isinstance(operand.type, types.Array):
        if not isinstance(operand.type.element, types.Int):
            fail(f"expected integers, got: '{operand.type}'", operand.span)
        array: ArrayValue = operand.value
        return [
            code.Constant(types.COMPTIME_INT, operand.span, int(v))
            for v in array.elements
        ]
    return [operand]


def _pack(
    call: Invocation,
    kind: str,
    items: list[code.Expression],
    type_: types.Int,
    what: str,
) -> code.Expression:
    numbers = [number(item, type_, what) for item in items]
    if kind == "mem1d_dsd":
        if isinstance(numbers[0], code.Constant):
            values = types.Struct(None, (type_,))
            return _tuple_constant(call, values, (numbers[0].value,))
        return numbers[0]
    known = tuple(need_known(n, f"'{what}' of a mem4d_dsd").value for n in numbers)
    return _tuple_constant(call, types.Struct(None, (type_,) * len(known)), known)


def _tuple_constant(
    call: Invocation, type_: types.Struct, values: tuple[int, ...]
) -> code.Constant:
    return call.constant(type_, StructValue(type_, values))


def number(operand: code.Expression, type_: types.Int, what: str) -> code.Expression:
    """A number of a hardware field: a known one of any integer type must fit."""
    if isinstance(operand, code.Constant) and is_integer(operand.type):
        if not type_.minimum <= operand.value <= type_.maximum:
            fail(
                f"'{what}' {operand.value} does not fit '{type_}' "
                f"({type_.minimum} to {type_.maximum})",
                operand.span,
                help="use mem4d_dsd, whose strides have 16 bits"
                if type_ == types.I8
                else "",
            )
        return code.Constant(type_, operand.span, operand.value)
    return coerce(operand, type_)


def _flag(given: Fields, name: str) -> code.Expression:
    operand = need_known(given[name], f"'{name}'")
    return coerce(operand, types.BOOL)


# --- fabric -----------------------------------------------------------------------


def _fabric_fields(call: Invocation, kind: str, given: Fields) -> Fields:
    if "extent" not in given:
        fail(f"a {kind} needs the property 'extent'", call.span)
    check_arch_of(call, given, "priority", "wse3", "on wse2 operations have it")
    fields: Fields = {"extent": number(given["extent"], types.U16, "extent")}
    for name in ("fabric_color", "input_queue", "output_queue"):
        if name in given:
            wanted = "color" if name == "fabric_color" else name
            fields[name] = coerce(given[name], types.Identifier(wanted))
    if "fabric_color" in fields:
        routable(fields["fabric_color"])
    if "fabric_color" not in given and call.program.options.arch == "wse2":
        fail(f"a {kind} needs the property 'fabric_color' on wse2", call.span)
    if kind == "fabout_dsd" and call.program.options.arch == "wse2":
        fields.setdefault("output_queue", _chosen_queue(call, fields["fabric_color"]))
    for name in _FLAGS:
        if name in given:
            fields[name] = _flag(given, name)
    for name, options in _CHOICES.items():
        if name in given:
            chosen = choice(given[name], options, name)
            fields[name] = call.constant(types.COMPTIME_STRING, chosen)
    return fields


def check_arch_of(
    call: Invocation, given: Fields, name: str, arch: str, way_out: str
) -> None:
    if name in given and call.program.options.arch != arch:
        fail(f"'{name}' exists on {arch} only", given[name].span, help=way_out)


def _chosen_queue(call: Invocation, color: code.Expression) -> code.Constant:
    """Older releases chose the output queue of WSE-2 themselves: here by the color."""
    _, last = OUTPUT_QUEUES["wse2"]
    number = color.value % (last + 1) if isinstance(color, code.Constant) else 0
    return call.constant(types.Identifier("output_queue"), number)


# --- mutators ---------------------------------------------------------------------


def _dsd(call: Invocation, kinds: tuple[str, ...]) -> code.Expression:
    operand = call.operand(0)
    if str(operand.type) not in kinds:
        fail(
            f"'{call.name}' does not take type '{operand.type}'",
            operand.span,
            note=f"it takes: {', '.join(kinds)}",
        )
    return operand


def _changed(
    call: Invocation, dsd: code.Expression, arguments: list[code.Expression], **new: Any
) -> code.Expression:
    """The known DSD with new fields, or the builtin at run time."""
    if isinstance(dsd, code.Constant) and all(
        isinstance(a, code.Constant) for a in arguments
    ):
        old: DsdValue = dsd.value
        return call.constant(
            dsd.type, DsdValue(old.kind, {**old.fields, **new}, old.element)
        )
    return call.emit(dsd.type, [dsd, *arguments])


def set_dsd_base_addr(call: Invocation) -> code.Expression:
    dsd = _dsd(call, ("mem1d_dsd", "mem4d_dsd"))
    pointer = pointer_argument(call, 1)
    if not isinstance(pointer.type, types.Pointer):
        fail(f"'{call.name}' takes an array or a pointer", pointer.span)
    value = pointer.value if isinstance(pointer, code.Constant) else None
    return _changed(call, dsd, [pointer], base_address=value, offset=0)


def pointer_argument(call: Invocation, index: int) -> code.Expression:
    node = call.node.arguments[index]
    if isinstance(node, (tree.Name, tree.Member, tree.Index, tree.Deref)):
        return pointer_to(call.frame, node)
    return evaluate(call.frame, node)


def increment_dsd_offset(call: Invocation) -> code.Expression:
    dsd = _dsd(call, ("mem1d_dsd", "mem4d_dsd"))
    count = number(call.operand(1), types.I16, "offset")
    element = call.type(2)
    if not isinstance(element, (types.Int, types.Float)):
        fail(
            f"'@increment_dsd_offset' counts elements of a number type, got: "
            f"'{element}'",
            call.span,
        )
    base = None
    if isinstance(dsd, code.Constant) and isinstance(count, code.Constant):
        old: PointerValue = dsd.value.fields["base_address"]
        moved = old.offset_bytes + count.value * element_size_bytes(element)
        base = PointerValue(old.variable, moved)
    type_operand = call.constant(types.TYPE, element)
    return _changed(call, dsd, [count, type_operand], base_address=base)


def set_dsd_length(call: Invocation) -> code.Expression:
    dsd = _dsd(call, ("mem1d_dsd", "fabin_dsd", "fabout_dsd"))
    length = number(call.operand(1), types.U16, "length")
    extent: Any = length.value if isinstance(length, code.Constant) else None
    if str(dsd.type) == "mem1d_dsd":
        extent = (extent,)
    return _changed(call, dsd, [length], extent=extent)


def set_dsd_stride(call: Invocation) -> code.Expression:
    dsd = _dsd(call, ("mem1d_dsd",))
    stride = number(call.operand(1), types.I8, "stride")
    value = stride.value if isinstance(stride, code.Constant) else None
    return _changed(call, dsd, [stride], stride=(value,))
