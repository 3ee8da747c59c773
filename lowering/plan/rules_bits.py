"""Selection rules of logic and shifts of integers, and of what <math> computes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math

from lowering.jaxprs import JaxprEqn, dtype_of
from lowering.placement import short_name
from lowering.plan import views
from lowering.plan.select import Selection, register
from lowering.plan.values import Constant, Count, View


@register("and", "or", "xor")
def _logic(selection: Selection, eqn: JaxprEqn) -> None:
    """Bits of integers; of bools, an exclusive or says that they are not equal."""
    name = eqn.primitive.name
    if str(dtype_of(eqn.outvars[0])) != "bool":
        _element(selection, eqn, f"bit_{name}")
    else:
        _element(selection, eqn, "ne" if name == "xor" else name)


@register("machine_op")
def _machine_op(selection: Selection, eqn: JaxprEqn) -> None:
    if eqn.params["kind"] == "maximum":
        _maximum(selection, eqn)
    else:
        _element(selection, eqn, eqn.params["kind"])


def _maximum(selection: Selection, eqn: JaxprEqn) -> None:
    """With a number, vectors do: no zero ties with it, or adding 0.0 settles the tie.

    -0.0 + 0.0 is 0.0, and nothing else changes.
    """
    limit = _limit(selection, eqn)
    if limit is None or (limit == 0 and math.copysign(1, limit) < 0):
        _element(selection, eqn, "maximum")
        return
    _element(selection, eqn, "max")
    if limit == 0:
        _add_zero(selection, eqn)


def _limit(selection: Selection, eqn: JaxprEqn) -> float | None:
    """The operand that is one number, if there is one."""
    for operand in map(selection.read, eqn.invars):
        if isinstance(operand, Constant) and not isinstance(operand.number, Count):
            return operand.number
    return None


def _add_zero(selection: Selection, eqn: JaxprEqn) -> None:
    larger = selection.read(eqn.outvars[0])
    assert isinstance(larger, View), "the maximum is in memory"
    out = larger.value
    if out.element_count > 1:  # scalar code has settled it
        zero = Constant(0.0, out.shape, out.dtype)
        origin = selection.origin(eqn, out.name, f"{out.name} + 0.0, never -0.0")
        selection.element("add", out, [larger, zero], origin)


@register("bitcast_convert_type")
def _bitcast(selection: Selection, eqn: JaxprEqn) -> None:
    _element(selection, eqn, f"bitcast_{short_name(eqn.params['new_dtype'])}")


def _element(selection: Selection, eqn: JaxprEqn, kind: str) -> None:
    name = kind if eqn.primitive.name == "machine_op" else eqn.primitive.name
    out = selection.value(eqn, name.partition("_convert")[0])
    operands = [views.fitted(selection.read(atom), out.shape) for atom in eqn.invars]
    texts = ", ".join(map(selection.text, eqn.invars))
    origin = selection.origin(eqn, out.name, f"{name}({texts})")
    selection.element(kind, out, operands, origin)
    selection.bind_value(eqn.outvars[0], out)
