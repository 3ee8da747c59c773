"""Programs that compile, and hardly mean what they say: remarks with a place."""

from collections.abc import Callable
from typing import Any

CompileFiles = Callable[..., Any]

LAYOUT = """layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl");
  @export_name("main", fn()void);
}
"""


def warnings(compile_files: CompileFiles, pe: str, **options: Any) -> list[str]:
    """The first lines of what is remarked on the code of a PE."""
    image = compile_files({"layout.csl": LAYOUT, "pe.csl": pe}, **options)
    return [text.splitlines()[0] for text in image.warnings]


def test_activating_an_id_without_a_task_is_a_warning(
    compile_files: CompileFiles,
) -> None:
    pe = """
    task t() void {}
    fn main() void { @activate(@get_local_task_id(9)); }
    comptime {
      @export_symbol(main);
      @activate(@get_local_task_id(11));
      @activate(@get_local_task_id(12));
      @bind_local_task(t, @get_local_task_id(12));
    }
    """
    assert warnings(compile_files, pe) == [
        "pe.csl:6:7: warning: no task is bound to local task id 11",
        "pe.csl:3:22: warning: no task is bound to local task id 9",
    ]


def test_a_data_task_without_a_queue_is_a_warning(compile_files: CompileFiles) -> None:
    pe = """
    task first(x: f32) void {}
    task second(x: f32) void {}
    comptime {
      @bind_data_task(first, @get_data_task_id(@get_input_queue(2)));
      @bind_data_task(second, @get_data_task_id(@get_input_queue(3)));
      @initialize_queue(@get_input_queue(3), .{ .color = @get_color(1) });
    }
    """
    assert warnings(compile_files, pe, arch="wse3") == [
        "pe.csl:5:7: warning: data task 'first' gets no wavelets: input queue 2 is not "
        "initialised; bind it to a color with @initialize_queue",
    ]


def test_accesses_outside_of_an_array_are_a_warning(
    compile_files: CompileFiles,
) -> None:
    pe = """var a = @zeros([2, 3]f32); var one: [1]f32;
    const fits = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> a[i, 2] });
    const behind = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{7} -> a[0, i] });
    const before = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> a[0, 1 - i] });
    const later = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{7} -> one[i] });
    fn main() void { @fmovs(fits, behind); @fmovs(before, later); }
    comptime { @export_symbol(main); }
    """
    assert warnings(compile_files, pe) == [
        "pe.csl:3:70: warning: the access reaches element 6 of 'a', which has 6",
        "pe.csl:4:70: warning: the access reaches element -1 of 'a', which has 6",
    ]


def test_operations_on_a_constant_are_a_warning(compile_files: CompileFiles) -> None:
    pe = """const a = @constants([4]f32, 1.0); var b = @zeros([4]f32);
    const A = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> a[i] });
    const B = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> b[i] });
    fn main() void { @fmovs(B, A); @fmovs(A, B); }
    comptime { @export_symbol(main); }
    """
    assert warnings(compile_files, pe) == [
        "pe.csl:4:43: warning: '@fmovs' writes to the constant 'a'; what is computed "
        "from its value at comptime does not change",
    ]


def test_a_lost_dsd_is_a_warning(compile_files: CompileFiles) -> None:
    pe = """var a = @zeros([4]f32);
    var d = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> a[i] });
    fn main() void { @set_dsd_length(d, 2); d = @set_dsd_stride(d, 2); }
    comptime { @export_symbol(main); }
    """
    assert warnings(compile_files, pe) == [
        "pe.csl:3:22: warning: the result of '@set_dsd_length' is lost: it is a new "
        "DSD, and the DSD that it is given stays as it was",
    ]


def test_loops_that_the_sdk_does_not_unroll_are_a_warning(
    compile_files: CompileFiles,
) -> None:
    pe = """
    var n: i16 = 0;
    fn main() void {
      inline for (@range(i16, 50)) |_| { n += 1; }
      inline for (@range(i16, 51)) |_| { n += 1; }
    }
    comptime { @export_symbol(main); }
    """
    assert warnings(compile_files, pe, max_inlined_iterations=60) == []
    assert warnings(compile_files, pe) == [
        "pe.csl:5:7: warning: more than 50 inlined iterations: the SDK's compiler "
        "wants --max-inlined-iterations for this",
    ]
