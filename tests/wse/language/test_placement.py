"""Layouts that are given as data."""

import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language.image import NO_PROGRAM, ColorConfig, Options
from pyflame.wse.language.placement import PlacedCode, Placement, compile_placement
from pyflame.wse.language.reader import SavedReader
from pyflame.wse.language.source import Source

PE = """\
param size: u16;
param c: color;
export var data: [size]u16;
export var number = @get_int(c);
"""
PASS = ColorConfig(("WEST",), ("EAST",))


def compiled(*code, configs=None, text=PE, width=3, height=2):
    reader = SavedReader({"pe.csl": Source("pe.csl", text)})
    placement = Placement(width, height, tuple(code), configs or {})
    return compile_placement(placement, Options(arch="wse2"), reader)


def placed(size, color, *places):
    return PlacedCode("pe.csl", {"size": size}, {"c": color}, places)


def test_places_without_code_stay_empty():
    image = compiled(placed(4, 1, (2, 1)), placed(5, 1, (0, 0)))
    assert image.tiles == [[0, NO_PROGRAM, NO_PROGRAM], [NO_PROGRAM, NO_PROGRAM, 1]]
    assert (image.width, image.height) == (3, 2)


def test_equal_params_share_a_program():
    image = compiled(placed(4, 1, (0, 0)), placed(4, 1, (1, 0)), placed(4, 2, (2, 0)))
    assert image.tiles[0] == [0, 0, 1]
    types = [str(p.globals[0].type) for p in image.programs]
    assert types == ["[4]u16", "[4]u16"]


def test_routes_of_the_layout_and_of_the_code_come_together():
    text = PE + (
        "comptime { @set_local_color_config(@get_color(7), "
        ".{ .routes = .{ .rx = .{RAMP}, .tx = .{RAMP} } }); }"
    )
    image = compiled(placed(1, 1, (0, 0)), configs={(0, 0): {1: PASS}}, text=text)
    loop = ColorConfig(("RAMP",), ("RAMP",))
    assert image.color_configs == {(0, 0): {1: PASS, 7: loop}}


def test_a_route_of_the_code_must_not_repeat_one_of_the_layout():
    text = PE + (
        "comptime { @set_local_color_config(c, "
        ".{ .routes = .{ .rx = .{RAMP}, .tx = .{RAMP} } }); }"
    )
    with pytest.raises(CslError) as caught:
        compiled(placed(1, 1, (0, 0)), configs={(0, 0): {1: PASS}}, text=text)
    assert caught.value.message == "color 1 of PE(0, 0) is configured twice"


def test_values_that_do_not_fit_are_reported_at_the_param():
    with pytest.raises(CslError) as caught:
        compiled(placed(70000, 1, (0, 0)))
    assert str(caught.value).startswith(
        "pe.csl:1:1: error: value 70000 does not fit type 'u16'"
    )


def test_params_that_the_file_lacks_are_a_warning():
    code = PlacedCode("pe.csl", {"size": 1, "other": 2}, {"c": 0}, ((0, 0),))
    (warning,) = compiled(code).warnings
    assert "'pe.csl' has no param 'other'" in warning


def test_the_same_place_twice_is_refused():
    with pytest.raises(CslError) as caught:
        compiled(placed(1, 1, (0, 0)), placed(2, 1, (0, 0)))
    assert caught.value.message == "the code of PE(0, 0) is set twice"
