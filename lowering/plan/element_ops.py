"""The element-wise operations of CSL: one row per operation, text and cost together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cost = Literal["op", "divide", "transcendental", "logistic", "function"]


@dataclass(frozen=True, slots=True)
class ElementKind:
    """How one operation is written.

    `builtin` works on vectors of f32 in memory, None if there is none. `text` is the
    expression on scalars, `{0}`, `{1}`, ... standing for the operands. `result_bool`
    marks comparisons and logic.
    """

    text: str
    builtin: str | None = None
    cost: Cost = "op"
    result_bool: bool = False
    bool_operands: bool = False


KINDS: dict[str, ElementKind] = {
    "add": ElementKind("{0} + {1}", "@fadds"),
    "sub": ElementKind("{0} - {1}", "@fsubs"),
    "mul": ElementKind("{0} * {1}", "@fmuls"),
    "max": ElementKind("extremes.maximum({0}, {1})", "@fmaxs"),
    "min": ElementKind("extremes.minimum({0}, {1})"),
    "neg": ElementKind("-{0}", "@fnegs"),
    "abs": ElementKind("math.abs({0})", "@fabss"),
    "copy": ElementKind("{0}", "@fmovs"),
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
    "lt": ElementKind("{0} < {1}", result_bool=True),
    "le": ElementKind("{0} <= {1}", result_bool=True),
    "gt": ElementKind("{0} > {1}", result_bool=True),
    "ge": ElementKind("{0} >= {1}", result_bool=True),
    "and": ElementKind("{0} and {1}", result_bool=True, bool_operands=True),
    "or": ElementKind("{0} or {1}", result_bool=True, bool_operands=True),
    "not": ElementKind("!{0}", result_bool=True, bool_operands=True),
    "select_n": ElementKind("if ({0}) {2} else {1}"),
    "call": ElementKind("", cost="function"),  # written by its function
    "to_i32": ElementKind("@as(i32, {0})"),
    "to_f32": ElementKind("@as(f32, {0})"),
    "to_bool": ElementKind("{0} != {zero}", result_bool=True),
    "bool_to_f32": ElementKind("if ({0}) @as(f32, 1.0) else 0.0"),
}

# Moves exist for every width; arithmetic on vectors only for f32.
MOVES: dict[str, str] = {
    "float32": "@fmovs",
    "int32": "@mov32",
    "int16": "@mov16",
    "bool": "@mov16",
}
