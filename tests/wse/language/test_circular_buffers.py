"""Circular buffers that make no sense are refused; those that do run in `programs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.errors import CslError

RING = """
var ring: [4]f32;
var many: [*]f32 = &ring;
const four = @get_dsd(circbuf_dsd, .{ .base_address = &ring, .extent = 9 });
const row = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> ring[i] });
const dsr = @get_dsr(dsr_src1, 2);
const xdsr = @get_xdsr(2);
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "const d = @get_dsd(circbuf_dsd, .{ .extent = 3 });",
            "a circbuf_dsd needs the property 'base_address'",
        ),
        (
            "const d = @get_dsd(circbuf_dsd, .{ .base_address = &ring, .extent = 3, "
            ".wraparound = 5 });",
            "'wraparound' 5 reaches beyond the array, which has 4 elements",
        ),
        (
            "const d = @get_dsd(circbuf_dsd, .{ .base_address = &ring, .extent = 3, "
            ".wraparound = 0 });",
            "'wraparound' must be at least 1",
        ),
        (
            "export fn use() void { @fmovs(row, four); } const d = four;",
            "'@fmovs' takes a circular buffer in a DSR only",
        ),
        (
            "export fn use() void { @fmovs(row, xdsr); } const d = four;",
            "'@fmovs' does not take type 'xdsr'",
        ),
        (
            "comptime { @load_to_dsr(dsr, four); }",
            "'@load_to_dsr' cannot load type 'circbuf_dsd'",
        ),
        (
            "comptime { @load_to_dsr_xdsr(dsr, xdsr, row); }",
            "'@load_to_dsr_xdsr' takes a circbuf_dsd, got: 'mem1d_dsd'",
        ),
        (
            "comptime { @load_to_dsr_xdsr(dsr, dsr, four); }",
            "'@load_to_dsr_xdsr' takes an XDSR, got: 'dsr_src1'",
        ),
        (
            "comptime { @load_to_dsr_xdsr(dsr, xdsr, four, .{ .async = true }); }",
            "'@load_to_dsr_xdsr' has no setting 'async'",
        ),
        (
            "comptime { @load_to_dsr_xdsr(dsr, xdsr, four, .{ .save_address = true, "
            ".single_step = true }); }",
            "'save_address' and 'single_step' cannot be given together",
        ),
    ],
)
def test_refusals(run_csl: Callable[..., Any], text: str, message: str) -> None:
    use = " const d = four;" if "const d" not in text else ""
    body = f"{RING}{text} fn run() void {{{use} const t = d; }}"
    with pytest.raises(CslError) as caught:
        run_csl(body + " export var z: u16 = 0;")
    assert caught.value.message == message
    assert caught.value.span is not None
