"""Routes, queues, tasks, streams and FIFOs in whole programs, for several seeds."""

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault

SEEDS = (None, 1, 7)

LAYOUT = """
const c: color = @get_color(3);
const memcpy = @import_module("<memcpy/get_params>", .{{ .width = {w}, .height = 1 }});
layout {{
  @set_rectangle({w}, 1);
  for (@range(i16, {w})) |x| {{
    @set_tile_code(x, 0, "pe.csl", .{{
      .memcpy_params = memcpy.get_params(x), .c = c, .x = x, .last = x == {w} - 1 }});
  }}
  {routes}
  @export_name("buf", [*]f32, true);
  @export_name("go", fn() void);
}}
"""
CHAIN = """
  for (@range(i16, {w})) |x| {{
    if (x == 0) {{
      @set_color_config(x, 0, c, .{{ .routes = .{{
        .rx = .{{ RAMP }}, .tx = .{{ EAST }} }} }});
    }} else {{
      if (x == {w} - 1) {{
        @set_color_config(x, 0, c, .{{ .routes = .{{
          .rx = .{{ WEST }}, .tx = .{{ RAMP }} }} }});
      }} else {{
        @set_color_config(x, 0, c, .{{ .routes = .{{
          .rx = .{{ WEST }}, .tx = .{{ EAST{ramp} }} }} }});
      }}
    }}
  }}
"""
HEAD = """
param memcpy_params;
param c: color;
param x: i16;
param last: bool;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
const done_id: local_task_id = @get_local_task_id(9);
var buf = @zeros([5]f32);
var buf_ptr: [*]f32 = &buf;
const mem = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{5} -> buf[i] });
const tx = @get_dsd(fabout_dsd, .{
  .extent = 5, .fabric_color = c, .output_queue = oq });
const rx = @get_dsd(fabin_dsd, .{ .extent = 5, .fabric_color = c, .input_queue = iq });
task done() void { sys.unblock_cmd_stream(); }
comptime {
  @bind_local_task(done, done_id);
  if (@is_arch("wse3")) {
    if (x == 0) { @initialize_queue(oq, .{ .color = c }); }
    else { @initialize_queue(iq, .{ .color = c }); }
  }
  @export_symbol(buf_ptr, "buf");
  @export_symbol(go);
}
"""
DATA = np.array([1, 2.5, -3, 4, 0.25], np.float32)


def _load(programs, pe, width, seed, ramp=""):
    routes = CHAIN.format(w=width, ramp=ramp)
    layout = LAYOUT.format(w=width, routes=routes)
    programs.load({"layout.csl": layout, "pe.csl": HEAD + pe}, seed=seed)
    programs.write("buf", DATA)
    programs.run("go")


MOVE = """
fn go() void {
  if (x == 0) { @fmovs(tx, mem, .{ .async = true, .activate = done_id }); }
  else { @fmovs(mem, rx, .{ .async = true, .activate = done_id }); }
}
"""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("width", [2, 4])
def test_a_vector_floods_a_row(programs, width, seed):
    _load(programs, MOVE, width, seed, ramp=", RAMP")
    for x in range(width):
        assert programs.read("buf", "<f4", 5, x=x).tolist() == DATA.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_synchronous_operations_wait_inside_functions(programs, seed):
    """The receiver adds what arrives, in a function called by another one."""
    pe = """
    fn receive() bool { return @fadds(mem, mem, rx); }
    fn go() void {
      if (x == 0) { @fmovs(tx, mem); }
      else {
        for (@range(u16, 5)) |i| { buf[i] = 100.0; }
        if (receive()) { buf[0] += 1000.0; }
      }
      @activate(done_id);
    }
    """
    _load(programs, pe, 2, seed)
    expected = DATA + 100
    expected[0] += 1000
    assert programs.read("buf", "<f4", 5, x=1).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_data_tasks_get_each_wavelet(programs, seed):
    pe = """
    const data_id: data_task_id =
      if (@is_arch("wse3")) @get_data_task_id(iq) else @get_data_task_id(c);
    var count: u16 = 0;
    task take(value: f32) void {
      buf[count] = value * 2.0;
      count += 1;
      if (count == 5) { @activate(done_id); }
    }
    comptime { if (x != 0) { @bind_data_task(take, data_id); } }
    fn go() void {
      if (x == 0) { @fmovs(tx, mem, .{ .async = true, .activate = done_id }); }
    }
    """
    _load(programs, pe, 2, seed)
    assert programs.read("buf", "<f4", 5, x=1).tolist() == (DATA * 2).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_map_reads_the_fabric(programs, seed):
    pe = """
    fn half(value: f32) f32 { return value * 0.5; }
    fn go() void {
      if (x == 0) { @fmovs(tx, mem); } else { @map(half, rx, mem); }
      @activate(done_id);
    }
    """
    _load(programs, pe, 2, seed)
    assert programs.read("buf", "<f4", 5, x=1).tolist() == (DATA / 2).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_blocked_tasks_wait_for_their_unblock(programs, seed):
    pe = """
    const first_id: local_task_id = @get_local_task_id(10);
    const second_id: local_task_id = @get_local_task_id(11);
    task first() void { buf[0] = buf[1]; @unblock(second_id); }
    task second() void { buf[1] = buf[0] + 50.0; @activate(done_id); }
    comptime {
      @bind_local_task(first, first_id);
      @bind_local_task(second, second_id);
      @block(second_id);
    }
    fn go() void { @activate(second_id); @activate(first_id); }
    """
    _load(programs, pe, 2, seed)
    assert programs.read("buf", "<f4", 2).tolist() == [2.5, 52.5]


STREAM_LAYOUT = """
const into: color = @get_color(1);
const out: color = @get_color(2);
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1,
  .MEMCPYH2D_1 = into, .MEMCPYD2H_1 = out });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
}
"""
STREAM_HEAD = """
param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const in_q = @get_input_queue(2);
const out_q = @get_output_queue(3);
const tx = @get_dsd(fabout_dsd, .{
  .extent = 1, .fabric_color = sys.MEMCPYD2H_1, .output_queue = out_q });
"""


def _stream(programs, pe, words, count, seed):
    programs.load({"layout.csl": STREAM_LAYOUT, "pe.csl": STREAM_HEAD + pe}, seed=seed)
    wafer = programs.wafer
    wafer.send(1, 0, 0, np.asarray(words).view(np.uint32).ravel())
    ticket = wafer.receive(2, 0, 0, count)
    wafer.run_until(ticket)
    return wafer.words(ticket)


@pytest.mark.parametrize("seed", SEEDS)
def test_streams_through_a_data_task(programs, seed):
    pe = """
    const id = if (@is_arch("wse3")) @get_data_task_id(in_q)
               else @get_data_task_id(sys.MEMCPYH2D_1);
    var word = @zeros([1]i32);
    const word_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{1} -> word[i] });
    task take(data: i16, index: i16) void {
      word[0] = @as(i32, data) * @as(i32, index);
      @mov32(tx, word_dsd);
    }
    comptime {
      @bind_data_task(take, id);
      if (@is_arch("wse3")) {
        @initialize_queue(in_q, .{ .color = sys.MEMCPYH2D_1 });
        @initialize_queue(out_q, .{ .color = sys.MEMCPYD2H_1 });
      }
    }
    """
    sent = np.array([(3, 5), (-2, 7), (100, 300)], np.int16)
    words = _stream(programs, pe, sent, 3, seed)
    assert words.view(np.int32).tolist() == [15, -14, 30_000]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fifo_between_two_endless_operations(programs, seed):
    pe = """
    const main_id = @get_local_task_id(9);
    var buffer = @zeros([4]i32);
    const fifo = @allocate_fifo(buffer);
    const endless: u16 = 0x7fff;
    const rx = @get_dsd(fabin_dsd, .{ .extent = endless,
      .fabric_color = sys.MEMCPYH2D_1, .input_queue = in_q });
    const tx_all = @get_dsd(fabout_dsd, .{ .extent = endless,
      .fabric_color = sys.MEMCPYD2H_1, .output_queue = out_q });
    task main() void {
      @mov32(fifo, rx, .{ .async = true });
      @mov32(tx_all, fifo, .{ .async = true });
    }
    comptime {
      @bind_local_task(main, main_id);
      @activate(main_id);
      if (@is_arch("wse3")) {
        @initialize_queue(in_q, .{ .color = sys.MEMCPYH2D_1 });
        @initialize_queue(out_q, .{ .color = sys.MEMCPYD2H_1 });
      }
    }
    """
    words = np.arange(50, dtype=np.uint32) * 3
    assert _stream(programs, pe, words, 50, seed).tolist() == words.tolist()


def test_the_compiler_aligns_the_buffer_of_a_fifo(programs):
    """Also of 16-bit elements, behind a variable of one word."""
    pe = """
    var word: [1]u16 = [1]u16 { 1 };
    var buffer: [3]u16 = [3]u16 { 2, 3, 4 };
    const fifo = @allocate_fifo(buffer);
    fn run() void { word[0] = 5; @mov16(fifo, word[0]); }
    """
    wafer = programs.one_pe(pe, {"word": "u16"})
    programs.run()
    assert programs.read("word", "<u2", 1).tolist() == [5]
    assert wafer.pe(0, 0).fifos[0].config.base_address % 4 == 0


def test_an_id_that_is_out_of_range_at_run_time(programs):
    pe = """
    var number: u16 = 24;
    var seen = @zeros([1]u16);
    fn run() void { seen[0] = @get_int(@get_color(number)); }
    """
    programs.one_pe(pe, {"seen": "u16"})
    with pytest.raises(MachineFault, match=r"color 24 is out of range \(0 to 23\)"):
        programs.run()


def test_the_settings_of_a_fifo_that_only_code_at_run_time_names(programs):
    """Its events activate tasks: the push after a pop that found too little."""
    programs.one_pe(
        """
        var buffer = @zeros([4]i16);
        var a = [2]i16 { 1, 2 };
        var out = @zeros([3]i16);
        const told = @get_local_task_id(9);
        const fifo = @allocate_fifo(buffer, .{ .activate_push = told });
        const a_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> a[i] });
        const out_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> out[i] });
        task on_push() void { out[2] = 7; }
        comptime { @bind_local_task(on_push, told); }
        fn run() void {
          const enough = @mov16(out_dsd, fifo);
          @mov16(fifo, a_dsd);
        }
        """,
        {"out": "i16"},
    )
    programs.run()
    programs.wafer.run_until_quiet()
    assert programs.read("out", "<i2", 3).tolist() == [0, 0, 7]
