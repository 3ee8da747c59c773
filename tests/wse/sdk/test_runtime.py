"""SdkRuntime on small programs: life cycle, transfers, launches, and refusals."""

import numpy as np
import pytest

from pyflame.wse.errors import Deadlock, HostError, HostWarning
from pyflame.wse.sdk import cslc
from pyflame.wse.sdk.debug import debug_util
from pyflame.wse.sdk.enums import MemcpyDataType, MemcpyOrder
from pyflame.wse.sdk.runtime import SdkRuntime

ROW, COL = MemcpyOrder.ROW_MAJOR, MemcpyOrder.COL_MAJOR
BITS16, BITS32 = MemcpyDataType.MEMCPY_16BIT, MemcpyDataType.MEMCPY_32BIT
COPY = {"streaming": False, "data_type": BITS32, "nonblock": False}

LAYOUT = """\
const memcpy = @import_module("<memcpy/get_params>", .{
  .width = 3, .height = 2,
  .MEMCPYH2D_1 = @get_color(1), .MEMCPYD2H_1 = @get_color(2) });
layout {
  @set_rectangle(3, 2);
  for (@range(u16, 3)) |x| {
    for (@range(u16, 2)) |y| {
      @set_tile_code(x, y, "pe.csl", .{ .memcpy_params = memcpy.get_params(x) });
    }
  }
  @export_name("y", [*]f32, true);
  @export_name("half", [*]u16, true);
  @export_name("fixed", [*]f32, false);
  @export_name("add", fn(f32, i16) void);
  @export_name("hang", fn() void);
}
"""
PE = """\
param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const iq = @get_input_queue(2);
const oq = @get_output_queue(2);
const trace = @import_module("<debug>", .{ .key = "log", .buffer_size = 100 });
var y = @zeros([4]f32);
var y_ptr: [*]f32 = &y;
var half = [4]u16 { 1, 2, 3, 65535 };
var half_ptr: [*]u16 = &half;
var fixed = @constants([4]f32, 2.5);
const fixed_ptr: [*]f32 = &fixed;
export var count: i16 = 7;
var plain: i16 = 7;
var window = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> y[i] });
const in = @get_dsd(fabin_dsd, .{
  .fabric_color = sys.MEMCPYH2D_1, .extent = 3, .input_queue = iq });
const out = @get_dsd(fabout_dsd, .{
  .fabric_color = sys.MEMCPYD2H_1, .extent = 3, .output_queue = oq });

fn add(value: f32, times: i16) void {
  for (@range(i16, times)) |i| {
    for (@range(u16, 4)) |k| { y[k] += value; }
  }
  count += times;
  plain += times;
  window = @set_dsd_length(window, 2);
  trace.trace_i16(times);
  sys.unblock_cmd_stream();
}
fn hang() void {}

task forward() void { @mov32(out, in, .{ .async = true, .activate = forward_id }); }
const forward_id = @get_local_task_id(9);
comptime {
  @bind_local_task(forward, forward_id);
  @activate(forward_id);
  @initialize_queue(iq, .{ .color = sys.MEMCPYH2D_1 });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = sys.MEMCPYD2H_1 }); }
  @export_symbol(y_ptr, "y");
  @export_symbol(half_ptr, "half");
  @export_symbol(fixed_ptr, "fixed");
  @export_symbol(add);
  @export_symbol(hang);
}
"""
FLAGS = "--fabric-dims=10,4 --fabric-offsets=4,1 --memcpy --channels=1".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("program")
    (path / "layout.csl").write_text(LAYOUT)
    (path / "pe.csl").write_text(PE)
    layout, out = str(path / "layout.csl"), str(path / "out")
    assert cslc.main([layout, "--arch=wse3", "-o", out, *FLAGS]) == 0
    return path / "out"


@pytest.fixture
def runtime(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runtime = SdkRuntime(folder)
    runtime.load()
    runtime.run()
    return runtime


def read(runtime, name="y", order=ROW, elements=4, data_type=BITS32):
    """The symbol of all PEs, as A[row][column][element]."""
    host = np.zeros(6 * elements, np.uint32)
    options = {**COPY, "data_type": data_type}
    runtime.memcpy_d2h(
        host, runtime.get_id(name), 0, 0, 3, 2, elements, order=order, **options
    )
    if order is COL:
        return host.reshape((2, 3, elements), order="F")
    return host.reshape(2, 3, elements)


# --- transfers --------------------------------------------------------------------


@pytest.mark.parametrize("order", [ROW, COL])
def test_copy_there_and_back(runtime, order):
    host = np.arange(24, dtype=np.float32)
    y = runtime.get_id("y")
    runtime.memcpy_h2d(y, host, 0, 0, 3, 2, 4, order=order, **COPY)
    back = np.zeros((2, 12), np.float32)
    runtime.memcpy_d2h(back, y, 0, 0, 3, 2, 4, order=order, **COPY)
    assert back.ravel().tolist() == host.tolist()
    on_device = runtime.read_symbol(2, 1, "y", np.float32)
    logical = host.reshape((2, 3, 4), order="C" if order is ROW else "F")
    assert on_device.tolist() == logical[1, 2].tolist()


def test_a_part_of_the_rectangle(runtime):
    y = runtime.get_id("y")
    runtime.memcpy_h2d(y, np.ones(2, np.int32), 1, 1, 2, 1, 1, order=ROW, **COPY)
    assert read(runtime)[:, :, 0].tolist() == [[0, 0, 0], [0, 1, 1]]


@pytest.mark.parametrize("order", [ROW, COL])
def test_row_broadcast(runtime, order):
    host = np.arange(8, dtype=np.uint32)
    runtime.memcpy_h2d_rowbcast(
        runtime.get_id("y"), host, 0, 0, 3, 2, 4, order=order, **COPY
    )
    flat = "C" if order is ROW else "F"
    expected = np.broadcast_to(host.reshape((2, 1, 4), order=flat), (2, 3, 4))
    np.testing.assert_array_equal(read(runtime), expected)


@pytest.mark.parametrize("order", [ROW, COL])
def test_column_broadcast(runtime, order):
    host = np.arange(12, dtype=np.uint32)
    runtime.memcpy_h2d_colbcast(
        runtime.get_id("y"), host, 0, 0, 3, 2, 4, order=order, **COPY
    )
    flat = "C" if order is ROW else "F"
    expected = np.broadcast_to(host.reshape((1, 3, 4), order=flat), (2, 3, 4))
    np.testing.assert_array_equal(read(runtime), expected)


def test_strided_copy(runtime):
    host = np.array([5, 6], np.uint32)
    runtime.memcpy_h2d_stride(
        runtime.get_id("y"), host, 0, 1, 3, 1, 1, 2, 1, order=ROW, **COPY
    )
    assert read(runtime)[:, :, 0].tolist() == [[0, 0, 0], [5, 0, 6]]


def test_sixteen_bit_elements(runtime):
    assert read(runtime, "half", data_type=BITS16)[0, 0].tolist() == [1, 2, 3, 65535]
    host = np.full(1, 0xABCD0009, np.uint32)
    runtime.memcpy_h2d(
        *(runtime.get_id("half"), host, 2, 0, 1, 1, 1),
        streaming=False,
        data_type=BITS16,
        order=ROW,
        nonblock=False,
    )
    assert read(runtime, "half", data_type=BITS16)[0, 2].tolist() == [9, 2, 3, 65535]


def test_immutable_symbols_can_be_read_only(runtime):
    assert (read(runtime, "fixed").view(np.float32) == 2.5).all()
    with pytest.raises(HostError) as caught:
        runtime.memcpy_h2d(
            *(runtime.get_id("fixed"), np.zeros(1, np.float32), 0, 0, 1, 1, 1),
            order=ROW,
            **COPY,
        )
    assert str(caught.value) == (
        "memcpy_h2d: 'fixed' is exported as immutable; export it with "
        '@export_name("fixed", [*]f32, true)'
    )


def test_streams_there_and_back(runtime):
    host = np.arange(6, dtype=np.uint32)
    back = np.zeros(6, np.uint32)
    options = {"streaming": True, "data_type": BITS32, "order": ROW}
    runtime.memcpy_h2d(1, host, 1, 0, 1, 2, 3, nonblock=True, **options)
    host[:] = 99  # the transfer has its own copy
    runtime.memcpy_d2h(back, 2, 1, 0, 1, 2, 3, nonblock=False, **options)
    assert back.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_nonblocking_receive_is_filled_by_stop(runtime):
    back = np.zeros(3, np.uint32)
    options = {"streaming": True, "data_type": BITS32, "order": ROW, "nonblock": True}
    task = runtime.memcpy_d2h(back, 2, 0, 0, 1, 1, 3, **options)
    assert not runtime.is_task_done(task)
    runtime.memcpy_h2d(1, np.arange(3, dtype=np.uint32), 0, 0, 1, 1, 3, **options)
    runtime.stop()
    assert back.tolist() == [0, 1, 2]
    assert runtime.is_task_done(task)


# --- launches ---------------------------------------------------------------------


def test_launch_and_call(runtime):
    runtime.launch("add", np.float32(1.5), np.int16(2), nonblock=False)
    one = int(np.float32(1.0).view(np.uint32))
    task = runtime.call("add", [one, 1], nonblock=True)
    runtime.task_wait(task)
    assert (read(runtime).view(np.float32) == 4.0).all()
    assert runtime.read_symbol(0, 0, "count", "int16").tolist() == [10]
    assert runtime.read_symbol(0, 0, "plain", "int16").tolist() == [10]


def test_a_launch_that_never_unblocks_is_a_deadlock(runtime):
    with pytest.raises(Deadlock):
        runtime.launch("hang", nonblock=False)


def test_stop_waits_for_everything(runtime):
    runtime.launch("hang", nonblock=True)
    with pytest.raises(Deadlock):
        runtime.stop()


def test_unknown_functions(runtime):
    for name in ("y", "none"):
        with pytest.raises(HostError) as caught:
            runtime.launch(name, nonblock=False)
        assert str(caught.value) == (
            f"Cannot find exported function with name {name}; exported: add, hang"
        )


# --- life cycle and refusals --------------------------------------------------------


def test_ids_are_known_before_load(folder):
    runtime = SdkRuntime(str(folder))
    assert [runtime.get_id(n) for n in ("y", "half", "add", "none")] == [0, 1, 3, None]


def test_the_order_of_calls(folder):
    runtime = SdkRuntime(folder, cmaddr="")
    with pytest.raises(HostError) as caught:
        runtime.run()
    assert str(caught.value) == (
        "run() of a program that is created: the order is load(), run(), operations, "
        "stop()"
    )
    runtime.load()
    with pytest.raises(HostError) as caught:
        runtime.launch("add", nonblock=False)
    assert str(caught.value) == (
        "SdkRuntime must be running to accept memcpy commands: launch of a program "
        "that is loaded"
    )
    with pytest.raises(HostError, match=r"^load\(\) of a program that is loaded"):
        runtime.load()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"cmaddr": "10.0.0.1:9000"},
            "cmaddr '10.0.0.1:9000': this runtime drives a simulated wafer only; "
            "leave cmaddr out, or use the vendor's SDK for a system",
        ),
        (
            {"msg_level": "LOUD"},
            "msg_level must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'",
        ),
        ({"simfab_numthreads": 65}, "simfab_numthreads must be 1 to 64, not 65"),
        (
            {"platform": object()},
            "SdkRuntime: the platform must come from get_platform() or "
            "get_simulator(), not be object",
        ),
    ],
)
def test_refused_options(folder, options, message):
    with pytest.raises(HostError) as caught:
        SdkRuntime(folder, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            [],
            "was compiled without --memcpy, so the host cannot reach it; compile with "
            "--memcpy --channels=1, or pass memcpy_required=False",
        ),
        (
            FLAGS[:-1],
            "was compiled with --channels=0; compile it with --channels=1 or more",
        ),
    ],
)
def test_programs_without_channels(folder, tmp_path, flags, message):
    layout = str(folder.parent / "layout.csl")
    assert cslc.main([layout, "-o", str(tmp_path / "out"), *flags]) == 0
    with pytest.raises(HostError) as caught:
        SdkRuntime(tmp_path / "out")
    assert str(caught.value) == f"the program in '{tmp_path / 'out'}' {message}"
    SdkRuntime(tmp_path / "out", memcpy_required=False).load()


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        (
            None,
            "memcpy_h2d: None is no symbol id: get_id knows no such name; "
            "exported: y, half, fixed, add, hang",
        ),
        (9, "memcpy_h2d: 9 is no symbol id of this program"),
        (3, "memcpy_h2d: 'add' is a function, not a tensor"),
    ],
)
def test_refused_symbols(runtime, symbol, message):
    with pytest.raises(HostError) as caught:
        runtime.memcpy_h2d(
            symbol, np.zeros(1, np.float32), 0, 0, 1, 1, 1, order=ROW, **COPY
        )
    assert str(caught.value) == message


def test_refused_colors_and_counts(runtime):
    options = {"streaming": True, "data_type": BITS32, "order": ROW, "nonblock": False}
    with pytest.raises(HostError) as caught:
        runtime.memcpy_h2d(2, np.zeros(1, np.float32), 0, 0, 1, 1, 1, **options)
    assert str(caught.value) == (
        "memcpy_h2d: 2 is no streaming color of this program; the layout gave "
        "<memcpy/get_params> MEMCPYH2D colors [1]"
    )
    with pytest.raises(HostError) as caught:
        runtime.memcpy_h2d(1, np.zeros(1, np.float32), 0, 0, 1, 1, 0, **options)
    assert str(caught.value) == "memcpy_h2d: elem_per_pe must be positive: 0"
    frozen = np.zeros(1, np.float32)
    frozen.flags.writeable = False
    with pytest.raises(HostError) as caught:
        runtime.memcpy_d2h(frozen, 2, 0, 0, 1, 1, 1, **options)
    assert str(caught.value) == "memcpy_d2h: the host tensor is read-only"


OVERRUN = (
    "'y' on PE(2,1): 5 elements are 20 bytes, but 'y', which it points into, "
    "ends after 16; check elem_per_pe and data_type"
)


def test_writes_stay_inside_the_array(runtime):
    y, host = runtime.get_id("y"), np.zeros(5, np.float32)
    with pytest.raises(HostError) as caught:
        runtime.memcpy_h2d(y, host, 2, 1, 1, 1, 5, order=ROW, **COPY)
    assert str(caught.value) == OVERRUN


def test_reads_past_the_array_are_warned_of(runtime):
    y, host = runtime.get_id("y"), np.zeros(5, np.float32)
    with pytest.warns(HostWarning) as caught:
        runtime.memcpy_d2h(host, y, 2, 1, 1, 1, 5, order=ROW, **COPY)
    assert [str(warning.message) for warning in caught] == [OVERRUN]


def test_core_files_are_refused(runtime):
    with pytest.raises(HostError) as caught:
        runtime.dump_core("core.out")
    assert str(caught.value) == (
        "dump_core('core.out'): core files are not written; read_symbol and "
        "debug_util read PE memory in the same process, also after stop()"
    )


# --- debugging --------------------------------------------------------------------


def test_memory_and_traces_survive_the_run(folder, runtime):
    for times in (1, 2):
        runtime.launch("add", np.float32(0.5), np.int16(times), nonblock=False)
    runtime.stop()
    debug = debug_util(folder)
    assert debug.get_symbol(4, 1, "count", np.int16).tolist() == [10]
    rect = debug.get_symbol_rect(((5, 1), (2, 2)), "y", np.float32)
    assert rect.shape == (2, 2, 4)
    assert (rect == 1.5).all()
    assert debug.read_trace(6, 2, "log") == [1, 2]
    assert runtime.coord_logical_to_physical((2, 1)) == (6, 2)


@pytest.mark.parametrize(
    ("x", "name", "dtype", "message"),
    [
        (3, "y", "uint8", "PE(3,0) is outside the 3x2 PEs of the program"),
        (0, "none", "uint8", "PE(0,0) has no variable 'none' ("),
        (0, "window", "int16", "'window' has no place in memory ("),
        (
            0,
            "count",
            "uint32",
            "read_symbol: 'count' has 2 bytes, no multiple of the 4 of uint32",
        ),
    ],
)
def test_refused_reads(runtime, x, name, dtype, message):
    with pytest.raises(HostError) as caught:
        runtime.read_symbol(x, 0, name, dtype)
    assert str(caught.value).startswith(message)
