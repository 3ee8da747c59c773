"""Implicit coercions, casts, and the common type of alternatives."""

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, types
from pyflame.wse.language.coercions import coerce, convert, peer_type
from pyflame.wse.language.source import Source, Span

CompilePe = Callable[..., Any]
SPAN = Span(Source("test.csl", "x\n"), 0, 1)


def constant(type_: types.Type, value: Any) -> code.Constant:
    return code.Constant(type_, SPAN, value)


def variable(type_: types.Type) -> code.Variable:
    return code.Variable(type_, SPAN, code.LocalVariable("v", type_))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (constant(types.COMPTIME_INT, 255), types.U8),
        (constant(types.COMPTIME_INT, -128), types.I8),
        (constant(types.COMPTIME_FLOAT, 1.5), types.F16),
        (constant(types.I16, 7), types.U32),
        (variable(types.Pointer(types.F32)), types.Pointer(types.F32, const=True)),
        (
            variable(types.Pointer(types.Array((4,), types.F32))),
            types.Pointer(types.F32, many=True),
        ),
        (
            variable(types.Pointer(types.Array((2, 2), types.F32))),
            types.Pointer(types.F32, const=True, many=True),
        ),
    ],
)
def test_coercions_that_exist(source: code.Expression, target: types.Type) -> None:
    assert coerce(source, target).type == target


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (
            constant(types.COMPTIME_INT, 256),
            types.U8,
            "value 256 does not fit type 'u8'",
        ),
        (constant(types.I16, -1), types.U16, "value -1 does not fit type 'u16'"),
        (variable(types.I16), types.I32, "expected type 'i32', got: 'i16'"),
        (variable(types.F16), types.F32, "expected type 'f32', got: 'f16'"),
        (constant(types.COMPTIME_INT, 2), types.F32, "expected type 'f32'"),
        (constant(types.COMPTIME_FLOAT, 2.0), types.I16, "expected type 'i16'"),
        (constant(types.F32, 2.0), types.F16, "expected type 'f16', got: 'f32'"),
        (
            variable(types.Pointer(types.F32, const=True)),
            types.Pointer(types.F32),
            r"expected type '\*f32', got: '\*const f32'",
        ),
        (
            variable(types.Pointer(types.Array((4,), types.F16))),
            types.Pointer(types.F32, many=True),
            r"expected type '\[\*\]f32', got: '\*\[4\]f16'",
        ),
    ],
)
def test_coercions_that_do_not(
    source: code.Expression, target: types.Type, message: str
) -> None:
    with pytest.raises(CslError, match=message):
        coerce(source, target)


def test_a_pointer_to_an_array_keeps_its_address() -> None:
    source = variable(types.Pointer(types.Array((4,), types.F32)))
    found = coerce(source, types.Pointer(types.F32, many=True))
    assert isinstance(found, code.AddressOf)
    assert isinstance(found.place, code.Pointee)
    assert found.place.pointer is source


def test_casts_at_run_time_are_explicit() -> None:
    found = convert(variable(types.F32), types.I16, SPAN)
    assert isinstance(found, code.Convert)
    assert found.type == types.I16


@pytest.mark.parametrize(
    ("peers", "expected", "shared"),
    [
        ([constant(types.COMPTIME_INT, 1), variable(types.I32)], None, types.I32),
        ([variable(types.I32), variable(types.I16)], None, None),
        ([constant(types.COMPTIME_INT, 1)] * 2, types.U16, types.U16),
        ([constant(types.COMPTIME_INT, 1)] * 2, None, types.COMPTIME_INT),
        ([constant(types.Simple("noreturn"), None)], None, types.Simple("noreturn")),
    ],
)
def test_peer_types(
    peers: list[code.Expression], expected: types.Type | None, shared: types.Type | None
) -> None:
    assert peer_type(peers, expected) == shared


def test_if_arms_of_comptime_numbers_take_the_declared_type(
    compile_pe: CompilePe,
) -> None:
    text = """
    var c: bool; var x: f32;
    fn main() void { x = if (c) 1.0 else 2.0; const y: i16 = if (c) 1 else 2; }
    comptime { @export_symbol(main); }
    """
    body = compile_pe(text).functions[0].body
    assert isinstance(body[0], code.Assign)
    assert body[0].value.type == types.F32
    assert isinstance(body[1], code.Declare)
    assert body[1].variable.type == types.I16


def test_struct_types_are_nominal_and_anonymous_ones_structural(
    compile_pe: CompilePe,
) -> None:
    text = """
    const A = struct { x: i16 };
    const B = struct { x: i16 };
    comptime {
      @comptime_assert(!@is_same_type(A, B));
      @comptime_assert(@is_same_type(A, @type_of(A { .x = 1 })));
      @comptime_assert(@is_same_type(@type_of(.{ .a = 1 }), @type_of(.{ .a = 2 })));
      @comptime_assert(!@is_same_type(@type_of(.{ .a = 1 }), @type_of(.{ .b = 1 })));
      @comptime_assert(!@is_same_type(@type_of(.{ .a = 1 }), @type_of(.{ 1 })));
    }
    """
    compile_pe(text)
