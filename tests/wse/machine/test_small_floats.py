"""Vector operations of programs whose 16-bit floats are bfloat16 or cb16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.arithmetic import Arithmetic
from pyflame.wse.machine.engine import MachineConfig, Wafer
from pyflame.wse.machine.limits import Semantics
from pyflame.wse.machine.operations import OPERATIONS
from pyflame.wse.machine.scalar_support import SMALL_FLOATS, SmallFloat
from pyflame.wse.machine.small_floats import decode, encode, operations_for

FORMATS = ["bf16", "cb16"]


@pytest.mark.parametrize("name", FORMATS)
def test_words_and_values(name: str) -> None:
    """All words beside the scalar code, which comes from the definition."""
    small = SMALL_FLOATS[name]
    words = np.arange(1 << 16, dtype=np.uint16)
    values = decode(small, words)
    expected = np.array([small.decode(int(word)) for word in words])
    np.testing.assert_array_equal(values, expected)
    numbers = ~np.isnan(values)
    np.testing.assert_array_equal(encode(small, values[numbers]), words[numbers])


@pytest.mark.parametrize("name", FORMATS)
def test_rounding(name: str) -> None:
    small, draw = SMALL_FLOATS[name], np.random.default_rng(0)
    values = np.ldexp(draw.standard_normal(3000), draw.integers(-60, 60, 3000))
    values = np.concatenate([values, [0.0, -0.0, np.inf, -np.inf, 1e300, -1e-300]])
    expected = [small.encode(float(value)) for value in values]
    np.testing.assert_array_equal(encode(small, values), expected)


def test_bfloat16_is_the_upper_half_of_f32() -> None:
    values = np.array([1.0, -2.5, 3.0e38, 1e-40], np.float32)
    words = encode(SMALL_FLOATS["bf16"], values)
    upper = (words.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_allclose(upper, values, rtol=2**-8, atol=1e-40)


def _reference(name: str, small: SmallFloat, values: list[float]) -> float:
    """The operation in exact steps, each rounded by the scalar code."""
    a, *rest = values
    match name, rest:
        case "@faddh", [b]:
            return small.rounded(a + b)
        case "@fsubh", [b]:
            return small.rounded(a - b)
        case "@fmulh", [b]:
            return small.rounded(a * b)
        case "@fmaxh", [b]:
            return max(a, b)
        case "@fnegh", []:
            return -a
        case "@fabsh", []:
            return abs(a)
        case "@fmach", [b, s]:
            return small.rounded(a + small.rounded(b * s))
        case _:
            raise AssertionError(name)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "operation",
    ["@faddh", "@fsubh", "@fmulh", "@fmaxh", "@fnegh", "@fabsh", "@fmach"],
)
def test_operations_round_to_the_format(name: str, operation: str) -> None:
    small = SMALL_FLOATS[name]
    spec = operations_for(name)[operation]
    assert spec.dest == "u16"
    machine = Arithmetic(Semantics(), name)
    draw = np.random.default_rng(1)
    words = [
        encode(small, draw.standard_normal(40) * 8).astype(np.uint16)
        for _ in spec.sources
    ]
    got = machine.vector[spec.number](*words)
    for column, word in zip(zip(*words, strict=True), got, strict=True):
        expected = _reference(operation, small, [small.decode(int(w)) for w in column])
        assert small.decode(int(word)) == expected
        bits = machine.bits[spec.number](*[int(w) for w in column])
        assert bits == int(word)


def test_f16_is_numpys() -> None:
    assert operations_for("f16") is OPERATIONS


LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("main", fn() void);
}
"""
PE = """param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const h = @fp16();
const c = @get_color(4);
const oq = @get_output_queue(3);
const iq = @get_input_queue(4);
export var a = [4]h{ 1.0, 2.0, 3.0, 100.0 };
export var b = [4]h{ 0.5, 256.0, -3.0, 0.25 };
export var sums = @zeros([4]h);
export var scaled = @zeros([4]h);
export var wide = @zeros([4]f32);
export var back = @zeros([4]h);
export var mapped = @zeros([4]h);
export var looped = @zeros([4]h);
export var total: h = 1.0;
export var most: f32 = 0.5;
export var taken: h = 0.0;
const da = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> a[i] });
const db = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> b[i] });
const ds = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> sums[i] });
const dc = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> scaled[i] });
const dw = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> wide[i] });
const dk = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> back[i] });
const dm = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> mapped[i] });
const dl = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> looped[i] });
const out = @get_dsd(fabout_dsd,
  .{ .fabric_color = c, .extent = 4, .output_queue = oq });
const in = @get_dsd(fabin_dsd, .{ .fabric_color = c, .extent = 4, .input_queue = iq });
fn half_more(x: h, y: h) h { return x + y * @as(h, 0.5); }
fn main() void {
  var factor: h = 1.5;
  factor = factor * 2.0;
  @faddh(ds, da, db);
  @fmulh(dc, da, factor);
  @fh2s(dw, da);
  @fs2h(dk, dw);
  @faddh(&total, total, da);
  @faddhs(&most, most, da);
  @map(half_more, da, db, dm);
  @fmovh(out, da, .{ .async = true });
  @faddh(dl, db, in);
  sys.unblock_cmd_stream();
}
comptime {
  @export_symbol(main);
  @set_local_color_config(c, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } } });
  if (@is_arch("wse3")) {
    @initialize_queue(oq, .{ .color = c });
    @initialize_queue(iq, .{ .color = c });
  }
}
"""


@pytest.mark.parametrize("name", ["f16", *FORMATS])
@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_a_program_in_each_format(tmp_path: Path, name: str, arch: str) -> None:
    """All values are exact in all three formats, so the results are the same."""
    (tmp_path / "layout.csl").write_text(LAYOUT)
    (tmp_path / "pe.csl").write_text(PE)
    options = Options(
        arch=arch,
        fabric_dims=(8, 3),
        fabric_offsets=(4, 1),
        memcpy=True,
        fp16_format=name,
    )
    image = compile_program(tmp_path / "layout.csl", options, FileReader())
    wafer = Wafer(image, MachineConfig())
    wafer.load()
    wafer.start()
    wafer.run_until(wafer.launch("main", []))

    def values(symbol: str, count: int, dtype: Any = np.uint16) -> list[float]:
        address, _ = wafer.linker_symbol(0, 0, symbol)
        size = np.dtype(dtype).itemsize * count
        words = np.frombuffer(wafer.read_memory(0, 0, address, size), dtype)
        if dtype == np.uint16 and name == "f16":
            return words.view(np.float16).tolist()
        if dtype == np.uint16:
            return decode(SMALL_FLOATS[name], words).tolist()
        return words.tolist()

    exact = [1.5, 258.0, 0.0, 100.25 if name != "bf16" else 100.0]
    assert values("sums", 4) == exact
    assert values("scaled", 4) == [3.0, 6.0, 9.0, 300.0]
    assert values("wide", 4, np.float32) == [1.0, 2.0, 3.0, 100.0]
    assert values("back", 4) == [1.0, 2.0, 3.0, 100.0]
    assert values("total", 1) == [107.0]
    assert values("most", 1, np.float32) == [106.5]
    assert values("mapped", 4) == [
        1.25,
        130.0,
        1.5,
        100.0 if name == "bf16" else 100.125,
    ]
    assert values("looped", 4) == exact
