"""Tensor accesses `|i, j|{n, m} -> A[f(i, j), ...]` lowered to strides.

Index expressions are affine forms in the induction variables. Strides tell what to
add after the last element of each inner dimension, innermost first (machine
reference 7.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.addresses import pointer_to
from pyflame.wse.language.coercions import check_fits
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate, evaluates
from pyflame.wse.language.operands import is_integer, make_struct, need_integer
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import Frame
from pyflame.wse.language.types import Type

MAX_VARIABLES = 4


@dataclass(frozen=True, slots=True)
class Affine:
    """constant + sum(coefficients[v] * v)"""

    constant: int
    coefficients: tuple[int, ...]

    def scaled(self, factor: int) -> Affine:
        scaled = tuple(factor * c for c in self.coefficients)
        return Affine(self.constant * factor, scaled)

    def plus(self, other: Affine) -> Affine:
        pairs = zip(self.coefficients, other.coefficients, strict=True)
        return Affine(self.constant + other.constant, tuple(a + b for a, b in pairs))

    def bounds(self, extents: tuple[int, ...]) -> tuple[int, int]:
        """Smallest and largest value while each variable runs below its extent."""
        ends = [
            c * max(0, e - 1) for c, e in zip(self.coefficients, extents, strict=True)
        ]
        low, high = sum(min(0, end) for end in ends), sum(max(0, end) for end in ends)
        return self.constant + low, self.constant + high

    @property
    def is_constant(self) -> bool:
        return not any(self.coefficients)


@dataclass(frozen=True, slots=True)
class Access:
    """A lowered access: offset and strides in elements, strides innermost first."""

    base: code.Expression  # pointer to the tensor
    tensor: types.Array
    offset: int
    strides: tuple[int, ...]
    extents: tuple[int, ...]


def strides_of(coefficients: tuple[int, ...], extents: tuple[int, ...]) -> list[int]:
    """Hardware strides of a linear form, innermost first.

    Both arguments are outermost first. The stride of a dimension undoes the steps of
    all dimensions inside it.
    """
    strides: list[int] = []
    undone = 0
    for coefficient, extent in zip(
        reversed(coefficients), reversed(extents), strict=True
    ):
        strides.append(coefficient - undone)
        undone += coefficient * (extent - 1)
    return strides


@evaluates(tree.TensorAccess)
def _tensor_access(
    frame: Frame, node: tree.TensorAccess, _: Type | None
) -> code.Expression:
    """An access on its own is a struct {base_address, offset, stride, extent}."""
    access = lower_access(frame, node)
    span = node.span
    i16s = types.Struct(None, (types.I16,) * len(access.strides))
    u16s = types.Struct(None, (types.U16,) * len(access.extents))
    strides = tuple(code.Constant(types.I16, span, s) for s in access.strides)
    extents = tuple(code.Constant(types.U16, span, e) for e in access.extents)
    names = ("base_address", "offset", "stride", "extent")
    values = (
        access.base,
        code.Constant(types.I16, span, access.offset),
        make_struct(i16s, strides, span),
        make_struct(u16s, extents, span),
    )
    return make_struct(types.Struct(names, tuple(v.type for v in values)), values, span)


def lower_access(frame: Frame, node: tree.TensorAccess) -> Access:
    """Lowers an access.

    Raises:
        CslError: an index is not affine, the rank differs, or a value is too large.
    """
    base, tensor = _tensor(frame, node)
    count = len(node.variables)
    if count > MAX_VARIABLES:
        fail(
            f"a tensor access has at most {MAX_VARIABLES} induction variables, "
            f"got {count}",
            node.span,
        )
    if len(set(node.variables)) < count:
        fail("induction variables must have different names", node.span)
    if len(node.extents) != count:
        fail(f"{count} induction variables need {count} bounds", node.span)
    inner = frame.at_comptime()
    extents = tuple(_extent(inner, e) for e in node.extents)
    linear = _linearised(inner, node, tensor)
    if not base.type.many:  # pyright: ignore
        _warn_of_outside(frame, node, tensor, linear.bounds(extents))
    strides = tuple(strides_of(linear.coefficients, extents))
    for stride in strides:
        check_fits(stride, types.I16, node.access.span)
    check_fits(linear.constant, types.I16, node.access.span)
    return Access(base, tensor, linear.constant, strides, extents)


def _warn_of_outside(
    frame: Frame, node: tree.TensorAccess, tensor: types.Array, bounds: tuple[int, int]
) -> None:
    """The machine would go on behind the array. A remark only, as the DSD may be
    changed before it is used; published code makes such DSDs over one element."""
    low, high = bounds
    if tensor.count == 1 or (low >= 0 and high < tensor.count):
        return
    base = node.access.base
    name = f"'{base.name}'" if isinstance(base, tree.Name) else "an array"
    frame.program.warn(
        f"the access reaches element {low if low < 0 else high} of {name}, which has "
        f"{tensor.count}",
        node.access.span,
    )


def _extent(frame: Frame, node: tree.Expression) -> int:
    extent = need_integer(evaluate(frame, node), "the bound of an induction variable")
    check_fits(extent, types.U16, node.span)
    return extent


def _tensor(
    frame: Frame, node: tree.TensorAccess
) -> tuple[code.Expression, types.Array]:
    """The tensor's address: of a variable, or a known pointer to one."""
    base_node = node.access.base
    if isinstance(base_node, tree.Deref):
        pointer = evaluate(frame, base_node.pointer)
    else:
        pointer = pointer_to(frame, base_node)
    type_ = pointer.type
    if isinstance(type_, types.Pointer) and isinstance(type_.pointee, types.Array):
        rank, given = len(type_.pointee.dims), len(node.access.indices)
        if rank != given:
            fail(
                f"'{type_.pointee}' takes {rank} "
                f"{'index' if rank == 1 else 'indices'}, got {given}",
                node.access.span,
            )
        return pointer, type_.pointee
    if isinstance(type_, types.Pointer) and type_.many:
        if len(node.access.indices) != 1:
            fail(f"'{type_}' takes one index", node.access.span)
        return pointer, types.Array((1,), type_.pointee)
    fail(f"type '{type_}' is not a tensor", base_node.span)


# --- affine forms -----------------------------------------------------------------


def _linearised(frame: Frame, node: tree.TensorAccess, tensor: types.Array) -> Affine:
    """The row-major element number as an affine form."""
    count = len(node.variables)
    total = Affine(0, (0,) * count)
    for index, extent in zip(node.access.indices, tensor.dims, strict=True):
        form = affine(frame, index, node.variables)
        total = total.scaled(extent).plus(form)
    return total


def affine(frame: Frame, node: tree.Expression, variables: tuple[str, ...]) -> Affine:
    """An index expression as an affine form of the induction variables.

    Raises:
        CslError: it is not affine.
    """
    match node:
        case tree.Name(name=name) if name in variables:
            ones = tuple(int(v == name) for v in variables)
            return Affine(0, ones)
        case tree.Unary(operator="-", operand=operand) if _mentions(operand, variables):
            return affine(frame, operand, variables).scaled(-1)
        case tree.Binary() if _mentions(node, variables):
            return _affine_binary(frame, node, variables)
        case tree.BuiltinCall(name="@as") if _mentions(node, variables):
            return affine(frame, node.arguments[1], variables)
        case _ if _mentions(node, variables):
            _not_affine(node.span)
        case _:
            operand = evaluate(frame, node)
            if not is_integer(operand.type):
                fail(f"an index must be an integer, got: '{operand.type}'", node.span)
            value = need_integer(operand, "an index of a tensor access")
            return Affine(value, (0,) * len(variables))


def _affine_binary(
    frame: Frame, node: tree.Binary, variables: tuple[str, ...]
) -> Affine:
    left = affine(frame, node.left, variables)
    right = affine(frame, node.right, variables)
    if node.operator == "+":
        return left.plus(right)
    if node.operator == "-":
        return left.plus(right.scaled(-1))
    if node.operator == "*" and right.is_constant:
        return left.scaled(right.constant)
    if node.operator == "*" and left.is_constant:
        return right.scaled(left.constant)
    _not_affine(node.span)


def _not_affine(span: Span) -> NoReturn:
    fail(
        "an index of a tensor access must be affine in the induction variables",
        span,
        note="only sums, differences and products with comptime constants are affine",
    )


def _mentions(node: object, variables: tuple[str, ...]) -> bool:
    """Whether an induction variable occurs anywhere in an expression."""
    if isinstance(node, tree.Name):
        return node.name in variables
    if isinstance(node, tuple):
        return any(_mentions(part, variables) for part in node)  # pyright: ignore
    if isinstance(node, tree.Node):
        names = type(node).__dataclass_fields__
        return any(_mentions(getattr(node, n), variables) for n in names if n != "span")
    return False
