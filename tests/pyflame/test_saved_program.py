"""Compiled programs saved and loaded: the same runs, and nothing believed."""

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyflame as pf
from pyflame.errors import SavedFileError

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
TABLE = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)


class State(NamedTuple):
    mean: Any
    count: Any


def _step(state: Any, batch: Any) -> Any:
    total = batch["x"].sum(0) + (batch["scale"] * TABLE).sum(0)
    return State(state.mean + total, state.count + 1), [total]


def _compiled(folder: Path) -> pf.CodeGenResult:
    options = pf.CodeGenOptions(output_dir=str(folder / "out"), target="wse2")
    state = State(np.zeros(4, np.float32), np.int32(0))
    batch = OrderedDict(x=X, scale=np.float32(2))
    result = pf.compile_to_csl(
        _step,
        state,
        batch,
        options=options,
        in_layouts=pf.MeshLayout.grid(1, 2),
        carry={"state": "out.0"},
    )
    assert result.success, result.error_message
    return result


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    _compiled(folder).save(folder / "program")
    return folder / "program"


def test_a_loaded_program_runs_as_the_compiled_one(saved: Path, tmp_path: Path) -> None:
    compiled = _compiled(tmp_path)
    loaded = pf.CodeGenResult.load(saved)
    assert loaded.success
    assert loaded.sources == compiled.sources
    assert str(loaded.cost) == str(compiled.cost)
    assert [Path(path).name for path in loaded.generated_files] == list(loaded.sources)
    state = State(np.zeros(4, np.float32), 0)
    named = {"mean": np.zeros(4, np.float32), "count": 0}
    first, second = compiled.session(), loaded.session()
    for number in range(2):
        x = X + number
        mine = first.run(... if number else state, OrderedDict(x=x, scale=2.0))
        theirs = second.run(... if number else named, {"x": x, "scale": 2.0})
        np.testing.assert_array_equal(mine.outputs[0].mean, theirs.outputs[0]["mean"])
        assert theirs.outputs[0]["count"] == number + 1
        np.testing.assert_array_equal(mine.outputs[1][0], theirs.outputs[1][0])
        assert isinstance(theirs.outputs[1], list)
        assert mine.cycles == theirs.cycles


def test_a_saved_program_is_saved_again(saved: Path, tmp_path: Path) -> None:
    pf.CodeGenResult.load(saved).save(tmp_path)
    for name in ("result.json", "program.json", "pe.csl"):
        assert (tmp_path / name).read_bytes() == (saved / name).read_bytes()


def _copy(saved: Path, folder: Path) -> Path:
    for path in saved.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def _refusal(folder: Path) -> str:
    with pytest.raises(SavedFileError) as caught:
        pf.CodeGenResult.load(folder)
    first, rule = str(caught.value).split("\n")
    assert (
        rule == "  rule  CodeGenResult.load reads what save wrote, whole and unchanged"
    )
    return first.removeprefix(f"load: {folder} is no complete PyFlame program: ")


def test_what_is_no_saved_program(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "nowhere") == "it is no folder"
    assert _refusal(tmp_path) == "result.json is missing"
    (tmp_path / "result.json").write_text("{}")
    assert _refusal(tmp_path) == "result.json is not of the format 'pyflame-program'"
    (tmp_path / "result.json").write_bytes(b"\xff")
    assert _refusal(tmp_path) == "result.json is no text"
    (tmp_path / "result.json").write_text("[" * 100_000)
    assert _refusal(tmp_path)


def test_files_outside_of_the_folder(saved: Path, tmp_path: Path) -> None:
    folder = _copy(saved, tmp_path)
    described = json.loads((folder / "result.json").read_text())
    for name in ("../secret", "/etc/passwd", "a/b", "..", 7):
        described["files"] = ["program.json", name]
        (folder / "result.json").write_text(json.dumps(described))
        assert _refusal(folder) == f"{str(name)!r} is no name of a file in it"
    (folder / "pe.csl").unlink()
    (folder / "pe.csl").symlink_to("/etc/passwd")
    described["files"] = ["program.json", "pe.csl"]
    (folder / "result.json").write_text(json.dumps(described))
    assert _refusal(folder) == "pe.csl is missing"


@pytest.mark.parametrize(
    ("file", "path", "value", "message"),
    [
        ("result.json", ["version"], 2, "it has version 2 of the format, not 1"),
        ("result.json", ["arch"], "wse9", "result.json is not of the format"),
        ("result.json", ["arguments"], 0, "its trees do not hold the 4 values once"),
        ("result.json", ["cost"], 7, "its cost is none"),
        (
            "result.json",
            ["cost", "steps", 0, "cycles"],
            "x",
            "a step of its cost is none",
        ),
        (
            "result.json",
            ["cost", "steps", 0, "place"],
            7,
            "the place of a step is none",
        ),
        ("result.json", ["files"], ["pe.csl"], "result.json lists no program.json"),
        ("program.json", ["version"], 9, "it has version 9, not 1"),
        ("program.json", ["mesh", "rows"], 10**9, "it has no mesh, entry, inputs"),
        ("program.json", ["inputs", 0, "shape"], [10**30], "describes no value"),
        ("program.json", ["inputs", 0, "dtype"], "object", "describes no value"),
        ("program.json", ["inputs", 0, "axes"], ["planes"], "describes no value"),
        ("program.json", ["inputs", 0, "extent"], [1, 9], "lies on 1x9 PEs of 1x2"),
        ("program.json", ["inputs", 0, "tile_shape"], [5], "has tiles of [5]"),
        ("program.json", ["constants", 0, "data"], "AAA", "the data of 'constant_1'"),
    ],
)
def test_damaged_programs(
    saved: Path, tmp_path: Path, file: str, path: list[Any], value: Any, message: str
) -> None:
    folder = _copy(saved, tmp_path)
    described = json.loads((folder / file).read_text())
    *above, last = path
    part = described
    for key in above:
        part = part[key]
    part[last] = value
    (folder / file).write_text(json.dumps(described))
    assert message in _refusal(folder)


def test_a_description_that_is_no_json(saved: Path, tmp_path: Path) -> None:
    folder = _copy(saved, tmp_path)
    (folder / "program.json").write_text("{")
    assert _refusal(folder).startswith("it is no JSON: ")


def test_arguments_that_are_not_several(saved: Path, tmp_path: Path) -> None:
    folder = _copy(saved, tmp_path)
    described = json.loads((folder / "result.json").read_text())
    described["arguments"] = described["arguments"]["tuple"]
    (folder / "result.json").write_text(json.dumps(described))
    assert _refusal(folder) == "its arguments are no tuple"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_change_loads_or_is_refused(
    saved: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = _copy(saved, tmp_path_factory.mktemp("changed"))
    name = data.draw(st.sampled_from(["result.json", "program.json"]))
    text = bytearray((folder / name).read_bytes())
    at = data.draw(st.integers(0, len(text) - 1))
    if data.draw(st.booleans()):
        text[at] = data.draw(st.integers(0, 255))
    else:
        del text[at : at + data.draw(st.integers(1, 200))]
    (folder / name).write_bytes(text)
    try:
        assert pf.CodeGenResult.load(folder).success
    except SavedFileError:
        pass
