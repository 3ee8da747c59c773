"""The writer that turns one function's typed code into Python source text.

Names in the text are all made here: `v3` a local, `t3` a temporary, `f3` a
function, `K3` a constant, `j3` a jump flag, `m_u16` a view of memory, `S` the slots,
`c` cycles not yet added to the clock, `L` the cycle limit. Nothing of the user's text
or names gets in; constants are passed by reference.

The rules for expressions, places and statements register themselves in the tables
of this file, so that they can be mutually recursive without importing each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyflame.wse.language import code, types
from pyflame.wse.language.source import Span
from pyflame.wse.machine.call_graph import CallGraph
from pyflame.wse.machine.code_lines import MARK
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.layout_memory import MemoryLayout
from pyflame.wse.machine.sites import Site

# Deeper texts are cut into temporaries: Python limits the nesting of parentheses.
_MAX_DEPTH = 40


@dataclass(slots=True)
class Value:
    """An expression of the target text.

    Args:
        text: Python, parenthesised if it is not a name, call or subscript.
        low, high: bounds of an integer; None if unknown or not an integer.
        fixed: evaluating it later cannot change the result.
        loose: a bool that may be a NumPy bool.
        shared: an aggregate that a variable holds: copy before keeping it.
        depth: how deeply the text nests.
    """

    text: str
    low: int | None = None
    high: int | None = None
    fixed: bool = False
    loose: bool = False
    shared: bool = False
    depth: int = 1


@dataclass(slots=True)
class Block:
    """Lines under construction, and the cycles that they have not yet charged.

    `dynamic` is set when some path through the lines charges by itself or leaves.
    `flushed` is set when the PE's clock is brought up to date inside.
    """

    lines: list[str] = field(default_factory=list[str])
    pending: int = 0
    dynamic: bool = False
    flushed: bool = False


class Place:
    """Where a value can be stored."""

    def load(self) -> Value:
        raise NotImplementedError

    def store(self, value: Value) -> None:
        raise NotImplementedError


@dataclass(slots=True)
class Unit:
    """What all functions of one PE program share while they are compiled.

    `namespace` becomes the globals of the compiled text. `strict` code checks every
    access to memory with the PE's guard; `logged` code tells the PE of its statements.
    """

    layout: MemoryLayout
    graph: CallGraph
    costs: Costs
    arch: str
    numbers: dict[code.Function, int]
    fifos: dict[Any, int]
    strict: bool = False
    logged: bool = False
    fp16_format: str = "f16"
    namespace: dict[str, Any] = field(default_factory=dict[str, Any])
    spans: list[Span] = field(default_factory=list[Span])  # of statements, by number
    _known: dict[Any, str] = field(default_factory=dict[Any, str])
    _kept: list[Any] = field(default_factory=list[Any])

    def constant(self, value: Any, key: Any = None) -> str:
        """The name of a constant; equal keys (default: identity) share one."""
        key = ("id", id(value)) if key is None else key
        name = self._known.get(key)
        if name is None:
            name = f"K{len(self._known)}"
            self._known[key] = name
            self._kept.append(value)  # keeps id(value) taken
            self.namespace[name] = value
        return name

    def function_name(self, function: code.Function) -> str:
        return f"f{self.numbers[function]}"


@dataclass(slots=True)
class Frame:
    """A Python loop being written, for a CSL loop or a labelled block.

    `step` writes what `continue` has to run first. `escapes` are the flags of
    jumps that pass through this loop on their way out.
    """

    label: str
    is_loop: bool
    step: Callable[[], None] | None = None
    escapes: list[tuple[str, Any, str]] = field(
        default_factory=list[tuple[str, Any, str]]
    )
    flags: dict[str, str] = field(default_factory=dict[str, str])


class FunctionWriter:
    """Compiles one function. The current block is `block`."""

    def __init__(self, unit: Unit, function: code.Function) -> None:
        self.unit = unit
        self.function = function
        self.blocking = function in unit.graph.blocking
        self.block = Block()
        self.frames: list[Frame] = []
        self.bounds: dict[code.LocalVariable, tuple[int, int]] = {}
        self.constant_locals: set[code.LocalVariable] = set()
        self.unset_locals: set[code.LocalVariable] = set()
        self.views: set[str] = set()
        self.flags: list[str] = []
        self.uses_slots = self.uses_limit = self.uses_counter = False
        self._names: dict[code.LocalVariable, str] = {}
        self._temps = 0
        self._mark = ""  # of the statement whose lines are written

    # --- text ---

    def line(self, text: str) -> None:
        self.block.lines.append(f"{text}{self._mark}")

    def nest(self, header: str, body: Block) -> None:
        """Appends a compound statement: a header line and an indented body."""
        self.line(header)
        self.block.lines.extend(" " + line for line in body.lines or ["pass"])
        self.block.flushed |= body.flushed

    def temp(self) -> str:
        self._temps += 1
        return f"t{self._temps}"

    def local(self, variable: code.LocalVariable) -> str:
        name = self._names.get(variable)
        if name is None:
            name = self._names[variable] = f"v{len(self._names)}"
        return name

    def constant(self, value: Any, key: Any = None) -> str:
        return self.unit.constant(value, key)

    def view(self, name: str) -> str:
        """The local name of a view of memory."""
        self.views.add(name)
        return f"m_{name}"

    def slots(self) -> str:
        self.uses_slots = True
        return "S"

    def limit(self) -> str:
        self.uses_limit = True
        return "L"

    # --- blocks and cycles ---

    def inside(self, write: Callable[[], Any]) -> tuple[Any, Block]:
        """Runs `write` with a block of its own; gives its result and the block."""
        outer, self.block = self.block, Block()
        try:
            result = write()
            return result, self.block
        finally:
            self.block = outer

    def append(self, block: Block) -> None:
        """Adds the lines of a block made by `inside` at the same level."""
        if block.flushed:
            self.settle()
        self.block.lines.extend(block.lines)
        self.block.pending += block.pending
        self.block.dynamic |= block.dynamic
        self.block.flushed |= block.flushed

    def charge(self, cycles: int) -> None:
        self.block.pending += cycles

    def settle(self) -> None:
        """Charges pending cycles to the local counter."""
        if self.block.pending:
            self.line(f"c += {self.block.pending}")
            self.block.pending = 0
            self.uses_counter = self.block.dynamic = True

    def flush(self) -> None:
        """Brings `pe.clock` up to date: before anything that looks at it."""
        self.block.lines.append(f"\0flush {self.block.pending}")
        self.block.pending = 0
        self.block.dynamic = self.block.flushed = True

    def leave(self) -> None:
        """As `flush`, before a return."""
        self.block.lines.append(f"\0leave {self.block.pending}")
        self.block.pending = 0
        self.block.dynamic = True

    def settled(self, block: Block) -> Block:
        """A finished block with its pending cycles charged at its end."""
        outer, self.block = self.block, block
        self.settle()
        self.block = outer
        return block

    # --- compiling nodes ---

    def value(self, expression: code.Expression) -> Value:
        value = EXPRESSIONS[type(expression)](self, expression)
        return self.spilled(value) if value.depth > _MAX_DEPTH else value

    def place(self, expression: code.Expression) -> Place:
        return PLACES[type(expression)](self, expression)

    def statements(self, body: Sequence[code.Statement]) -> None:
        outer = self._mark
        for statement in body:
            self._mark = f"{MARK}{len(self.unit.spans)}"
            self.unit.spans.append(statement.span)
            if self.unit.logged:
                self._log(statement)
            STATEMENTS[type(statement)](self, statement)
        self._mark = outer

    def _log(self, statement: code.Statement) -> None:
        if isinstance(statement, (code.Labelled, code.Continue, code.Break)):
            return  # what they stand for has a line of its own
        self.flush()
        self.line(f"pe.log_statement({self.constant(Site(statement.span))})")

    def spilled(self, value: Value) -> Value:
        """The value in a temporary, evaluated here and now."""
        if value.fixed and value.depth <= 2:
            return value
        name = self.temp()
        self.line(f"{name} = {value.text}")
        return Value(name, value.low, value.high, True, value.loose, value.shared)

    def operands(self, expressions: Sequence[code.Expression]) -> list[Value]:
        """Values of operands, evaluated left to right.

        Where a later one needs statements, the earlier ones become temporaries.
        """
        values: list[Value] = []
        for expression in expressions:
            value, block = self.inside(lambda e=expression: self.value(e))
            if block.lines:
                values = [self.spilled(v) for v in values]
            self.append(block)
            values.append(value)
        return values


ExpressionRule = Callable[[FunctionWriter, Any], Value]
PlaceRule = Callable[[FunctionWriter, Any], Place]
StatementRule = Callable[[FunctionWriter, Any], None]
BuiltinRule = Callable[[FunctionWriter, code.BuiltinCall], Value]
EXPRESSIONS: dict[type, ExpressionRule] = {}
PLACES: dict[type, PlaceRule] = {}
STATEMENTS: dict[type, StatementRule] = {}
BUILTINS: dict[str, BuiltinRule] = {}


def expression_rule(cls: type) -> Callable[[ExpressionRule], ExpressionRule]:
    def add(rule: ExpressionRule) -> ExpressionRule:
        EXPRESSIONS[cls] = rule
        return rule

    return add


def place_rule(cls: type) -> Callable[[PlaceRule], PlaceRule]:
    def add(rule: PlaceRule) -> PlaceRule:
        PLACES[cls] = rule
        return rule

    return add


def statement_rule(cls: type) -> Callable[[StatementRule], StatementRule]:
    def add(rule: StatementRule) -> StatementRule:
        STATEMENTS[cls] = rule
        return rule

    return add


def builtin_rule(*names: str) -> Callable[[BuiltinRule], BuiltinRule]:
    def add(rule: BuiltinRule) -> BuiltinRule:
        BUILTINS.update(dict.fromkeys(names, rule))
        return rule

    return add


def integer_bounds(type_: types.Type) -> tuple[int | None, int | None]:
    """Smallest and largest run-time value of a type; None where it has none."""
    match type_:
        case types.Int():
            return type_.minimum, type_.maximum
        case types.Enum(backing=backing):
            return backing.minimum, backing.maximum
        case types.Identifier() | types.Pointer():
            return 0, 0xFFFF
        case _:
            return None, None


def typed(text: str, type_: types.Type, **more: Any) -> Value:
    """A value of unknown size: the bounds are those of its type."""
    low, high = integer_bounds(type_)
    return Value(text, low, high, **more)
