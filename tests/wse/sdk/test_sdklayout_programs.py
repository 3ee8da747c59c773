"""Programs whose layout is built in Python, run on both architectures."""

import numpy as np
import pytest

from pyflame.wse.errors import Deadlock
from pyflame.wse.machine.costs import costs_of
from pyflame.wse.machine.engine import MachineConfig
from pyflame.wse.sdk.debug import debug_util
from pyflame.wse.sdk.enums import Edge, Route, SdkTarget
from pyflame.wse.sdk.layout.artifacts import SdkCompileArtifacts
from pyflame.wse.sdk.layout.colors import Color
from pyflame.wse.sdk.layout.platform import SimfabConfig, get_platform
from pyflame.wse.sdk.layout.routing import RoutingPosition, get_edge_routing
from pyflame.wse.sdk.layout.sdk_layout import SdkLayout
from pyflame.wse.sdk.layout.vectors import IntRectangle, IntVector
from pyflame.wse.sdk.runtime import SdkRuntime

START = """
const start_id = @get_local_task_id(8);
comptime { @bind_local_task(start, start_id); @activate(start_id); }
"""
VALUES = (
    """
param small: i16;
param wide: u16;
param c: color;
export var sum: i16;
export var number: u16;
task start() void { sum = small + @as(i16, wide); number = @get_int(c); }
"""
    + START
)
NEIGHBOURS = (
    """
param sends: u16;
param c: color;
const role = enum(u16) { receive = 0, send = 1 };
const iq = @get_input_queue(0);
const oq = @get_output_queue(1);
const words = [3]u16 { 7, 8, 9 };
export var got: [3]u16;
const words_dsd = @get_dsd(mem1d_dsd, .{ .base_address = &words, .extent = 3 });
const got_dsd = @get_dsd(mem1d_dsd, .{ .base_address = &got, .extent = 3 });
const in = @get_dsd(fabin_dsd, .{
  .extent = 3, .fabric_color = c, .input_queue = iq });
const out = @get_dsd(fabout_dsd, .{
  .extent = 3, .fabric_color = c, .output_queue = oq });
task start() void {
  switch (@as(role, sends)) {
    role.send => @mov16(out, words_dsd, .{ .async = true }),
    role.receive => @mov16(got_dsd, in, .{ .async = true }),
  }
}
comptime {
  @initialize_queue(iq, .{ .color = c });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = c }); }
}
"""
    + START
)
# counts upwards from `first`
SOURCE = (
    """
param size: u16;
param first: u32;
param tx: color;
const oq = @get_output_queue(0);
const out = @get_dsd(fabout_dsd, .{
  .extent = 1, .fabric_color = tx, .output_queue = oq });
var next: u32 = first;
task start() void {
  for (@range(u16, size)) |i| { @mov32(out, next); next += 1; }
}
comptime {
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = tx }); }
}
"""
    + START
)
SINK = (
    """
param size: u16;
param rx: color;
const iq = @get_input_queue(0);
export var data: [size]u32;
const data_dsd = @get_dsd(mem1d_dsd, .{ .base_address = &data, .extent = size });
const in = @get_dsd(fabin_dsd, .{
  .extent = size, .fabric_color = rx, .input_queue = iq });
task start() void { @mov32(data_dsd, in, .{ .async = true }); }
comptime { @initialize_queue(iq, .{ .color = rx }); }
"""
    + START
)
# adds two 16-bit streams, one of them by way of a FIFO
ADDER = (
    """
param size: u16;
param a: color;
param b: color;
param sum: color;
const aq = @get_input_queue(0);
const bq = @get_input_queue(1);
const oq = @get_output_queue(0);
const in_a = @get_dsd(fabin_dsd, .{
  .extent = size, .fabric_color = a, .input_queue = aq });
const in_b = @get_dsd(fabin_dsd, .{
  .extent = size, .fabric_color = b, .input_queue = bq });
const out = @get_dsd(fabout_dsd, .{
  .extent = size, .fabric_color = sum, .output_queue = oq });
var buffer: [4]u16;
const fifo = @allocate_fifo(buffer);
task start() void {
  @mov16(fifo, in_b, .{ .async = true });
  @add16(out, in_a, fifo, .{ .async = true });
}
comptime {
  @initialize_queue(aq, .{ .color = a });
  @initialize_queue(bq, .{ .color = b });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = sum }); }
}
"""
    + START
)
# takes `size` wavelets, passes them on, and moves the switch behind them
FORWARD = (
    """
param size: u16;
param rounds: u16;
param advance: u16;
param entry: u16;
param rx: color;
param tx: color;
const ctrl = @import_module("<control>");
const iq = @get_input_queue(0);
const oq = @get_output_queue(1);
const in = @get_dsd(fabin_dsd, .{
  .extent = size, .fabric_color = rx, .input_queue = iq });
const out = @get_dsd(fabout_dsd, .{
  .extent = size, .fabric_color = tx, .output_queue = oq });
const command = @get_dsd(fabout_dsd, .{
  .extent = 1, .fabric_color = tx, .output_queue = oq, .control = true });
var round: u16 = 0;
task start() void { @mov32(out, in, .{ .async = true, .activate = behind }); }
const behind_id = @get_local_task_id(9);
task behind() void {
  round += 1;
  if (advance > 0 and (rounds == 1 or round < rounds)) {
    @mov32(command,
           ctrl.encode_single_payload(ctrl.opcode.SWITCH_ADV, true, {}, 0));
  }
  if (entry > 0) {
    @mov32(command,
           ctrl.encode_control_task_payload(@get_control_task_id(entry)));
  }
  if (round < rounds) { @activate(start_id); }
}
comptime {
  @bind_local_task(behind, behind_id);
  @initialize_queue(iq, .{ .color = rx });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = tx }); }
}
"""
    + START
)
# y = A x: a task per x, a control task that sends y on
COLUMN = """
param x_in: color;
param y_out: color;
param done: u16;
const xq = @get_input_queue(0);
const yq = @get_output_queue(0);
export var A = @zeros([3, 2]f32);
var y = @zeros([3]f32);
var index: u16 = 0;
const column = @get_dsd(mem1d_dsd, .{
  .tensor_access = |i|{3} -> A[i, 0], .wavelet_index_offset = true });
const y_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> y[i] });
const out = @get_dsd(fabout_dsd, .{
  .extent = 3, .fabric_color = y_out, .output_queue = yq });
const x_id = if (@is_arch("wse3")) @get_data_task_id(xq) else @get_data_task_id(x_in);
task take(x: f32) void {
  @fmacs(y_dsd, y_dsd, column, x, .{ .index = 2 * index });
  index += 1;
}
const done_id = @get_control_task_id(done);
task finish() void { @fmovs(out, y_dsd, .{ .async = true }); }
comptime {
  @bind_data_task(take, x_id);
  @bind_control_task(finish, done_id);
  @initialize_queue(xq, .{ .color = x_in });
  if (@is_arch("wse3")) { @initialize_queue(yq, .{ .color = y_out }); }
}
"""
FILES = {
    "values": VALUES,
    "neighbours": NEIGHBOURS,
    "source": SOURCE,
    "sink": SINK,
    "adder": ADDER,
    "forward": FORWARD,
    "column": COLUMN,
}


@pytest.fixture(params=["WSE2", "WSE3"])
def platform(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / f"{name}.csl").write_text(text)
    return get_platform(None, SimfabConfig(dump_core=True), SdkTarget[request.param])


def route(rx=(), tx=()):
    return RoutingPosition().set_input(list(rx)).set_output(list(tx))


FROM_CE, TO_CE = route([Route.RAMP]), route((), [Route.RAMP])


def started(layout, platform, **options):
    artifacts = layout.compile(out_prefix="out")
    runtime = SdkRuntime(artifacts, platform, memcpy_required=False, **options)
    runtime.load()
    runtime.run()
    return runtime


def finished(layout, platform):
    runtime = started(layout, platform)
    runtime.stop()
    return runtime


# --- params and places --------------------------------------------------------------


def test_every_form_of_setting_params(platform):
    layout = SdkLayout(platform)
    region = layout.create_code_region("./values.csl", "r", 3, 2)
    c, d = Color("c", 5), Color("other", 6)
    region.set_param_all("small", -1)
    region.set_param_all("wide", np.int64(10))
    region.set_param_all(c)
    region.set_param_range(IntRectangle(IntVector(1, 0), IntVector(2, 2)), "wide", 20)
    region.set_param(IntVector(2, 1), "small", 4)
    region.set_param(IntVector(2, 1), "c", d)
    runtime = finished(layout, platform)
    sums = [
        [runtime.read_symbol(x, y, "sum", "int16")[0] for x in range(3)]
        for y in range(2)
    ]
    assert sums == [[9, 19, 9], [9, 19, 14]]
    assert runtime.read_symbol(0, 0, "number", dtype="uint16") == [5]
    assert runtime.read_symbol(2, 1, "number", dtype="uint16") == [6]


def test_read_symbol_and_debug_util_take_places_of_the_layout(platform):
    layout = SdkLayout(platform)
    for number in range(2):
        region = layout.create_code_region("values.csl", f"r{number}", 1, 1)
        region.set_param_all("small", number)
        region.set_param_all("wide", 100)
        region.set_param_all(Color("c"))
        region.place(4 * number + 3, 2)
    runtime = finished(layout, platform)
    assert runtime.read_symbol(7, 2, "sum", "int16") == [101]
    assert debug_util("out").get_symbol(3, 2, "sum", np.int16) == [100]


def test_stacks_place_regions_side_by_side(platform):
    layout = SdkLayout(platform)
    regions = []
    for number, width in enumerate((2, 1, 3)):
        region = layout.create_code_region("values.csl", f"r{number}", width, 2)
        regions.append(region)
    assert layout.hstack(regions, IntVector(1, 4)) == 7
    assert [r.origin for r in regions] == [
        IntVector(1, 4),
        IntVector(3, 4),
        IntVector(4, 4),
    ]
    assert layout.vstack(regions) == 6
    assert [r.origin.y for r in regions] == [0, 2, 4]


# --- routes -------------------------------------------------------------------------


def test_painted_routes_carry_wavelets_between_neighbours(platform):
    layout = SdkLayout(platform)
    region = layout.create_code_region("neighbours.csl", "r", 2, 1)
    left, right = IntVector(0, 0), IntVector(1, 0)
    region.set_param(left, "sends", 1)
    region.set_param(right, "sends", 0)
    c = Color("c")
    region.paint(left, c, [route([Route.RAMP], [Route.EAST])])
    region.paint(right, c, [route([Route.WEST], [Route.RAMP])])
    region.set_param_all(c)
    runtime = finished(layout, platform)
    assert runtime.read_symbol(1, 0, "got", "uint16").tolist() == [7, 8, 9]


def test_edge_routes_replace_those_of_the_region(platform):
    """One sender, two receivers in a row: only the last one ends the route."""
    layout = SdkLayout(platform)
    region = layout.create_code_region("neighbours.csl", "r", 3, 1)
    c = region.color("c")
    region.set_param_all(c)
    region.set_param_all("sends", 0)
    region.set_param(IntVector(0, 0), "sends", 1)
    onward = route([Route.WEST], [Route.RAMP, Route.EAST])
    edges = [
        get_edge_routing(Edge.LEFT, [route([Route.RAMP], [Route.EAST])]),
        get_edge_routing(Edge.RIGHT, [route([Route.WEST], [Route.RAMP])]),
    ]
    region.paint_all(c, [onward], edges)
    runtime = finished(layout, platform)
    for x in (1, 2):
        assert runtime.read_symbol(x, 0, "got", "uint16").tolist() == [7, 8, 9]


# --- connections --------------------------------------------------------------------


def pair(layout, size, lanes=1):
    """A source and a sink with `lanes` PEs each, connected."""
    source = layout.create_code_region("source.csl", "source", 1, lanes)
    sink = layout.create_code_region("sink.csl", "sink", 1, lanes)
    tx, rx = source.color("tx"), sink.color("rx")
    for region, color in ((source, tx), (sink, rx)):
        region.set_param_all("size", size)
        region.set_param_all(color)
    for lane in range(lanes):
        source.set_param(IntVector(0, lane), "first", 1000 * lane)
    out = source.create_output_port(tx, Edge.RIGHT, [FROM_CE], size * lanes)
    into = sink.create_input_port(rx, Edge.RIGHT, [TO_CE], size * lanes)
    layout.connect(out, into)
    return source, sink


def test_connections_join_lanes_in_order(platform):
    layout = SdkLayout(platform)
    source, sink = pair(layout, 50, lanes=3)
    source.place(6, 0)
    sink.place(1, 4)
    runtime = finished(layout, platform)
    for lane in range(3):
        data = runtime.read_symbol(1, 4 + lane, "data", "uint32")
        assert data.tolist() == list(range(1000 * lane, 1000 * lane + 50))


def cycles_at(platform, x, y):
    layout = SdkLayout(platform)
    _, sink = pair(layout, 1)
    sink.place(x, y)
    return finished(layout, platform).wafer.now


def test_a_connection_takes_as_long_as_its_shortest_path(platform):
    costs = costs_of(platform.arch, "vendor_sim")
    far = cycles_at(platform, 40, 0)
    assert cycles_at(platform, 60, 0) == far + 20 * costs.hop_cycles
    turned = far + 20 * costs.hop_cycles + costs.turn_cycles
    assert cycles_at(platform, 20, 40) == turned


def test_a_connection_holds_as_much_as_the_routers_of_its_path(platform):
    """The source comes to rest when the path is full: it grows with the distance."""
    sent = []
    for distance in (5, 10, 15):
        layout = SdkLayout(platform)
        _, sink = pair(layout, 1000)
        sink.place(distance, 0)
        sink.set_param_all("size", 1)
        wafer = finished(layout, platform).wafer
        sent.append(wafer.report().wavelets)
    assert sent[1] - sent[0] == sent[2] - sent[1] > 0


def test_two_streams_meet_in_an_adder(platform):
    layout = SdkLayout(platform)
    size = 10
    adder = layout.create_code_region("adder.csl", "adder", 1, 1)
    a, b, total = Color("a"), Color("b"), Color("sum")
    adder.set_param_all("size", size)
    for color in (a, b, total):
        adder.set_param_all(color)
    ports = [
        adder.create_input_port(color, Edge.RIGHT, [TO_CE], size) for color in (a, b)
    ]
    out = adder.create_output_port(total, Edge.LEFT, [FROM_CE], size)
    adder.place(7, 4)
    for number, port in enumerate(ports):
        source = layout.create_code_region("source.csl", f"source{number}", 1, 1)
        tx = source.color("tx")
        source.set_param_all("size", size)
        source.set_param_all("first", 100 * number)
        source.set_param_all(tx)
        source.place(2 + number, 2 + number)
        layout.connect(source.create_output_port(tx, Edge.RIGHT, [FROM_CE], size), port)
    sink = layout.create_code_region("sink.csl", "sink", 1, 1)
    sink.set_param_all("size", size)
    sink.set_param_all(Color("rx"))
    layout.connect(out, sink.create_input_port(Color("rx"), Edge.TOP, [TO_CE], size))
    runtime = finished(layout, platform)
    expected = [100 + 2 * n for n in range(size)]
    assert runtime.read_symbol(0, 0, "data", "uint32").tolist() == expected


# --- streams ------------------------------------------------------------------------


def streamed_adder(platform, size):
    layout = SdkLayout(platform)
    adder = layout.create_code_region("adder.csl", "adder", 1, 1)
    colors = {name: Color(name) for name in ("a", "b", "sum")}
    adder.set_param_all("size", size)
    for color in colors.values():
        adder.set_param_all(color)
    inputs = [
        adder.create_input_port(colors[name], Edge.RIGHT, [TO_CE], size)
        for name in "ab"
    ]
    out = adder.create_output_port(colors["sum"], Edge.LEFT, [FROM_CE], size)
    adder.place(3, 1)
    streams = [layout.create_input_stream(port) for port in inputs]
    return layout, [*streams, layout.create_output_stream(out)]


def test_nonblocking_streams_are_done_after_stop(platform):
    size = 300
    layout, (a, b, total) = streamed_adder(platform, size)
    runtime = started(layout, platform)
    first = np.arange(size, dtype=np.uint32)
    second = np.arange(size, dtype=np.int32) + 5
    actual = np.empty(size, np.uint32)
    runtime.send(a, first, nonblock=True)
    runtime.send(b, second, nonblock=True)
    runtime.receive(total, actual, size, nonblock=True)
    first[:] = 0  # the runtime took a copy
    runtime.stop()
    assert actual.tolist() == [2 * n + 5 for n in range(size)]


def test_blocking_streams_and_tasks(platform):
    layout, (a, b, total) = streamed_adder(platform, 4)
    runtime = started(layout, platform)
    words = np.array([1, 2, 3, 4, 99], np.uint32)
    runtime.send(a, words, 4)
    task = runtime.send(runtime.get_port_id(b), words, 2, nonblock=True)
    part = np.zeros(3, np.uint32)
    runtime.receive(total, part, 2)
    assert part.tolist() == [2, 4, 0]
    runtime.task_wait(task)
    assert runtime.is_task_done(task)
    runtime.send(b, words[2:], 2)
    runtime.receive(total, part, 2)
    assert part.tolist() == [6, 8, 0]
    runtime.stop()


def test_streams_can_be_listed(platform, capsys):
    layout, (a, b, total) = streamed_adder(platform, 4)
    runtime = started(layout, platform)
    assert (a, b, total) == ("adder_a", "adder_b", "adder_sum")
    assert [runtime.get_port_id(name) for name in (a, b, total)] == [0, 1, 2]
    runtime.report_port_infos()
    assert capsys.readouterr().out == (
        "0: adder_a, host to PE(3,1), color 0\n"
        "1: adder_b, host to PE(3,1), color 1\n"
        "2: adder_sum, host from PE(3,1), color 2\n"
    )
    runtime.stop()


def test_a_deadlock_names_the_host_and_the_port(platform):
    layout, (a, _, total) = streamed_adder(platform, 4)
    runtime = started(layout, platform)
    runtime.send(a, np.arange(4, dtype=np.uint32), nonblock=True)
    with pytest.raises(Deadlock) as caught:
        runtime.receive(total, np.zeros(4, np.uint32), 4)
    text = str(caught.value)
    assert "the host has received 0 of 4 wavelets from port 'adder_sum' of PE(3,1)" in (
        text
    )
    assert (
        "@mov16 (adder.csl:18) has read 0 of 4 elements of color 1; the host sends it"
        in text
    )


def test_a_deadlock_names_the_sender_at_the_other_end_of_a_connection(platform):
    layout = SdkLayout(platform)
    source, sink = pair(layout, 4)
    source.set_param_all("size", 2)
    sink.place(5, 5)
    forward = layout.create_code_region("forward.csl", "f", 1, 1)
    for name in ("rounds", "advance", "entry"):
        forward.set_param_all(name, 0)
    forward.set_param_all("size", 1)
    forward.set_param_all(Color("rx"))
    forward.set_param_all(Color("tx"))
    out = forward.create_output_port(Color("tx"), Edge.TOP, [FROM_CE], 1)
    forward.paint_all(Color("rx"), [route([Route.NORTH], [Route.RAMP])])
    forward.place(9, 9)
    stream = layout.create_output_stream(out)
    runtime = started(layout, platform)
    with pytest.raises(Deadlock) as caught:
        runtime.receive(stream, np.zeros(1, np.uint32), 1)
    text = str(caught.value)
    assert "has read 2 of 4 elements of color" in text
    assert "; PE(0,0) sent 2" in text


# --- switches, control wavelets and symbols -----------------------------------------


def spread(layout, name, lanes, size, entry):
    """One stream in, `size` wavelets out of each of `lanes` PEs side by side."""
    adaptor = layout.create_code_region("forward.csl", f"{name}_adaptor", 1, 1)
    demux = layout.create_code_region("forward.csl", name, lanes, 1)
    ports = []
    for region, rounds, advance, code in (
        (adaptor, lanes, 1, 0),
        (demux, 1, 0, entry),
    ):
        region.set_param_all("size", size)
        region.set_param_all("rounds", rounds)
        region.set_param_all("advance", advance)
        region.set_param_all("entry", code)
        region.set_param_all(region.color("rx"))
        region.set_param_all(region.color("tx"))
    take, onward = route([Route.WEST], [Route.RAMP]), route([Route.WEST], [Route.EAST])
    rx = demux.color("rx")
    demux.paint_all(rx, [take, onward], [get_edge_routing(Edge.RIGHT, [take])])
    total = lanes * size
    ports.append(
        adaptor.create_input_port(adaptor.color("rx"), Edge.LEFT, [TO_CE], total)
    )
    layout.connect(
        adaptor.create_output_port(adaptor.color("tx"), Edge.RIGHT, [FROM_CE], total),
        demux.create_input_port(rx, Edge.LEFT, [TO_CE, route((), [Route.EAST])], total),
    )
    ports.append(
        demux.create_output_port(demux.color("tx"), Edge.BOTTOM, [FROM_CE], total)
    )
    return adaptor, demux, ports


def gather(layout, name, lanes, size):
    """`size` wavelets from each of `lanes` PEs, in order out of the first one."""
    mux = layout.create_code_region("forward.csl", name, lanes, 1)
    rx, tx = mux.color("rx"), mux.color("tx")
    for param, value in (("size", size), ("rounds", 1), ("advance", 1), ("entry", 0)):
        mux.set_param_all(param, value)
    mux.set_param_all(rx)
    mux.set_param_all(tx)
    own, others = route([Route.RAMP], [Route.WEST]), route([Route.EAST], [Route.WEST])
    mux.paint_all(tx, [own, others])
    into = mux.create_input_port(rx, Edge.TOP, [TO_CE], lanes * size)
    out = mux.create_output_port(
        tx, Edge.LEFT, [FROM_CE, route([Route.EAST])], lanes * size
    )
    return mux, into, out


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_a_matrix_spread_over_pes_is_multiplied(platform, seed):
    """Block columns of A on 3 PEs: spread x, compute, gather the three A_i x_i."""
    lanes = 3
    layout = SdkLayout(platform)
    adaptor, demux, (x_port, demux_out) = spread(layout, "demux", lanes, 2, 40)
    columns = layout.create_code_region("column.csl", "columns", lanes, 1)
    x_in, y_out = Color("x_in"), Color("y_out")
    columns.set_param_all("done", 40)
    columns.set_param_all(x_in)
    columns.set_param_all(y_out)
    matrix = np.arange(18, dtype=np.float32) + 1
    columns.set_symbol_all("A", matrix, 6, 3)
    layout.connect(
        demux_out, columns.create_input_port(x_in, Edge.TOP, [TO_CE], 2 * lanes)
    )
    mux, into, out = gather(layout, "mux", lanes, 3)
    layout.connect(
        columns.create_output_port(y_out, Edge.BOTTOM, [FROM_CE], 3 * lanes), into
    )
    for region, place in (
        (adaptor, (0, 0)),
        (demux, (2, 0)),
        (columns, (2, 3)),
        (mux, (3, 6)),
    ):
        region.place(*place)
    x_stream = layout.create_input_stream(x_port, IntVector(0, 9), 16)
    y_stream = layout.create_output_stream(out)
    runtime = started(layout, platform, config=MachineConfig(seed=seed))
    x = np.array([1, 2, 3, 4, 5, 6], np.float32)
    y = np.empty(9, np.float32)
    runtime.send(x_stream, x, nonblock=True)
    runtime.receive(y_stream, y, 9, nonblock=True)
    runtime.stop()
    blocks = matrix.reshape(3, lanes, 2) * x.reshape(lanes, 2)
    assert y.reshape(lanes, 3).tolist() == blocks.sum(axis=2).T.tolist()
    assert runtime.read_symbol(3, 3, "A", "float32").tolist() == [3, 4, 9, 10, 15, 16]


# --- artifacts ----------------------------------------------------------------------


def test_artifacts_are_loaded_by_path(platform, tmp_path):
    layout = SdkLayout(platform)
    region = layout.create_code_region("column.csl", "r", 2, 1)
    region.set_param_all("done", 40)
    region.set_param_all(Color("x_in"))
    region.set_param_all(Color("y_out"))
    region.set_symbol_all("A", np.arange(12, dtype=np.float32), 4, 3)
    region.create_input_port(Color("x_in"), Edge.TOP, [TO_CE], 2)
    onward = route([Route.WEST], [Route.EAST])
    region.paint_all(Color("y_out"), [route([Route.RAMP], [Route.EAST]), onward])
    region.place(1, 1)
    artifacts = layout.compile("out")
    (tmp_path / "column.csl").unlink()
    for program in (artifacts, SdkCompileArtifacts("out"), "out"):
        runtime = SdkRuntime(program, platform, memcpy_required=False)
        runtime.load()
        assert runtime.read_symbol(2, 1, "A", "float32").tolist() == [
            *(2, 3, 6, 7, 10, 11)
        ]
        assert runtime.image.tiles == [[-1, -1, -1], [-1, 0, 0]]
        configs = runtime.image.color_configs
        assert [len(configs[place]) for place in ((1, 1), (2, 1))] == [2, 2]
        switched = [c for c in configs[2, 1].values() if c.switches is not None]
        assert [(c.rx, c.tx) for c in switched] == [(("RAMP",), ("EAST",))]


def test_the_port_map_is_written_on_request(platform, tmp_path):
    layout, _ = streamed_adder(platform, 4)
    artifacts = layout.compile("out", save_port_map=True)
    artifacts.add_port_mapping(tmp_path / "out" / "port_map.json")
