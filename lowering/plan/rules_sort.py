"""Selection rule of sort: one order for all operands, from the keys among them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any

import numpy as np

from lowering.jaxprs import JaxprEqn
from lowering.plan import views
from lowering.plan.select import Selection, register
from lowering.plan.steps_sort import SortStep
from lowering.plan.values import Value, View, whole

_INDEX = np.dtype("int16")


@register("sort")
def _sort(selection: Selection, eqn: JaxprEqn) -> None:
    dim, num_keys = eqn.params["dimension"], eqn.params["num_keys"]
    aval: Any = eqn.outvars[0].aval
    rank, length = len(aval.shape), aval.shape[dim]
    there = [*(d for d in range(rank) if d != dim), dim]
    back = [there.index(d) for d in range(rank)]
    lines = tuple(aval.shape[d] for d in there)
    texts = ", ".join(map(selection.text, eqn.invars))
    call = f"sort({texts}, dimension={dim}, num_keys={num_keys})"
    outs = [
        selection.value(eqn, "sorted", result) for result in range(len(eqn.outvars))
    ]
    origin = selection.origin(eqn, outs[0].name, call)
    if dim != rank - 1:  # the lines lie together while they are sorted
        outs = [_value(selection, "lines", lines, out.dtype) for out in outs]
    xs: list[View] = []
    for atom in eqn.invars:
        operand = selection.read(atom)
        if not isinstance(operand, View):
            operand = whole(selection.materialise(operand, "filled", origin))
        ordered = views.transpose(operand, there)
        assert isinstance(ordered, View), "a value in memory stays a view"
        xs.append(ordered)
    order, spare = (
        _value(selection, name, (length,), _INDEX) for name in ("order", "spare")
    )
    step = SortStep(tuple(outs), tuple(xs), num_keys, order, spare, origin)
    selection.add(step)
    for var, out in zip(eqn.outvars, outs, strict=True):
        selection.bind(var, views.transpose(whole(out), back), out.name)


def _value(
    selection: Selection, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Value:
    return Value(selection.names.unique(name), shape, dtype)
