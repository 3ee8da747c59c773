"""The syntax tree of CSL: what was written, before it means anything.

One frozen dataclass per form of the grammar. Types are expressions, as in the
language. Every node knows its span.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyflame.wse.language.source import Source, Span


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    span: Span


# --- expressions ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Expression(Node):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class IntLiteral(Expression):
    """Decimal, hex, octal, binary and character literals."""

    value: int


@dataclass(frozen=True, slots=True, eq=False)
class FloatLiteral(Expression):
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class StringLiteral(Expression):
    """`value` has one character (0..255) per byte, as latin-1 decodes them."""

    value: str


@dataclass(frozen=True, slots=True, eq=False)
class BoolLiteral(Expression):
    value: bool


@dataclass(frozen=True, slots=True, eq=False)
class Name(Expression):
    """An identifier; primitive types such as `f32` are names too."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class BuiltinCall(Expression):
    name: str  # with its `@`
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call(Expression):
    function: Expression
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Member(Expression):
    base: Expression
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Deref(Expression):
    pointer: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Index(Expression):
    base: Expression
    indices: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Unary(Expression):
    operator: str  # "-", "~", "!" or "&" (address of)
    operand: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Expression):
    """Arithmetic, shifts, bit operations, comparisons, `and`, `or`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True, eq=False)
class FieldInit(Node):
    name: str
    value: Expression


@dataclass(frozen=True, slots=True, eq=False)
class StructLiteral(Expression):
    """`.{ .a = 1 }`, or `T{ .a = 1 }` when `type` is given; `.{}` has no fields."""

    type: Expression | None
    fields: tuple[FieldInit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TupleLiteral(Expression):
    """`.{ a, b }`"""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArrayLiteral(Expression):
    """`[dims]T { values }`; `type` is the ArrayType written before the brace."""

    type: Expression
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, eq=False)
class IfExpression(Expression):
    condition: Expression
    then: Expression
    otherwise: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class SwitchArm(Node):
    """`values` is None for `else`; `body` may be a block or a StatementArm."""

    values: tuple[Expression, ...] | None
    body: Expression


@dataclass(frozen=True, slots=True, eq=False)
class SwitchExpression(Expression):
    value: Expression
    arms: tuple[SwitchArm, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BlockExpression(Expression):
    """`{...}` or `label: {...}` where a value is expected; `{}` is the void value."""

    label: str | None
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class ComptimeExpression(Expression):
    operand: Expression


@dataclass(frozen=True, slots=True, eq=False)
class TensorAccess(Expression):
    """`|i, j|{n, m} -> A[i, j]`; `access` is the Index after the arrow."""

    variables: tuple[str, ...]
    extents: tuple[Expression, ...]
    access: Index


@dataclass(frozen=True, slots=True, eq=False)
class AsmExpression(Expression):
    """Parsed and kept as text; its meaning is refused later."""

    text: str


# --- types ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class PointerType(Expression):
    pointee: Expression
    const: bool
    many: bool


@dataclass(frozen=True, slots=True, eq=False)
class ArrayType(Expression):
    dims: tuple[Expression, ...]
    element: Expression


@dataclass(frozen=True, slots=True, eq=False)
class FunctionType(Expression):
    params: tuple[Expression, ...]
    result: Expression
    task: bool


@dataclass(frozen=True, slots=True, eq=False)
class FieldDeclaration(Node):
    name: str
    type: Expression


@dataclass(frozen=True, slots=True, eq=False)
class StructType(Expression):
    """`layout` is "", "extern" or "packed"; `union` marks unions."""

    fields: tuple[FieldDeclaration, ...]
    layout: str = ""
    union: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EnumItem(Node):
    name: str
    value: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class EnumType(Expression):
    backing: Expression | None
    items: tuple[EnumItem, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AnyType(Expression):
    """`anytype`, in parameters only."""


# --- statements -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Statement(Node):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class Block(Statement):
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LocalDeclaration(Statement):
    """`attributes` maps align, linksection and linkname to their expressions."""

    name: str
    mutable: bool  # var
    comptime: bool
    type: Expression | None
    value: Expression | None
    attributes: tuple[FieldInit, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Assignment(Statement):
    """`operator` is "" for plain `=`, else the binary operator of `+=` and friends."""

    place: Expression
    operator: str
    value: Expression


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionStatement(Statement):
    expression: Expression


@dataclass(frozen=True, slots=True, eq=False)
class ReturnStatement(Statement):
    value: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class BreakStatement(Statement):
    label: str | None
    value: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class ContinueStatement(Statement):
    label: str | None


@dataclass(frozen=True, slots=True, eq=False)
class IfStatement(Statement):
    condition: Expression
    then: Statement
    otherwise: Statement | None


@dataclass(frozen=True, slots=True, eq=False)
class ForStatement(Statement):
    label: str | None
    inline: bool
    iterable: Expression
    element: str
    index: str | None
    body: Statement


@dataclass(frozen=True, slots=True, eq=False)
class WhileStatement(Statement):
    label: str | None
    condition: Expression
    step: Assignment | None
    body: Statement
    inline: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SwitchStatement(Statement):
    """A switch in statement position; its arms are the expression's."""

    switch: SwitchExpression


@dataclass(frozen=True, slots=True, eq=False)
class LabelledBlock(Statement):
    label: str
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class ComptimeBlock(Statement):
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class StatementArm(Expression):
    """A switch arm that is a statement such as `=> x = 1` or `=> return`."""

    statement: Statement


# --- declarations -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class GlobalDeclaration(Node):
    """`kind` is const, var or param; `storage` is "", export or extern."""

    name: str
    kind: str
    storage: str
    type: Expression | None
    value: Expression | None
    attributes: tuple[FieldInit, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Parameter(Node):
    """Extern functions may leave the name out."""

    name: str
    type: Expression
    comptime: bool


@dataclass(frozen=True, slots=True, eq=False)
class FunctionDeclaration(Node):
    """`inlining` is "", inline or noinline; `body` is None only for extern."""

    name: str
    task: bool
    storage: str
    inlining: str
    params: tuple[Parameter, ...]
    result: Expression
    body: Block | None
    attributes: tuple[FieldInit, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class File(Node):
    """`comptime_blocks` are in source order."""

    source: Source
    globals: tuple[GlobalDeclaration, ...]
    functions: tuple[FunctionDeclaration, ...]
    comptime_blocks: tuple[Block, ...]
    layout_blocks: tuple[Block, ...]
