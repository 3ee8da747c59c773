"""Globals, arrays, pointers, structs and what faults when they are missed."""

import numpy as np
import pytest

from pyflame.wse.errors import CslError, MachineFault
from pyflame.wse.language import code, types
from pyflame.wse.language.types import F32, I8, I16, I64, U8, U16, U32
from pyflame.wse.language.values import ArrayValue, FunctionValue, PointerValue

PLACE = "pe.csl:1:5: fault: PE(2,1): "
EXCERPT = "\n    1 | x = here + there;\n      |     ^^^^"


def _array(b, name="A", count=4, element=F32):
    dtype = np.float32 if element == F32 else np.int64
    value = ArrayValue(np.arange(count, dtype=dtype) + 1)
    return b.glob(name, types.Array((count,), element), value)


@pytest.mark.parametrize("type_", [I8, U8, I16, U16, U32, I64], ids=str)
def test_scalar_globals_keep_every_value(b, type_):
    g, x = b.glob("g", type_, 1), b.local("x", type_)
    function = b.fn(type_, [x], b.set(g, b.op("+", g, x)), b.give(g))
    assert b.run(function, 2) == 3
    call = b.compiled.function(function).call
    assert call(b.pe, type_.maximum) == type_.wrap(3 + type_.maximum)


def test_a_lone_byte_fills_its_word(b):
    g, x = b.glob("g", I8, 0), b.local("x", I8)
    function = b.fn(types.VOID, [x], b.set(g, x))
    b.run(function, -2)
    assert b.pe.memory.i16[b.address_in_memory(g) // 2] == -2


def test_bytes_pack_in_arrays(b):
    a = b.glob("a", types.Array((4,), I8))
    i = b.local("i")
    function = b.fn(
        I8,
        [i],
        b.set(b.at(a, i), b.k(-7, I8)),
        b.give(b.at(a, b.op("-", i, 0))),
    )
    assert b.run(function, 2) == -7
    first = b.address_in_memory(a)
    assert list(b.pe.memory.i8[first : first + 4]) == [0, 0, -7, 0]


def test_two_dimensional_arrays_are_row_major(b):
    a = b.glob("a", types.Array((2, 3), I16), ArrayValue(np.arange(6)))
    i, j = b.local("i"), b.local("j", U16)
    function = b.fn(I16, [i, j], b.give(b.at(a, i, j)))
    got = [b.run(function, y, x) for y in range(2) for x in range(3)]
    assert got == list(range(6))


@pytest.mark.parametrize("index", [-1, 4, 30000])
def test_an_index_outside_is_a_fault(b, index):
    a, i = _array(b), b.local("i")
    for body in ([b.give(b.at(a, i))], [b.set(b.at(a, i), b.k(0.0, F32))]):
        function = b.fn(F32, [i], *body)
        with pytest.raises(MachineFault) as fault:
            b.run(function, index)
        assert str(fault.value) == (
            f"{PLACE}index {index} is outside 'A', which has 4 elements{EXCERPT}"
        )


def test_indices_proven_inside_are_not_checked_but_others_are(b):
    a, i = _array(b), b.local("i")
    inside = b.fn(
        F32,
        [],
        b.loop(i, b.range(0, 4), [b.set(b.at(a, i), b.k(2.0, F32))]),
        b.give(b.at(a, 3)),
    )
    outside = b.fn(
        types.VOID, [], b.loop(i, b.range(0, 5), [b.set(b.at(a, i), b.k(2.0, F32))])
    )
    assert b.run(inside) == 2.0
    with pytest.raises(MachineFault, match=r"index 4 is outside 'A'"):
        b.run(outside)


def test_while_bounds_are_not_trusted_after_an_assignment_in_the_body(b):
    a, i = _array(b, element=I16), b.local("i")
    bump = b.set(i, b.op("+", i, 3))
    function = b.fn(
        types.VOID,
        [],
        b.let(i, 0),
        b.repeat(b.cmp("<", i, 4), [bump, b.set(b.at(a, i), 9)]),
    )
    with pytest.raises(MachineFault, match=r"index 6 is outside 'A'"):
        b.run(function)


def test_pointers_to_scalars_elements_and_arrays(b):
    a = _array(b, element=I16)
    p = b.local("p", types.Pointer(I16))
    double = b.fn(types.VOID, [p], b.set(b.deref(p), b.op("*", b.deref(p), 2)))
    q = b.local("q", types.Pointer(types.Array((4,), I16)))
    last = b.fn(I16, [q], b.give(b.at(b.deref(q), 3)))
    x = b.local("x", I16, in_memory=True)
    function = b.fn(
        I16,
        [],
        b.let(x, 100),
        b.do(b.call(double, b.address(b.at(a, 3)))),
        b.do(b.call(double, b.address(x))),
        b.give(b.op("+", x, b.call(last, b.address(a)))),
    )
    assert b.run(function) == 200 + 8


def test_many_item_pointers_reach_before_and_behind(b):
    a = _array(b)
    p, i = b.local("p", types.Pointer(F32, many=True)), b.local("i")
    get = b.fn(F32, [p, i], b.give(b.at(p, i)))
    put = b.fn(types.VOID, [p, i], b.set(b.at(p, i), b.k(9.0, F32)))
    b.run(get, 0, 0)
    middle = b.address_in_memory(a) + 8
    assert [b.run(get, middle, i) for i in (-2, -1, 0, 1)] == [1, 2, 3, 4]
    b.run(put, middle, -1)
    assert b.compiled.function(get).call(b.pe, middle, -1) == 9


def test_a_pointer_outside_memory_is_a_fault(b):
    p = b.local("p", types.Pointer(F32, many=True))
    for body in ([b.give(b.at(p, 2))], [b.set(b.at(p, 2), b.k(0.0, F32))]):
        function = b.fn(F32, [p], *body)
        with pytest.raises(MachineFault) as fault:
            b.run(function, 49_148)
        assert str(fault.value) == (
            f"{PLACE}'p' reaches address 0xc004, outside the 49,152 bytes of memory"
            f"{EXCERPT}"
        )


def test_misaligned_floats_behind_cast_pointers(b):
    words = b.glob("w", types.Array((6,), U16))
    p = b.local("p", types.Pointer(F32))
    get = b.fn(F32, [p], b.give(b.deref(p)))
    put = b.fn(types.VOID, [p], b.set(b.deref(p), b.k(1.5, F32)))
    b.run(put, 0)
    start = b.address_in_memory(words)
    odd = start + 2 if start % 4 == 0 else start
    b.run(put, odd)
    assert b.pe.memory.u16[odd // 2 + 1] == 0x3FC0
    assert b.compiled.function(get).call(b.pe, odd) == np.float32(1.5)


def test_constant_pointers_lead_to_their_variable(b):
    a = _array(b, element=I16)
    pointer = types.Pointer(I16, many=True)
    p = b.glob("p", pointer, PointerValue(a, 2), mutable=False)
    q = b.glob("q", pointer, PointerValue(a, 4))
    function = b.fn(I16, [], b.give(b.op("+", b.at(p, 0), b.at(q, 0))))
    assert b.run(function) == 2 + 3
    word = b.pe.memory.u16[b.address_in_memory(q) // 2]
    assert word == b.address_in_memory(a) + 4


def test_arrays_are_values(b):
    a, copy = _array(b, "A"), b.glob("B", types.Array((4,), F32))
    local = b.local("l", types.Array((4,), F32), in_memory=True)
    function = b.fn(
        F32,
        [],
        b.let(local, b.var(a)),
        b.set(b.at(a, 0), b.k(50.0, F32)),
        b.set(copy, local),
        b.give(b.op("+", b.at(copy, 0), b.at(a, 0))),
    )
    assert b.run(function) == 51


def test_array_parameters_are_copied(b):
    items = b.local("items", types.Array((4,), F32), in_memory=True)
    total = b.fn(F32, [items], b.give(b.op("+", b.at(items, 0), b.at(items, 3))))
    a = _array(b)
    function = b.fn(F32, [], b.give(b.call(total, b.var(a))))
    assert b.run(function) == 5


def test_array_literals_and_fills(b):
    array = types.Array((3,), I16)
    a, x = b.glob("a", array), b.local("x")
    literal = code.MakeArray(array, b.span, (b.k(1), b.var(x), b.k(-3)))
    fill = code.Fill(array, b.span, b.k(6))
    function = b.fn(
        I16,
        [x],
        b.set(a, literal),
        b.let(b_sum := b.local("s"), b.op("+", b.at(a, 1), b.at(a, 2))),
        b.set(a, fill),
        b.give(b.op("+", b.op("*", b_sum, 10), b.at(a, 2))),
    )
    assert b.run(function, 5) == 26


POINT = types.Struct(("x", "y"), (I16, F32), "pe.csl:1", "Point")


def test_structs_are_values(b):
    first, second = b.local("p", POINT), b.local("q", POINT)
    function = b.fn(
        I16,
        [],
        b.let(first, b.struct(POINT, 3, b.k(0.5, F32))),
        b.let(second, b.var(first)),
        b.set(b.field(first, 0), 8),
        b.give(b.op("+", b.op("*", b.field(first, 0), 10), b.field(second, 0))),
    )
    assert b.run(function) == 83


def test_structs_in_memory_behind_pointers(b):
    array = types.Array((3,), POINT)
    a, i = b.glob("a", array), b.local("i")
    p = b.local("p", types.Pointer(POINT))
    sum_ = b.fn(
        I16,
        [p],
        b.set(b.field(b.deref(p), 0), b.op("+", b.field(b.deref(p), 0), 1)),
        b.give(b.field(b.deref(p), 0)),
    )
    function = b.fn(
        I16,
        [i],
        b.set(b.at(a, i), b.struct(POINT, 40, b.k(1.0, F32))),
        b.give(b.call(sum_, b.address(b.at(a, i)))),
    )
    assert b.run(function, 2) == 41


def test_values_that_cannot_lie_in_memory_live_in_slots(b):
    g = b.glob("r", types.Range(I16), None)
    i, total = b.local("i"), b.local("total")
    function = b.fn(
        I16,
        [],
        b.set(g, b.range(0, 4)),
        b.let(total, 0),
        b.loop(i, b.var(g), [b.set(total, b.op("+", total, i))]),
        b.give(total),
    )
    assert b.run(function) == 6
    assert len(b.pe.slots) == 1


def test_what_does_not_lie_in_memory_has_no_address(b):
    g = b.glob("d", types.MEM1D_DSD)
    p = b.local("p", types.Pointer(types.MEM1D_DSD))
    function = b.fn(types.VOID, [], b.let(p, b.address(g)))
    with pytest.raises(CslError) as error:
        b.run(function)
    assert str(error.value) == (
        "pe.csl:1:5: error: a 'mem1d_dsd' does not lie in memory, so it has no address"
        f"{EXCERPT}\nhelp: pass the value itself"
    )


def test_directions_in_memory_and_out(b):
    g, x = b.glob("d", types.DIRECTION, "SOUTH"), b.local("x", types.DIRECTION)
    function = b.fn(types.BOOL, [x], b.set(g, x), b.give(b.cmp("==", g, x)))
    assert b.run(function, "WEST") is True
    assert b.pe.memory.u16[b.address_in_memory(g) // 2] == 3


def test_bools_from_float_comparisons_are_plain(b):
    flag, x = b.glob("f", types.BOOL, False), b.local("x", F32)
    function = b.fn(
        types.BOOL, [x], b.set(flag, b.cmp("<", x, b.k(1.0, F32))), b.give(flag)
    )
    assert b.run(function, np.float32(0)) is True


def test_function_pointers_call_by_number(b):
    x = b.local("x")
    twice = b.fn(I16, [x], b.give(b.op("*", x, 2)))
    b.fn(I16, [x], b.give(b.op("+", x, 1)))
    type_ = types.Pointer(types.Function((I16,), I16), const=True)
    g = b.glob("g", type_, FunctionValue(twice))
    call = code.CallPointer(I16, b.span, b.var(g), (b.k(21),))
    function = b.fn(I16, [], b.give(call))
    assert b.run(function) == 42
    b.pe.memory.u16[b.address_in_memory(g) // 2] = 77
    with pytest.raises(MachineFault) as fault:
        b.compiled.function(function).call(b.pe)
    assert str(fault.value) == f"{PLACE}77 is not a function pointer{EXCERPT}"


def test_assertions_fault(b):
    x = b.local("x")
    check = b.do(b.builtin("@assert", types.VOID, b.cmp("==", x, 1)))
    function = b.fn(types.VOID, [x], check)
    b.run(function, 1)
    with pytest.raises(MachineFault) as fault:
        b.run(function, 2)
    assert str(fault.value) == f"{PLACE}assertion failed{EXCERPT}"
