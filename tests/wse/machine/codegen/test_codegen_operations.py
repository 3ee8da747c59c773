"""DSD builtins, blocking functions and what the engine is asked for."""

import pytest

from pyflame.wse.errors import CslError, MachineFault
from pyflame.wse.language import code, types
from pyflame.wse.language.types import F32, I16, U16
from pyflame.wse.language.values import DsdValue, DsrValue, PointerValue
from pyflame.wse.machine import dsd
from pyflame.wse.machine.costs import WSE3
from pyflame.wse.machine.operations import OpConfig


@pytest.fixture
def array(b):
    return b.glob("A", types.Array((8,), F32))


def _memory(b, array, **fields):
    value = DsdValue(
        "mem1d_dsd",
        {"base_address": PointerValue(array), "extent": (8,), "stride": (1,), **fields},
    )
    return b.glob("m", types.MEM1D_DSD, value, mutable=False)


def _fabric(b, kind="fabout_dsd"):
    side = "output_queue" if kind == "fabout_dsd" else "input_queue"
    value = DsdValue(kind, {"extent": 8, "fabric_color": 3, side: 2})
    return b.glob("f", types.Simple(kind), value, mutable=False)


def _op(b, name, *operands, **config):
    return b.builtin(name, types.BOOL, *operands, **config)


def test_operations_on_constants_are_built_once(b, array):
    m = _memory(b, array)
    function = b.fn(types.VOID, [], b.do(_op(b, "@fadds", m, m, m)))
    b.run(function)
    b.compiled.function(function).call(b.pe)
    (_, first), (_, second) = b.pe.calls
    base = b.address_in_memory(array)
    assert first is second
    assert first.spec.name == "@fadds"
    assert first.dest == dsd.Mem1d(base, 0, 1, 8)
    assert first.sources == (first.dest, first.dest)


def test_scalars_and_pointers_are_read_when_the_operation_runs(b, array):
    m, x = _memory(b, array), b.local("x", F32)
    target = b.address(b.at(array, 2))
    function = b.fn(types.VOID, [x], b.do(_op(b, "@fadds", target, x, m)))
    b.run(function, 1.5)
    ((_, operation),) = b.pe.calls
    address = b.address_in_memory(array) + 8
    assert operation.dest == dsd.ScalarPointer(address)
    assert operation.sources[0] == 1.5


def test_async_operations_start_at_the_clock(b, array):
    m, f, x = _memory(b, array), _fabric(b), b.local("x")
    id_ = b.k(9, types.Identifier("local_task_id"))
    operation = _op(b, "@fmovs", f, m, async_=True, activate=id_)
    function = b.fn(I16, [x], b.let(x, b.op("*", x, 3)), b.do(operation), b.give(x))
    assert b.run(function, 5) == 15
    ((kind, started, clock),) = b.pe.calls
    assert (kind, clock) == ("start", WSE3.issue_cycles)
    assert started.config == OpConfig(asynchronous=True, activate=9)
    assert not b.compiled.function(function).blocking


def test_unblock_knows_the_kind_of_its_id(b, array):
    m, f = _memory(b, array), _fabric(b)
    color = b.local("color", types.COLOR)
    operation = _op(b, "@fmovs", f, m, async_=True, unblock=color)
    function = b.fn(types.VOID, [color], b.do(operation))
    b.run(function, 4)
    assert b.pe.calls[0][1].config.unblock == ("color", 4)


def test_waiting_operations_are_yielded_and_resumed_with_their_result(b, array):
    m, f = _memory(b, array), _fabric(b, "fabin_dsd")
    inner = b.fn(types.BOOL, [], b.give(_op(b, "@fmovs", m, f)))
    x = b.local("x")
    outer = b.fn(
        I16,
        [],
        b.let(x, 1),
        b.when(b.call(inner), [b.set(x, 2)]),
        b.give(b.op("+", b.op("*", x, 10), b.cast(I16, b.call(inner)))),
    )
    thread = b.run(outer)
    assert b.compiled.function(outer).blocking
    assert next(thread).sources == (dsd.FabIn(3, 2, 8),)
    clock = b.pe.clock
    assert thread.send(True).dest == dsd.Mem1d(b.address_in_memory(array), 0, 1, 8)
    assert b.pe.clock > clock
    with pytest.raises(StopIteration) as end:
        thread.send(False)
    assert end.value.value == 20


def test_dsrs_that_only_memory_is_loaded_into_do_not_block(b, array):
    m = _memory(b, array)
    kinds = ("dsr_dest", "dsr_src1")
    dest, source = (b.k(DsrValue(k, 1), types.Simple(k)) for k in kinds)
    load = b.builtin("@load_to_dsr", types.VOID, dest, m, save_address=True)
    b.pe.load_dsr = lambda *arguments: b.pe.calls.append(("load", *arguments))
    function = b.fn(types.VOID, [], b.do(load), b.do(_op(b, "@fmovs", dest, source)))
    b.run(function)
    held = dsd.Mem1d(b.address_in_memory(array), 0, 1, 8)
    register = dsd.Dsr("dsr_dest", 1)
    assert b.pe.calls[0] == ("load", register, held, {"save_address": True})
    assert not b.compiled.function(function).blocking


def test_dsrs_that_the_fabric_may_be_loaded_into_block(b, array):
    f = _fabric(b)
    dest = b.k(DsrValue("dsr_dest", 1), types.Simple("dsr_dest"))
    load = b.builtin("@load_to_dsr", types.VOID, dest, f)
    loader = b.fn(types.VOID, [], b.do(load))
    user = b.fn(types.VOID, [], b.do(_op(b, "@fmovs", dest, _memory(b, array))))
    b.pe.load_dsr = lambda *arguments: None
    b.run(loader)
    assert b.compiled.function(user).blocking
    assert not b.compiled.function(loader).blocking


def test_descriptors_made_and_changed_at_run_time(b, array):
    n, result = b.local("n", U16), b.glob("d", types.MEM1D_DSD)
    make = b.builtin(
        "@get_dsd",
        types.MEM1D_DSD,
        b.k(types.MEM1D_DSD, types.TYPE),
        base_address=b.address(array, many=True),
        extent=n,
    )
    shifted = b.builtin(
        "@increment_dsd_offset",
        types.MEM1D_DSD,
        make,
        b.cast(I16, n),
        b.k(F32, types.TYPE),
    )
    stride = b.k(2, types.I8)
    strided = b.builtin("@set_dsd_stride", types.MEM1D_DSD, shifted, stride)
    shorter = b.builtin("@set_dsd_length", types.MEM1D_DSD, strided, b.k(2, U16))
    function = b.fn(types.VOID, [n], b.set(result, shorter))
    b.run(function, 3)
    base = b.address_in_memory(array)
    assert b.pe.slots == [dsd.Mem1d(base + 12, 0, 2, 2, origin=base)]
    again = b.builtin("@set_dsd_base_addr", types.MEM1D_DSD, result, b.var(array))
    rebased = b.fn(types.VOID, [], b.set(result, again))
    with pytest.raises(MachineFault) as fault:
        b.run(rebased)
    assert str(fault.value).splitlines()[0] == (
        "pe.csl:1:5: fault: PE(2,1): 'd' is used before it has a value"
    )
    b.pe.slots[0] = dsd.Mem1d(8, 5, 2, 2)
    b.compiled.function(rebased).call(b.pe)
    assert b.pe.slots == [dsd.Mem1d(b.address_in_memory(array), 0, 2, 2)]


def test_function_pointers_may_lead_to_waiting_functions(b, array):
    m, f = _memory(b, array), _fabric(b)
    waiting = b.fn(types.VOID, [], b.do(_op(b, "@fmovs", f, m)))
    plain = b.fn(types.VOID, [], b.do(b.builtin("@activate", types.VOID, 7)))
    type_ = types.Pointer(types.Function((), types.VOID), const=True)
    p = b.local("p", type_)
    call = code.CallPointer(types.VOID, b.span, b.var(p), ())
    function = b.fn(types.VOID, [p], b.do(call))
    both = [
        b.do(b.call(function, code.FunctionPointer(type_, b.span, target)))
        for target in (waiting, plain)
    ]
    main = b.fn(types.VOID, [], *both)
    thread = b.run(main)
    assert next(thread).spec.name == "@fmovs"
    with pytest.raises(StopIteration):
        thread.send(True)
    assert b.pe.calls == [("activate", 7)]


def test_unknown_builtins_are_refused_with_what_is_known(b):
    function = b.fn(types.VOID, [], b.do(b.builtin("@warp", types.VOID)))
    with pytest.raises(CslError) as error:
        b.run(function)
    first, *_, last = str(error.value).splitlines()
    assert first == "pe.csl:1:5: error: '@warp' is not supported at run time"
    assert last.startswith("help: supported are @activate, @add16, ")
