"""Program folders: what is written, and what is refused when read back."""

import json
from dataclasses import asdict

import pytest

from pyflame.wse.errors import CslError, HostError
from pyflame.wse.language import types
from pyflame.wse.language.image import ExportedName, Image, Options, PeProgram
from pyflame.wse.language.source import Source
from pyflame.wse.sdk import saved

OPTIONS = Options(
    arch="wse3",
    params={"M": 4},
    colors={"c": 3},
    fabric_dims=(9, 3),
    fabric_offsets=(4, 1),
    memcpy=True,
    channels=1,
    import_paths=("lib",),
)
GO = types.Function((types.I16,), types.VOID)


@pytest.fixture
def image():
    return Image(
        options=OPTIONS,
        width=2,
        height=2,
        programs=[PeProgram("a.csl"), PeProgram("b.csl")],
        tiles=[[1, 1], [1, 0]],
        color_configs={},
        exports=[
            ExportedName("y", types.Pointer(types.F32, many=True), True),
            ExportedName("z", types.Pointer(types.U16, many=True), False),
            ExportedName("go", GO, None),
        ],
        sources={
            "layout.csl": Source("layout.csl", "layout {}"),
            "<math>": Source("<math>", "const PI = 3;", library=True),
        },
        resolved_params={"M": 4, "N": 6},
    )


@pytest.fixture
def folder(image, tmp_path):
    saved.save(image, "layout.csl", tmp_path / "out")
    return tmp_path / "out"


def test_tables_for_scripts(folder):
    assert json.loads((folder / "out.json").read_text()) == {
        "params": {"M": 4, "N": 6},
        "colors": {"c": 3},
    }
    symbols = json.loads((folder / "bin" / "out_rpc.json").read_text())["rpc_symbols"]
    assert symbols == [
        {
            "id": 0,
            "kind": "Var",
            "name": "y",
            "sym_name": "y",
            "type": "[*]f32",
            "immutable": 0,
        },
        {
            "id": 1,
            "kind": "Var",
            "name": "z",
            "sym_name": "z",
            "type": "[*]u16",
            "immutable": 1,
        },
        {
            "id": 2,
            "kind": "Func",
            "name": "go",
            "sym_name": "go",
            "type": "void",
            "inputs": [{"name": "arg0", "type": "i16"}],
        },
    ]


def test_one_elf_per_program_named_by_its_first_pe(folder, image):
    names = sorted(p.name for p in (folder / "bin").glob("out_[0-9]*.elf"))
    assert names == ["out_0_0.elf", "out_1_1.elf"]
    note = json.loads((folder / "bin" / "out_0_0.elf").read_text())
    assert (note["source"], note["pe_count"]) == ("b.csl", 3)
    image.tiles = [[0, 0], [0, 0]]
    saved.save(image, "layout.csl", folder)
    assert [p.name for p in (folder / "bin").glob("*.elf")] == ["out_0_0.elf"]


def test_loading_gives_back_options_and_own_sources(folder):
    program = saved.load(folder)
    assert program.options == OPTIONS
    assert program.layout == "layout.csl"
    assert {k: s.text for k, s in program.sources.items()} == {
        "layout.csl": "layout {}"
    }


def test_reading_serves_saved_sources_and_the_shipped_library(folder, tmp_path):
    (tmp_path / "other.csl").write_text("const x = 1;")
    reader = saved.load(folder).reader()
    top = reader.read("layout.csl")
    assert top.text == "layout {}"
    assert reader.read("<math>", top).library
    with pytest.raises(CslError, match="the saved program holds no file"):
        reader.read(str(tmp_path / "other.csl"), top)


def test_saved_text_is_never_library_text(folder):
    path = folder / "bin" / "program.json"
    table = json.loads(path.read_text())
    table["sources"]["<math>"] = "const PI = 4;"
    path.write_text(json.dumps(table))
    assert not saved.load(folder).reader().read("<math>").library


def test_same_program_same_bytes(image, folder, tmp_path):
    saved.save(image, "layout.csl", tmp_path / "again")
    for path in folder.rglob("*.*"):
        again = tmp_path / "again" / path.relative_to(folder)
        assert again.read_bytes() == path.read_bytes()


def test_missing_program(tmp_path):
    with pytest.raises(HostError) as caught:
        saved.load(tmp_path / "none")
    assert str(caught.value) == (
        f"there is no compiled program in '{tmp_path / 'none'}'; compile one with "
        f"'cslc LAYOUT.csl -o {tmp_path / 'none'}'"
    )


def test_unwritable_folder(image, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError) as caught:
        saved.save(image, "layout.csl", tmp_path / "file")
    assert str(caught.value) == (
        f"cannot write the program to '{tmp_path / 'file'}': not a directory"
    )


def damage(**changes):
    return lambda table: table.update(changes)


def damage_option(name, value):
    return lambda table: table["options"].__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage(format="ELF"), "it is not marked as a pyflame-wse program"),
        (damage(sources=[]), "'sources' is no JSON object"),
        (damage(sources={"layout.csl": 1}), "'layout.csl' is no text"),
        (damage(top_file=3), "'top_file' is no text"),
        (damage(top_file="x.csl"), "its top file 'x.csl' is missing"),
        (damage(options=None), "'options' is no JSON object"),
        (damage_option("arch", "wse9"), "option 'arch' cannot be 'wse9'"),
        (damage_option("params", {"M": "4"}), "option 'params' cannot be {'M': '4'}"),
        (damage_option("params", []), "option 'params' cannot be []"),
        (damage_option("fabric_dims", [1]), "option 'fabric_dims' cannot be [1]"),
        (damage_option("channels", -1), "option 'channels' cannot be -1"),
        (damage_option("memcpy", 1), "option 'memcpy' cannot be 1"),
        (damage_option("import_paths", [1]), "option 'import_paths' cannot be [1]"),
        (damage_option("evil", 1), "unknown option 'evil'"),
        (lambda table: table["options"].pop("arch"), "option 'arch' is missing"),
    ],
)
def test_damaged_programs(folder, change, message):
    path = folder / "bin" / "program.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
    with pytest.raises(HostError) as caught:
        saved.load(folder)
    assert str(caught.value) == f"the program in '{folder}' is damaged: {message}"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff"])
def test_no_json(folder, text):
    path = folder / "bin" / "program.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(HostError) as caught:
        saved.load(folder)
    assert str(caught.value) == (
        f"the program in '{folder}' is damaged: program.json is no JSON text"
    )


def test_other_version(folder):
    path = folder / "bin" / "program.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    with pytest.raises(HostError) as caught:
        saved.load(folder)
    assert str(caught.value) == (
        f"the program in '{folder}' has format version 2, this simulator reads "
        "version 1; compile it again"
    )


def test_every_option_is_checked():
    assert set(asdict(Options())) == set(saved.OPTION_CHECKS)
