"""Selection rules of what walks along a dimension: folds, extreme indices, prefixes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any

from lowering.jaxprs import JaxprEqn
from lowering.plan import views
from lowering.plan.origins import Origin
from lowering.plan.select import Selection, register
from lowering.plan.steps_scan import (
    CumulativeStep,
    ExtremeIndexStep,
    FoldOp,
    FoldStep,
)
from lowering.plan.values import Value, View, whole

_FOLDS: dict[str, FoldOp] = {
    "reduce_prod": "prod",
    "reduce_and": "and",
    "reduce_or": "or",
    "reduce_xor": "xor",
}
_CUMULATIVE: dict[str, FoldOp] = {
    "cumsum": "sum",
    "cumprod": "prod",
    "cummax": "max",
    "cummin": "min",
}


@register(*_FOLDS)
def _fold(selection: Selection, eqn: JaxprEqn) -> None:
    axes = tuple(eqn.params["axes"])
    out, origin, x = _operand(selection, eqn, f"axes={','.join(map(str, axes))}")
    kept = [dim for dim in range(len(x.shape)) if dim not in axes]
    ordered = _ordered(x, (*kept, *axes))
    op = _FOLDS[eqn.primitive.name]
    selection.add(FoldStep(out, op, ordered, len(kept), origin))
    selection.bind_value(eqn.outvars[0], out)


@register("argmax", "argmin")
def _extreme_index(selection: Selection, eqn: JaxprEqn) -> None:
    (axis,) = eqn.params["axes"]
    out, origin, x = _operand(selection, eqn, f"axis={axis}")
    kept = [dim for dim in range(len(x.shape)) if dim != axis]
    is_largest = eqn.primitive.name == "argmax"
    step = ExtremeIndexStep(out, _ordered(x, (*kept, axis)), is_largest, origin)
    selection.add(step)
    selection.bind_value(eqn.outvars[0], out)


@register(*_CUMULATIVE)
def _cumulative(selection: Selection, eqn: JaxprEqn) -> None:
    dim, is_reversed = eqn.params["axis"], eqn.params["reverse"]
    way = ", reverse" if is_reversed else ""
    out, origin, x = _operand(selection, eqn, f"axis={dim}{way}")
    op = _CUMULATIVE[eqn.primitive.name]
    selection.add(CumulativeStep(out, op, x, dim, is_reversed, origin))
    selection.bind_value(eqn.outvars[0], out)


def _operand(
    selection: Selection, eqn: JaxprEqn, how: str
) -> tuple[Value, Origin, View]:
    """The result's value, the step's origin, and the operand in memory."""
    name = eqn.primitive.name
    out = selection.value(eqn, name.removeprefix("reduce_"))
    call = f"{name}({selection.text(eqn.invars[0])}, {how})"
    origin = selection.origin(eqn, out.name, call)
    x: Any = selection.read(eqn.invars[0])
    if not isinstance(x, View):
        x = whole(selection.materialise(x, "filled", origin))
    return out, origin, x


def _ordered(x: View, dims: tuple[int, ...]) -> View:
    ordered = views.transpose(x, dims)
    assert isinstance(ordered, View), "a value in memory stays a view"
    return ordered
