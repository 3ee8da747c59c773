"""<math> on the simulated PE and at compile time."""

import numpy as np
import pytest


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_run_time_functions_agree_with_numpy(run_csl, arch: str) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        export var x: f32 = 2.5;
        export var out = @zeros([9]f32);
        fn run() void {
          out[0] = math.sqrt(x);
          out[1] = math.exp_f32(x);
          out[2] = math.log(x);
          out[3] = math.sin(x);
          out[4] = math.cos(x);
          out[5] = math.tanh(x);
          out[6] = math.inv(x);
          out[7] = math.invsqrt_f32(x);
          out[8] = math.pow(x, x);
        }
        """,
        arch,
    )
    x = np.float64(2.5)
    exact = [
        np.sqrt(x), np.exp(x), np.log(x), np.sin(x), np.cos(x), np.tanh(x),
        1 / x, 1 / np.sqrt(x), x**x,
    ]  # fmt: skip
    assert program.words("out", np.float32, 9).tolist() == [
        float(np.float32(v)) for v in exact
    ]


def test_half_precision_forms(run_csl) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        export var x: f16 = 2.5;
        export var out = @zeros([4]f16);
        fn run() void {
          out[0] = math.sqrt(x);
          out[1] = math.floor_f16(x);
          out[2] = math.ceil(-x);
          out[3] = math.max(x, math.inv(x));
        }
        """
    )
    expected = [np.sqrt(np.float16(2.5)), 2, -2, 2.5]
    assert program.words("out", np.float16, 4).tolist() == expected


def test_generic_functions_on_integers(run_csl) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        export var a: i16 = -7;
        export var b: u32 = 9;
        export var out = @zeros([4]i16);
        export var wide: u32 = 0;
        fn run() void {
          out[0] = math.abs(a);
          out[1] = math.sign(a);
          out[2] = math.min(a, 3);
          out[3] = math.max(a, 3);
          wide = math.max(b, 4) + math.sign(b) + math.abs(b);
        }
        """
    )
    assert program.words("out", np.int16, 4).tolist() == [7, -1, -7, 3]
    assert program.words("wide", np.uint32).tolist() == [19]


def test_special_values_and_their_predicates(run_csl) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        export var specials = [4]f32 {
          math.NEGATIVE_INF_f32, math.POSITIVE_INF(f32), math.NaN(f32), -1.5 };
        export var is_nan = @zeros([4]u16);
        export var is_inf = @zeros([4]u16);
        export var is_finite = @zeros([4]u16);
        export var is_negative = @zeros([4]u16);
        fn run() void {
          for (specials) |x, i| {
            is_nan[i] = @as(u16, math.isNaN(x));
            is_inf[i] = @as(u16, math.isInf(x));
            is_finite[i] = @as(u16, math.isFinite(x));
            is_negative[i] = @as(u16, math.signbit(x));
          }
        }
        """
    )
    assert program.words("specials", np.uint32, 4).tolist() == [
        0xFF800000, 0x7F800000, 0x7FC00000, 0xBFC00000,
    ]  # fmt: skip
    assert program.words("is_nan", np.uint16, 4).tolist() == [0, 0, 1, 0]
    assert program.words("is_inf", np.uint16, 4).tolist() == [1, 1, 0, 0]
    assert program.words("is_finite", np.uint16, 4).tolist() == [0, 0, 0, 1]
    assert program.words("is_negative", np.uint16, 4).tolist() == [1, 0, 0, 1]


def test_comptime_forms(run_csl) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        const whole: f32 = math.ceil(@as(f32, 2.25));
        export var out = [6]f32 {
          whole,
          math.floor_f32(-2.25),
          math.fscale(@as(f32, 1.5), 3),
          math.tanh_f32(0.5),
          math.abs(@as(f32, -3.0)),
          math.max(@as(f32, 1.0), 2.0),
        };
        fn run() void { out[0] += 0.0; }
        """
    )
    expected = [3.0, -3.0, 12.0, float(np.float32(np.tanh(0.5))), 3.0, 2.0]
    assert program.words("out", np.float32, 6).tolist() == expected


def test_a_function_maps_over_a_vector(run_csl) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        export var a = [4]f32 { 42.0, 2.0, 3.0, 0.0 };
        const dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> a[i] });
        fn run() void { @map(math.sqrt_f32, dsd, dsd); }
        """
    )
    expected = np.sqrt(np.array([42, 2, 3, 0], np.float32))
    np.testing.assert_array_equal(program.words("a", np.float32, 4), expected)


@pytest.mark.parametrize(
    ("fp16_format", "infinity", "nan", "root"),
    [
        ("f16", 0x7C00, 0x7E00, 0x3DA8),
        ("bf16", 0x7F80, 0x7FC0, 0x3FB5),
        ("cb16", 0x7E00, 0x7F00, 0x54D4),
    ],
)
def test_the_selected_16_bit_format(
    run_csl, fp16_format: str, infinity: int, nan: int, root: int
) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        export var two: @fp16() = 2.0;
        export var out = @zeros([4]u16);
        fn run() void {
          out[0] = @bitcast(u16, math.POSITIVE_INF(@fp16()));
          out[1] = @bitcast(u16, math.NaN_f16);
          out[2] = @bitcast(u16, math.sqrt(two));
          out[3] = @as(u16, math.isInf(math.POSITIVE_INF_f16));
        }
        """,
        fp16_format=fp16_format,
    )
    words = program.words("out", np.uint16, 4).tolist()
    assert words == [infinity, nan, root, 1]
