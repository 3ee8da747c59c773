"""Values, routes and colors of layouts in Python: what is kept and what is refused."""

import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import ColorConfig, Switches, SwitchPosition
from pyflame.wse.sdk.enums import Edge, Route, SdkTarget
from pyflame.wse.sdk.layout.colors import Color, allocate
from pyflame.wse.sdk.layout.platform import (
    SimfabConfig,
    get_platform,
    get_simulator,
    get_system,
)
from pyflame.wse.sdk.layout.ports import across_edge, completed, edge_places
from pyflame.wse.sdk.layout.routing import (
    Position,
    RoutingPosition,
    color_config,
    get_edge_routing,
    positions_of,
)
from pyflame.wse.sdk.layout.vectors import IntRectangle, IntVector, rectangle

EAST = Position(("RAMP",), ("EAST",))
PASS = Position(("WEST",), ("EAST",))
UP = Position(("WEST",), ("RAMP",))


def refused(call, *args, **kwargs):
    with pytest.raises(HostError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


# --- places -------------------------------------------------------------------------


def test_rectangles_end_before_their_second_corner():
    column = IntRectangle(IntVector(1, 0), IntVector(2, 3))
    assert (column.width, column.height) == (1, 3)
    assert list(column.places()) == [(1, 0), (1, 1), (1, 2)]


def test_overlap_is_the_first_common_place():
    assert rectangle(0, 0, 3, 3).overlap(rectangle(2, 1, 5, 5)) == (2, 1)
    assert rectangle(0, 0, 3, 3).overlap(rectangle(3, 0, 1, 3)) is None


# --- platforms ----------------------------------------------------------------------


def test_the_default_platform_simulates_wse3():
    platform = get_platform()
    assert (platform.arch, platform.target) == ("wse3", SdkTarget.WSE3)
    assert platform.is_simulation()
    assert not platform.is_system()


def test_an_empty_address_selects_the_simulator():
    config = SimfabConfig(dump_core=True, num_threads=64)
    assert get_platform("", config, SdkTarget.WSE2).arch == "wse2"


def test_systems_are_refused():
    text = (
        "cmaddr '10.0.0.1:9000': this runtime drives a simulated wafer only; leave "
        "cmaddr out, or use the vendor's SDK for a system"
    )
    assert refused(get_platform, "10.0.0.1:9000") == text
    assert refused(get_system, "10.0.0.1:9000") == text


def test_platforms_of_other_types_are_refused():
    assert refused(get_simulator, None, "wse2") == (
        "target must be SdkTarget.WSE2 or SdkTarget.WSE3, not 'wse2'"
    )
    assert refused(get_simulator, 3) == "config must be a SimfabConfig, not int"
    assert refused(SimfabConfig, num_threads=65) == (
        "num_threads must be 1 to 64, not 65"
    )


# --- routes -------------------------------------------------------------------------


def test_routing_positions_are_filled_step_by_step():
    route = RoutingPosition().set_input([Route.WEST]).add_output(Route.RAMP)
    assert route.add_output(Route.SOUTH) is route
    assert route.get_input() == [Route.WEST]
    assert route.get_output() == [Route.RAMP, Route.SOUTH]


def test_a_later_change_of_a_routing_position_changes_nothing_used_before():
    route = RoutingPosition().set_input([Route.WEST]).set_output([Route.RAMP])
    info = get_edge_routing(Edge.RIGHT, [route])
    route.set_output([Route.EAST])
    assert info.positions == (UP,)


def test_bad_routes_are_refused():
    route = RoutingPosition()
    assert refused(route.set_input, [3.5]) == (
        "set_input takes a list of Route members, not float"
    )
    assert refused(route.set_output, [Route.EAST, Route.EAST]) == (
        "set_output: a direction occurs twice: EAST, EAST"
    )
    assert refused(positions_of, [route] * 5, "paint") == (
        "paint: a color has 1 to 4 routing positions, 5 were given"
    )
    assert refused(positions_of, [], "paint") == (
        "paint: a color has 1 to 4 routing positions, 0 were given"
    )
    assert refused(positions_of, ["EAST"], "paint") == (
        "paint: routes must be a list of RoutingPosition, not of str"
    )
    assert refused(get_edge_routing, "TOP", [route]) == (
        "'TOP' is no Edge: TOP, BOTTOM, LEFT or RIGHT"
    )


def test_one_position_needs_no_switch():
    assert color_config([EAST], "wse2", "c") == ColorConfig(("RAMP",), ("EAST",))


def test_further_positions_change_one_side_each():
    config = color_config([UP, PASS, Position(("NORTH",), ())], "wse2", "c")
    steps = (
        SwitchPosition(None, ("EAST",), valid=True),
        SwitchPosition(("NORTH",), None, valid=True),
        SwitchPosition(),
    )
    assert config == ColorConfig(("WEST",), ("RAMP",), Switches(steps))


def test_both_sides_at_once_change_on_wse3_only():
    positions = [EAST, Position(("WEST",), ("RAMP",))]
    config = color_config(positions, "wse3", "c")
    assert config.switches is not None
    first = config.switches.positions[0]
    assert first == SwitchPosition(("WEST",), ("RAMP",), valid=True)
    assert refused(color_config, positions, "wse2", "color 'c' on PE(0,0)") == (
        "position 1 of color 'c' on PE(0,0) changes both sides of the route; a switch "
        "position of wse2 changes one side"
    )


@pytest.mark.parametrize(
    ("position", "side"),
    [(Position(("RAMP",), ()), "output"), (Position((), ("EAST",)), "input")],
)
def test_open_base_routes_are_refused(position, side):
    assert refused(color_config, [position], "wse3", "color 'c' on PE(0,0)") == (
        f"color 'c' on PE(0,0) has no {side}: set_{side}([...]) of its route"
    )


# --- ports --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edge", "places"),
    [
        (Edge.TOP, ((0, 0), (1, 0), (2, 0))),
        (Edge.BOTTOM, ((0, 1), (1, 1), (2, 1))),
        (Edge.LEFT, ((0, 0), (0, 1))),
        (Edge.RIGHT, ((2, 0), (2, 1))),
    ],
)
def test_a_port_covers_its_edge(edge, places):
    assert edge_places(edge, 3, 2) == places


def test_ports_fill_in_the_side_across_the_edge():
    into = across_edge([Position((), ("RAMP",))], Edge.TOP, "input", "p")
    assert into == (Position(("NORTH",), ("RAMP",)),)
    out = across_edge([Position(("RAMP",), ())], Edge.RIGHT, "output", "p")
    assert out == (EAST,)


def test_the_side_of_the_port_must_be_open():
    assert refused(across_edge, [UP], Edge.TOP, "input", "r_c") == (
        "port 'r_c': routes of an input port must have no input, got WEST; the port "
        "sets NORTH"
    )
    assert refused(across_edge, [EAST], Edge.TOP, "output", "r_c") == (
        "port 'r_c': routes of an output port must have no output, got EAST; the port "
        "sets NORTH"
    )


def test_what_a_port_leaves_open_is_as_painted():
    assert completed([Position(("NORTH",), ())], [UP]) == (
        Position(("NORTH",), ("RAMP",)),
    )


# --- colors -------------------------------------------------------------------------


def clashing(*names):
    return {name: set(names) - {name} for name in names}


def test_names_get_numbers_of_their_own():
    names = [f"c{n}" for n in range(24)]
    chosen = allocate([], clashing(*names), set(), "wse2")
    assert sorted(chosen.values()) == list(range(24))


def test_numbers_of_local_tasks_come_last():
    names = [f"c{n}" for n in range(10)]
    chosen = allocate([], clashing(*names), set(), "wse2")
    assert list(chosen.values()) == [0, 1, 2, 3, 4, 5, 6, 7, 23, 22]


def test_asked_values_are_kept_and_avoided():
    colors = [Color("a", 0), Color("a"), Color("b")]
    assert allocate(colors, clashing("a", "b"), set(), "wse2") == {"a": 0, "b": 1}


def test_switched_colors_get_numbers_with_switches_on_wse3():
    names = [f"c{n}" for n in range(20)]
    chosen = allocate([], clashing(*names), {"c15", "c19"}, "wse3")
    assert (chosen["c15"], chosen["c19"], chosen["c0"]) == (0, 1, 2)


def test_names_that_never_meet_share_numbers_when_there_are_too_many():
    names = [f"c{n}" for n in range(30)]
    clashes = {name: {"c0"} - {name} for name in names}
    clashes["c0"] = set(names) - {"c0"}
    chosen = allocate([], clashes, set(), "wse2")
    assert set(chosen.values()) == set(range(24))
    assert list(chosen.values()).count(chosen["c0"]) == 1


def test_too_many_colors_at_one_place_are_refused():
    names = [f"c{n}" for n in range(25)]
    assert refused(allocate, [], clashing(*names), set(), "wse2") == (
        "no color is left for 'c24': 24 others meet it, and a PE has 24 colors for it"
    )


def test_contradicting_values_are_refused():
    assert refused(allocate, [Color("a", 1), Color("a", 2)], {}, set(), "wse2") == (
        "color 'a' has two values, 1 and 2"
    )
    assert refused(allocate, [Color("a", 10)], clashing("a"), {"a"}, "wse3") == (
        "color 'a' has switch positions, which color 10 of wse3 lacks; colors with "
        "switches: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 20, 21"
    )


def test_bad_colors_are_refused():
    assert refused(Color, "a", 24) == "color 'a': value 24 is out of range (0 to 23)"
    assert refused(Color, "") == "a color needs a name, not ''"


def test_region_colors_are_named_after_their_region():
    color = Color.of_region("left", "tx", 3)
    assert color.get_global_name() == "left_tx"
    assert color.get_local_param_name() == "tx"
    assert color.get_value() == 3
