"""Compiles programs that are written in the tests."""

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.language import types
from pyflame.wse.language.code import Function, GlobalVariable
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Image, Options, PeProgram
from pyflame.wse.language.reader import LIBRARY_FOLDER, SavedReader
from pyflame.wse.language.source import Source

LAYOUT = """layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl");
  @export_name("main", fn()void);
}
"""


USE = """fn main() void { const kept = result; }
comptime { @export_symbol(main); }
"""


def library_sources() -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for path in LIBRARY_FOLDER.rglob("*.csl"):
        name = f"<{path.relative_to(LIBRARY_FOLDER).with_suffix('').as_posix()}>"
        sources[name] = Source(name, path.read_text(encoding="utf-8"), library=True)
    return sources


Compile = Callable[..., Image]
CompilePe = Callable[..., PeProgram]


@pytest.fixture
def compile_files() -> Compile:
    """`compile_files({"layout.csl": text, ...}, arch="wse2", **options)`"""

    def run(texts: dict[str, str], **options: Any) -> Image:
        sources = library_sources() | {n: Source(n, t) for n, t in texts.items()}
        return compile_program("layout.csl", Options(**options), SavedReader(sources))

    return run


@pytest.fixture
def compile_pe(compile_files: Compile) -> CompilePe:
    """`compile_pe(text)`: the program of a single PE; its layout exports `main`."""

    def run(text: str, layout: str = LAYOUT, **options: Any) -> PeProgram:
        image = compile_files({"layout.csl": layout, "pe.csl": text}, **options)
        return image.programs[0]

    return run


@pytest.fixture
def value_of(compile_pe: CompilePe) -> Callable[..., Any]:
    """`value_of("1 + 2", "i16", declarations)`: a comptime value, through a global."""

    def run(expression: str, type_: str = "", before: str = "", **options: Any) -> Any:
        typed = f": {type_}" if type_ else ""
        text = f"{before}\nvar result{typed} = {expression};\n{USE}"
        program = compile_pe(text, **options)
        return global_named(program, "result").value

    return run


def global_named(program: PeProgram, name: str) -> GlobalVariable:
    return next(g for g in program.globals if g.name == name)


def function_named(program: PeProgram, name: str) -> Function:
    return next(f for f in program.functions if f.name == name)


__all__ = ["function_named", "global_named", "types"]
