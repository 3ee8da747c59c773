"""Layout evaluation: tiles, shared programs, color configurations, exports."""

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.language import types
from pyflame.wse.language.image import (
    ColorConfig,
    ExportedName,
    Filter,
    Image,
    Switches,
    SwitchPosition,
)

CompileFiles = Callable[..., Image]


def test_tiles_with_equal_params_share_a_program(compile_files: CompileFiles) -> None:
    layout = """
    layout {
      @set_rectangle(4, 2);
      for (@range(u16, 2)) |y| {
        for (@range(u16, 4)) |x| {
          @set_tile_code(x, y, "pe.csl", .{ .first = x == 0, .row = .{ .y = y } });
        }
      }
    }
    """
    pe = "param first: bool;\nparam row: comptime_struct;\n"
    image = compile_files({"layout.csl": layout, "pe.csl": pe})
    assert image.tiles == [[0, 1, 1, 1], [2, 3, 3, 3]]
    assert len(image.programs) == 4


def test_a_big_layout_is_cheap(compile_files: CompileFiles) -> None:
    layout = """
    const memcpy = @import_module(
      "<memcpy/get_params>", .{ .width = 100, .height = 50 });
    layout {
      @set_rectangle(100, 50);
      for (@range(u16, 50)) |y| {
        for (@range(u16, 100)) |x| {
          @set_tile_code(x, y, "<empty>", .{ .p = memcpy.get_params(x) });
        }
      }
    }
    """
    image = compile_files({"layout.csl": layout})
    assert len(image.programs) == 1
    assert len(image.tiles) == 50


def test_a_file_can_be_layout_and_code(compile_files: CompileFiles) -> None:
    text = """
    param n: i16;
    param id: u16;
    const twice = id * 2;
    var x: u16 = twice;
    fn main() void { x += 1; }
    task t() void {}
    layout {
      @set_rectangle(2, 1);
      @set_tile_code(0, 0, "layout.csl", .{ .id = 4 });
      @export_name("main", fn()void);
      @set_tile_code(1, 0);
    }
    comptime {
      @bind_local_task(t, @get_local_task_id(9));
      @export_symbol(main);
    }
    """
    text = text.replace("param id: u16;", "param id: u16 = 1;")
    image = compile_files({"layout.csl": text})
    assert [p.globals[0].value for p in image.programs] == [8, 2]


def configured(compile_files: CompileFiles, config: str, **options: Any) -> ColorConfig:
    layout = f"""
    const directions = [2]direction {{ EAST, RAMP }};
    layout {{
      @set_rectangle(1, 1);
      @set_tile_code(0, 0, "<empty>");
      @set_color_config(0, 0, @get_color(3), {config});
    }}
    """
    return compile_files({"layout.csl": layout}, **options).color_configs[0, 0][3]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (".{ .routes = .{} }", ColorConfig((), ())),
        (
            ".{ .routes = .{ .rx = WEST, .tx = .{ RAMP, EAST } }, .teardown = true }",
            ColorConfig(("WEST",), ("RAMP", "EAST"), teardown=True),
        ),
        (
            """.{ .routes = .{ .rx = .{ RAMP }, .tx = directions,
                               .color_swap_x = true } }""",
            ColorConfig(("RAMP",), ("EAST", "RAMP"), color_swap_x=True),
        ),
        (
            """.{ .routes = .{ .rx = RAMP, .tx = EAST },
                  .switches = .{ .pos1 = .{ .tx = WEST }, .pos2 = .{ .rx = NORTH },
                                 .pos3 = .{ .invalid = true }, .ring_mode = true,
                                 .pop_mode = .{ .pop_on_advance = true },
                                 .current_switch_pos = 1 } }""",
            ColorConfig(
                ("RAMP",),
                ("EAST",),
                Switches(
                    (
                        SwitchPosition(tx=("WEST",), valid=True),
                        SwitchPosition(rx=("NORTH",), valid=True),
                        SwitchPosition(),
                    ),
                    ring_mode=True,
                    pop_mode="pop_on_advance",
                    current=1,
                ),
            ),
        ),
        (
            """.{ .routes = .{ .rx = RAMP, .tx = EAST },
                  .filter = .{ .kind = .{ .range = true },
                               .min_idx = 3, .max_idx = 5 } }""",
            ColorConfig(
                ("RAMP",),
                ("EAST",),
                filter=Filter("range", {"min_idx": 3, "max_idx": 5}),
            ),
        ),
    ],
)
def test_color_configs(
    compile_files: CompileFiles, config: str, expected: ColorConfig
) -> None:
    found = configured(compile_files, config)
    assert found == expected
    if expected.filter is not None:
        assert found.filter is not None
        assert found.filter.fields == expected.filter.fields


def test_wse3_positions_may_change_both_sides(compile_files: CompileFiles) -> None:
    config = """.{ .routes = .{ .rx = RAMP, .tx = EAST },
                   .switches = .{ .pos1 = .{ .rx = WEST, .tx = RAMP } } }"""
    switches = configured(compile_files, config, arch="wse3").switches
    assert switches is not None
    assert switches.positions[0] == SwitchPosition(("WEST",), ("RAMP",), True)


def test_local_color_configs_reach_every_pe_of_the_program(
    compile_files: CompileFiles,
) -> None:
    layout = """layout {
      @set_rectangle(2, 1);
      @set_tile_code(0, 0, "pe.csl");
      @set_tile_code(1, 0, "pe.csl");
    }"""
    pe = """comptime {
      const routes = .{ .rx = EAST, .tx = RAMP };
      @set_local_color_config(@get_color(2), .{ .routes = routes });
    }"""
    image = compile_files({"layout.csl": layout, "pe.csl": pe})
    expected = {2: ColorConfig(("EAST",), ("RAMP",))}
    assert image.color_configs == {(0, 0): expected, (1, 0): expected}


def test_exports(compile_files: CompileFiles) -> None:
    layout = """layout {
      @set_rectangle(1, 1);
      @set_tile_code(0, 0, "pe.csl");
      @export_name("y", [*]f32, false);
      @export_name("scale", f32, true);
      @export_name("go", fn(i16, f32)void);
    }"""
    pe = """
    var y: [4]f32;
    const y_ptr: [*]f32 = &y;
    var scale: f32 = 2.0;
    fn start(n: i16, f: f32) void { scale = f; }
    comptime {
      @export_symbol(y_ptr, "y");
      @export_symbol(scale);
      @export_symbol(start, "go");
    }
    """
    image = compile_files({"layout.csl": layout, "pe.csl": pe})
    function = types.Function((types.I16, types.F32), types.VOID)
    assert image.exports == [
        ExportedName("y", types.Pointer(types.F32, many=True), False),
        ExportedName("scale", types.F32, True),
        ExportedName("go", function, None),
    ]
    exports = image.programs[0].exports
    assert {name: exported.name for name, exported in exports.items()} == {
        "y": "y_ptr",
        "scale": "scale",
        "go": "start",
    }


def test_the_rectangle_is_known_in_layout_and_code(compile_files: CompileFiles) -> None:
    layout = """layout {
      @set_rectangle(2, 1);
      const r = @get_rectangle();
      for (@range(u16, r.width)) |x| { @set_tile_code(x, r.height - 1, "pe.csl"); }
    }"""
    pe = """
    const r = @get_rectangle();
    export var a = [4]u16 { r.width, r.height, r.fabric.width, r.offsets.height };
    """
    options: dict[str, Any] = {"fabric_dims": (9, 3), "fabric_offsets": (4, 1)}
    image = compile_files({"layout.csl": layout, "pe.csl": pe}, **options)
    assert list(image.programs[0].globals[0].value.elements) == [2, 1, 9, 1]


def test_streaming_colors_are_recorded(compile_files: CompileFiles) -> None:
    layout = """
    const memcpy = @import_module("<memcpy/get_params>", .{
      .width = 1, .height = 1,
      .MEMCPYH2D_1 = @get_color(1), .MEMCPYD2H_1 = @get_color(2),
    });
    layout {
      @set_rectangle(1, 1);
      @set_tile_code(0, 0, "<empty>", .{ .p = memcpy.get_params(0) });
    }
    """
    image = compile_files({"layout.csl": layout})
    assert image.host_streams == {1: "h2d", 2: "d2h"}
