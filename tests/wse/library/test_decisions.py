"""The language decisions that docs/csl-support.md states, each in a program."""

from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault

PROGRAM = """
export var out = @zeros([8]%s);
var zero: i16 = 0;
fn run() void { %s }
"""


@pytest.mark.parametrize(
    ("type_", "statements", "dtype", "expected"),
    [
        ("i16", "out[0] = 32767 + (zero + 1);", np.int16, -32768),
        ("i16", "out[0] = -7 / (zero + 2);", np.int16, -3),
        ("i16", "out[0] = -7 % (zero + 2);", np.int16, -1),
        ("u16", "const n: u16 = out[1] + 20; out[0] = (out[1] + 1) << n;", "u2", 0),
        ("u16", "const n: u16 = out[1] + 20; out[0] = (out[1] + 9) >> n;", "u2", 0),
        (
            "u16",
            "const n: u16 = out[1] + 20; out[0] = @bitcast(u16, (zero - 9) >> n);",
            "u2",
            0xFFFF,
        ),
        ("i16", "out[0] = @as(i16, @as(f32, zero) + 1.0e6);", np.int16, 32767),
        ("i16", "out[0] = @as(i16, @as(f32, zero) / @as(f32, zero));", np.int16, 0),
        (
            "u16",
            "for (out) |_, i| { if (@is_same_type(@type_of(i), u16)) { out[i] = 5; } }",
            "u2",
            5,
        ),
    ],
    ids=[
        "signed overflow wraps",
        "division truncates",
        "remainder has the sign of the left side",
        "left shift past the width",
        "right shift past the width",
        "arithmetic shift past the width",
        "float too large for the integer",
        "NaN to an integer",
        "loop index is u16",
    ],
)
def test_what_the_documents_leave_open(
    run_csl: Any, type_: str, statements: str, dtype: Any, expected: int
) -> None:
    program = run_csl(PROGRAM % (type_, statements))
    assert program.words("out", dtype).tolist() == [expected]


def test_division_by_zero_is_a_fault(run_csl: Any) -> None:
    with pytest.raises(MachineFault, match=r"division of 1 by zero"):
        run_csl(PROGRAM % ("i16", "out[0] = (zero + 1) / zero;"))


def test_an_index_out_of_bounds_is_a_fault(run_csl: Any) -> None:
    with pytest.raises(MachineFault, match=r"index 9 is outside 'out'"):
        run_csl(PROGRAM % ("i16", "out[zero + 9] = 1;"))


def test_a_global_without_a_value_starts_as_zero(run_csl: Any) -> None:
    body = "export var out: u16; var u: u16; fn run() void { out = u; }"
    program = run_csl(body, strict=False)
    assert program.words("out", np.uint16).tolist() == [0]


def test_a_local_without_a_value_starts_as_zero(run_csl: Any) -> None:
    body = PROGRAM % ("i16", "var x: i16; x -= 1; out[0] = x;")
    program = run_csl(body, strict=False)
    assert program.words("out", np.int16).tolist() == [-1]


def test_a_pointer_to_a_matrix_becomes_a_pointer_to_many(run_csl: Any) -> None:
    program = run_csl(
        """
        export var a = @constants([2, 2]f32, 3.0);
        var p: [*]f32 = &a;
        fn run() void { p[3] = 4.0; }
        """
    )
    assert program.words("a", np.float32, 4).tolist() == [3, 3, 3, 4]


def test_an_inner_block_may_shadow_a_name(run_csl: Any) -> None:
    text = "const x = 1; { const x = 2; out[0] = x; } out[1] = x;"
    program = run_csl(PROGRAM % ("i16", text))
    assert program.words("out", np.int16, 2).tolist() == [2, 1]
