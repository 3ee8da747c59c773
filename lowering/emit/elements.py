"""Element-wise steps as text: one vector operation, or one loop over scalars."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeGuard

from lowering.dtypes import ELEMENT_TYPES, SCALAR_TYPES, is_float
from lowering.emit.dsds import Dsds
from lowering.emit.indexing import typed_number
from lowering.emit.scalars import (
    loaded,
    rounded,
    rounds_when_stored,
    stored,
    stored_typed,
)
from lowering.emit.text import LOOP_NAMES, index_text, nest, number
from lowering.plan.element_ops import KINDS, MOVES, first_builtin, wrapping
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
    if not is_vector_op(op) or not _has_vectors(op, dsds):
        return _loop(step, dsds)
    statement = _vector_statement(op, dsds)
    lines = (*_cleared(op, dsds), statement, *_wrapped(op, dsds))
    return [f"  {line}" for line in lines]


def _widens_bits(op: ElementOp) -> bool:
    """Whether the vector operation moves bfloat16 into the upper halves of f32."""
    (first, *_) = op.operands
    return (
        op.kind == "to_f32" and not first.is_scalar and str(first.dtype) == "bfloat16"
    )


def _cleared(op: ElementOp, dsds: Dsds) -> list[str]:
    """What comes first where the vector operation writes half of each element."""
    return [f"@fmovs({dsds.whole(op.out)}, 0.0);"] if _widens_bits(op) else []


def _wrapped(op: ElementOp, dsds: Dsds) -> list[str]:
    """What comes next where the vector operation leaves more than a byte."""
    if all(operand.is_scalar for operand in op.operands):
        return []
    out, element = dsds.whole(op.out), ELEMENT_TYPES[str(op.out.dtype)]
    return [
        f"{builtin}({out}, {out}, @as({element}, {value}));"
        for builtin, value in wrapping(op.kind, op.out.dtype)
    ]


def _has_vectors(op: ElementOp, dsds: Dsds) -> bool:
    vectors = [whole(op.out), *(o for o in op.operands if isinstance(o, View))]
    shapes = [collapse(view.shape, [view.strides]) for view in vectors]
    return all(dsds.fits(shape, strides) for shape, (strides,) in shapes)


def _vector_statement(op: ElementOp, dsds: Dsds) -> str:
    """`@fadds(out, a, b);`, or a fill with an expression if no operand is a vector."""
    out, dtype = dsds.whole(op.out), str(op.out.dtype)
    if all(operand.is_scalar for operand in op.operands):
        return f"{MOVES[dtype]}({out}, {_fill(op, dsds)});"
    operands = [_vector_operand(operand, dsds) for operand in op.operands]
    if _widens_bits(op):
        bits = f"@ptrcast([*]u16, &{dsds.buffer_name(op.out)})"
        out = f"words.upper({bits}, {op.out.element_count})"
    source = op.operands[-1].dtype
    builtin = MOVES[dtype]
    if op.kind != "copy":
        builtin = first_builtin(op.kind, dtype, source)
    return f"{builtin}({', '.join([out, *operands])});"


def _fill(op: ElementOp, dsds: Dsds) -> str:
    """What every element becomes, as memory holds it."""
    operand = op.operands[0]
    if op.kind == "copy" and isinstance(operand, View):
        return _element(operand, dsds)
    if op.kind == "copy" and _is_plain(operand):
        assert not isinstance(operand.number, Count), "plain numbers do not count"
        return typed_number(operand.number, op.out.dtype)
    text = expression(op, Scalars({}, dsds=dsds))
    return stored_typed(op.out.dtype, in_dtype(op, text, is_stored=True))


def in_dtype(op: ElementOp, text: str, is_stored: bool = False) -> str:
    """The result, brought back to its dtype unless storing it does so."""
    dtype = op.out.dtype
    is_done = KINDS[op.kind].is_exact or (is_stored and rounds_when_stored(dtype))
    return text if is_done else rounded(dtype, text)


def _element(view: View, dsds: Dsds) -> str:
    return f"{dsds.buffer_name(view.value)}[{view.offset}]"


def _vector_operand(operand: Operand, dsds: Dsds) -> str:
    if isinstance(operand, Constant):
        text = number(operand)
        return text if is_float(operand.dtype) else _typed(operand, text)
    assert isinstance(operand, View), "ramps are written by loops"
    return _element(operand, dsds) if operand.is_scalar else dsds.view(operand)


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
        if isinstance(operand, Ramp):
            index = index_text(self.names, self._strides(operand))
            count = f"@as({SCALAR_TYPES[str(operand.dtype)]}, {index})"
            return f"({rounded(operand.dtype, count)})"
        return loaded(operand.dtype, self.element(operand))

    def element(self, operand: View) -> str:
        """Where the operand stands in memory."""
        index = index_text(self.names, self._strides(operand), operand.offset)
        return f"{self.dsds.buffer_name(operand.value)}[{index}]"

    def _strides(self, operand: Operand) -> tuple[int, ...]:
        if not self.names:
            return ()
        return next(strides for known, strides in self.strides if known is operand)


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
        is_kept = op.out not in step.locals
        is_read = not is_kept or _read_later(step, number_of)
        source = None if is_read else _copied_element(op, scalars)
        if source is not None:
            lines.append(f"{_target(op, scalars, index)} = {source};")
            continue
        text = in_dtype(op, expression(op, scalars), is_stored=not is_read)
        if is_read:
            name = f"{op.out.name}_element" if is_kept else op.out.name
            kind = SCALAR_TYPES[str(op.out.dtype)]
            lines.append(f"const {name}: {kind} = {text};")
            scalars.locals[op.out] = text = name
        if is_kept:
            value = stored(op.out.dtype, text)
            lines.append(f"{_target(op, scalars, index)} = {value};")
    return lines


def _target(op: ElementOp, scalars: Scalars, index: str) -> str:
    return f"{scalars.dsds.buffer_name(op.out)}[{index}]"


def _copied_element(op: ElementOp, scalars: Scalars) -> str | None:
    """The element of memory that the operation copies as it is, if that is all."""
    operand = op.operands[0]
    if op.kind != "copy" or not isinstance(operand, View):
        return None
    return None if operand.value in scalars.locals else scalars.element(operand)


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
    kind, dtype = KINDS[op.kind], str(op.operands[-1].dtype)
    text = kind.text_for(dtype)
    typed = op.operands[1:] if op.kind == "select_n" else op.operands
    untyped = all(map(_is_plain, typed))
    texts = [
        _typed(operand, scalars.text(operand))
        if _is_plain(operand) and (_is_call(text) or (untyped and operand in typed))
        else scalars.text(operand)
        for operand in op.operands
    ]
    return text.format(*texts, zero="0.0" if is_float(dtype) else "0")


def _is_plain(operand: Operand) -> TypeGuard[Constant]:
    """Whether its text is a number without type; a count is written with its type."""
    return isinstance(operand, Constant) and not isinstance(operand.number, Count)


def _is_call(text: str) -> bool:
    """Whether it calls a generic function, which takes its type from an argument."""
    return text.startswith(("math.", "extremes."))


def _typed(operand: Constant, text: str) -> str:
    return f"@as({SCALAR_TYPES[str(operand.dtype)]}, {text})"
