"""<tile_config/filters>: counters of filters, changed between two streams."""

import numpy as np
import pytest

from pyflame.wse.errors import CslError, MachineFault

# Nine numbers go round to the PE itself; the filter lets some of them up the ramp.
STREAM = """
const filters = @import_module("<tile_config/filters>");
const c = @get_color(4);
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
export var sent = [9]u32 { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
export var received = @zeros([9]u32);
const source = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{9} -> sent[i] });
const target = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{9} -> received[i] });
const out = @get_dsd(fabout_dsd,
  .{ .extent = 9, .fabric_color = c, .output_queue = oq });
const in = @get_dsd(fabin_dsd,
  .{ .extent = 9, .fabric_color = c, .input_queue = iq });
const id = @get_filter_id(c);
fn transfer(count: u16) void {
  @mov32(out, source, .{ .async = true });
  @mov32(target, @set_dsd_length(in, count));
}
comptime {
  @set_local_color_config(c, .{
    .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } },
    .filter = .{ .kind = .{ .counter = true }, .count_data = true,
                 .limit1 = 2, .max_counter = 0 } });
  @initialize_queue(iq, .{ .color = c });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = c }); }
}
"""


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize(
    ("change", "passed"),
    [
        ("", [1, 4, 7]),
        ("filters.set_max_counter(id, 1);", [1, 2, 4, 5, 7, 8]),
        ("filters.set_counter(id, 1);", [3, 6, 9]),
        ("filters.set_active_limit(id, 3);", [1, 5, 9]),
        ("filters.set_active_limit(id, 0);", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_what_passes_after_a_change(
    run_csl, arch: str, change: str, passed: list[int]
) -> None:
    program = run_csl(
        STREAM + f"fn run() void {{ {change} transfer({len(passed)}); }}", arch
    )
    received = program.words("received", np.uint32, 9).tolist()
    assert received == passed + [0] * (9 - len(passed))


def test_an_id_without_a_filter(run_csl) -> None:
    with pytest.raises(MachineFault, match="5 is the id of no counter filter of this"):
        run_csl(
            STREAM
            + """
            fn run() void { filters.set_counter(@get_filter_id(@get_color(5)), 1); }
            """
        )


def test_the_id_of_something_else(run_csl) -> None:
    with pytest.raises(CslError, match="expected type 'color', got: 'comptime_int'"):
        run_csl("const id = @get_filter_id(4); fn run() void { @comptime_print(id); }")


@pytest.mark.parametrize(
    ("change", "passed"),
    [
        ("filters.set_pass_count(id, 4); filters.set_drop_count(id, 2);", [1, 2, 4, 5]),
        ("filters.set_drop_count(id, 0);", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("filters.set_state(id, filters.counter_filter_state.DROP);", [3, 6, 9]),
        (
            "filters.set_counter_and_state(id, 2, filters.counter_filter_state.DROP);",
            [2, 5, 8],
        ),
        ("filters.set_counter_value(id, 0);", [1, 4, 7]),
    ],
)
def test_counts_in_the_words_of_wse3(run_csl, change: str, passed: list[int]) -> None:
    body = f"fn run() void {{ {change} transfer({len(passed)}); }}"
    program = run_csl(STREAM + body, "wse3")
    received = program.words("received", np.uint32, 9).tolist()
    assert received == passed + [0] * (9 - len(passed))


def test_what_wse3_filters_tell(run_csl) -> None:
    program = run_csl(
        STREAM
        + """
        export var told = @zeros([6]u16);
        fn tell(at: u16) void {
          told[at] = filters.get_counter_value(id);
          told[at + 1] = @get_int(filters.get_state(id));
        }
        fn run() void {
          tell(0);
          @mov32(out, @set_dsd_length(source, 1), .{ .async = true });
          @mov32(target, @set_dsd_length(in, 1));
          told[4] = filters.get_pass_count(id);
          told[5] = filters.get_drop_count(id);
          tell(2);
        }
        """
    )
    pass_count, drop_count = 2, 4
    told = program.words("told", np.uint16, 6).tolist()
    assert told[:2] == [0, 0]
    assert told[3] == 1  # the first one has passed, so the next two are dropped
    assert told[4:] == [pass_count, drop_count]


def test_odd_counts_are_refused(run_csl) -> None:
    with pytest.raises(MachineFault, match="a filter cannot pass 3 halves of wavelets"):
        run_csl(STREAM + "fn run() void { filters.set_pass_count(id, 3); }")


def test_wse2_has_no_pass_counts(run_csl) -> None:
    with pytest.raises(CslError, match="this function exists on WSE-3 only"):
        run_csl(STREAM + "fn run() void { filters.set_pass_count(id, 2); }", "wse2")
