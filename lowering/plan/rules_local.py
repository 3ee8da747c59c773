"""Selection rules of the primitives that stay on one PE."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any

from lowering.dtypes import DTYPES, FLOATS, INTEGERS
from lowering.errors import LoweringError, UnsupportedPrimitiveError
from lowering.jaxprs import JaxprEqn, type_of
from lowering.plan import views
from lowering.plan.element_ops import conversion
from lowering.plan.schemes import has_scheme
from lowering.plan.select import Selection, ramp, register
from lowering.plan.stacks import slice_row
from lowering.plan.steps import DotStep, IndexStep, ReduceStep
from lowering.plan.values import Constant, Operand, Value, View, whole

_SAME_NAME = (
    "add sub mul max min neg abs sign div exp log tanh sqrt rsqrt logistic "
    "eq ne lt le gt ge not select_n"
).split()
_REDUCE_OPS = {"reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min"}


@register(*_SAME_NAME)
def _element(selection: Selection, eqn: JaxprEqn) -> None:
    _check_operands(selection, eqn)
    out = selection.value(eqn)
    operands = [views.fitted(selection.read(atom), out.shape) for atom in eqn.invars]
    selection.element(
        eqn.primitive.name, out, operands, selection.origin(eqn, out.name)
    )
    selection.bind_value(eqn.outvars[0], out)


@register("square")
def _square(selection: Selection, eqn: JaxprEqn) -> None:
    out = selection.value(eqn)
    x = selection.read(eqn.invars[0])
    selection.element("mul", out, [x, x], selection.origin(eqn, out.name))
    selection.bind_value(eqn.outvars[0], out)


@register("integer_pow")
def _integer_pow(selection: Selection, eqn: JaxprEqn) -> None:
    """x**n by squaring: the bits of |n| choose the factors; 1 / that if n < 0."""
    exponent: int = eqn.params["y"]
    base = selection.read(eqn.invars[0])
    call = f"{selection.text(eqn.invars[0])} ** {exponent}"
    result: Operand = Constant(1.0, base.shape, base.dtype)
    power, left = base, abs(exponent)
    while left:
        if left % 2:
            first = isinstance(result, Constant)
            result = (
                power if first else _named(selection, eqn, call, "mul", result, power)
            )
        left //= 2
        if left:
            power = _named(selection, eqn, call, "mul", power, power)
    if exponent < 0:
        one = Constant(1.0, base.shape, base.dtype)
        result = _named(selection, eqn, call, "div", one, result)
    out = selection.value(eqn)
    selection.element("copy", out, [result], selection.origin(eqn, out.name, call))
    selection.bind_value(eqn.outvars[0], out)


def _named(
    selection: Selection, eqn: JaxprEqn, call: str, kind: str, *operands: Operand
) -> View:
    """A step of a longer computation, as a value of its own."""
    like = operands[0]
    name = selection.names.unique("power")
    value = Value(name, like.shape, like.dtype, place=selection.place(eqn))
    selection.element(kind, value, operands, selection.origin(eqn, name, call))
    return whole(value)


@register("convert_element_type")
def _convert(selection: Selection, eqn: JaxprEqn) -> None:
    x = selection.read(eqn.invars[0])
    new: Any = eqn.params["new_dtype"]
    if x.dtype == new:
        selection.bind(eqn.outvars[0], x, selection.text(eqn.invars[0]))
        return
    out = selection.value(eqn, f"{selection.text(eqn.invars[0])} as {new}")
    call = f"{selection.text(eqn.invars[0])} as {new}"
    selection.element(
        conversion(x.dtype, new), out, [x], selection.origin(eqn, out.name, call)
    )
    selection.bind_value(eqn.outvars[0], out)


@register("broadcast_in_dim")
def _broadcast(selection: Selection, eqn: JaxprEqn) -> None:
    x = selection.read(eqn.invars[0])
    operand = views.broadcast(
        x, eqn.params["shape"], eqn.params["broadcast_dimensions"]
    )
    selection.bind(eqn.outvars[0], operand, selection.text(eqn.invars[0]))


@register("transpose")
def _transpose(selection: Selection, eqn: JaxprEqn) -> None:
    operand = views.transpose(selection.read(eqn.invars[0]), eqn.params["permutation"])
    selection.bind(eqn.outvars[0], operand, f"{selection.text(eqn.invars[0])}.T")


@register("reshape", "squeeze", "expand_dims")
def _reshape(selection: Selection, eqn: JaxprEqn) -> None:
    if eqn.params.get("dimensions") is not None and eqn.primitive.name == "reshape":
        raise UnsupportedPrimitiveError(
            "reshape with a dimension order is not supported",
            place=selection.place(eqn),
            help="transpose before the reshape",
        )
    aval: Any = eqn.outvars[0].aval
    text = selection.text(eqn.invars[0])
    x = selection.read(eqn.invars[0])
    operand = views.reshape(x, aval.shape)
    if operand is None:
        origin = selection.origin(eqn, text)
        operand = views.reshape(
            whole(selection.materialise(x, text, origin)), aval.shape
        )
    assert operand is not None, "a contiguous value takes any shape"
    selection.bind(eqn.outvars[0], operand, text)


@register("copy")
def _copy(selection: Selection, eqn: JaxprEqn) -> None:
    selection.bind(
        eqn.outvars[0], selection.read(eqn.invars[0]), selection.text(eqn.invars[0])
    )


@register("slice")
def _slice(selection: Selection, eqn: JaxprEqn) -> None:
    if slice_row(selection, eqn):
        return
    x = selection.read(eqn.invars[0])
    steps = eqn.params["strides"] or (1,) * len(x.shape)
    starts, limits = eqn.params["start_indices"], eqn.params["limit_indices"]
    spans = ", ".join(
        f"{start}:{limit}" + (f":{step}" if step != 1 else "")
        for start, limit, step in zip(starts, limits, steps, strict=True)
    )
    text = f"{selection.text(eqn.invars[0])}[{spans}]"
    operand = views.window(x, starts, limits, steps)
    if operand is None:
        kept = selection.materialise(x, "ramp", selection.origin(eqn, "ramp"))
        operand = views.window(whole(kept), starts, limits, steps)
    assert operand is not None, "a value can be sliced"
    selection.bind(eqn.outvars[0], operand, text)


@register("iota")
def _iota(selection: Selection, eqn: JaxprEqn) -> None:
    shape, dimension = eqn.params["shape"], eqn.params["dimension"]
    operand = ramp(shape, dimension, eqn.params["dtype"])
    selection.bind(eqn.outvars[0], operand, f"iota({dimension})")


@register("mesh_index")
def _mesh_index(selection: Selection, eqn: JaxprEqn) -> None:
    axis = eqn.params["axis"]
    out = selection.value(eqn, "row" if axis == "rows" else "col")
    origin = selection.origin(eqn, out.name, f"mesh_index({axis})")
    selection.add(IndexStep(out, axis, origin))
    selection.bind_value(eqn.outvars[0], out)


@register(*_REDUCE_OPS)
def _reduce(selection: Selection, eqn: JaxprEqn) -> None:
    x = selection.read(eqn.invars[0])
    axes = tuple(eqn.params["axes"])
    text = selection.text(eqn.invars[0])
    out = selection.value(eqn, _REDUCE_OPS[eqn.primitive.name])
    call = f"{eqn.primitive.name}({text}, axes={','.join(map(str, axes))})"
    origin = selection.origin(eqn, out.name, call)
    kept = [dim for dim in range(len(x.shape)) if dim not in axes]
    ordered = views.transpose(_in_memory(selection, x, origin), (*kept, *axes))
    assert isinstance(ordered, View), "a value in memory stays a view"
    op: Any = _REDUCE_OPS[eqn.primitive.name]
    selection.add(ReduceStep(out, op, ordered, len(kept), origin))
    selection.bind_value(eqn.outvars[0], out)


@register("dot_general")
def _dot(selection: Selection, eqn: JaxprEqn) -> None:
    (lhs_contract, rhs_contract), batch = eqn.params["dimension_numbers"]
    _check_dot(selection, eqn, lhs_contract, rhs_contract, batch)
    out = selection.value(eqn, "dot")
    origin = selection.origin(eqn, out.name)
    lhs, rhs = (
        _in_memory(selection, selection.read(atom), origin) for atom in eqn.invars
    )
    a = _matrix(lhs, lhs_contract[0], contract_last=True)
    b = _matrix(rhs, rhs_contract[0], contract_last=False)
    if not has_scheme(DotStep(out, a, b, origin)):
        b = whole(selection.materialise(b, f"{b.value.name}_rows", origin))
    selection.add(DotStep(out, a, b, origin))
    selection.bind_value(eqn.outvars[0], out)


def _matrix(x: View, contracted: int, contract_last: bool) -> View:
    """The operand as [free, contracted], or [contracted, free]; a vector has free 1."""
    free = [dim for dim in range(len(x.shape)) if dim != contracted]
    sizes = (x.shape[free[0]], x.strides[free[0]]) if free else (1, 0)
    pair = [sizes, (x.shape[contracted], x.strides[contracted])]
    if not contract_last:
        pair.reverse()
    shape, strides = zip(*pair, strict=True)
    return View(x.value, tuple(shape), tuple(strides), x.offset)


def _in_memory(selection: Selection, operand: Operand, origin: Any) -> View:
    """The operand itself, or a copy in memory if it is a number or a ramp."""
    if isinstance(operand, View):
        return operand
    return whole(selection.materialise(operand, "filled", origin))


_ANY = frozenset(DTYPES)
_LEGAL = {
    "not": frozenset({"bool"}),
    **dict.fromkeys(("exp", "log", "tanh", "sqrt", "rsqrt", "logistic"), FLOATS),
    **dict.fromkeys(
        ("add", "sub", "mul", "neg", "abs", "sign", "div"), FLOATS | INTEGERS
    ),
}


def _check_operands(selection: Selection, eqn: JaxprEqn) -> None:
    """Raises LoweringError for operand dtypes that the operation has no text for."""
    name = eqn.primitive.name
    dtypes = {str(selection.read(atom).dtype) for atom in eqn.invars}
    legal = _LEGAL.get(name, _ANY)
    if name == "select_n":
        _check_select(selection, eqn)
    if not dtypes <= legal:
        operands = ", ".join(map(type_of, eqn.invars))
        raise UnsupportedPrimitiveError(
            f"primitive {name} on {operands} is not supported",
            place=selection.place(eqn),
            rule=f"{name} works on {', '.join(sorted(legal))}",
            help="convert the operands with astype first",
        )


def _check_select(selection: Selection, eqn: JaxprEqn) -> None:
    if len(eqn.invars) != 3 or str(selection.read(eqn.invars[0]).dtype) != "bool":
        raise UnsupportedPrimitiveError(
            f"select_n with {len(eqn.invars) - 1} cases is not supported",
            place=selection.place(eqn),
            rule="select_n chooses between two cases by a bool",
            help="write it as nested jnp.where",
        )


def _check_dot(
    selection: Selection, eqn: JaxprEqn, lhs: Any, rhs: Any, batch: Any
) -> None:
    avals: list[Any] = [atom.aval for atom in eqn.invars]
    left, right = map(type_of, eqn.invars)
    canonical = (
        batch == ((), ())
        and len(lhs) == len(rhs) == 1
        and all(len(aval.shape) <= 2 for aval in avals)
    )
    if not canonical:
        raise LoweringError(
            f"dot_general of {left} and {right} has no PE form",
            place=selection.place(eqn),
            rule="one contracted dimension, no batch, at most two dimensions",
        )
    dtypes = {str(aval.dtype) for aval in avals}
    (dtype,) = dtypes if len(dtypes) == 1 else ("",)
    sums = "float32" if dtype in FLOATS else "int32" if dtype in INTEGERS else ""
    result: Any = eqn.outvars[0].aval
    if str(result.dtype) != sums:
        raise UnsupportedPrimitiveError(
            f"primitive dot_general on {left}, {right} is not supported",
            place=selection.place(eqn),
            rule="dot_general gives float32 of floats, int32 of integers",
            help="convert the operands with astype first",
        )
