"""Module instances: their params and globals, resolved on first use in any order."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import NoReturn

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, tree, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate
from pyflame.wse.language.identifiers import check_id
from pyflame.wse.language.operands import (
    at,
    copied,
    need_known,
    need_string,
    need_type,
)
from pyflame.wse.language.predeclared import PREDECLARED, predeclared
from pyflame.wse.language.reader import Reader
from pyflame.wse.language.source import Source, Span
from pyflame.wse.language.state import (
    Frame,
    FunctionRef,
    Global,
    Module,
    Program,
    Scope,
)
from pyflame.wse.language.types import Type

_DECIDED_TYPE_NAMES = (types.Struct, types.Enum)


def load_module(
    program: Program,
    name: str,
    importer: Source | None,
    prefix: str,
    given: dict[str, code.Constant],
    span: Span | None = None,
) -> Module:
    """A fresh instance of a file.

    Globals are resolved on first use; a published program has globals that are
    wrong for some of its params, and does not use them then. Imports and exports of
    PE code are resolved at once.

    Raises:
        CslError: the file is missing or breaks a rule.
    """
    source = read_source(program.reader, name, importer, span)
    file = program.parse(source)
    module = Module(program, file, prefix, given, span)
    if len(prefix) > 400:
        fail(f"imports are nested too deeply at '{name}'", span)
    _declare(module)
    _warn_of_unknown_params(module)
    for entry in module.globals.values():
        if program.layout is None and _is_needed(entry):
            resolve(entry, entry.declaration.span)
    program.modules.append(module)
    return module


def _warn_of_unknown_params(module: Module) -> None:
    for name, value in module.given.items():
        entry = module.globals.get(name)
        if entry is None or entry.declaration.kind != "param":
            module.program.warn(f"'{module.path}' has no param '{name}'", value.span)


def read_source(
    reader: Reader, name: str, importer: Source | None, span: Span | None
) -> Source:
    """The source; a missing file is reported where it is imported."""
    try:
        return reader.read(name, importer)
    except CslError as error:
        if error.span is not None or span is None:
            raise
        raise CslError(error.message, span, error.notes, error.help) from None


def _is_needed(entry: Global) -> bool:
    declaration = entry.declaration
    return declaration.storage == "export" or _imports(declaration.value)


def _imports(value: tree.Expression | None) -> bool:
    match value:
        case tree.BuiltinCall(name="@import_module"):
            return True
        case tree.IfExpression(then=then, otherwise=otherwise):
            return _imports(then) or _imports(otherwise)
        case _:
            return False


def _declare(module: Module) -> None:
    seen: dict[str, Span] = {}
    for item in (*module.file.globals, *module.file.functions):
        if item.name in seen:
            fail(
                f"redeclaration of '{item.name}'",
                item.span,
                note="first declared here",
                note_span=seen[item.name],
            )
        seen[item.name] = item.span
    for item in module.file.globals:
        _check_declaration(item)
        module.globals[item.name] = Global(module, item)
    for item in module.file.functions:
        module.functions[item.name] = FunctionRef(module, item)


def _check_declaration(item: tree.GlobalDeclaration) -> None:
    if item.value is not None or item.storage == "extern":
        return
    if item.kind == "const":
        fail(f"const '{item.name}' needs a value", item.span)
    if item.kind == "var" and item.type is None:
        fail(f"var '{item.name}' needs a type or a value", item.span)


def module_frame(module: Module, naming: str = "") -> Frame:
    """A comptime frame at the top level of a module."""
    return Frame(module.program, module, Scope({}), "K", [], naming=naming)


# --- names ------------------------------------------------------------------------


def read_member(module: Module, name: str, span: Span, frame: Frame) -> code.Expression:
    """A global or function of a module, read from some frame."""
    entry = module.globals.get(name)
    if entry is not None:
        return read_global(entry, span, frame)
    reference = module.functions.get(name)
    if reference is not None:
        return code.Constant(function_type(reference), span, reference)
    if module is frame.module:
        known = predeclared(name, span)
        if known is not None:
            return code.Constant(known[0], span, known[1])
    _undeclared(module, name, span, frame)


def _undeclared(module: Module, name: str, span: Span, frame: Frame) -> NoReturn:
    candidates = [*module.globals, *module.functions]
    where = f"use of undeclared identifier '{name}'"
    if module is not frame.module:
        where = f"module '{module.path}' has no member '{name}'"
    else:
        candidates += [*PREDECLARED, *_local_names(frame)]
    close = difflib.get_close_matches(name, candidates, 1)
    close += [c for c in candidates if c.casefold() == name.casefold()]
    fail(where, span, help=f"did you mean '{close[0]}'?" if close else "")


def _local_names(frame: Frame) -> list[str]:
    names: list[str] = []
    scope: Scope | None = frame.scope
    while scope is not None:
        names += scope.names
        scope = scope.parent
    return names


def read_global(entry: Global, span: Span, frame: Frame) -> code.Expression:
    resolve(entry, span)
    if entry.constant is not None:
        return at(entry.constant, span)
    variable = global_variable(entry)
    if frame.comptime:
        fail(
            f"'{entry.declaration.name}' is a run-time variable: "
            "its value is not known at comptime",
            span,
            note="declared here",
            note_span=entry.declaration.span,
        )
    return code.Variable(variable.type, span, variable)


def global_variable(entry: Global) -> code.GlobalVariable:
    """The storage of a global `var`, or of a `const` that needs an address."""
    if entry.variable is None:
        constant = entry.constant
        assert constant is not None, "unresolved global"
        entry.variable = _new_variable(entry, constant.type, constant.value, False)
    register(entry.module.program, entry.variable)
    return entry.variable


def register(program: Program, variable: code.GlobalVariable) -> None:
    """Makes storage part of the PE program, once."""
    if id(variable) not in program.registered:
        program.registered.add(id(variable))
        program.unit.globals.append(variable)


def constant_variable(
    program: Program, constant: code.Constant, name: str
) -> code.GlobalVariable:
    """Read-only storage for a comptime value that needs an address."""
    key = (id(constant.value), constant.type)
    if key in program.constants:
        return program.constants[key][1]
    unique = program.unique(name)
    value = copied(constant.value)
    variable = code.GlobalVariable(
        unique, unique, constant.type, value, False, constant.span
    )
    program.constants[key] = (constant.value, variable)
    register(program, variable)
    return variable


# --- resolution -------------------------------------------------------------------


def resolve(entry: Global, span: Span) -> None:
    """Evaluates a global's type and value, unless that is done already.

    Raises:
        CslError: also if the global depends on itself.
    """
    if entry.state == "done":
        return
    declaration = entry.declaration
    if entry.state == "busy":
        fail(
            f"global '{declaration.name}' depends on itself",
            span,
            note="declared here",
            note_span=declaration.span,
        )
    entry.state = "busy"
    frame = module_frame(entry.module, declaration.name)
    type_ = None
    if declaration.type is not None:
        type_ = need_type(evaluate(frame, declaration.type))
    if declaration.storage == "extern":
        _resolve_extern(entry, type_)
    elif declaration.kind == "var":
        _resolve_variable(entry, frame, type_)
    else:
        _resolve_constant(entry, frame, type_, span)
    entry.state = "done"


def _resolve_extern(entry: Global, type_: Type | None) -> None:
    declaration = entry.declaration
    if declaration.value is not None:
        fail(f"extern '{declaration.name}' must not have a value", declaration.span)
    if type_ is None:
        fail(f"extern '{declaration.name}' needs a type", declaration.span)
    definition = _definition(entry)
    resolve(definition, declaration.span)
    entry.variable = global_variable(definition)
    check_same_symbol_type(declaration.name, type_, entry.variable.type, declaration)


def _definition(entry: Global) -> Global:
    """The exported global of any module that an extern one stands for."""
    name = entry.declaration.name
    for module in entry.module.program.modules:
        found = module.globals.get(name)
        if found is not None and found.declaration.storage == "export":
            return found
    fail(
        f"extern '{name}' is defined nowhere",
        entry.declaration.span,
        help=f"declare 'export var {name}: ...' in a module of the program",
    )


def check_same_symbol_type(
    name: str, declared: Type, defined: Type, declaration: tree.Node
) -> None:
    """Raises CslError if an extern declaration and its definition differ."""
    if declared != defined:
        fail(
            f"extern '{name}' has type '{declared}', but is defined as '{defined}'",
            declaration.span,
        )


def _resolve_constant(
    entry: Global, frame: Frame, type_: Type | None, span: Span
) -> None:
    declaration = entry.declaration
    given = entry.module.given.get(declaration.name)
    if given is not None and _stands_for_default(entry, given, type_):
        given = None
    if declaration.kind == "param" and given is not None:
        entry.constant = _bound(entry.module, given, type_, declaration)
    elif declaration.value is None:
        _missing_value(entry, span)
    else:
        value = evaluate(frame, declaration.value, type_)
        entry.constant = _typed(value, type_, f"the value of '{declaration.name}'")
    entry.constant = _named(entry.constant, declaration.name)
    if declaration.storage == "export":
        global_variable(entry).exported = True


def _stands_for_default(
    entry: Global, given: code.Constant, type_: Type | None
) -> bool:
    """Whether a param is bound to void although it has another type, and a default:
    published programs pass on colors that <memcpy/get_params> left unset."""
    if given.type != types.VOID or type_ in (None, types.VOID):
        return False
    return entry.declaration.value is not None


def _bound(
    module: Module,
    given: code.Constant,
    type_: Type | None,
    declaration: tree.GlobalDeclaration,
) -> code.Constant:
    if type_ is None:
        return given
    if given.type == types.COMPTIME_INT and isinstance(type_, types.Identifier):
        arch = module.program.options.arch
        check_id(type_.name, given.value, arch, given.span)
        return code.Constant(type_, given.span, given.value)
    return _typed(given, type_, f"param '{declaration.name}'")


def _typed(value: code.Expression, type_: Type | None, what: str) -> code.Constant:
    if type_ is not None:
        value = coerce(value, type_)
    return need_known(value, what)


def _missing_value(entry: Global, span: Span) -> NoReturn:
    declaration = entry.declaration
    assert declaration.kind == "param", "constants without a value were refused"
    use = entry.module.use
    notes: tuple[tuple[str, Span | None], ...] = (
        ("declared here, without a default", declaration.span),
    )
    help = f"bind it where the file is used: .{declaration.name} = ..."
    if use is None:
        help = f"give it a value: {_flag(declaration)}={declaration.name}:VALUE"
    elif span.source.library:
        span = use
    else:
        notes += (("the file is used here", use),)
    raise CslError(
        f"param '{declaration.name}' of '{entry.module.path}' is not set",
        span,
        notes,
        help,
    )


def _flag(declaration: tree.GlobalDeclaration) -> str:
    """The option of the compiler that sets a param of the top file."""
    color = isinstance(declaration.type, tree.Name) and declaration.type.name == "color"
    return "--colors" if color else "--params"


def _named(constant: code.Constant, name: str) -> code.Constant:
    """Struct and enum types show the name of the constant that holds them."""
    value = constant.value
    if constant.type == types.TYPE and isinstance(value, _DECIDED_TYPE_NAMES):
        if value.identity and value.display in ("", "enum"):
            shown = replace(value, display=name)
            return code.Constant(constant.type, constant.span, shown)
    return constant


def _resolve_variable(entry: Global, frame: Frame, type_: Type | None) -> None:
    declaration = entry.declaration
    value = None
    if declaration.value is not None:
        what = f"the initial value of '{declaration.name}'"
        initial = _typed(evaluate(frame, declaration.value, type_), type_, what)
        type_, value = initial.type, initial.value
    assert type_ is not None, "variables without type and value were refused"
    check_run_time_type(type_, declaration.name, declaration.span)
    entry.variable = _new_variable(entry, type_, value, True)
    if declaration.storage == "export":
        entry.variable.exported = True
        register(entry.module.program, entry.variable)


def check_run_time_type(type_: Type, name: str, span: Span) -> None:
    """Raises CslError for variables of types that exist at comptime only."""
    if type_.comptime_only or isinstance(type_, types.Function):
        number = type_ in (types.COMPTIME_INT, types.COMPTIME_FLOAT)
        help = "give the variable a type" if number else ""
        fail(
            f"variable of type '{type_}' must be comptime-known",
            span,
            note=f"'{name}' would exist at run time",
            help=help,
        )
    if type_ == types.VOID:
        fail(f"variable '{name}' cannot have type 'void'", span)


def check_float_format(program: Program, type_: Type, span: Span) -> None:
    """Only one 16-bit float format exists at run time."""
    element = type_.element if isinstance(type_, types.Array) else type_
    if isinstance(element, types.Float) and element.bits == 16:
        chosen = program.options.fp16_format
        if element.name != chosen:
            fail(
                f"variable of type '{element}' must be comptime-known",
                span,
                note=f"the 16-bit float format of this program is '{chosen}'",
                help=f"compile with --fp16-format={element.name}",
            )


def _new_variable(
    entry: Global, type_: Type, value: object, mutable: bool
) -> code.GlobalVariable:
    module, declaration = entry.module, entry.declaration
    check_float_format(module.program, type_, declaration.span)
    if declaration.storage == "export":
        _check_exportable(type_, declaration)
    full = module.prefix + declaration.name
    symbol = declaration.name if declaration.storage == "export" else full
    frame = module_frame(module)
    variable = code.GlobalVariable(
        module.program.unique(full),
        symbol,
        type_,
        copied(value),
        mutable,
        declaration.span,
    )
    for attribute in declaration.attributes:
        _apply_attribute(variable, attribute, frame)
    return variable


def _check_exportable(type_: Type, declaration: tree.GlobalDeclaration) -> None:
    """Exported storage has types that other tools can lay out."""
    inner = type_
    while isinstance(inner, (types.Array, types.Pointer)):
        inner = inner.element if isinstance(inner, types.Array) else inner.pointee
    plain = (types.Int, types.Float, types.Enum, types.Function)
    if isinstance(inner, plain) or inner in (types.BOOL, types.COLOR):
        return
    fail(
        f"'{declaration.name}' of type '{type_}' cannot be exported",
        declaration.span,
        note="exported are numbers, bool, color, enums, arrays and pointers of those",
    )


def _apply_attribute(
    variable: code.GlobalVariable, attribute: tree.FieldInit, frame: Frame
) -> None:
    operand = evaluate(frame, attribute.value)
    if attribute.name == "align":
        align = need_known(operand, "the alignment").value
        if not isinstance(align, int) or align < 1 or align & (align - 1):
            fail(f"alignment {align} is not a power of two", attribute.span)
        variable.align_bytes = align
    elif attribute.name == "linkname":
        variable.symbol = need_string(operand, "linkname")
    else:
        variable.section = need_string(operand, "linksection")


# --- function types ---------------------------------------------------------------


def is_generic(declaration: tree.FunctionDeclaration) -> bool:
    return any(
        p.comptime or isinstance(p.type, tree.AnyType) for p in declaration.params
    )


def function_type(reference: FunctionRef) -> types.Function:
    """The type of a function name; generic functions have anytype in its place."""
    if reference.type is None:
        declaration = reference.declaration
        anytype = types.Simple("anytype")
        if is_generic(declaration):
            params = (anytype,) * len(declaration.params)
            found = types.Function(params, anytype, declaration.task)
        else:
            frame = module_frame(reference.module)
            params = tuple(
                need_type(evaluate(frame, p.type)) for p in declaration.params
            )
            result = need_type(evaluate(frame, declaration.result))
            found = types.Function(params, result, declaration.task)
        reference.type = found
    return reference.type
