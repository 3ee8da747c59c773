"""The program of one kind of PE: bindings at comptime, then reachable code."""

from __future__ import annotations

from collections.abc import Callable

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, image, tree
from pyflame.wse.language.blocks import execute_all
from pyflame.wse.language.calls import elaborate_body
from pyflame.wse.language.layout import TileCode
from pyflame.wse.language.modules import load_module, module_frame, read_source
from pyflame.wse.language.origins import name_call, name_import
from pyflame.wse.language.reader import Reader
from pyflame.wse.language.run_time import plain_instance, stored_value
from pyflame.wse.language.source import Source
from pyflame.wse.language.state import Frame, Module, Pending, Program

Parse = Callable[[Source], tree.File]


def compile_pe_program(
    tile: TileCode,
    options: image.Options,
    reader: Reader,
    parse: Parse,
    rectangle: tuple[int, int],
    exports: list[image.ExportedName],
    warnings: list[str],
) -> image.PeProgram:
    """The code and settings that all PEs with this file and these params share."""
    source = tile.importer
    if tile.file is not None:
        source = read_source(reader, tile.file, tile.importer, tile.span)
    unit = image.PeProgram(source.path)
    program = Program(
        options,
        reader,
        unit,
        parse,
        rectangle=rectangle,
        exported={e.name: e for e in exports},
        warnings=warnings,
    )
    name = tile.file or source.path
    load_module(program, name, _importer(tile), "", tile.given, tile.span)
    for module in program.modules:
        run_comptime_blocks(module, "T")
        _keep_exported_functions(program, module)
    _finish(program)
    _elaborate_reachable(program)
    _finish(program)  # what only code at run time names
    return unit


def _finish(program: Program) -> None:
    """Does what had to wait until all bindings were known."""
    for finish in program.finishers:
        finish()
    program.finishers.clear()


def _keep_exported_functions(program: Program, module: Module) -> None:
    for reference in module.functions.values():
        if reference.declaration.storage == "export":
            plain_instance(program, reference, reference.declaration.span)


def _importer(tile: TileCode) -> Source | None:
    return None if tile.file is None else tile.importer


def run_comptime_blocks(module: Module, mode: str) -> None:
    """Evaluates the top-level comptime blocks of a module in source order."""
    assert mode in ("T", "K")
    for block in module.file.comptime_blocks:
        frame = module_frame(module)
        frame.mode = mode
        try:
            execute_all(frame, block.statements)
        except CslError as error:
            name_import(error, module.use)
            raise


def _elaborate_reachable(program: Program) -> None:
    """Bodies may reach further functions and globals, until there are no more."""
    converted = 0
    while program.pending or converted < len(program.unit.globals):
        while converted < len(program.unit.globals):
            _convert_value(program, program.unit.globals[converted])
            converted += 1
        if program.pending:
            _elaborate(program, program.pending.pop(0))


def _elaborate(program: Program, item: Pending) -> None:
    program.instance_call = item.call
    module, body = item.reference.module, item.function.body
    frame = Frame(program, module, item.scope, "R", body)
    try:
        elaborate_body(frame, item.reference, item.function)
    except CslError as error:
        name_call(error, item.reference.declaration.span, item.call)
        raise


def _convert_value(program: Program, variable: code.GlobalVariable) -> None:
    if variable.value is not None:
        variable.value = stored_value(program, variable.value, variable.span)
