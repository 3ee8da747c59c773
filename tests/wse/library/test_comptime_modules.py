"""<data_utils>, <string> and <types>."""

import numpy as np
import pytest

from pyflame.wse.errors import CslError


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_halves(run_csl, arch: str) -> None:
    program = run_csl(
        """
        const data_utils = @import_module("<data_utils>");
        export var out16 = @zeros([6]u16);
        export var out32 = @zeros([2]u32);
        var word: u32 = 0xdeadbeef;
        var negative: i32 = -2;
        var float: f32 = 1.0;
        var long: u64 = 0x0123456789abcdef;
        fn run() void {
          out16[0] = data_utils.lo16(word);
          out16[1] = data_utils.hi16(word);
          out16[2] = data_utils.lo16(negative);
          out16[3] = data_utils.hi16(float);
          out16[4] = comptime data_utils.lo16(@as(u32, 0xdeadbeef));
          out16[5] = comptime data_utils.hi16(@as(u32, 0xdeadbeef));
          out32[0] = data_utils.lo32(long);
          out32[1] = data_utils.hi32(long);
        }
        """,
        arch,
    )
    halves = program.words("out16", np.uint16, 6).tolist()
    assert halves == [0xBEEF, 0xDEAD, 0xFFFE, 0x3F80, 0xBEEF, 0xDEAD]
    assert program.words("out32", np.uint32, 2).tolist() == [0x89ABCDEF, 0x01234567]


def test_strings(run_csl) -> None:
    program = run_csl(
        """
        const string = @import_module("<string>");
        const simprint = @import_module("<simprint>");
        const tag = string.fmt("{{{d}: {X} {b} {f}}}", .{ 5, @as(u16, 255), 6, 1.5 });
        fn run() void {
          simprint.print_string(tag);
          simprint.print_string(comptime string.comptime_int_to_string(-12));
          simprint.print_string(comptime string.fmt("plain", .{}));
          simprint.print_string("\\n");
        }
        """
    )
    (line,) = program.lines
    assert line.split(" ", 1)[1] == "{5: FF 110 1.5}-12plain"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('string.fmt("{d}", .{ 1.5 })', r"the specifier {d} takes an integer, not 1.5"),
        ('string.fmt("{f}", .{ 1 })', "the specifier {f} takes a float, not 1"),
        ('string.fmt("{d}", .{})', "takes 1 arguments, but 0 are given"),
    ],
)
def test_strings_that_cannot_be_made(run_csl, call: str, message: str) -> None:
    with pytest.raises(CslError, match=message):
        run_csl(
            'const string = @import_module("<string>");'
            f"const text = {call}; fn run() void {{ @comptime_print(text); }}"
        )


PREDICATES = {
    "is_unsigned_int": "u8 u16 u32 u64",
    "is_signed_int": "i8 i16 i32 i64",
    "is_float16": "f16 bf16 cb16",
    "is_float": "f16 bf16 cb16 f32",
    "is_enabled_float": "f16 f32",
    "is_signed": "i8 i16 i32 i64 f16 bf16 cb16 f32",
    "is_numeric": "u8 u16 u32 u64 i8 i16 i32 i64 f16 bf16 cb16 f32",
    "is_dsd": "mem1d_dsd mem4d_dsd fabin_dsd fabout_dsd",
    "is_dsr": "dsr_dest dsr_src0 dsr_src1",
}
ALL_TYPES = (
    "u8 u16 u32 u64 i8 i16 i32 i64 f16 bf16 cb16 f32 bool color *f32 mem1d_dsd "
    "mem4d_dsd fabin_dsd fabout_dsd dsr_dest dsr_src0 dsr_src1 comptime_int [3]f16"
).split()


@pytest.mark.parametrize("predicate", list(PREDICATES))
def test_predicates(run_csl, predicate: str) -> None:
    true = PREDICATES[predicate].split()
    asserts = "".join(
        f"@comptime_assert(types.{predicate}({t}) == {str(t in true).lower()});"
        for t in ALL_TYPES
    )
    run_csl(
        'const types = @import_module("<types>");'
        f"comptime {{ {asserts} }} fn run() void {{}}"
    )


def test_types_of_values(run_csl) -> None:
    run_csl(
        """
        const types = @import_module("<types>");
        var x: u16 = 0;
        const dsd = @get_dsd(mem1d_dsd, .{ .base_address = &x, .extent = 1 });
        comptime {
          @comptime_assert(types.has_dsd_type(dsd));
          @comptime_assert(!types.has_dsr_type(dsd));
          @comptime_assert(types.has_dsr_type(@get_dsr(dsr_dest, 1)));
        }
        fn run() void {}
        """
    )


def test_sizes(run_csl) -> None:
    run_csl(
        """
        const types = @import_module("<types>");
        const Pair = struct { a: f32, b: u16 };
        comptime {
          @comptime_assert(types.byte_size_of(f32) == 4);
          @comptime_assert(types.word_size_of(f32) == 2);
          @comptime_assert(types.bit_size_of(f16) == 16);
          @comptime_assert(types.bit_size_of(u8) == 8);
          @comptime_assert(types.word_size_of(u8) == 1);
          @comptime_assert(types.byte_size_of([3, 5]f32) == 60);
          @comptime_assert(types.byte_size_of(*f32) == 2);
          @comptime_assert(types.byte_size_of(Pair) == 8);
          @comptime_assert(types.min_byte_align_of(f32) == 4);
          @comptime_assert(types.min_word_align_of(f32) == 2);
          @comptime_assert(types.min_word_align_of(u16) == 1);
          @comptime_assert(@is_same_type(types.bits_type_of(f32), u32));
          @comptime_assert(@is_same_type(types.bits_type_of(i16), u16));
        }
        fn run() void {}
        """
    )


@pytest.mark.parametrize("type_", ["mem1d_dsd", "comptime_int"])
def test_types_without_a_size(run_csl, type_: str) -> None:
    with pytest.raises(CslError, match=f"a '{type_}' does not lie in memory"):
        run_csl(
            'const types = @import_module("<types>");'
            f"const size = types.byte_size_of({type_});"
            "fn run() void { @comptime_print(size); }"
        )
