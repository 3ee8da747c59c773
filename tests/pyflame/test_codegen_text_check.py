"""The check of the generated text takes a mesh of few PEs, whatever the real one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from lowering.errors import LoweringError
from lowering.lower import Lowered, Options, lower
from lowering.mesh import Mesh
from lowering.plan import Pattern
from pyflame.codegen import check, simulate
from pyflame.codegen.executable import Executable
from pyflame.wse.language.image import Image


def _scaled(x: Any, w: Any) -> Any:
    return x * w / jnp.sum(x, axis=1, keepdims=True)


def _lowered(mesh: Mesh, pattern: Pattern | None = None) -> Lowered:
    specs = [jax.ShapeDtypeStruct((2 * mesh.rows, 3 * mesh.cols), "float32")] * 2
    closed = jax.make_jaxpr(_scaled)(*specs)
    options = Options(pattern=pattern)
    return lower(
        closed, in_names=["x", "w"], out_names=["y"], mesh=mesh, options=options
    )


def _routes(image: Image) -> set[str]:
    return {
        str(sorted((c, str(config)) for c, config in configs.items()))
        for configs in image.color_configs.values()
    }


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 11, 750, 994])
def test_the_check_mesh_has_the_places_of_the_real_one(size: int) -> None:
    mesh = check.check_mesh(Mesh(size, 1), {})
    assert mesh.cols == 1
    assert mesh.rows == size if size < 6 else mesh.rows in (4, 5)
    assert mesh.rows % 2 == size % 2


@pytest.mark.parametrize("mesh", [Mesh(8, 11), Mesh(1, 7), Mesh(6, 1)], ids=str)
def test_every_set_of_routes_is_in_the_small_program(mesh: Mesh) -> None:
    lowered = _lowered(mesh)
    _check_routes(lowered)


@pytest.mark.parametrize("size", [6, 7, 64, 65, 67])
def test_every_set_of_routes_of_groups_is_in_the_small_program(size: int) -> None:
    lowered = _lowered(Mesh(2, size), "two_phase")
    (group,) = check.groups_of(lowered).values()
    assert group in (2, 4, 8)
    assert check.check_mesh(lowered.plan.mesh, {"cols": group}).cols <= 20
    _check_routes(lowered)


def _check_routes(lowered: Lowered) -> None:
    small = check.check_mesh(lowered.plan.mesh, check.groups_of(lowered))
    files = check.text_on(small, lowered)
    image = simulate.compile_files(files, small, lowered.plan.target)
    assert (image.height, image.width) == small.extent
    assert _routes(image) == _routes(Executable.of(lowered).image)


def test_the_text_checked_is_the_text_written_but_for_two_numbers() -> None:
    lowered = _lowered(Mesh(6, 9))
    checked = check.text_on(check.check_mesh(lowered.plan.mesh, {}), lowered)
    assert checked["pe.csl"] == lowered.files["pe.csl"]
    changed = [
        (old, new)
        for name, text in lowered.files.items()
        for old, new in zip(text.split("\n"), checked[name].split("\n"), strict=True)
        if old != new
    ]
    assert changed == [
        ("const width: u16 = 9;", "const width: u16 = 5;"),
        ("const height: u16 = 6;", "const height: u16 = 4;"),
    ]


def test_text_without_comments_is_checked_too(tmp_path: Any) -> None:
    options = pf.CodeGenOptions(
        output_dir=str(tmp_path),
        generate_debug_info=True,
        emit_comments=False,
        fabric_height=7,
        fabric_width=6,
    )
    x = np.zeros((14, 18), np.float32)
    result = pf.compile_to_csl(_scaled, x, x, options=options)
    assert result.success, result.error_message


def test_a_fault_on_the_last_pe_of_a_large_mesh_is_found() -> None:
    lowered = _lowered(Mesh(20, 20))
    layout = lowered.files["layout.csl"]
    broken = layout.replace("  } else {\n    @set_color", "  } else {\n    @set_colour")
    assert broken != layout
    files = {**lowered.files, "layout.csl": broken}
    with pytest.raises(LoweringError, match="the generated text does not compile"):
        check.check_text(replace(lowered, files=files))


def test_a_value_that_the_host_would_not_find_is_found() -> None:
    lowered = _lowered(Mesh(2, 2))
    code = lowered.files["pe.csl"]
    name = next(iter(lowered.plan.outputs))
    broken = code.replace(f', "{name}");', f', "{name}_lost");')
    layout = lowered.files["layout.csl"].replace(f'"{name}"', f'"{name}_lost"')
    assert broken != code
    files = {**lowered.files, "pe.csl": broken, "layout.csl": layout}
    with pytest.raises(LoweringError, match=f"text does not export {name}"):
        check.check_text(replace(lowered, files=files))


def test_as_many_pes_are_compiled_for_a_wafer_as_for_a_small_mesh(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Mesh] = []
    original = simulate.compile_files

    def counted(files: Any, mesh: Mesh, target: Any) -> Image:
        compiled.append(mesh)
        return original(files, mesh, target)

    monkeypatch.setattr(simulate, "compile_files", counted)
    for rows, cols in ((4, 4), (400, 400)):
        options = pf.CodeGenOptions(
            output_dir=str(tmp_path),
            generate_debug_info=True,
            fabric_height=rows,
            fabric_width=cols,
        )
        spec = np.zeros((rows, cols), np.float32)
        result = pf.compile_to_csl(_scaled, spec, spec, options=options)
        assert result.success, result.error_message
    assert compiled == [Mesh(4, 4), Mesh(4, 20)]  # five groups of four, in a row
