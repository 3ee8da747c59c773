"""All functions of a PE program as one Python module.

The text consists of names and literals that the `codegen_*` files make up; what the
user wrote reaches it only as objects in the module's namespace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, types
from pyflame.wse.language.image import PeProgram
from pyflame.wse.machine import (
    codegen_arithmetic,
    codegen_builtins,
    codegen_loops,
    codegen_places,
    codegen_statements,
    codegen_values,
)
from pyflame.wse.machine import scalar_support as support
from pyflame.wse.machine.code_lines import TABLE, LineTable
from pyflame.wse.machine.codegen_core import FunctionWriter, Unit, Value
from pyflame.wse.machine.codegen_places import local_place
from pyflame.wse.machine.layout_memory import needs_memory
from pyflame.wse.machine.walk import locals_of, walk

# The rules register themselves when these are imported.
RULES = (
    codegen_arithmetic,
    codegen_builtins,
    codegen_loops,
    codegen_places,
    codegen_statements,
    codegen_values,
)


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCode:
    """A function as Python code: `call(pe, *arguments)`.

    A `blocking` one is a generator: it yields operations that may wait and is sent
    their results.
    """

    name: str
    params: tuple[types.Type, ...]
    result: types.Type
    blocking: bool
    call: Callable[..., Any]


def compile_functions(
    unit: Unit, program: PeProgram
) -> dict[code.Function, FunctionCode]:
    """Generates, compiles and loads the module.

    Raises:
        CslError: for code that nests deeper than can be compiled.
    """
    namespace = _load(unit, program)
    found = {
        function: FunctionCode(
            function.name,
            tuple(param.type for param in function.params),
            function.result,
            function in unit.graph.blocking,
            namespace[unit.function_name(function)],
        )
        for function in program.functions
    }
    _fill_tables(unit, namespace, found)
    return found


def _load(unit: Unit, program: PeProgram) -> dict[str, Any]:
    """Writes the module text and runs it in the unit's namespace."""
    try:
        text = module_text(unit, program)
        module = compile(text, f"<code of {program.file!r}>", "exec")
    except (SyntaxError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise CslError(
            f"the code of '{program.file}' nests too deeply: {reason}",
            help="split it into more functions",
        ) from error
    namespace = unit.namespace
    namespace["__builtins__"] = _BUILTINS
    namespace[TABLE] = LineTable(text, unit.spans)
    exec(module, namespace)
    return namespace


def module_text(unit: Unit, program: PeProgram) -> str:
    """Python source of all functions; fills the unit's namespace with constants."""
    lines: list[str] = []
    for function in program.functions:
        lines += _function_lines(unit, function)
    return "\n".join(lines) + "\n"


# All that generated text may call by a global name of Python.
_BUILTINS = {
    "bool": bool,
    "enumerate": enumerate,
    "float": float,
    "RecursionError": RecursionError,
    "int": int,
    "len": len,
    "range": range,
}


def _fill_tables(
    unit: Unit, namespace: dict[str, Any], found: dict[code.Function, FunctionCode]
) -> None:
    """`F` and `G`: what function pointers call; all of `G` are generators."""
    table: dict[int, Callable[..., Any]] = {}
    waiting: dict[int, Callable[..., Any]] = {}
    for function in unit.graph.addressed:
        compiled, number = found[function], unit.numbers[function]
        table[number] = compiled.call
        generator = compiled.call if compiled.blocking else _as_generator(compiled.call)
        waiting[number] = generator
    namespace["F"], namespace["G"] = table, waiting


def _as_generator(call: Callable[..., Any]) -> Callable[..., Any]:
    def run(pe: Any, *arguments: Any) -> Any:
        return call(pe, *arguments)
        yield

    return run


# --- one function -----------------------------------------------------------------


def _function_lines(unit: Unit, function: code.Function) -> list[str]:
    _check_recursion(unit, function)
    w = FunctionWriter(unit, function)
    w.constant_locals = _constant_locals(function)
    if unit.strict:
        w.unset_locals = _unset_locals(function)
    _store_params(w)
    w.statements(function.body)
    if not (w.block.lines and w.block.lines[-1].startswith("return")):
        w.leave()
    if function in unit.graph.blocking:
        w.line("return")
        w.line("yield")
    params = "".join(f", {w.local(param)}" for param in function.params)
    header = f"def {unit.function_name(function)}(pe{params}):"
    lines = _prologue(w) + _body(w) or ["pass"]
    if function in unit.graph.recursive:
        lines = _guarded(w, lines)
    return [header, *(" " + line for line in lines)]


def _check_recursion(unit: Unit, function: code.Function) -> None:
    """Locals in memory have one place each, so only one call may be active."""
    if function not in unit.graph.recursive:
        return
    held = [v for v in locals_of(function) if needs_memory(v)]
    if held:
        raise CslError(
            f"'{function.name}' calls itself, but its '{held[0].name}' has one fixed "
            "place in memory",
            function.span,
            help="pass a pointer to a global instead, or use a loop",
        )


def _guarded(w: FunctionWriter, body: list[str]) -> list[str]:
    """A recursive function, with a fault where the stack ends."""
    site = w.constant(support.Site(w.function.span, w.function.name))
    return [
        "try:",
        *(" " + line for line in body),
        f"except RecursionError: {w.constant(support.too_deep)}(pe, {site})",
    ]


def _constant_locals(function: code.Function) -> set[code.LocalVariable]:
    """Locals that keep the value they are declared with."""
    seen: set[code.LocalVariable] = set(function.params)
    changed: set[code.LocalVariable] = set()
    for node in walk(function.body):
        if isinstance(node, code.Declare):
            (changed if node.variable in seen else seen).add(node.variable)
        elif isinstance(node, (code.ForRange, code.ForEach)):
            seen.add(node.variable)
            seen.update([node.index] if node.index else [])
        elif isinstance(node, code.Assign):
            root = _root(node.place)
            changed.update([root] if isinstance(root, code.LocalVariable) else [])
    return {v for v in seen - changed if not v.in_memory}


def _unset_locals(function: code.Function) -> set[code.LocalVariable]:
    """Locals that are declared without a value somewhere."""
    return {
        node.variable
        for node in walk(function.body)
        if isinstance(node, code.Declare) and node.value is None
    }


def _root(place: code.Expression) -> object:
    while isinstance(place, (code.Element, code.FieldOf)):
        place = place.base
    return place.variable if isinstance(place, code.Variable) else None


def _store_params(w: FunctionWriter) -> None:
    """Parameters that live in memory are put there on entry."""
    for param in w.function.params:
        name = w.local(param)
        if needs_memory(param):
            local_place(w, param, w.function).store(Value(name))


def _prologue(w: FunctionWriter) -> list[str]:
    lines = ["M = pe.memory"] if w.views else []
    lines += [f"m_{view} = M.{view}" for view in sorted(w.views)]
    if w.uses_slots:
        lines.append("S = pe.slots")
    if w.uses_limit:
        lines.append("L = pe.max_cycles")
    if w.uses_counter:
        lines.append("c = 0")
    lines += [f"{flag} = False" for flag in w.flags]
    return lines


def _body(w: FunctionWriter) -> list[str]:
    """The lines with their clock marks written out."""
    lines: list[str] = []
    for line in w.block.lines:
        if "\0" not in line:
            lines.append(line)
            continue
        indent, mark = line.split("\0")
        kind, cycles = mark.split()
        lines += (indent + text for text in _clock_lines(w, kind, int(cycles)))
    return lines


def _clock_lines(w: FunctionWriter, kind: str, cycles: int) -> list[str]:
    if not w.uses_counter:
        return [f"pe.clock += {cycles}"] if cycles else []
    text = f"pe.clock += c + {cycles}" if cycles else "pe.clock += c"
    return [text] if kind == "leave" else [text, "c = 0"]
