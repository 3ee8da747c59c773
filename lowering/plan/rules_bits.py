"""Selection rules of logic and shifts of integers, and of what <math> computes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from lowering.jaxprs import JaxprEqn, dtype_of
from lowering.placement import short_name
from lowering.plan import views
from lowering.plan.select import Selection, register


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
    _element(selection, eqn, eqn.params["kind"])


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
