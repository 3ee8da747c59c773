"""The stages together: meshes chosen, limits reported, stages checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowering.errors import DoesNotFitError, LayoutError
from lowering.fitting import attempt
from lowering.lower import Lowered, Options, lower
from lowering.mesh import Layout, Mesh


def _lower(
    function: Callable[..., Any], *shapes: tuple[int, ...], **keywords: Any
) -> Lowered:
    specs = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
    closed = jax.make_jaxpr(function)(*specs)
    names = ["x", "w", "b"][: len(shapes)]
    outs = [f"y{n}" for n in range(len(closed.out_avals))]
    return lower(closed, in_names=names, out_names=outs, **keywords)


def _layer(x: Any, w: Any, b: Any) -> Any:
    return jax.nn.relu(x @ w + b)


def _scaled(x: Any) -> Any:
    return jnp.exp(x) / 3.0 + x


def test_layouts_make_the_mesh() -> None:
    layouts = [Layout("row_partition", 3), Layout("col_partition", 1, 2), None]
    lowered = _lower(_layer, (6, 4), (4, 8), (8,), in_layouts=layouts)
    assert lowered.mesh == Mesh(3, 2)


def test_a_small_program_stays_on_one_pe() -> None:
    assert _lower(lambda x: x + 1.0, (4,)).mesh == Mesh(1, 1)


def test_a_large_program_spreads_out() -> None:
    assert _lower(jnp.exp, (64, 64)).mesh == Mesh(4, 4)


def test_a_program_too_large_for_small_meshes_takes_a_larger_one() -> None:
    lowered = _lower(lambda x: x + 1.0, (512, 512))
    assert lowered.mesh == Mesh(8, 8)


def test_a_layout_beyond_the_mesh_is_refused() -> None:
    grid = Layout("grid", 9, 2000)
    with pytest.raises(DoesNotFitError):
        _lower(lambda x: x, (4, 4), in_layouts=[grid])
    with pytest.raises(LayoutError):
        Layout("row_partition", 2, 2)


def test_what_does_not_fit_says_by_how_much_and_what_would() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        _lower(_scaled, (200, 256), in_layouts=[Layout("grid", 2, 2)])
    lines = str(caught.value).splitlines()
    assert lines == [
        "107,392 bytes per PE do not fit the 49,152 of a WSE-3 PE (grid 2x2)",
        "  largest   x f32[200,256] tile 100x128: 51,200 bytes (its layout was given)",
        "  also      y0 51,200, code 4,992 (estimate)",
        "  help      grid(2, 5) is the smallest mesh that fits",
    ]


def _help_of(function: Callable[..., Any], *shapes: tuple[int, ...]) -> str:
    layouts = [Layout("grid", 2, 2)] * len(shapes)
    with pytest.raises(DoesNotFitError) as caught:
        _lower(function, *shapes, in_layouts=layouts)
    return caught.value.help


def test_the_mesh_that_fits_may_be_far_larger_or_long() -> None:
    fits = "is the smallest mesh that fits"
    assert _help_of(_scaled, (3, 100_000)) == f"grid(1, 55) {fits}"
    assert _help_of(_scaled, (2000, 2000)) == f"grid(25, 29) {fits}"


def test_the_mesh_named_fits_and_one_of_fewer_rows_or_columns_does_not() -> None:
    for rows, cols, fits in ((2, 5, True), (1, 9, False), (3, 3, False)):
        layouts = [Layout("grid", rows, cols)]
        if fits:
            _lower(_scaled, (200, 256), in_layouts=layouts)
        else:
            with pytest.raises(DoesNotFitError):
                _lower(_scaled, (200, 256), in_layouts=layouts)


def test_no_mesh_of_the_wafer_is_large_enough() -> None:
    text = "no mesh of this wafer is large enough: make the largest values smaller"
    assert _help_of(lambda x: jnp.outer(x, x).sum(), (60_000,)) == text


def test_no_mesh_is_tried_that_has_more_rows_than_any_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[Mesh] = []

    def noted(request: Any, mesh: Mesh) -> Any:
        tried.append(mesh)
        return attempt(request, mesh)

    monkeypatch.setattr("lowering.mesh_choice.attempt", noted)
    with pytest.raises(DoesNotFitError, match="no mesh of this wafer is large enough"):
        _lower(jnp.linalg.pinv, (130, 130), in_layouts=[Layout("grid", 1, 1)])
    assert max(tried, key=lambda mesh: mesh.pe_count) == Mesh(130, 130)


def test_no_mesh_helps_a_program_whose_code_is_too_long() -> None:
    def long(x: Any) -> Any:
        random = np.random.default_rng(0)  # so that nothing repeats
        for step in random.integers(0, 3, 1200):
            x = (jnp.tanh(x), jnp.maximum(x, -x), x * 0.5)[step]
        return x

    text = "the code alone takes that much, on every mesh: compile it in parts"
    assert _help_of(long, (3000, 3000)) == text


def test_a_program_for_a_quarter_of_the_wafer_finds_its_mesh() -> None:
    assert _lower(lambda x: x + 1.0, (12_000, 12_000)).mesh == Mesh(256, 256)


def test_what_takes_the_space_is_shown_with_the_users_line() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        _lower(lambda x: x.T @ x, (200, 64), in_layouts=[Layout("grid", 2, 2)])
    largest = str(caught.value).splitlines()[1]
    assert largest.startswith("  largest   carry tile 2x100x32: 25,600 bytes        at")
    assert largest.endswith('.T @ x, (200, 64), in_layouts=[Layout("grid", 2, 2)])')


def test_stage_checks_pass_on_a_padded_mesh() -> None:
    lowered = _lower(
        _layer,
        (7, 33),
        (33, 16),
        (16,),
        mesh=Mesh(2, 3),
        options=Options(check_stages=True),
    )
    assert lowered.mesh == Mesh(2, 3)


def test_the_title_heads_every_csl_file_of_the_program() -> None:
    files = _lower(lambda x: x + 1.0, (4,), options=Options(title="Made by me.")).files
    for name in ("layout.csl", "pe.csl"):
        assert files[name].startswith("// Made by me.\n")


def test_both_wafers_get_the_same_text() -> None:
    texts = [
        _lower(_layer, (7, 33), (33, 16), (16,), mesh=Mesh(2, 3), target=target).files
        for target in ("wse2", "wse3")
    ]
    assert texts[0] == texts[1]


def _two_layers(x: Any, w: Any, b: Any) -> Any:
    return jnp.tanh(x @ w + b) @ w.T


def _attended(x: Any, w: Any) -> Any:
    y = x @ w
    return jax.nn.softmax(y @ x.T) @ y


def _many_layers(x: Any, w: Any) -> Any:
    for _ in range(40):
        x = jnp.tanh(x @ w)
    return x


@pytest.mark.parametrize(
    ("function", "shapes", "sides"),
    [
        (_two_layers, ((96, 160), (160, 224), (224,)), (1, 2)),
        (_attended, ((110, 90), (90, 90)), (2, 1)),
        (jax.grad(lambda x: jnp.sum(jnp.tanh(x) ** 2)), ((300, 210),), (3, 1)),
        pytest.param(
            _many_layers, ((60, 150), (150, 150)), (2, 2), marks=pytest.mark.slow
        ),
    ],
    ids=["two layers", "attention", "gradient", "many layers"],
)
def test_the_mesh_named_is_what_it_is_said_to_be(
    function: Callable[..., Any], shapes: Any, sides: tuple[int, int]
) -> None:
    """It compiles; with fewer PEs nothing does, on the meshes next to it at least."""
    with pytest.raises(DoesNotFitError) as caught:
        _lower(function, *shapes, in_layouts=[Layout("grid", *sides)] * len(shapes))
    grid = re.fullmatch(
        r"grid\((\d+), (\d+)\) is (the smallest|a) mesh that fits", caught.value.help
    )
    assert grid is not None
    rows, cols = int(grid[1]), int(grid[2])
    named = [Layout("grid", rows, cols)] * len(shapes)
    assert _lower(function, *shapes, in_layouts=named).mesh == Mesh(rows, cols)
    if grid[3] == "a":
        return
    fewer = rows * cols - 1
    near = {(r, fewer // r) for r in (rows - 1, rows, rows + 1) if 0 < r <= fewer}
    for r, c in near:
        with pytest.raises(DoesNotFitError):
            _lower(function, *shapes, in_layouts=[Layout("grid", r, c)] * len(shapes))
