"""What a layout in Python cannot ask for, word for word."""

import json
from pathlib import Path

import numpy as np
import pytest

from pyflame.wse.errors import CslError, HostError
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.sdk import saved
from pyflame.wse.sdk.enums import FP16TYPE, Edge, Route, SdkTarget
from pyflame.wse.sdk.layout.artifacts import SdkCompileArtifacts
from pyflame.wse.sdk.layout.colors import Color
from pyflame.wse.sdk.layout.platform import get_simulator
from pyflame.wse.sdk.layout.routing import RoutingPosition
from pyflame.wse.sdk.layout.sdk_layout import SdkLayout
from pyflame.wse.sdk.layout.vectors import IntRectangle, IntVector
from pyflame.wse.sdk.runtime import SdkRuntime
from pyflame.wse.sdk.saved_placement import placement_of, placement_table

PE = """
param size: u16 = 1;
param c: color;
export var data: [4]f32;
export var half: f16;
export var taken = @as(u16, size);
"""
TO_CE = RoutingPosition().set_output([Route.RAMP])
FROM_CE = RoutingPosition().set_input([Route.RAMP])
WSE2 = get_simulator(target=SdkTarget.WSE2)


@pytest.fixture
def layout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pe.csl").write_text(PE)
    return SdkLayout(WSE2)


@pytest.fixture
def region(layout):
    return layout.create_code_region("pe.csl", "r", 2, 3)


def refused(call, *args, **kwargs):
    with pytest.raises(HostError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def running(layout, **kwargs):
    runtime = SdkRuntime(layout.compile("out"), memcpy_required=False, **kwargs)
    runtime.load()
    runtime.run()
    return runtime


# --- layouts ------------------------------------------------------------------------


def test_layouts_need_a_platform():
    assert refused(SdkLayout, "wse2") == (
        "SdkLayout takes a platform from get_platform() or an SdkTarget, not str"
    )
    assert SdkLayout(SdkTarget.WSE3) is not None
    assert refused(SdkLayout, WSE2, msg_level="LOUD") == (
        "msg_level must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'"
    )


def test_regions_need_a_file_a_name_and_a_size(layout, region):
    create = layout.create_code_region
    assert refused(create, "pe.csl", "r", 1, 1) == "there is a code region 'r' already"
    assert refused(create, "pe.csl", "s", 0, 1) == (
        "code region 's' of 0 x 1 PEs: both sides must be positive"
    )
    with pytest.raises(CslError) as caught:
        create("other.csl", "s", 1, 1)
    assert caught.value.message == (
        "cannot read 'other.csl': no such file or directory"
    )


def test_an_empty_layout_is_not_compiled(layout):
    assert refused(layout.compile, "out") == "compile: the layout has no code region"


def test_other_compilers_are_refused(layout, region):
    assert refused(layout.compile, "out", cslc_prefix="/opt/bin") == (
        "compile: cslc_prefix '/opt/bin' names another compiler, but layouts are "
        "compiled in process; leave it out"
    )


def test_regions_must_not_overlap(layout, region):
    other = layout.create_code_region("pe.csl", "s", 1, 1)
    other.place(1, 2)
    assert refused(layout.compile, "out") == (
        "code regions 'r' and 's' overlap at PE(1,2); place() them apart"
    )


def test_regions_stay_on_the_wafer(layout, region):
    assert refused(region.place, -1, 0) == (
        "code region 'r' cannot be placed at (-1, 0): coordinates start at (0, 0)"
    )
    region.place(756, 0)
    assert refused(layout.compile, "out") == (
        "code region 'r' of 2 x 3 PEs at (756, 0) leaves the 757 x 996 PEs of wse2"
    )


def test_stacks_hold_regions(layout, region):
    assert refused(layout.hstack, [region, "s"]) == (
        "hstack takes code regions, not str"
    )
    assert refused(layout.vstack, [3]) == "vstack takes code regions, not int"
    assert refused(layout.hstack, [region], (0, 0)) == (
        "the origin must be an IntVector, not tuple"
    )


def test_streams_without_a_port_are_refused(layout):
    assert refused(layout.create_input_stream_from_loc, IntVector(0, 0), None) == (
        "create_input_stream_from_loc is not supported: give a code region an input "
        "port and use create_input_stream"
    )
    assert refused(layout.create_output_stream_from_loc, IntVector(0, 0), None) == (
        "create_output_stream_from_loc is not supported: give a code region an output "
        "port and use create_output_stream"
    )


@pytest.mark.parametrize(("msg_level", "shown"), [("WARNING", True), ("ERROR", False)])
def test_warnings_of_the_compiler_are_printed(
    tmp_path, layout, capsys, msg_level, shown
):
    (tmp_path / "m.csl").write_text("const one: u16 = 1;")
    (tmp_path / "top.csl").write_text(
        'const m = @import_module("m.csl", .{ .two = 2 });\nexport var a: u16 = m.one;'
    )
    chatty = SdkLayout(WSE2, msg_level=msg_level)
    chatty.create_code_region("top.csl", "r", 1, 1)
    chatty.compile("out")
    printed = capsys.readouterr().err
    assert ("warning: 'm.csl' has no param 'two'" in printed) is shown


# --- params -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            (IntVector(2, 0), "size", 1),
            "set_param: PE(2,0) is outside code region 'r' of 2 x 3 PEs",
        ),
        (
            ((0, 0), "size", 1),
            "set_param: the coordinate must be an IntVector, not tuple",
        ),
        (
            (IntVector(0, 0), "length", 1),
            "set_param: 'pe.csl' has no param 'length'; its params: c, size",
        ),
        (
            (IntVector(0, 0), Color("tx")),
            "set_param: 'pe.csl' has no param 'tx'; its params: c, size",
        ),
        (
            (IntVector(0, 0), "size", 1.5),
            "set_param: param 'size' takes an int or a Color, not float",
        ),
        (
            (IntVector(0, 0), "size"),
            "set_param: param 'size' takes an int or a Color, not NoneType",
        ),
        ((IntVector(0, 0), 3, 1), "set_param: a param's name is text, not int"),
    ],
)
def test_params_of_one_pe(region, args, message):
    assert refused(region.set_param, *args) == message


def test_params_of_a_rectangle(region):
    area = IntRectangle(IntVector(1, 0), IntVector(1, 3))
    assert refused(region.set_param_range, area, "size", 1) == (
        "set_param_range: the rectangle from (1, 0) to before (1, 3) is empty; the "
        "second corner is exclusive"
    )
    area = IntRectangle(IntVector(0, 0), IntVector(2, 4))
    assert refused(region.set_param_range, area, "size", 1) == (
        "set_param_range: PE(1,3) is outside code region 'r' of 2 x 3 PEs"
    )
    assert refused(region.set_param_range, IntVector(0, 0), "size", 1) == (
        "set_param_range: the range must be an IntRectangle, not IntVector"
    )


def test_values_must_fit_the_type_of_a_param(layout, region):
    region.set_param_all("size", -1)
    with pytest.raises(CslError) as caught:
        layout.compile("out")
    assert str(caught.value).startswith(
        "pe.csl:2:1: error: value -1 does not fit type 'u16'"
    )


# --- routes and ports ---------------------------------------------------------------


def test_painting_outside_of_the_region(region):
    assert refused(region.paint, IntVector(0, 3), Color("c"), [TO_CE]) == (
        "paint: PE(0,3) is outside code region 'r' of 2 x 3 PEs"
    )
    assert refused(region.paint_all, "c", [TO_CE]) == (
        "paint_all takes a Color, not str"
    )
    assert refused(region.paint_all, Color("c"), [TO_CE], [TO_CE]) == (
        "paint_all: edge routes come from get_edge_routing(), not RoutingPosition"
    )


def test_routes_must_be_complete_when_compiled(layout, region):
    region.paint(IntVector(1, 2), Color("c"), [TO_CE])
    assert refused(layout.compile, "out") == (
        "color 'c' on PE(1,2) of code region 'r' has no input: set_input([...]) of its "
        "route"
    )


def test_one_number_for_two_colors_of_a_pe(layout, region):
    onward = RoutingPosition().set_input([Route.WEST]).set_output([Route.EAST])
    region.paint_all(Color("a", 3), [onward])
    region.paint_all(Color("b", 3), [onward])
    assert refused(layout.compile, "out") == (
        "color 'b' on PE(0,0) of code region 'r' has the value 3, which another color "
        "has there too"
    )


def test_port_sizes(region):
    create = region.create_input_port
    assert refused(create, Color("c"), Edge.LEFT, [TO_CE], 4) == (
        "port 'r_c': data_size 4 is no multiple of its 3 PEs"
    )
    assert refused(create, Color("c"), Edge.LEFT, [TO_CE], 0) == (
        "port 'r_c': data_size must be a positive number, not 0"
    )


def test_port_directions(region):
    assert refused(region.create_output_port, Color("c"), Edge.LEFT, [TO_CE], 3) == (
        "port 'r_c': routes of an output port must have no output, got RAMP; the port "
        "sets WEST"
    )


def test_port_names(region):
    region.create_input_port(Color("c"), Edge.LEFT, [TO_CE], 3)
    assert refused(region.create_output_port, Color("c"), Edge.TOP, [FROM_CE], 2) == (
        "port 'r_c' exists already; give one of them a prefix of its own"
    )


def test_a_color_of_a_pe_belongs_to_one_port(layout, region):
    region.create_input_port(Color("c"), Edge.LEFT, [TO_CE], 3)
    region.create_output_port(Color("c"), Edge.TOP, [FROM_CE], 2, "_out")
    assert refused(layout.compile, "out") == (
        "color 'c' on PE(0,0) of code region 'r' belongs to two ports, 'r_c' and "
        "'r_out_c'"
    )


# --- connections and streams --------------------------------------------------------


def test_connections_must_fit(layout, region):
    other = layout.create_code_region("pe.csl", "s", 2, 3)
    out = region.create_output_port(Color("c"), Edge.RIGHT, [FROM_CE], 3)
    into = other.create_input_port(Color("c"), Edge.LEFT, [TO_CE], 6)
    short = other.create_input_port(Color("d"), Edge.TOP, [TO_CE], 6)
    assert refused(layout.connect, out, into) == (
        "connect: port 'r_c' has data_size 3, but port 's_c' has 6"
    )
    assert refused(layout.connect, out, short) == (
        "connect: port 'r_c' has 3 PEs, but port 's_d' has 2"
    )
    assert refused(layout.connect, into, out) == (
        "connect: port 's_c' is an input port; an output port is needed here"
    )
    assert refused(layout.connect, out, out) == (
        "connect: port 'r_c' is an output port; an input port is needed here"
    )
    assert refused(layout.connect, out, "s_c") == (
        "connect takes the input port of a code region, not str"
    )


def test_a_port_is_joined_once(layout, region):
    other = layout.create_code_region("pe.csl", "s", 1, 3)
    out = region.create_output_port(Color("c"), Edge.RIGHT, [FROM_CE], 3)
    into = other.create_input_port(Color("c"), Edge.LEFT, [TO_CE], 3)
    again = other.create_input_port(Color("d"), Edge.LEFT, [TO_CE], 3)
    layout.connect(out, into)
    assert refused(layout.connect, out, again) == (
        "port 'r_c' is connected to 's_c' already"
    )


def test_streams_go_through_one_pe(layout, region):
    wide = region.create_input_port(Color("c"), Edge.TOP, [TO_CE], 2)
    assert refused(layout.create_input_stream, wide) == (
        "create_input_stream: port 'r_c' has 2 PEs, but a stream goes through one; put "
        "a code region between that spreads or gathers the wavelets"
    )
    assert refused(layout.create_output_stream, wide) == (
        "create_output_stream: port 'r_c' is an input port; an output port is needed "
        "here"
    )


@pytest.fixture
def streams(layout):
    """A 1x1 region with a stream each way."""
    region = layout.create_code_region("pe.csl", "s", 1, 1)
    into = region.create_input_port(Color("c"), Edge.LEFT, [TO_CE], 4)
    out = region.create_output_port(Color("d"), Edge.TOP, [FROM_CE], 4)
    layout.create_input_stream(into)
    layout.create_output_stream(out)
    return into, out


def test_streams_take_a_port_of_their_own(layout, streams):
    assert refused(layout.create_input_stream, streams[0]) == (
        "port 's_c' is streamed by the host already"
    )


def test_stream_options(layout):
    region = layout.create_code_region("pe.csl", "s", 1, 1)
    port = region.create_input_port(Color("c"), Edge.LEFT, [TO_CE], 4)
    assert refused(layout.create_input_stream, port, None, 0) == (
        "create_input_stream: io_buffer_size must be positive, not 0"
    )
    assert refused(layout.create_input_stream, port, (0, 0)) == (
        "create_input_stream: io_loc must be an IntVector, not tuple"
    )


def test_sends_and_receives_of_a_run(layout, streams):
    runtime = running(layout)
    words = np.zeros(4, np.uint32)
    for call, text in (
        (
            lambda: runtime.send("x", words),
            "send: there is no stream 'x'; the program's streams: s_c, s_d",
        ),
        (
            lambda: runtime.send(True, words),
            "send: there is no stream True; the program's streams: s_c, s_d",
        ),
        (
            lambda: runtime.send("s_d", words),
            "send: stream 's_d' goes the other way; receive() it",
        ),
        (
            lambda: runtime.receive(0, words, 4),
            "receive: stream 's_c' goes the other way; send() it",
        ),
        (
            lambda: runtime.receive("s_d", words, 5),
            "receive: the host tensor has 4 elements, but the transfer moves 5",
        ),
        (
            lambda: runtime.receive("s_d", words, 0),
            "receive: the number of wavelets must be positive: 0",
        ),
        (
            lambda: runtime.send("s_c", words.astype(np.uint16)),
            "send: the host tensor has dtype uint16, but every element travels in 32 "
            "bits; use float32, int32 or uint32 (16-bit data is extended with "
            "sdk_utils.input_array_to_u32)",
        ),
        (
            lambda: runtime.get_port_id("x"),
            "get_port_id: there is no stream 'x'; the program's streams: s_c, s_d",
        ),
        (
            lambda: runtime.receive_tofile("s_d", "f", True),
            "receive_tofile('s_d', 'f') is not supported: receive() into an array and "
            "write it with numpy.tofile",
        ),
        (
            lambda: runtime.read_symbol(1, 0, "data"),
            "PE(1,0) is outside the 1x1 PEs of the program",
        ),
    ):
        assert refused(call) == text
    runtime.stop()


def test_streams_of_a_program_that_does_not_run(layout, streams):
    runtime = SdkRuntime(layout.compile("out"), memcpy_required=False)
    assert refused(runtime.send, "s_c", np.zeros(4, np.uint32)) == (
        "SdkRuntime must be running to accept memcpy commands: send of a program that "
        "is created"
    )


def test_places_without_a_region_have_no_symbols(layout):
    layout.create_code_region("pe.csl", "a", 1, 1)
    layout.create_code_region("pe.csl", "b", 1, 1).place(2, 0)
    runtime = running(layout)
    assert refused(runtime.read_symbol, 1, 0, "data") == (
        "PE(1,0) has no program: no code region covers it"
    )


# --- symbols ------------------------------------------------------------------------


def test_symbol_data_must_fit(layout, region):
    zeros = np.zeros(24, np.float32)
    assert refused(region.set_symbol_all, "data", zeros, 4, 5) == (
        "set_symbol_all('data'): 24 elements are no 4 x 5 matrix"
    )
    assert refused(region.set_symbol_all, "data", zeros, 3, 8) == (
        "set_symbol_all('data'): a 3 x 8 matrix cannot be cut evenly over 2 x 3 PEs"
    )
    assert refused(region.set_symbol_all, "data", np.zeros(24), 4, 6) == (
        "set_symbol_all('data'): dtype float64 is none of float32, int16, int32, "
        "uint16, uint32"
    )


@pytest.mark.parametrize(
    ("name", "dtype", "message"),
    [
        (
            "other",
            np.float32,
            "set_symbol_all('other'): 'pe.csl' has no such symbol; declare it as "
            "'export var other'",
        ),
        (
            "data",
            np.int32,
            "set_symbol_all('data'): every PE gets 16 bytes of int32, but 'pe.csl' "
            "declares it as [4]f32",
        ),
        (
            "data",
            np.uint16,
            "set_symbol_all('data'): every PE gets 8 bytes of uint16, but 'pe.csl' "
            "declares it as [4]f32",
        ),
    ],
)
def test_symbols_must_exist_with_their_type(layout, region, name, dtype, message):
    region.set_symbol_all(name, np.zeros(24, dtype), 4, 6)
    assert refused(layout.compile, "out") == message


# --- programs on disk ---------------------------------------------------------------


def test_platforms_must_match_the_program(layout, region):
    wse3 = get_simulator(target=SdkTarget.WSE3)
    artifacts = layout.compile("out")
    assert refused(SdkRuntime, artifacts, wse3, memcpy_required=False) == (
        "the program in 'out' was compiled for wse2, but the platform is wse3"
    )


def test_layouts_have_no_memcpy(layout, region):
    assert refused(SdkRuntime, layout.compile("out")) == (
        "the program in 'out' was compiled by SdkLayout, which has no memcpy; pass "
        "memcpy_required=False"
    )


def test_the_float_format_reaches_the_compiler(layout, region):
    with pytest.raises(CslError) as caught:
        layout.compile("out", f16_type=FP16TYPE.BF16)
    assert "the 16-bit float format of this program is 'bf16'" in str(caught.value)


def test_artifacts_of_cslc_are_no_layout(tmp_path):
    (tmp_path / "l.csl").write_text(
        'layout { @set_rectangle(1, 1); @set_tile_code(0, 0, "pe.csl"); }'
    )
    (tmp_path / "pe.csl").write_text("")
    image = compile_program(tmp_path / "l.csl", Options(), FileReader())
    saved.save(image, str(tmp_path / "l.csl"), tmp_path / "out")
    assert refused(SdkCompileArtifacts, tmp_path / "out") == (
        f"the program in '{tmp_path}/out' was compiled by cslc from a layout block; "
        "pass the folder itself to SdkRuntime"
    )
    assert refused(SdkCompileArtifacts, tmp_path / "none") == (
        f"there is no compiled program in '{tmp_path}/none'; compile one with "
        f"'cslc LAYOUT.csl -o {tmp_path}/none'"
    )


def test_port_maps_of_other_programs_are_refused(layout, streams, tmp_path):
    artifacts = layout.compile("out", save_port_map=True)
    (tmp_path / "other.json").write_text('{"x": 1}')
    assert refused(artifacts.add_port_mapping, "other.json") == (
        "the port map 'other.json' names ports ['x'], but the program in 'out' has "
        "['s_c', 's_d']"
    )
    (tmp_path / "bad.json").write_text("{")
    assert refused(artifacts.add_port_mapping, "bad.json").startswith(
        "'bad.json' is no port map: "
    )


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (["width"], 0, "'width' cannot be 0"),
        (["width"], True, "'width' cannot be True"),
        (["height"], 10**9, "'height' cannot be 1000000000"),
        (["code"], [], "it has no code"),
        (["code"], 3, "3 is no list"),
        (["code", 0], 3, "3 is no object"),
        (["code", 0, "places"], [[1, 0]], "a column cannot be 1"),
        (["code", 0, "places"], [[0]], "[0] is no place"),
        (["code", 0, "params"], {"size": "x"}, "'size' cannot be 'x'"),
        (["code", 0, "colors"], {"c": 24}, "a color cannot be 24"),
        (["code", 0, "file"], 1, "'file' is no text"),
        (["color_configs", 0], [0, 1, 2], "[0, 1, 2] has not four parts"),
        (["color_configs", 0, 1], 7, "PE(0,7) has no code"),
        (["color_configs", 0, 1], [], "(0, []) is no place"),
        (["color_configs", 0, 3, "rx"], ["UP"], "'UP' is no direction"),
        (["color_configs", 0, 3, "positions"], [{}] * 4, "a switch has 3 further "),
        (["host_ports", 0, "direction"], "up", "a host port cannot go 'up'"),
        (["host_ports", 0, "name"], "s_d", "two host ports have one name"),
        (["host_ports", 0, "side", "x"], 9, "PE(9,0) has no code"),
        (["host_ports", 0, "buffer_wavelets"], 0, "'buffer_wavelets' cannot be 0"),
        (["initial_data"], [[0, 0, "data", "zz"]], "non-hexadecimal number"),
        (["initial_data"], [[0, 0, "data", 3]], "initial data is damaged"),
        (["pipes"], [{}], "None is no object"),
    ],
)
def test_damaged_programs_are_refused(layout, streams, tmp_path, path, value, what):
    layout.compile("out")
    file = tmp_path / "out" / "bin" / "program.json"
    table = json.loads(file.read_text())
    place = table["placement"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    file.write_text(json.dumps(table))
    assert refused(SdkCompileArtifacts, "out").startswith(
        f"the program in 'out' is damaged: its placement: {what}"
    )


def test_a_missing_file_of_a_program_is_reported(layout, region, tmp_path):
    layout.compile("out")
    file = tmp_path / "out" / "bin" / "program.json"
    table = json.loads(file.read_text())
    table["sources"] = {}
    file.write_text(json.dumps(table))
    assert refused(SdkCompileArtifacts, "out") == (
        "the program in 'out' is damaged: its file 'pe.csl' is missing"
    )


JUNK = (None, -1, 10**12, 1.5, True, "x", [], {}, [[]], {"x": []})


def replaced(value):
    """Copies of a JSON value with one part of it replaced by junk."""
    yield from JUNK
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: other} for other in replaced(part))
            yield {k: v for k, v in value.items() if k != key}
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from (
                [*value[:place], other, *value[place + 1 :]] for other in replaced(part)
            )


def test_no_damage_is_an_error_of_another_kind(layout, streams):
    """Every part of a saved layout in turn, replaced by what does not belong there."""
    other = layout.create_code_region("pe.csl", "t", 1, 1)
    other.place(1, 0)
    other.set_symbol_all("data", np.zeros(4, np.float32), 4, 1)
    position = RoutingPosition().set_input([Route.WEST]).set_output([Route.RAMP])
    onward = RoutingPosition().set_input([Route.WEST]).set_output([Route.EAST])
    other.paint_all(Color("e"), [position, onward])
    layout.connect(
        other.create_output_port(Color("f"), Edge.TOP, [FROM_CE], 1),
        other.create_input_port(Color("g"), Edge.TOP, [TO_CE], 1),
    )
    layout.compile("out")
    table = placement_table(saved.load(Path("out")).placement)
    refusals = 0
    for damaged in replaced(json.loads(json.dumps(table))):
        try:
            placement_of(damaged if isinstance(damaged, dict) else {})
        except ValueError:
            refusals += 1
    assert refusals > 500
