"""What the front end knows while it works: programs, modules, scopes and frames.

A `Program` is one compilation unit: the layout, or the code of one kind of PE. It
owns module instances (one per import). A `Frame` is one place of evaluation: where
names are looked up, whether code runs now (comptime) or later, and where generated
statements go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pyflame.wse.language import code, image, tree
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.reader import Reader
from pyflame.wse.language.source import Span
from pyflame.wse.language.types import Function as FunctionType
from pyflame.wse.language.types import Type

# L layout evaluation, T top-level comptime of PE code, K any other comptime, R run time
Mode = Literal["L", "T", "K", "R"]

# a layout of a whole wafer takes some ten steps per PE
MAX_COMPTIME_STEPS = 20_000_000
MAX_CALL_DEPTH = 400
# comptime arrays and strings may take some hundred times a PE's memory in all
MAX_COMPTIME_ELEMENTS = 1 << 26
MAX_STRING_BYTES = 1 << 20
_ELEMENTS_PER_STEP = 256
# copies of code; each gives some instructions, and a PE holds some ten thousand
MAX_EXPANSIONS = 200_000


class Unset:
    """The contents of a comptime variable that nothing was stored to."""


UNSET = Unset()


@dataclass(eq=False, slots=True)
class Cell:
    """A variable that lives at comptime. `depth` is the run-time nesting where it
    was declared: stores from deeper run-time control flow are refused."""

    name: str
    type: Type
    value: Any
    depth: int
    span: Span
    mutable: bool = True


@dataclass(eq=False, slots=True)
class Local:
    """A run-time local in scope."""

    variable: code.LocalVariable
    mutable: bool
    span: Span


# a Constant is a comptime-known name; a MakeStruct keeps an anonymous struct with
# some run-time fields apart, so that the known fields stay known
Binding = code.Constant | Cell | Local | code.MakeStruct


@dataclass(eq=False, slots=True)
class Scope:
    names: dict[str, Binding]
    parent: Scope | None = None

    def find(self, name: str) -> Binding | None:
        scope: Scope | None = self
        while scope is not None:
            binding = scope.names.get(name)
            if binding is not None:
                return binding
            scope = scope.parent
        return None


@dataclass(eq=False, slots=True)
class Leave:
    """One `break` with its value, or one `return` of an inline function."""

    value: code.Expression
    assign: code.Assign | None
    out: list[code.Statement]
    depth: int
    span: Span


@dataclass(eq=False, slots=True)
class Target:
    """What `break`, `continue` and `return` leave.

    Args:
        kind: block, loop or function.
        name: the label in generated code, unique in the function.
        result: declared result type of a function.
        code_function: True for the body of a real run-time function, whose
            `return` is a `code.Return`.
        next_name: the label that ends one iteration of an unrolled loop.
    """

    kind: Literal["block", "loop", "function"]
    label: str | None
    name: str
    depth: int
    comptime: bool
    span: Span
    result: Type | None = None
    code_function: bool = False
    next_name: str = ""
    leaves: list[Leave] = field(default_factory=list[Leave])
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Jump:
    """Control certainly goes to a target; `kind` dead: to several, or nowhere."""

    kind: Literal["break", "continue", "return", "dead"]
    target: Target | None = None


DEAD = Jump("dead")


@dataclass(eq=False, slots=True)
class FunctionRef:
    """A function or task of a module instance, before instantiation."""

    module: Module
    declaration: tree.FunctionDeclaration
    type: FunctionType | None = None
    instances: dict[Any, code.Function] = field(
        default_factory=dict[Any, code.Function]
    )

    @property
    def name(self) -> str:
        return self.module.prefix + self.declaration.name


@dataclass(eq=False, slots=True)
class Global:
    """A global of a module instance: resolved at most once, on first use."""

    module: Module
    declaration: tree.GlobalDeclaration
    state: Literal["new", "busy", "done"] = "new"
    constant: code.Constant | None = None
    variable: code.GlobalVariable | None = None


@dataclass(eq=False, slots=True)
class Module:
    """One import of one file.

    Args:
        prefix: what its symbols begin with: "" for the main file, `sync.` else.
        given: values that the importer binds to params.
        use: where the importer names the file; None for the top file.
    """

    program: Program
    file: tree.File
    prefix: str
    given: dict[str, code.Constant]
    use: Span | None = None
    globals: dict[str, Global] = field(default_factory=dict[str, Global])
    functions: dict[str, FunctionRef] = field(default_factory=dict[str, FunctionRef])

    @property
    def path(self) -> str:
        return self.file.source.path


@dataclass(eq=False, slots=True)
class Pending:
    """A function body that waits to be elaborated."""

    reference: FunctionRef
    function: code.Function
    scope: Scope
    call: Span | None


@dataclass(eq=False, slots=True)
class Program:
    """The layout or one PE program, while it is being compiled.

    Args:
        unit: the result being filled; an empty one for the layout.
        layout: the layout evaluation's record, None for PE programs.
        rectangle: (width, height) once known.
        exported: the names that the layout exports, by name.
    """

    options: image.Options
    reader: Reader
    unit: image.PeProgram
    parse: Callable[[Any], tree.File]
    layout: Any = None
    rectangle: tuple[int, int] | None = None
    exported: dict[str, image.ExportedName] = field(
        default_factory=dict[str, image.ExportedName]
    )
    warnings: list[str] = field(default_factory=list[str])
    modules: list[Module] = field(default_factory=list[Module])
    pending: list[Pending] = field(default_factory=list[Pending])
    names: set[str] = field(default_factory=set[str])
    registered: set[int] = field(default_factory=set[int])
    constants: dict[Any, tuple[Any, code.GlobalVariable]] = field(
        default_factory=dict[Any, tuple[Any, code.GlobalVariable]]
    )
    marks: dict[Any, Span] = field(default_factory=dict[Any, Span])
    finishers: list[Callable[[], None]] = field(
        default_factory=list[Callable[[], None]]
    )
    steps: int = 0
    elements: int = 0
    call_depth: int = 0
    expanded: int = 0
    counter: int = 0
    # the call that led to the generic instance whose body is being elaborated
    instance_call: Span | None = None

    def spend(self, span: Span) -> None:
        """Counts a comptime step.

        Raises:
            CslError: the budget is spent, so evaluation may never end.
        """
        self.steps += 1
        if self.steps > MAX_COMPTIME_STEPS:
            fail(
                f"comptime evaluation took more than {MAX_COMPTIME_STEPS:,} steps",
                span,
                note="loops and calls at comptime are counted so that compilation ends",
            )

    def expand(self, span: Span) -> None:
        """Counts a copy of code: an inline call, an iteration, a generic instance.

        Raises:
            CslError: there are more than any PE could hold.
        """
        self.expanded += 1
        if self.expanded > MAX_EXPANSIONS:
            fail(
                f"more than {MAX_EXPANSIONS:,} inline calls, unrolled iterations and "
                "generic instances",
                span,
                note="their code would not fit into a PE",
            )

    def spend_elements(self, count: int, span: Span) -> None:
        """Counts the elements of a new comptime array, and the time to fill it.

        Raises:
            CslError: the budget is spent, so evaluation may take all memory.
        """
        self.elements += count
        if self.elements > MAX_COMPTIME_ELEMENTS:
            fail(
                f"comptime arrays have more than {MAX_COMPTIME_ELEMENTS:,} elements "
                "in all",
                span,
                note="they are counted so that compilation does not take all memory",
            )
        self.steps += count // _ELEMENTS_PER_STEP
        self.spend(span)

    def warn(self, message: str, span: Span) -> None:
        """Keeps a remark on a program that compiles all the same, once."""
        text = f"{span.location()}: warning: {message}\n{span.excerpt()}"
        if text not in self.warnings:
            self.warnings.append(text)

    def unique(self, name: str) -> str:
        """The name itself, or with a number if it is taken."""
        candidate = name
        while candidate in self.names:
            self.counter += 1
            candidate = f"{name}.{self.counter}"
        self.names.add(candidate)
        return candidate

    def label(self, stem: str) -> str:
        self.counter += 1
        return f"{stem}{self.counter}"


@dataclass(eq=False, slots=True)
class Frame:
    """One place of evaluation.

    Args:
        out: where run-time statements go (mode R).
        depth: how many run-time branches and loops enclose this place.
        naming: the name being defined, for types and modules that take it.
    """

    program: Program
    module: Module
    scope: Scope
    mode: Mode
    out: list[code.Statement]
    depth: int = 0
    targets: tuple[Target, ...] = ()
    naming: str = ""

    @property
    def comptime(self) -> bool:
        return self.mode != "R"

    def nested(
        self,
        *,
        mode: Mode | None = None,
        out: list[code.Statement] | None = None,
        deeper: bool = False,
        target: Target | None = None,
        scope: Scope | None = None,
    ) -> Frame:
        """A frame inside this one, with a scope of its own."""
        return Frame(
            self.program,
            self.module,
            Scope({}, self.scope) if scope is None else scope,
            self.mode if mode is None else mode,
            self.out if out is None else out,
            self.depth + deeper,
            self.targets if target is None else (*self.targets, target),
        )

    def at_comptime(self) -> Frame:
        """The same place, evaluated now."""
        if self.comptime:
            return self
        return self.nested(mode="K", out=[])

    def bind(self, name: str, binding: Binding, span: Span) -> None:
        """Gives a local name its meaning.

        Raises:
            CslError: the name is already declared in this very scope.
        """
        if name == "_":
            return
        if name in self.scope.names:
            fail(f"redeclaration of '{name}'", span)
        self.scope.names[name] = binding
