"""Element-wise steps as text: one vector operation, or one loop over scalars."""

from __future__ import annotations

from dataclasses import dataclass, field

from lowering.emit.dsds import Dsds
from lowering.emit.text import (
    ELEMENT_TYPES,
    LOOP_NAMES,
    SCALAR_TYPES,
    index_text,
    nest,
    number,
)
from lowering.plan.element_ops import KINDS, MOVES, ElementKind
from lowering.plan.fuse import is_vector_op
from lowering.plan.steps import ElementOp, ElementStep
from lowering.plan.values import (
    Constant,
    Count,
    Operand,
    Ramp,
    Shape,
    Value,
    View,
    collapse,
    strides_of,
    whole,
)


def element_lines(step: ElementStep, dsds: Dsds) -> list[str]:
    """Statements of the step, indented by one level."""
    op = step.ops[0]
    if is_vector_op(op) and _has_vectors(op, dsds):
        return [f"  {_vector_statement(op, dsds)}"]
    return _loop(step, dsds)


def _has_vectors(op: ElementOp, dsds: Dsds) -> bool:
    vectors = [whole(op.out), *(o for o in op.operands if isinstance(o, View))]
    shapes = [collapse(view.shape, [view.strides]) for view in vectors]
    return all(dsds.fits(shape, strides) for shape, (strides,) in shapes)


def _vector_statement(op: ElementOp, dsds: Dsds) -> str:
    """`@fadds(out, a, b);`, or a fill with an expression if no operand is a vector."""
    out = dsds.whole(op.out)
    if all(operand.is_scalar for operand in op.operands):
        scalars = Scalars({}, dsds=dsds)
        return f"{_move(op.out)}({out}, {_as_element(op, expression(op, scalars))});"
    if op.kind == "copy":
        return f"{_move(op.out)}({out}, {_vector_operand(op.operands[0], dsds)});"
    operands = [_vector_operand(operand, dsds) for operand in op.operands]
    return f"{KINDS[op.kind].builtin}({', '.join([out, *operands])});"


def _move(value: Value) -> str:
    return MOVES[str(value.dtype)]


def _as_element(op: ElementOp, text: str) -> str:
    """The expression in the type that memory holds."""
    dtype = str(op.out.dtype)
    return text if dtype == "float32" else f"@as({ELEMENT_TYPES[dtype]}, {text})"


def _vector_operand(operand: Operand, dsds: Dsds) -> str:
    if isinstance(operand, Constant):
        return number(operand)
    assert isinstance(operand, View), "ramps are written by loops"
    if operand.is_scalar:
        return f"{dsds.buffer_name(operand.value)}[{operand.offset}]"
    return dsds.view(operand)


@dataclass(slots=True)
class Locals:
    """How expressions read operands that have a name, or are numbers.

    `module` stands before the names of functions.
    """

    locals: dict[Value, str]
    module: str = "functions."

    def text(self, operand: Operand) -> str:
        if isinstance(operand, Constant):
            return number(operand)
        assert isinstance(operand, View), "ramps have no name"
        return self.locals[operand.value]


@dataclass(slots=True)
class Scalars(Locals):
    """How a loop body reads operands: the loop's variables, dimensions and locals."""

    names: tuple[str, ...] = ()
    strides: tuple[tuple[Operand, tuple[int, ...]], ...] = ()
    dsds: Dsds = field(kw_only=True)

    def text(self, operand: Operand) -> str:
        if isinstance(operand, Constant):
            return number(operand)
        if isinstance(operand, View) and operand.value in self.locals:
            return self.locals[operand.value]
        index = index_text(self.names, self._strides(operand), _offset(operand))
        if isinstance(operand, Ramp):
            return f"@as({SCALAR_TYPES[str(operand.dtype)]}, {index})"
        element = f"{self.dsds.buffer_name(operand.value)}[{index}]"
        return f"({element} != 0)" if str(operand.dtype) == "bool" else element

    def _strides(self, operand: Operand) -> tuple[int, ...]:
        if not self.names:
            return ()
        return next(strides for known, strides in self.strides if known is operand)


def _offset(operand: Operand) -> int:
    return operand.offset if isinstance(operand, View) else 0


def _loop(step: ElementStep, dsds: Dsds) -> list[str]:
    operands = [operand for op in step.ops for operand in op.operands]
    shape = step.ops[0].out.shape
    out_strides = whole(step.ops[0].out).strides
    sizes, all_strides = collapse(
        shape, [out_strides, *(strides_of(operand) for operand in operands)]
    )
    names = () if sizes == (1,) else LOOP_NAMES[: len(sizes)]
    known = tuple(zip(operands, all_strides[1:], strict=True))
    scalars = Scalars({}, names=names, strides=known, dsds=dsds)
    body = _body(step, scalars, _store_index(names, all_strides[0]))
    return nest(names, sizes, body)


def _store_index(names: tuple[str, ...], strides: Shape) -> str:
    return index_text(names, strides) if names else "0"


def _body(step: ElementStep, scalars: Scalars, index: str) -> list[str]:
    """One `const` per result that the loop reads again, one store per kept result."""
    lines: list[str] = []
    for number_of, op in enumerate(step.ops):
        text = expression(op, scalars)
        if op.out in step.locals or _read_later(step, number_of):
            name = op.out.name if op.out in step.locals else f"{op.out.name}_element"
            kind = SCALAR_TYPES[str(op.out.dtype)]
            lines.append(f"const {name}: {kind} = {text};")
            scalars.locals[op.out] = text = name
        if op.out not in step.locals:
            stored = f"@as(u16, {text})" if str(op.out.dtype) == "bool" else text
            lines.append(f"{scalars.dsds.buffer_name(op.out)}[{index}] = {stored};")
    return lines


def _read_later(step: ElementStep, number_of: int) -> bool:
    out = step.ops[number_of].out
    return any(
        isinstance(operand, View) and operand.value is out
        for op in step.ops[number_of + 1 :]
        for operand in op.operands
    )


def expression(op: ElementOp, scalars: Locals) -> str:
    """The right-hand side; numbers get a type where CSL could not tell it."""
    if op.function is not None:
        arguments = ", ".join(map(scalars.text, op.operands))
        return f"{scalars.module}{op.function.name}({arguments})"
    kind = KINDS[op.kind]
    typed = op.operands[1:] if op.kind == "select_n" else op.operands
    untyped = all(_has_no_type(operand) for operand in typed)
    texts = [
        _typed(operand, scalars.text(operand))
        if isinstance(operand, Constant)
        and _has_no_type(operand)
        and (_is_call(kind) or (untyped and operand in typed))
        else scalars.text(operand)
        for operand in op.operands
    ]
    zero = "0.0" if str(op.operands[0].dtype) == "float32" else "0"
    return kind.text.format(*texts, zero=zero)


def _has_no_type(operand: Operand) -> bool:
    """Whether its text is a plain number; a count is written with its type."""
    return isinstance(operand, Constant) and not isinstance(operand.number, Count)


def _is_call(kind: ElementKind) -> bool:
    """Whether it calls a generic function, which takes its type from an argument."""
    return kind.text.startswith(("math.", "extremes."))


def _typed(operand: Constant, text: str) -> str:
    return f"@as({SCALAR_TYPES[str(operand.dtype)]}, {text})"
