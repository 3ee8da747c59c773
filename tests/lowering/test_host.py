"""program.json, tiling and the files of the vendor's SDK."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowering.host import from_words, host_files, to_words
from lowering.host.tiling import load_program
from lowering.lower import Lowered, lower
from lowering.mesh import Layout, Mesh
from lowering.placement import place


@pytest.fixture(scope="module")
def lowered() -> Lowered:
    specs = [jax.ShapeDtypeStruct(shape, "float32") for shape in ((7, 5), (5,))]
    closed = jax.make_jaxpr(lambda x, b: (x + b, x > b))(*specs)
    grid = Layout("grid", 2, 3)
    return lower(
        closed,
        in_names=["x", "layer.b"],
        out_names=["y", "mask"],
        in_layouts=[grid, grid],
        out_layouts=[grid, grid],
    )


def _value(layout: Layout, shape: tuple[int, ...], dtype: str, mesh: Mesh) -> Any:
    p = place(layout, shape, np.dtype(dtype), mesh)
    return p, {
        "name": "x",
        "shape": list(p.shape),
        "dtype": dtype,
        "axes": list(p.axes),
        "extent": list(p.extent),
        "tile_shape": list(p.tile_shape),
    }


@pytest.mark.parametrize(
    "dtype", ["float32", "int32", "float16", "int8", "uint16", "bool"]
)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (7, 16), (2, 3, 5)])
@pytest.mark.parametrize(
    "layout",
    [
        Layout("single_pe"),
        Layout("row_partition", 3),
        Layout("col_partition", 1, 5),
        Layout("grid", 2, 4),
    ],
    ids=str,
)
def test_arrays_come_back_from_words_and_lie_as_placed(
    layout: Layout, shape: tuple[int, ...], dtype: str
) -> None:
    mesh = Mesh(3, 5)
    sizes = {"rows": 3, "cols": 5}
    placement, value = _value(layout, shape, dtype, mesh)
    numbers = np.random.default_rng(0).standard_normal(shape) * 9
    array = np.asarray(np.abs(numbers) if dtype == "uint16" else numbers).astype(dtype)
    words = to_words(array, value, sizes)
    assert words.dtype == np.uint32
    tiles = placement.tile(array, mesh).ravel()
    if np.dtype(dtype).itemsize < 4:
        stored = tiles if dtype == "float16" else tiles.astype(np.int16)
        np.testing.assert_array_equal(words, stored.view(np.uint16))
    else:
        np.testing.assert_array_equal(words.view(dtype), tiles)
    back = from_words(words, value, sizes)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, array)


def test_bfloat16_is_float32_on_the_host() -> None:
    mesh, sizes = Mesh(1, 1), {"rows": 1, "cols": 1}
    numbers = [1.0, 1.00390625, 1.01171875, -0.0, 1e-40, 3.4e38, np.inf, np.nan]
    array = np.float32(numbers)
    _, value = _value(Layout("single_pe"), array.shape, "bfloat16", mesh)
    expected = array.astype(jnp.bfloat16)
    words = to_words(array, value, sizes)
    np.testing.assert_array_equal(words[:-1], expected.view(np.uint16)[:-1])
    back = from_words(words, value, sizes)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, expected.astype(np.float32))


def test_an_array_of_another_shape_is_refused() -> None:
    _, value = _value(Layout("single_pe"), (4,), "float32", Mesh(1, 1))
    with pytest.raises(ValueError, match=r"^x has shape \(5,\), not \(4,\)$"):
        to_words(np.zeros(5), value, {"rows": 1, "cols": 1})


def test_program_json(lowered: Lowered) -> None:
    program = json.loads(lowered.files["program.json"])
    assert program["version"] == 1
    assert program["entry"] == "main"
    assert program["mesh"] == {"rows": 2, "cols": 3}
    assert [v["symbol"] for v in program["inputs"]] == ["x", "layer_b"]
    assert program["inputs"][1] == {
        "name": "layer.b",
        "symbol": "layer_b",
        "shape": [5],
        "dtype": "float32",
        "axes": ["cols"],
        "extent": [2, 3],
        "tile_shape": [2],
    }
    assert [v["dtype"] for v in program["outputs"]] == ["float32", "bool"]


def test_a_program_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    path.write_text('{"version": 2}')
    with pytest.raises(ValueError, match="has version 2, not 1"):
        load_program(path)


def test_scripts_name_the_fabric_around_the_mesh(lowered: Lowered) -> None:
    text = lowered.files["commands_wse2.sh"]
    assert "--arch=wse2 --fabric-dims=10,4 --fabric-offsets=4,1" in text
    assert "--memcpy --channels=1 -o out" in text
    assert "--arch=wse3" in lowered.files["commands_wse3.sh"]


def test_a_wafer_without_room_gets_no_script() -> None:
    files = host_files(Mesh(1000, 2), "Title.")
    assert "commands_wse3.sh" in files
    assert "commands_wse2.sh" not in files


def test_run_py_needs_numpy_and_the_host_interface_only(lowered: Lowered) -> None:
    for name in ("run.py", "tiling.py"):
        imported: set[str] = set()
        for node in ast.walk(ast.parse(lowered.files[name])):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
        allowed = {"argparse", "base64", "pathlib", "json", "typing", "__future__"}
        assert imported <= allowed | {"numpy", "tiling", "cerebras"}
