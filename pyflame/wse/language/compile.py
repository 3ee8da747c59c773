"""From a top-level file to an image: the layout, then one program per kind of PE."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, rules, tree, types
from pyflame.wse.language.blocks import execute_all
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.image import (
    NO_PROGRAM,
    ColorConfig,
    Image,
    Options,
    PeProgram,
)
from pyflame.wse.language.layout import LayoutRecord
from pyflame.wse.language.modules import load_module, module_frame, resolve
from pyflame.wse.language.parser import parse
from pyflame.wse.language.pe_programs import compile_pe_program, run_comptime_blocks
from pyflame.wse.language.predeclared import PREDECLARED
from pyflame.wse.language.reader import Reader
from pyflame.wse.language.source import Source, Span
from pyflame.wse.language.state import Module, Program

RULES = rules.MODULES  # importing them has registered every rule
_PARSED: WeakKeyDictionary[Source, tree.File] = WeakKeyDictionary()
# frames of Python per nested call of CSL are about ten
_PYTHON_FRAMES = 20_000


def parsed(source: Source) -> tree.File:
    """The tree of a source, parsed once."""
    if source not in _PARSED:
        _PARSED[source] = parse(source)
    return _PARSED[source]


def compile_program(top_file: Path | str, options: Options, reader: Reader) -> Image:
    """Compiles a program.

    Args:
        top_file: the file with the layout block.
        reader: where its text and that of its imports come from.

    Raises:
        CslError: the program breaks a rule of the language.
    """
    with deep_recursion():
        try:
            return _compile(os.fspath(top_file), options, reader)
        except RecursionError:
            raise CslError("the program is nested too deeply to be compiled") from None


@contextmanager
def deep_recursion() -> Generator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _PYTHON_FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _compile(top_file: str, options: Options, reader: Reader) -> Image:
    source = reader.read(top_file)
    file = parsed(source)
    block = _layout_block(file)
    record = LayoutRecord()
    program = Program(options, reader, PeProgram(source.path), parsed, layout=record)
    given = _command_line_params(file, options)
    module = load_module(program, top_file, None, "", given)
    frame = module_frame(module)
    frame.mode = "L"
    execute_all(frame, block.statements)
    record.check_complete(block.span)
    _check_layout_modules(program, module, record)
    return build_image(
        record, options, reader, _resolved_params(module), program.warnings
    )


def _layout_block(file: tree.File) -> tree.Block:
    blocks = list(file.layout_blocks)
    if not blocks:
        raise CslError(
            f"'{file.source.path}' has no layout block",
            help="name the file that holds 'layout { ... }'",
        )
    if len(blocks) > 1:
        fail(
            "a file has at most one layout block",
            blocks[1].span,
            note="the first one",
            note_span=blocks[0].span,
        )
    return blocks[0]


def _command_line_params(file: tree.File, options: Options) -> dict[str, code.Constant]:
    """`--params` and `--colors` as values of the top file's params."""
    declared = {g.name: g for g in file.globals if g.kind == "param"}
    given: dict[str, code.Constant] = {}
    for values, type_ in (
        (options.params, types.COMPTIME_INT),
        (options.colors, types.COLOR),
    ):
        for name, value in values.items():
            if name not in declared:
                _refuse_param(file, name, list(declared))
            span = declared[name].span
            if type_ == types.COLOR and not _may_be_color(declared[name]):
                fail(
                    f"'{name}' is no color, but --colors gives it a value",
                    span,
                    help=f"use --params={name}:{value}",
                )
            given[name] = code.Constant(type_, span, value)
    return given


def _may_be_color(declaration: tree.GlobalDeclaration) -> bool:
    type_ = declaration.type
    return (
        not isinstance(type_, tree.Name)
        or type_.name not in PREDECLARED
        or (type_.name == "color")
    )


def _refuse_param(file: tree.File, name: str, declared: list[str]) -> None:
    raise CslError(
        f"'{file.source.path}' has no param '{name}'",
        help=f"its params: {', '.join(declared)}" if declared else "it has no params",
    )


def _check_layout_modules(program: Program, top: Module, record: LayoutRecord) -> None:
    """What the layout did not need is checked too, unless it is PE code itself."""
    if any(tile.file is None for tile in record.tiles.values()):
        return
    for entry in top.globals.values():
        given = entry.declaration.name in top.given
        if given or entry.declaration.value is not None:
            resolve(entry, entry.declaration.span)
    for module in list(program.modules):
        if not _registers(module.file):
            run_comptime_blocks(module, "K")


def _registers(file: tree.File) -> bool:
    """Modules with functions to run on a PE have their comptime blocks run there."""
    return any(f.task or f.storage for f in file.functions) or any(
        g.kind == "var" for g in file.globals
    )


# --- the image --------------------------------------------------------------------


def build_image(
    record: LayoutRecord,
    options: Options,
    reader: Reader,
    resolved_params: dict[str, int],
    warnings: list[str],
) -> Image:
    """Compiles each distinct program of a layout; PEs without code stay empty."""
    assert record.size is not None, "the layout is complete"
    width, height = record.size
    programs: list[PeProgram] = []
    numbers: dict[Any, int] = {}
    tiles = [[NO_PROGRAM] * width for _ in range(height)]
    for y in range(height):
        for x in range(width):
            tile = record.tiles.get((x, y))
            if tile is None:
                continue
            if tile.key not in numbers:
                numbers[tile.key] = len(programs)
                programs.append(
                    compile_pe_program(
                        tile,
                        options,
                        reader,
                        parsed,
                        record.size,
                        record.exports,
                        warnings,
                    )
                )
            tiles[y][x] = numbers[tile.key]
            _add_local_colors(record, x, y, programs[tiles[y][x]], tile.span)
    return Image(
        options=options,
        width=width,
        height=height,
        programs=programs,
        tiles=tiles,
        color_configs=_color_configs(record),
        exports=record.exports,
        host_streams=record.host_streams,
        sources=dict(reader.sources),
        resolved_params=resolved_params,
        warnings=warnings,
    )


def _add_local_colors(
    record: LayoutRecord, x: int, y: int, unit: PeProgram, span: Span
) -> None:
    for color, config in unit.local_colors.items():
        record.add_color(x, y, color, config, span)


def _color_configs(
    record: LayoutRecord,
) -> dict[tuple[int, int], dict[int, ColorConfig]]:
    return {place: dict(colors) for place, colors in record.colors.items()}


def _resolved_params(module: Module) -> dict[str, int]:
    resolved: dict[str, int] = {}
    for name, entry in module.globals.items():
        constant = entry.constant
        if entry.declaration.kind == "param" and constant is not None:
            if isinstance(constant.value, int):
                resolved[name] = int(constant.value)
    return resolved
