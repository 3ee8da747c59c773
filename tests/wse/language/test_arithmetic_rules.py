"""Coercion, conversion and overflow, by tables: at comptime and at run time.

Each row is worked out by Python integers or NumPy beside the program's answer.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import CslError

RunCsl = Callable[..., Any]
WIDTHS = (8, 16, 32, 64)
INTS = [f"{sign}{bits}" for sign in "iu" for bits in WIDTHS]


def limits(type_: str) -> tuple[int, int]:
    bits, signed = int(type_[1:]), type_[0] == "i"
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def wrapped(value: int, type_: str) -> int:
    bits = int(type_[1:])
    value &= (1 << bits) - 1
    return value - (1 << bits) if value > limits(type_)[1] else value


def truncated(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": truncated,
    "%": lambda a, b: a - truncated(a, b) * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}


def operands(type_: str) -> list[int]:
    low, high = limits(type_)
    return sorted(
        {low, low + 1, -3, -1, 0, 1, 2, 7, high - 1, high} & set(range(low, high + 1))
        if high < 1000
        else {
            v
            for v in (low, low + 1, -3, -1, 0, 1, 2, 7, high - 1, high)
            if low <= v <= high
        }
    )


def run_rows(run_csl: RunCsl, rows: list[str], type_: str, before: str = "") -> Any:
    """The values of expressions of one type, computed at run time."""
    stores = "\n".join(f"found[{n}] = {row};" for n, row in enumerate(rows))
    program = run_csl(
        f"""
        {before}
        export var found = @zeros([{len(rows)}]{type_});
        fn run() void {{ {stores} }}
        """
    )
    sizes = {"f16": "f2", "f32": "f4"}
    dtype = sizes.get(type_) or f"{type_[0]}{int(type_[1:]) // 8}"
    return program.words("found", dtype, len(rows)).tolist()


@pytest.mark.parametrize("type_", INTS)
def test_integer_operators_wrap_at_run_time(run_csl: RunCsl, type_: str) -> None:
    rows: list[str] = []
    expected: list[int] = []
    values = operands(type_)
    names = {value: f"v{n}" for n, value in enumerate(values)}
    before = "\n".join(f"var {n}: {type_} = {v};" for v, n in names.items())
    for symbol, operator in OPERATORS.items():
        for left in values:
            for right in values:
                if symbol in "/%" and right == 0:
                    continue
                rows.append(f"{names[left]} {symbol} {names[right]}")
                expected.append(wrapped(operator(left, right), type_))
    rows = rows[:400]
    assert run_rows(run_csl, rows, type_, before) == expected[:400]


@pytest.mark.parametrize("type_", INTS)
def test_shifts_and_complements(run_csl: RunCsl, type_: str) -> None:
    bits = int(type_[1:])
    rows: list[str] = []
    expected: list[int] = []
    values = operands(type_)
    before = "\n".join(f"var v{n}: {type_} = {v};" for n, v in enumerate(values))
    counts = (0, 1, bits - 1, bits, bits + 5, 200)
    before += "\n".join(f"var c{n}: u16 = {c};" for n, c in enumerate(counts))
    for n, value in enumerate(values):
        for m, count in enumerate(counts):
            rows += [f"v{n} << c{m}", f"v{n} >> c{m}"]
            expected += [wrapped(value << count, type_), value >> count]
        rows += [f"~v{n}", f"-v{n}"]
        expected += [wrapped(~value, type_), wrapped(-value, type_)]
    assert run_rows(run_csl, rows, type_, before) == expected


@pytest.mark.parametrize("type_", INTS)
def test_known_integers_are_worked_out_the_same_way(
    run_csl: RunCsl, type_: str
) -> None:
    """Unsigned results wrap; a signed one that does not fit is refused instead."""
    rows: list[str] = []
    expected: list[int] = []
    refused: list[str] = []
    for symbol, operator in OPERATORS.items():
        for left in operands(type_):
            for right in operands(type_):
                if symbol in "/%" and right == 0:
                    continue
                text = f"@as({type_}, {left}) {symbol} @as({type_}, {right})"
                exact = operator(left, right)
                if type_[0] == "i" and exact != wrapped(exact, type_):
                    refused.append(text)
                else:
                    rows.append(text)
                    expected.append(wrapped(exact, type_))
    assert run_rows(run_csl, rows[::3], type_) == expected[::3]
    for text in refused[:3]:
        with pytest.raises(CslError, match="does not fit type"):
            run_rows(run_csl, [text], type_)


@pytest.mark.parametrize("source", INTS)
@pytest.mark.parametrize("target", ["i8", "u16", "i32", "u64"])
def test_integers_are_cut_to_the_low_bits(
    run_csl: RunCsl, source: str, target: str
) -> None:
    values = operands(source)
    before = "\n".join(f"var v{n}: {source} = {v};" for n, v in enumerate(values))
    rows = [f"@as({target}, v{n})" for n in range(len(values))]
    expected = [wrapped(value, target) for value in values]
    assert run_rows(run_csl, rows, target, before) == expected


FLOATS = (0.0, -0.0, 0.5, -0.99, 1.5, -2.5, 127.9, 70000.0, -70000.0, 1e10, math.inf)


@pytest.mark.parametrize("target", ["i16", "u16", "i32", "u8"])
def test_floats_to_integers(run_csl: RunCsl, target: str) -> None:
    low, high = limits(target)
    names = [f"v{n}" for n in range(len(FLOATS))]
    before = 'const math = @import_module("<math>");'
    for name, value in zip(names, FLOATS, strict=True):
        text = "math.POSITIVE_INF_f32" if math.isinf(value) else repr(value)
        before += f"var {name}: f32 = {text};"
    before += "var nan = math.NaN_f32;"
    rows = [f"@as({target}, {name})" for name in [*names, "nan"]]
    expected = [
        high if math.isinf(v) else max(low, min(high, int(np.float32(v))))
        for v in FLOATS
    ]
    assert run_rows(run_csl, rows, target, before) == [*expected, 0]


@pytest.mark.parametrize(
    ("expression", "type_", "expected"),
    [
        ("@as(bool, nan)", "u16", 1),
        ("@as(bool, minus_zero)", "u16", 0),
        ("@as(bool, n)", "u16", 1),
        ("@as(i16, yes)", "i16", 1),
        ("@as(f32, yes)", "f32", 1.0),
        ("@as(f32, n)", "f32", -7.0),
        ("@as(f16, w)", "f16", math.inf),
        ("@as(f32, @as(f16, third))", "f32", float(np.float16(np.float32(1 / 3)))),
        ("@as(u16, E.b)", "u16", 4),
        ("@get_int(@as(E, k))", "u16", 4),
        ("@bitcast(u32, third)", "u32", int(np.float32(1 / 3).view("u4"))),
        ("@bitcast(f16, @as(u16, 0x3e00))", "f16", 1.5),
        ("@bitcast(i16, @as(u16, 65535))", "i16", -1),
        ("third * 3.0", "f32", float(np.float32(1 / 3) * np.float32(3))),
        ("half + @as(f16, 0.0009765625)", "f16", 0.5009765625),
        ("@as(i16, third * 10.0)", "i16", 3),
        ("if (yes) 1 else 2", "i16", 1),
        ("switch (k) { 3 => 10, 4 => 20, else => 30 }", "i16", 20),
        ("blk: { if (yes) { break :blk 5; } break :blk n; }", "i16", 5),
    ],
)
def test_conversions(
    run_csl: RunCsl, expression: str, type_: str, expected: Any
) -> None:
    before = """
    const math = @import_module("<math>");
    const E = enum(u16) { a, b = 4, c };
    var nan = math.NaN_f32; var minus_zero: f32 = -0.0; var n: i16 = -7;
    var yes = true; var w: f32 = 1.0e6; var third: f32 = 0.3333333333333333;
    var half: f16 = 0.5; var k: u16 = 4;
    """
    if expression.startswith("@as(bool"):
        expression = f"@as(u16, {expression})"
    assert run_rows(run_csl, [expression], type_, before) == [expected]


COERCIONS = [
    # (declarations, message or None if it is allowed)
    ("var x: u8 = 255;", None),
    ("var x: u8 = 256;", "value 256 does not fit type 'u8' (0 to 255)"),
    ("var x: i8 = -129;", "value -129 does not fit type 'i8' (-128 to 127)"),
    ("var x: f32 = 2;", "expected type 'f32', got: 'comptime_int'"),
    ("var x: i16 = 2.0;", "expected type 'i16', got: 'comptime_float'"),
    ("var x: f16 = 1.0e9;", "value 1000000000.0 does not fit type 'f16'"),
    ("var a: i16 = 1; fn f() void { const b: i32 = a; }", "expected type 'i32'"),
    ("var a: u16 = 1; fn f() void { const b: i32 = a; }", "expected type 'i32'"),
    ("var a: f16 = 1.0; fn f() void { const b: f32 = a; }", "expected type 'f32'"),
    ("var a: i16 = 1; var b: i32 = 1; fn f() void { const c = a + b; }", "expected t"),
    ("var a: f32 = 1.0; fn f() void { const c = a + 1; }", "expected type 'f32'"),
    ("var a: f32 = 1.0; fn f() void { const c = a + 1.0; }", None),
    ("var a: u16 = 1; fn f() void { const c = a << @as(i16, 1); }", "shift count must"),
    ("var a: u32 = 1; fn f() void { const c = a << @as(u16, 1); }", None),
    ("var a: bool = true; fn f() void { const c = ~a; }", "operator '~' takes a fixed"),
    ("var a: u16 = 1; fn f() void { if (a) {} }", "a condition must be 'bool'"),
    ("var a: u16 = 1; fn f() void { const c = !a; }", "operator '!' takes 'bool'"),
    ("var a = [2]i16 { 1, 2 }; var p: [*]i16 = &a;", None),
    ("var a = [2]i16 { 1, 2 }; var p: [*]u16 = &a;", "expected type '[*]u16'"),
    ("const a: i16 = 1; var p: *i16 = &a;", "expected type '*i16', got: '*const i16'"),
    ("var a: i16 = 1; var p: *const i16 = &a;", None),
    ("const P = struct { a: i16 }; var p: P = .{ .a = 1 };", "expected type 'P'"),
    ("const P = struct { a: i16 }; var p = P { .a = 1 };", None),
    ("const x = 1.0 / 0.0; var y: f32 = x;", "division by zero"),
    ("const x = 1 / 0; var y: i16 = x;", "division by zero"),
    ("var x: u16 = @as(u16, 70000);", "value 70000 does not fit type 'u16'"),
    ("var x: u16 = @as(u16, -1.5);", "value -1 does not fit type 'u16'"),
    ("var a: i16 = 1; fn f() void { const c = a % 2.0; }", "expected type 'i16'"),
    ("var a: f32 = 1.0; fn f() void { const c = a % 2.0; }", "operator '%' does not"),
    (
        "fn h() void {} fn g() *const fn() void { return &h; } fn f() void { g()(); }",
        None,
    ),
]


@pytest.mark.parametrize(("text", "message"), COERCIONS)
def test_coercion(run_csl: RunCsl, text: str, message: str | None) -> None:
    used = " ".join(f"{n} = {n};" for n in ("x", "y", "p") if f"var {n}" in text)
    call = "f();" if "fn f()" in text else ""
    program = text + f" fn run() void {{ {used} {call} }}"
    if message is None:
        run_csl(program)
        return
    with pytest.raises(CslError) as caught:
        run_csl(program)
    assert caught.value.message.startswith(message)
    assert caught.value.span is not None
