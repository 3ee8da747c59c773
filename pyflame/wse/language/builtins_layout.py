"""Builtins of the layout block, and symbols that the host sees."""

from __future__ import annotations

import difflib

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.builtins_tasks import identifier
from pyflame.wse.language.color_configs import parse_color_config
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.image import ExportedName
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.layout import (
    LayoutRecord,
    TileCode,
    check_export_type,
    tile_key,
)
from pyflame.wse.language.modules import function_type
from pyflame.wse.language.operands import make_struct, need_known
from pyflame.wse.language.places import evaluate_place
from pyflame.wse.language.run_time import plain_instance
from pyflame.wse.language.state import FunctionRef
from pyflame.wse.language.task_ids import check_color_is_free, once

_COORDINATE = (-(1 << 31), 1 << 31)


def _record(call: Invocation) -> LayoutRecord:
    record = call.program.layout
    assert isinstance(record, LayoutRecord), "mode L has a layout record"
    return record


def _position(call: Invocation) -> tuple[int, int]:
    x = call.integer(0, "column", *_COORDINATE)
    y = call.integer(1, "row", *_COORDINATE)
    return x, y


def set_rectangle(call: Invocation) -> code.Expression:
    width = call.integer(0, "width", *_COORDINATE)
    height = call.integer(1, "height", *_COORDINATE)
    _record(call).set_size(width, height, call.span)
    call.program.rectangle = (width, height)
    return call.void()


def get_rectangle(call: Invocation) -> code.Expression:
    if call.program.rectangle is None:
        fail("'@get_rectangle' comes before '@set_rectangle'", call.span)
    width, height = call.program.rectangle
    options = call.program.options
    offsets = options.fabric_offsets or (0, 0)
    fabric = options.fabric_dims or (width, height)
    names = ("width", "height", "fabric", "offsets")
    values = (
        call.constant(types.U16, width),
        call.constant(types.U16, height),
        _pair(call, fabric),
        _pair(call, offsets),
    )
    type_ = types.Struct(names, tuple(v.type for v in values))
    return make_struct(type_, values, call.span)


def _pair(call: Invocation, sides: tuple[int, int]) -> code.Expression:
    type_ = types.Struct(("width", "height"), (types.U16, types.U16))
    values = tuple(call.constant(types.U16, side) for side in sides)
    return make_struct(type_, values, call.span)


def set_tile_code(call: Invocation) -> code.Expression:
    x, y = _position(call)
    importer = call.frame.module.file.source
    file = call.string(2, "the file name") if call.count > 2 else None
    given = call.fields(3, "the params of a program")
    known = {n: need_known(v, f"param '{n}'") for n, v in given.items()}
    key = tile_key(f"{importer.path}:{file or ''}", known)
    tile = TileCode(file, importer, known, call.span, key)
    _record(call).add_tile(x, y, tile)
    return call.void()


def set_color_config(call: Invocation) -> code.Expression:
    x, y = _position(call)
    record = _record(call)
    record.check_inside("@set_color_config", x, y, call.span)
    color = identifier(call, 2, "color")
    check_color_is_free(call, color)
    arch = call.program.options.arch
    config = parse_color_config(call.operand(3), arch, call.span)
    record.add_color(x, y, color, config, call.span)
    return call.void()


def set_local_color_config(call: Invocation) -> code.Expression:
    color = identifier(call, 0, "color")
    check_color_is_free(call, color)
    once(call, ("local color", color), f"color {color} is configured twice")
    arch = call.program.options.arch
    config = parse_color_config(call.operand(1), arch, call.span)
    call.program.unit.local_colors[color] = config
    return call.void()


# --- exports ----------------------------------------------------------------------


def export_name(call: Invocation) -> code.Expression:
    name = call.string(0, "the exported name")
    type_ = call.type(1)
    mutable: bool | None = None
    if call.count > 2 and not isinstance(type_, types.Function):
        operand = call.known(2, "'mutable'")
        if operand.type != types.BOOL:
            fail(f"expected type 'bool', got: '{operand.type}'", operand.span)
        mutable = operand.value
    check_export_type(type_, mutable, call.span)
    _record(call).add_export(ExportedName(name, type_, mutable), call.span)
    return call.void()


def export_symbol(call: Invocation) -> code.Expression:
    node = call.node.arguments[0]
    if not isinstance(node, (tree.Name, tree.Member)):
        fail("'@export_symbol' takes a global variable or a function", node.span)
    name = call.string(1, "the exported name") if call.count > 1 else node.name
    exported = call.program.exported.get(name)
    if exported is None:
        close = difflib.get_close_matches(name, list(call.program.exported), 1)
        way = f'add @export_name("{name}", ...) to the layout block'
        fail(
            f"'{name}' is not exported by the layout",
            call.span,
            help=f"did you mean '{close[0]}', which it exports?" if close else way,
        )
    once(call, ("export", name), f"symbol '{name}' is exported twice")
    operand = call.frame.nested(mode="R", out=[])
    inner = Invocation(operand, call.node)
    value = inner.operand(0)
    if isinstance(value, code.Constant) and isinstance(value.value, FunctionRef):
        _export_function(call, exported, value.value)
    else:
        _export_variable(call, exported, node)
    return call.void()


def _export_function(
    call: Invocation, exported: ExportedName, reference: FunctionRef
) -> None:
    _check_export_matches(call, exported, function_type(reference))
    function = plain_instance(call.program, reference, call.span)
    call.program.unit.exports[exported.name] = function


def _check_export_matches(
    call: Invocation, exported: ExportedName, found: types.Type
) -> None:
    if found != exported.type:
        fail(
            f"symbol '{exported.name}' has type '{found}', "
            f"but the layout exports it as '{exported.type}'",
            call.span,
            help=_export_help(exported, found),
        )


def _export_help(exported: ExportedName, found: types.Type) -> str:
    name = exported.name
    if not isinstance(found, types.Array) or not isinstance(
        exported.type, types.Pointer
    ):
        return ""
    return (
        f"export a pointer: var {name}_ptr: {exported.type} = &{name}; "
        f'@export_symbol({name}_ptr, "{name}");'
    )


def _export_variable(
    call: Invocation, exported: ExportedName, node: tree.Name | tree.Member
) -> None:
    place = evaluate_place(call.frame, node)
    if not isinstance(place, code.Variable) or not isinstance(
        place.variable, code.GlobalVariable
    ):
        fail("'@export_symbol' takes a global variable or a function", node.span)
    variable = place.variable
    _check_export_matches(call, exported, variable.type)
    if exported.mutable != variable.mutable:
        kind = "var" if variable.mutable else "const"
        fail(
            f"symbol '{exported.name}' is a {kind}, but the layout exports it with "
            f"mutable = {str(exported.mutable).lower()}",
            call.span,
            help="use 'var' for symbols that the host may write",
        )
    variable.exported = True
    call.program.unit.exports[exported.name] = variable


def get_symbol_id(call: Invocation) -> code.Expression:
    node = call.node.arguments[0]
    name = node.name if isinstance(node, (tree.Name, tree.Member)) else ""
    if isinstance(node, tree.StringLiteral):
        name = node.value
    names = list(call.program.exported)
    if name not in names:
        fail(f"'{name}' is not exported by the layout", call.span)
    return call.constant(types.U16, names.index(name))


def has_exported_tensors(call: Invocation) -> code.Expression:
    exported = call.program.exported.values()
    return call.bool(any(e.mutable is not None for e in exported))
