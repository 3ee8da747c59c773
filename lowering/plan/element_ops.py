"""The element-wise operations of CSL: one row per operation, text and cost together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lowering.dtypes import ELEMENT_TYPES, SCALAR_TYPES, is_float
from lowering.placement import short_name

Cost = Literal["op", "divide", "transcendental", "logistic", "call", "function"]


@dataclass(frozen=True, slots=True)
class ElementKind:
    """How one operation is written.

    `builtin` works on vectors of f32 in memory, `half_builtin` on f16, `word_builtin`
    on 16-bit integers; None if there is none. `text` is the expression on scalars,
    `{0}`, `{1}`, ... standing for the operands and `{zero}` for a zero of their type;
    `int_text` and `bool_text` replace it for integers and bools. `result_bool` marks
    comparisons and logic. `is_exact` says that a result is one of the operands, so that
    it needs no rounding or wrapping to the width of its dtype.
    """

    text: str
    builtin: str | None = None
    cost: Cost = "op"
    result_bool: bool = False
    bool_operands: bool = False
    half_builtin: str | None = None
    word_builtin: str | None = None
    int_text: str | None = None
    bool_text: str | None = None
    is_exact: bool = False

    def text_for(self, dtype: str) -> str:
        """The expression on operands of this dtype."""
        if dtype == "bool":
            return self.bool_text or self.text
        return self.text if is_float(dtype) else self.int_text or self.text


KINDS: dict[str, ElementKind] = {
    "add": ElementKind(
        "{0} + {1}", "@fadds", half_builtin="@faddh", word_builtin="@add16"
    ),
    "sub": ElementKind(
        "{0} - {1}", "@fsubs", half_builtin="@fsubh", word_builtin="@sub16"
    ),
    "mul": ElementKind("{0} * {1}", "@fmuls", half_builtin="@fmulh"),
    "max": ElementKind(
        "extremes.maximum({0}, {1})",
        "@fmaxs",
        int_text="extremes.larger({0}, {1})",
        half_builtin="@fmaxh",
        bool_text="{0} or {1}",
        is_exact=True,
    ),
    # With JAX's sign of zero, of which the machine's `max` says nothing.
    "maximum": ElementKind("extremes.maximum({0}, {1})", is_exact=True),
    "min": ElementKind(
        "extremes.minimum({0}, {1})",
        int_text="extremes.smaller({0}, {1})",
        bool_text="{0} and {1}",
        is_exact=True,
    ),
    "neg": ElementKind(
        "-{0}", "@fnegs", half_builtin="@fnegh", int_text="{zero} - {0}"
    ),
    "abs": ElementKind("math.abs({0})", "@fabss", half_builtin="@fabsh"),
    "copy": ElementKind("{0}", "@fmovs", half_builtin="@fmovh", is_exact=True),
    "sign": ElementKind("math.sign({0})"),
    "div": ElementKind("{0} / {1}", cost="divide"),
    "exp": ElementKind("math.exp({0})", cost="transcendental"),
    "log": ElementKind("math.log({0})", cost="transcendental"),
    "tanh": ElementKind("math.tanh({0})", cost="transcendental"),
    "sqrt": ElementKind("math.sqrt({0})", cost="transcendental"),
    "rsqrt": ElementKind("math.invsqrt({0})", cost="transcendental"),
    "logistic": ElementKind("1.0 / (1.0 + math.exp(-{0}))", cost="logistic"),
    "eq": ElementKind("{0} == {1}", result_bool=True),
    "ne": ElementKind("{0} != {1}", result_bool=True),
    "lt": ElementKind("{0} < {1}", result_bool=True, bool_text="!{0} and {1}"),
    "le": ElementKind("{0} <= {1}", result_bool=True, bool_text="!{0} or {1}"),
    "gt": ElementKind("{0} > {1}", result_bool=True, bool_text="{0} and !{1}"),
    "ge": ElementKind("{0} >= {1}", result_bool=True, bool_text="{0} or !{1}"),
    "and": ElementKind("{0} and {1}", result_bool=True, bool_operands=True),
    "or": ElementKind("{0} or {1}", result_bool=True, bool_operands=True),
    "not": ElementKind("!{0}", result_bool=True, bool_operands=True),
    "select_n": ElementKind("if ({0}) {2} else {1}", is_exact=True),
    # Written by its function, which rounds what it computes.
    "call": ElementKind("", cost="function", is_exact=True),
    "divide": ElementKind("{0} / {1}", cost="divide"),
    "remainder": ElementKind("{0} % {1}", cost="divide"),
    "bit_and": ElementKind("{0} & {1}", word_builtin="@and16", is_exact=True),
    "bit_or": ElementKind("{0} | {1}", word_builtin="@or16", is_exact=True),
    "bit_xor": ElementKind("{0} ^ {1}", word_builtin="@xor16", is_exact=True),
    "shift_left": ElementKind("{0} << {1}"),
    "shift_right": ElementKind("{0} >> {1}"),
    "shift_right_signed": ElementKind("{0} >> {1}"),
    **{
        f"bitcast_{name}": ElementKind(f"@bitcast({name}, {{0}})")
        for name in ("f32", "i32", "u32", "f16", "i16", "u16")
    },
    "floor": ElementKind("math.floor({0})"),
    "ceil": ElementKind("math.ceil({0})"),
    "sin": ElementKind("math.sin({0})", cost="transcendental"),
    "cos": ElementKind("math.cos({0})", cost="transcendental"),
    "pow": ElementKind("math.pow({0}, {1})", cost="transcendental"),
    "to_bool": ElementKind("{0} != {zero}", result_bool=True),
    # A float that no integer of the type can hold: the nearest one, and 0 for NaN.
    **{
        f"saturate_to_{short}": ElementKind(
            f"saturate.to_{short}(@as(f32, {{0}}))", cost="call", is_exact=True
        )
        for short in ("i32", "i16", "i8", "u32", "u16", "u8")
    },
    **{
        f"bool_to_{short}": ElementKind(f"if ({{0}}) @as({scalar}, 1.0) else 0.0")
        for short, scalar in (("f32", "f32"), ("f16", "f16"), ("bf16", "f32"))
    },
    **{
        f"to_{short_name(dtype)}": ElementKind(f"@as({scalar}, {{0}})")
        for dtype, scalar in SCALAR_TYPES.items()
        if dtype != "bool"
    },
}


def conversion(old: object, new: object) -> str:
    """The element operation that turns dtype `old` into `new`."""
    before, after = str(old), str(new)
    short = short_name(after)
    if after == "bool":
        return "to_bool"
    if before == "bool" and is_float(after):
        return f"bool_to_{short}"
    if is_float(before) and not is_float(after):
        return f"saturate_to_{short}"
    return f"to_{short}"


# From halves to f32; bfloat16 is the upper half of its f32.
_WIDENING = {"float16": "@fh2s", "bfloat16": "@mov16"}


# What brings sums in 16-bit words back to bytes, on vectors: the upper half is cleared,
# and for signed bytes becomes the sign, as (x ^ 128) - 128 does.
_WRAPPING: dict[str, tuple[tuple[str, int], ...]] = {
    "int8": (("@and16", 0xFF), ("@xor16", 0x80), ("@sub16", 0x80)),
    "uint8": (("@and16", 0xFF),),
}


def wrapping(kind: str, dtype: object) -> tuple[tuple[str, int], ...]:
    """Builtins, each with a number, that follow the vector operation to make its result
    one of the dtype."""
    is_done = KINDS[kind].is_exact
    return () if is_done else _WRAPPING.get(str(dtype), ())


def vector_builtin(kind: str, dtype: object) -> str | None:
    """The builtin that computes the operation on vectors of this dtype, if one does."""
    return None if wrapping(kind, dtype) else first_builtin(kind, dtype)


def first_builtin(kind: str, dtype: object, source: object = None) -> str | None:
    """The same, with what `wrapping` says to come after it.

    `source` is the dtype of the operands, where it is another.
    """
    if kind == "to_f32":
        return _WIDENING.get(str(source))
    row, name = KINDS[kind], str(dtype)
    if name in ("int16", "uint16", "int8", "uint8"):
        return row.word_builtin
    return {"float32": row.builtin, "float16": row.half_builtin}.get(name)


# Moves exist for every width, arithmetic on vectors for few dtypes.
MOVES = {
    dtype: {"f32": "@fmovs", "f16": "@fmovh", "i32": "@mov32", "u32": "@mov32"}.get(
        element, "@mov16"
    )
    for dtype, element in ELEMENT_TYPES.items()
}
