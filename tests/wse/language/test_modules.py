"""Imports: instances, params, names, symbols, and where files come from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader, SavedReader
from pyflame.wse.language.source import Source

CompileFiles = Callable[..., Any]

LAYOUT = """layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .n = 3 });
  @export_name("main", fn()void);
}
"""


def files(pe: str, **others: str) -> dict[str, str]:
    texts = {"layout.csl": LAYOUT, "pe.csl": pe}
    return texts | {f"{name}.csl": text for name, text in others.items()}


def test_each_import_has_its_own_globals(compile_files: CompileFiles) -> None:
    counter = """
    param start: i16 = 7;
    var count: i16 = start;
    fn step() void { count += 1; }
    """
    pe = """
    param n: i16;
    const a = @import_module("counter.csl", .{ .start = n });
    const b = @import_module("counter.csl");
    const alias = a;
    fn main() void { a.step(); b.step(); alias.step(); a.count += b.count; }
    comptime { @export_symbol(main); }
    """
    (program,) = compile_files(files(pe, counter=counter)).programs
    values = {g.symbol: g.value for g in program.globals}
    assert values == {"a.count": 3, "b.count": 7}
    assert [f.name for f in program.functions] == ["main", "a.step", "b.step"]


def test_nested_symbols_exports_and_linknames(compile_files: CompileFiles) -> None:
    inner = """
    var plain: i16 = 1;
    export var shown: i16 = 2;
    export var linked: i16 linkname(@strcat("a.", "b")) = 3;
    fn touch() void { plain += shown; }
    """
    pe = """
    param n: i16;
    const outer = @import_module("middle.csl");
    fn main() void { outer.inner.touch(); }
    comptime { @export_symbol(main); }
    """
    middle = 'const inner = @import_module("inner.csl");'
    program = compile_files(files(pe, middle=middle, inner=inner)).programs[0]
    symbols = {g.name: g.symbol for g in program.globals}
    assert symbols == {
        "outer.inner.plain": "outer.inner.plain",
        "outer.inner.shown": "shown",
        "outer.inner.linked": "a.b",
    }


def test_params_may_be_functions_types_pointers_and_modules(
    compile_files: CompileFiles,
) -> None:
    user = """
    param T: type;
    param done: fn() void;
    param data: *[4]T;
    param m;
    const d = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> data[i] });
    fn work() void { @fmovs(d, d); data.*[1] = m.one; done(); }
    """
    pe = """
    param n: i16;
    var a: [4]f32;
    const other = @import_module("other.csl");
    const w = @import_module("user.csl", .{
      .T = f32, .done = finish, .data = &a, .m = other,
    });
    fn finish() void {}
    fn main() void { w.work(); }
    comptime { @export_symbol(main); }
    """
    other = "const one: f32 = 1.0;"
    program = compile_files(files(pe, user=user, other=other)).programs[0]
    assert [f.name for f in program.functions] == ["main", "w.work", "finish"]


def test_comptime_blocks_of_imports_run(compile_files: CompileFiles) -> None:
    tasks = """
    param id: local_task_id;
    task t() void {}
    comptime { @bind_local_task(t, id); @activate(id); }
    """
    pe = """
    param n: i16;
    const t = @import_module(
      if (n == 3) "tasks.csl" else "<empty>", .{ .id = @get_local_task_id(11) });
    fn main() void {}
    comptime { @export_symbol(main); }
    """
    program = compile_files(files(pe, tasks=tasks)).programs[0]
    assert [(b.kind, b.id, b.function.name) for b in program.bindings] == [
        ("local", 11, "t.t")
    ]
    assert [(s.action, s.kind, s.id) for s in program.states] == [
        ("activate", "local_task_id", 11)
    ]


def test_functions_called_at_comptime_may_bind(compile_files: CompileFiles) -> None:
    pe = """
    param n: i16;
    task t() void {}
    fn setup(id: local_task_id) void { if (n == 3) { @bind_local_task(t, id); } }
    fn main() void {}
    comptime { setup(@get_local_task_id(9)); @export_symbol(main); }
    """
    program = compile_files(files(pe)).programs[0]
    assert [b.id for b in program.bindings] == [9]


def test_layout_blocks_of_imports_are_ignored(compile_files: CompileFiles) -> None:
    pe = "param n: i16;\nfn main() void {}\nlayout { @set_rectangle(9, 9); }\n"
    image = compile_files(files(pe + "comptime { @export_symbol(main); }"))
    assert (image.width, image.height) == (1, 1)


def test_files_import_relative_to_themselves(tmp_path: Path) -> None:
    for name, text in {
        "layout.csl": LAYOUT,
        "pe.csl": 'param n: i16;\nconst m = @import_module("deep/a.csl");\n'
        "export var x: i16 = m.b.value;\n",
        "deep/a.csl": 'const b = @import_module("../b.csl");\n',
        "b.csl": "const value = 5;\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    reader = FileReader()
    image = compile_program(tmp_path / "layout.csl", Options(), reader)
    assert image.programs[0].globals[0].value == 5
    again = compile_program(
        tmp_path / "layout.csl", Options(), SavedReader(image.sources)
    )
    assert again.programs[0].globals[0].value == 5


def test_import_paths(tmp_path: Path) -> None:
    (tmp_path / "mylib").mkdir()
    (tmp_path / "mylib" / "m.csl").write_text("const v = 8;\n")
    (tmp_path / "layout.csl").write_text(LAYOUT)
    pe = 'const m = @import_module("<mylib/m>");\nexport var x: i16 = m.v;'
    (tmp_path / "pe.csl").write_text(pe)
    reader = FileReader((str(tmp_path),))
    image = compile_program(tmp_path / "layout.csl", Options(), reader)
    assert image.programs[0].globals[0].value == 8
    saved = SavedReader(image.sources)
    again = compile_program(tmp_path / "layout.csl", Options(), saved)
    assert again.programs[0].globals[0].value == 8


@pytest.mark.parametrize("name", ["<../secret>", "<a/../../b>", "</etc/passwd>"])
def test_library_names_stay_in_the_library(name: str) -> None:
    with pytest.raises(CslError, match="is no library name"):
        FileReader().read(name)


def test_a_missing_file_is_reported_where_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "layout.csl").write_text(LAYOUT)
    with pytest.raises(CslError) as caught:
        compile_program(tmp_path / "layout.csl", Options(), FileReader())
    assert str(caught.value).startswith(
        f"{tmp_path}/layout.csl:3:3: error: cannot read '{tmp_path}/pe.csl': "
        "no such file or directory"
    )


def test_params_of_the_command_line(compile_files: CompileFiles) -> None:
    layout = """
    param w: i16; param c: color; param unused: u16;
    layout {
      @set_rectangle(w, 1);
      for (@range(i16, w)) |x| { @set_tile_code(x, 0, "<empty>"); }
      @set_color_config(0, 0, c, .{ .routes = .{ .rx = RAMP, .tx = RAMP } });
    }
    """
    texts = {"layout.csl": layout}
    image = compile_files(texts, params={"w": 3}, colors={"c": 4})
    assert image.width == 3
    assert image.resolved_params == {"w": 3, "c": 4}
    assert list(image.color_configs[0, 0]) == [4]
    with pytest.raises(CslError, match=r"has no param 'v'\n.*its params: w, c, unused"):
        compile_files(texts, params={"w": 3, "v": 1})


def test_sources_are_all_recorded(compile_files: CompileFiles) -> None:
    pe = 'param n: i16;\nconst t = @import_module("<time>");\n'
    image = compile_files(files(pe))
    assert {"layout.csl", "pe.csl", "<time>"} <= set(image.sources)
    assert isinstance(image.sources["<time>"], Source)


def test_superfluous_params_are_a_warning(compile_files: CompileFiles) -> None:
    image = compile_files(files("const n = 4;"))
    assert image.warnings == [
        "layout.csl:3:42: warning: 'pe.csl' has no param 'n'\n"
        '    3 |   @set_tile_code(0, 0, "pe.csl", .{ .n = 3 });\n'
        "      |                                          ^"
    ]


def test_extern_names_what_another_module_exports(compile_files: CompileFiles) -> None:
    owner = """
    export var counter: u16 = 5;
    export fn bump(n: u16) void { counter += n; }
    """
    pe = """
    param n: i16;
    const owner = @import_module("owner.csl");
    extern var counter: u16;
    extern fn bump(u16) void;
    fn main() void { bump(2); counter += 1; }
    comptime { @export_symbol(main); }
    """
    program = compile_files(files(pe, owner=owner)).programs[0]
    assert [(g.symbol, g.exported) for g in program.globals] == [("counter", True)]
    assert sorted(f.symbol for f in program.functions) == ["bump", "main"]


def test_exported_functions_are_kept(compile_files: CompileFiles) -> None:
    pe = "param n: i16;\nexport fn helper() i16 { return n; }\nfn unused() void {}\n"
    program = compile_files(files(pe)).programs[0]
    assert [f.name for f in program.functions] == ["helper"]


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("<maths>", "did you mean '<math>'?"),
        ("<memcpy/get_parms>", "did you mean '<memcpy/get_params>'?"),
        ("<quaternions>", "pass --import-path to search further folders"),
    ],
)
def test_a_missing_module_of_the_library(name: str, help: str) -> None:
    with pytest.raises(CslError) as caught:
        FileReader().read(name)
    assert caught.value.message == f"no module named '{name}'"
    assert caught.value.help == help


def test_a_number_is_no_color(compile_files: CompileFiles) -> None:
    layout = "param n: i16;\n" + LAYOUT
    with pytest.raises(CslError) as caught:
        compile_files({"layout.csl": layout, "pe.csl": ""}, colors={"n": 3})
    assert str(caught.value) == (
        "layout.csl:1:1: error: 'n' is no color, but --colors gives it a value\n"
        "    1 | param n: i16;\n"
        "      | ^^^^^^^^^^^^^\n"
        "help: use --params=n:3"
    )
