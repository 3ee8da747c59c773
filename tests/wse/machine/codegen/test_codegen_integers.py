"""Integer operators against the definitions, on the edges of every type."""

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.language import types
from pyflame.wse.language.types import I8, I16, I32, I64, U8, U16, U32, U64

INTS = [I8, U8, I16, U16, I32, U32, I64, U64]


def _edges(type_):
    middle = type_.maximum // 3
    return sorted({type_.minimum, type_.minimum + 1, 0, 1, 3, middle, type_.maximum})


def _truncated(a, b):
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


EXPECTED = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "/": _truncated,
    "%": lambda a, b: a - b * _truncated(a, b),
}


@pytest.mark.parametrize("operator", EXPECTED)
@pytest.mark.parametrize("type_", INTS, ids=str)
def test_operators_wrap_to_their_type(b, type_, operator):
    x, y = b.local("x", type_), b.local("y", type_)
    function = b.fn(type_, [x, y], b.give(b.op(operator, x, y)))
    b.run(function, 1, 1)
    call = b.compiled.function(function).call
    for left in _edges(type_):
        for right in _edges(type_):
            if operator in "/%" and right == 0:
                continue
            expected = type_.wrap(EXPECTED[operator](left, right))
            assert call(b.pe, left, right) == expected, (left, right)


@pytest.mark.parametrize("type_", INTS, ids=str)
def test_shifts_by_any_count(b, type_):
    x, n = b.local("x", type_), b.local("n", U16)
    left = b.fn(type_, [x, n], b.give(b.op("<<", x, n)))
    right = b.fn(type_, [x, n], b.give(b.op(">>", x, n)))
    b.run(left, 0, 0)
    shl, shr = (b.compiled.function(f).call for f in (left, right))
    for value in _edges(type_):
        for count in (0, 1, 7, type_.bits - 1, type_.bits, 200, 65535):
            shifted = value << count if count < type_.bits else 0
            assert shl(b.pe, value, count) == type_.wrap(shifted), (value, count)
            assert shr(b.pe, value, count) == value >> count, (value, count)


@pytest.mark.parametrize("type_", INTS, ids=str)
def test_unary_operators(b, type_):
    x = b.local("x", type_)
    minus = b.fn(type_, [x], b.give(b.unary("-", x)))
    invert = b.fn(type_, [x], b.give(b.unary("~", x)))
    b.run(minus, 0)
    negated, inverted = (b.compiled.function(f).call for f in (minus, invert))
    for value in _edges(type_):
        assert negated(b.pe, value) == type_.wrap(-value)
        assert inverted(b.pe, value) == type_.wrap(~value)


def test_constant_bounds_do_not_hide_a_wrap(b):
    """200 * 200 leaves i16 although both factors come from a small range."""
    i, total = b.local("i"), b.local("total")
    function = b.fn(
        I16,
        [],
        b.let(total, 0),
        b.loop(i, b.range(195, 201), [b.set(total, b.op("*", i, i))]),
        b.give(total),
    )
    assert b.run(function) == 200 * 200 - 65536


@pytest.mark.parametrize(
    ("operator", "text"),
    [("/", "division of 7 by zero"), ("%", "remainder of 7 by zero")],
)
def test_division_by_zero_is_a_fault_with_a_place(b, operator, text):
    x = b.local("x")
    function = b.fn(I16, [x], b.give(b.op(operator, 7, x)))
    with pytest.raises(MachineFault) as fault:
        b.run(function, 0)
    assert str(fault.value) == (
        f"pe.csl:1:5: fault: PE(2,1): {text}\n"
        "    1 | x = here + there;\n"
        "      |     ^^^^"
    )


@pytest.mark.parametrize("source", INTS, ids=str)
@pytest.mark.parametrize("target", INTS, ids=str)
def test_conversions_keep_the_low_bits(b, source, target):
    x = b.local("x", source)
    function = b.fn(target, [x], b.give(b.cast(target, x)))
    b.run(function, 0)
    call = b.compiled.function(function).call
    for value in _edges(source):
        assert call(b.pe, value) == target.wrap(value)


def test_float_to_int_truncates_and_saturates(b):
    x = b.local("x", types.F32)
    function = b.fn(I16, [x], b.give(b.cast(I16, x)))
    b.run(function, np.float32(0))
    call = b.compiled.function(function).call
    cases = {2.9: 2, -2.9: -2, 1e9: 32767, -1e9: -32768, np.inf: 32767, np.nan: 0}
    for value, expected in cases.items():
        assert call(b.pe, np.float32(value)) == expected


def test_int_to_float_rounds_once(b):
    """A double between would round 2**60 + 2**36 + 1 to even, then down."""
    x = b.local("x", I64)
    function = b.fn(types.F32, [x], b.give(b.cast(types.F32, x)))
    value = 2**60 + 2**36 + 1
    assert b.run(function, value) == np.int64(value).astype(np.float32)


def test_bool_conversions(b):
    x = b.local("x", types.F32)
    true = b.fn(types.BOOL, [x], b.give(b.cast(types.BOOL, x)))
    number = b.fn(I16, [x], b.give(b.cast(I16, b.cmp("<", x, b.k(2.0, types.F32)))))
    assert b.run(true, np.float32(np.nan)) is True
    assert b.run(true, np.float32(-0.0)) is False
    assert b.run(number, np.float32(1)) == 1
    assert type(b.run(number, np.float32(1))) is int


@pytest.mark.parametrize(
    ("type_", "bits", "value"),
    [(U32, 0x3FC00000, 1.5), (I32, -0x40800000, -1.0), (U16, 0x3E00, 1.5)],
)
def test_bitcasts_between_ints_and_floats(b, type_, bits, value):
    float_type = types.F32 if type_.bits == 32 else types.F16
    x, y = b.local("x", type_), b.local("y", float_type)
    to_float = b.fn(float_type, [x], b.give(b.bits(float_type, x)))
    to_bits = b.fn(type_, [y], b.give(b.bits(type_, y)))
    scalar = np.float32 if type_.bits == 32 else np.float16
    result = b.run(to_float, bits)
    assert result == scalar(value)
    assert type(result) is scalar
    assert b.run(to_bits, scalar(value)) == bits


def test_float_operations_round_to_their_type(b):
    for type_, scalar in ((types.F32, np.float32), (types.F16, np.float16)):
        x, y = b.local("x", type_), b.local("y", type_)
        function = b.fn(type_, [x, y], b.give(b.op("+", b.op("*", x, y), y)))
        result = b.run(function, scalar(0.1), scalar(0.3))
        assert result == scalar(0.1) * scalar(0.3) + scalar(0.3)
        assert type(result) is scalar


def test_bf16_rounds_after_each_operation(b):
    x = b.local("x", types.BF16)
    function = b.fn(types.BF16, [x], b.give(b.op("+", x, b.k(1.0, types.BF16))))
    assert b.run(function, 2.0**-9) == 1.0
    assert b.run(function, 2.0**-7) == 1.0 + 2.0**-7
