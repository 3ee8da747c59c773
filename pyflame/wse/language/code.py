"""The typed code of one PE program: what the front end hands to a machine.

Comptime is over here: generic functions are instantiated, untaken branches are
gone, inline loops are unrolled, every coercion is an explicit `Convert`, and
compound assignments are plain ones. Nodes are immutable except for the lists that
the front end fills while a function is being elaborated.

Constants hold the comptime values of `values.py`: int, bool, float (already rounded
to its type), str, and the value classes there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyflame.wse.language.source import Span
from pyflame.wse.language.types import Type


@dataclass(eq=False, slots=True)
class GlobalVariable:
    """Storage that lives as long as the program.

    Args:
        name: unique within the program, e.g. `A` or `sync.counter` for an import.
        symbol: the linker symbol that host debug tools look up.
        value: the comptime initial value, None for unspecified contents.
        align_bytes: 0 for the natural alignment of the type.
    """

    name: str
    symbol: str
    type: Type
    value: Any
    mutable: bool
    span: Span
    align_bytes: int = 0
    section: str = ""
    exported: bool = False


@dataclass(eq=False, slots=True)
class LocalVariable:
    """A parameter or local of one function. `in_memory` if its address is taken
    or it is an array: then it has a static place in PE memory."""

    name: str
    type: Type
    in_memory: bool = False


@dataclass(eq=False, slots=True)
class Function:
    """A function or task that can run on the PE (already instantiated)."""

    name: str
    symbol: str
    params: list[LocalVariable]
    result: Type
    is_task: bool
    span: Span
    body: list[Statement] = field(default_factory=list["Statement"])


# --- expressions ------------------------------------------------------------------
# A place is an expression that can be assigned to or have its address taken:
# Variable, Element, FieldOf and Pointee.


@dataclass(slots=True, eq=False)
class Expression:
    type: Type
    span: Span


@dataclass(slots=True, eq=False)
class Constant(Expression):
    value: Any


@dataclass(slots=True, eq=False)
class Variable(Expression):
    variable: GlobalVariable | LocalVariable


@dataclass(slots=True, eq=False)
class Element(Expression):
    """`base[i, j]`: base is a place of array type, or a `[*]T` pointer value with
    one index."""

    base: Expression
    indices: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class FieldOf(Expression):
    """Field number `index` of a struct."""

    base: Expression
    index: int


@dataclass(slots=True, eq=False)
class Pointee(Expression):
    """`pointer.*`"""

    pointer: Expression


@dataclass(slots=True, eq=False)
class AddressOf(Expression):
    """`&place`; also the coercion of `*[N]T` to `[*]T` (same address, other type)."""

    place: Expression


@dataclass(slots=True, eq=False)
class FunctionPointer(Expression):
    function: Function


@dataclass(slots=True, eq=False)
class Unary(Expression):
    operator: str  # "-", "~" or "!"
    operand: Expression


@dataclass(slots=True, eq=False)
class Binary(Expression):
    """Arithmetic on two operands of the same type (shifts: any unsigned count)."""

    operator: str  # + - * / % << >> & | ^
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Compare(Expression):
    operator: str  # == != < <= > >=
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Logical(Expression):
    operator: str  # "and" or "or", short-circuit
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Convert(Expression):
    """`@as(type, operand)` between numbers, bools and enums."""

    operand: Expression


@dataclass(slots=True, eq=False)
class Bitcast(Expression):
    """`@bitcast` and `@ptrcast`: the same bits as another type of the same width."""

    operand: Expression


@dataclass(slots=True, eq=False)
class Call(Expression):
    function: Function
    arguments: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class CallPointer(Expression):
    pointer: Expression
    arguments: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class BuiltinCall(Expression):
    """A builtin that acts at run time: `@activate`, `@get_dsd`, `@fmacs`, `@map`...

    Args:
        name: with its `@`.
        arguments: positional operands. Types given as arguments (`@get_dsd(kind,
            ...)`, `@increment_dsd_offset(d, n, T)`) are Constants holding a Type; a
            function given to `@map` is a FunctionPointer; a task given to
            `.activate` has become its local task id (an Identifier constant).
        config: the fields of the trailing anonymous struct, nested ones joined with
            a dot: `{"async": ..., "on_control.terminate": ...}`. `tensor_access` has
            become base_address, offset, stride, extent.
    """

    name: str
    arguments: tuple[Expression, ...]
    config: dict[str, Expression]


@dataclass(slots=True, eq=False)
class NativeCall(Expression):
    """`@__native("name", T, arguments...)` of a library file."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class MakeStruct(Expression):
    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class MakeArray(Expression):
    """All elements in row-major order."""

    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Fill(Expression):
    """`@zeros(A)` and `@constants(A, value)` at run time."""

    value: Expression


@dataclass(slots=True, eq=False)
class MakeRange(Expression):
    start: Expression
    stop: Expression
    step: Expression


@dataclass(slots=True, eq=False)
class Sequence(Expression):
    """Statements, then a value: block, if and switch expressions become this."""

    body: list[Statement]
    result: Expression


# --- statements -------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Statement:
    span: Span


@dataclass(slots=True, eq=False)
class Declare(Statement):
    """A local comes to life; without a value its contents are unspecified."""

    variable: LocalVariable
    value: Expression | None


@dataclass(slots=True, eq=False)
class Assign(Statement):
    place: Expression
    value: Expression


@dataclass(slots=True, eq=False)
class Evaluate(Statement):
    expression: Expression


@dataclass(slots=True, eq=False)
class If(Statement):
    condition: Expression
    then: list[Statement]
    otherwise: list[Statement]


@dataclass(slots=True, eq=False)
class While(Statement):
    """`step` runs after each iteration, also after `continue`."""

    label: str
    condition: Expression
    body: list[Statement]
    step: list[Statement]


@dataclass(slots=True, eq=False)
class ForRange(Statement):
    """`index` counts iterations from 0 if the source captured it."""

    label: str
    variable: LocalVariable
    range: Expression  # of Range type: MakeRange, Constant or a variable
    index: LocalVariable | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class ForEach(Statement):
    """Iterates the elements of an array expression."""

    label: str
    variable: LocalVariable
    array: Expression
    index: LocalVariable | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Switch(Statement):
    """Arms of constant int values; `otherwise` is None if the arms are exhaustive."""

    value: Expression
    arms: list[tuple[tuple[int, ...], list[Statement]]]
    otherwise: list[Statement] | None


@dataclass(slots=True, eq=False)
class Labelled(Statement):
    """A block that `Break(label)` leaves."""

    label: str
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Break(Statement):
    """Leaves the loop or labelled block of that (function-unique) label."""

    label: str


@dataclass(slots=True, eq=False)
class Continue(Statement):
    label: str


@dataclass(slots=True, eq=False)
class Return(Statement):
    value: Expression | None
