"""`@map`: which elements are visited, when it ends, what it costs."""

import numpy as np
import pytest

from pyflame.wse.language import types
from pyflame.wse.language.code import FunctionPointer
from pyflame.wse.language.types import F32, I16
from pyflame.wse.machine import dsd
from pyflame.wse.machine.costs import WSE3
from pyflame.wse.machine.map import MapPlan, map_on_memory, map_with_waits


def _view(b, start, values):
    b.pe.memory.i16[start // 2 : start // 2 + len(values)] = memoryview(
        np.array(values, np.int16)
    )
    return dsd.Mem1d(start, 0, 1, len(values))


def _read(b, start, count):
    return list(b.pe.memory.i16[start // 2 : start // 2 + count])


def _plan(inputs, output=None, pointer=False, blocking=False):
    return MapPlan(tuple(inputs), output, pointer, blocking)


def test_scalars_are_passed_on_and_results_written(b):
    a, out = _view(b, 0x100, [1, 2, 3]), _view(b, 0x200, [0] * 3)
    plan = _plan([I16, None], I16)
    map_on_memory(b.pe, plan, lambda pe, x, k: x * k, (a, 10, out))
    assert _read(b, 0x200, 3) == [10, 20, 30]
    each = WSE3.map_iteration_cycles + WSE3.issue_cycles
    assert b.pe.clock == 3 * each


def test_an_output_may_be_an_input(b):
    a = _view(b, 0x100, [1, 2, 3])
    map_on_memory(b.pe, _plan([I16], I16), lambda pe, x: -x, (a, a))
    assert _read(b, 0x100, 3) == [-1, -2, -3]


def test_a_pointer_output_keeps_the_last_result(b):
    a = _view(b, 0x100, [5, 6, 7])
    plan = _plan([I16], I16, pointer=True)
    map_on_memory(b.pe, plan, lambda pe, x: x, (a, 0x300))
    assert _read(b, 0x300, 1) == [7]


def test_the_shortest_input_ends_the_loop(b):
    a, short = _view(b, 0x100, [1, 2, 3]), _view(b, 0x200, [4, 5])
    seen = []
    plan = _plan([I16, I16])
    map_on_memory(b.pe, plan, lambda pe, x, y: seen.append((x, y)), (a, short))
    assert seen == [(1, 4), (2, 5)]


def test_a_short_output_ends_the_loop_after_the_call(b):
    """The write of the third result fails; its call has already happened."""
    a, out = _view(b, 0x100, [1, 2, 3, 4]), _view(b, 0x200, [0, 0])
    seen = []
    plan = _plan([I16], I16)
    map_on_memory(b.pe, plan, lambda pe, x: seen.append(x) or x, (a, out))
    assert seen == [1, 2, 3]
    assert _read(b, 0x200, 2) == [1, 2]


def test_four_dimensions_and_misaligned_floats(b):
    b.pe.memory.write(0x102, np.arange(4, dtype=np.float32).tobytes())
    square = dsd.Mem4d(0x102, 0, (2, -1), (2, 2))
    seen = []
    map_on_memory(b.pe, _plan([F32]), lambda pe, x: seen.append(float(x)), (square,))
    assert seen == [0, 2, 1, 3]


def test_dsrs_are_advanced_by_what_was_used(b):
    a = _view(b, 0x100, [1, 2])
    register = dsd.Dsr("dsr_src1", 1)
    b.pe.read_dsr = lambda dsr: a
    b.pe.advance_dsr = lambda *arguments: b.pe.calls.append(arguments)
    map_on_memory(b.pe, _plan([I16]), lambda pe, x: None, (register,))
    assert b.pe.calls == [(register, 2)]


def test_the_fabric_is_read_and_written_one_element_at_a_time(b):
    source, target = dsd.FabIn(1, 2, 2), dsd.FabOut(3, 4, 9)
    plan = _plan([F32], F32)
    thread = map_with_waits(b.pe, plan, lambda pe, x: x * 2, (source, target))
    request = next(thread)
    for value in (1.5, -4.0):
        assert request.sources == (dsd.FabIn(1, 2, 1),)
        address = request.dest.address
        b.pe.memory.write(address, np.float32(value).tobytes())
        sent = thread.send(True)
        assert sent.dest == dsd.FabOut(3, 4, 1)
        assert sent.sources == (int(np.float32(2 * value).view(np.uint32)),)
        try:
            request = thread.send(True)
        except StopIteration:
            return
    pytest.fail("two elements were asked for")


def test_map_compiles_to_a_loop_around_its_function(b):
    x, total = b.local("x"), b.glob("total", I16, 0)
    add = b.fn(I16, [x], b.set(total, b.op("+", total, x)), b.give(x))
    array = b.glob("A", types.Array((4,), I16))
    make = b.builtin(
        "@get_dsd",
        types.MEM1D_DSD,
        b.k(types.MEM1D_DSD, types.TYPE),
        base_address=b.address(array, many=True),
        extent=b.k(4, types.U16),
    )
    pointer = FunctionPointer(types.Function((I16,), I16), b.span, add)
    run = b.builtin("@map", types.VOID, pointer, make)
    function = b.fn(I16, [], b.set(b.at(array, 2), 40), b.do(run), b.give(total))
    assert b.run(function) == 40
