"""Generated text: golden files, and what every text must keep to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowering.emit.text import array_initial, comment, float_text, index_text
from lowering.lower import Lowered, lower
from lowering.mesh import Mesh

Golden = Callable[[dict[str, str]], None]


def _lower(
    function: Callable[..., Any], mesh: Mesh, **shapes: tuple[int, ...]
) -> Lowered:
    specs = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes.values()]
    closed = jax.make_jaxpr(function)(*specs)
    outs = [f"y{n}" for n in range(len(closed.out_avals))] if closed.out_avals else []
    outs = ["y"] if len(outs) == 1 else outs
    return lower(closed, in_names=list(shapes), out_names=outs, mesh=mesh)


def _csl(lowered: Lowered) -> dict[str, str]:
    return {n: t for n, t in lowered.files.items() if n.endswith(".csl")}


def _layer(x: Any, w: Any, b: Any) -> Any:
    return jax.nn.relu(x @ w + b)


def _softmax(x: Any) -> Any:
    e = jnp.exp(x - jnp.max(x, axis=1, keepdims=True))
    return e / jnp.sum(e, axis=1, keepdims=True)


def _choices(x: Any) -> Any:
    return jnp.where(x > 0.5, jnp.exp(x), x / 3.0), x.T < 0.0


def _square_root(x: Any) -> Any:
    """Newton's method until the largest error is small; zeros at once."""

    def goes_on(y: Any) -> Any:
        return jnp.max(jnp.abs(y * y - x)) > 1e-4

    return jax.lax.cond(
        jnp.max(x) > 0.0,
        lambda x: jax.lax.while_loop(goes_on, lambda y: 0.5 * (y + x / y), x),
        lambda x: x,
        x,
    )


def _recurrent(h: Any, x: Any, w: Any) -> Any:
    def cell(h: Any, row: Any) -> Any:
        h = jnp.tanh(h @ w + row)
        return h, jnp.sum(h)

    return jax.lax.scan(cell, h, x)


def test_elementwise(golden: Golden) -> None:
    golden(_csl(_lower(lambda a, b: a * b + 1.0, Mesh(1, 1), a=(4, 8), b=(4, 8))))


def test_layer(golden: Golden) -> None:
    golden(_csl(_lower(_layer, Mesh(2, 2), x=(8, 16), w=(16, 16), b=(16,))))


def test_short_product(golden: Golden) -> None:
    golden(_csl(_lower(lambda x, w: x @ w, Mesh(1, 1), x=(2, 40), w=(40, 3))))


def test_chunked_product(golden: Golden) -> None:
    sizes = {"a": (256, 256), "b": (256, 256)}
    golden(_csl(_lower(lambda a, b: a @ b, Mesh(8, 8), **sizes)))


@pytest.mark.parametrize("mesh", [Mesh(1, 1), Mesh(2, 2)], ids=str)
def test_loop_until_small(golden: Golden, mesh: Mesh) -> None:
    golden(_csl(_lower(_square_root, mesh, x=(4, 8))))


def test_recurrent_cell(golden: Golden) -> None:
    golden(_csl(_lower(_recurrent, Mesh(1, 2), h=(4, 8), x=(6, 8), w=(8, 8))))


def test_softmax(golden: Golden) -> None:
    golden(_csl(_lower(_softmax, Mesh(1, 3), x=(4, 16))))


def test_choices(golden: Golden) -> None:
    golden(_csl(_lower(_choices, Mesh(2, 2), x=(6, 4))))


def test_the_same_program_gives_the_same_bytes() -> None:
    texts = [
        _lower(_layer, Mesh(2, 3), x=(7, 33), w=(33, 16), b=(16,)).files
        for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_text_grows_with_the_program_not_with_the_mesh() -> None:
    """Between meshes on which values cross lines in the same patterns."""
    small, large = (
        _lower(_softmax, Mesh(side, side), x=(640, 640)).files["pe.csl"].count("\n")
        for side in (40, 80)
    )
    assert small == large


def test_no_parameter_depends_on_more_than_the_kind_of_place() -> None:
    """Beside memcpy's column: first, even and odd of an axis, and of its groups."""
    text = _lower(_layer, Mesh(4, 5), x=(8, 20), w=(20, 10), b=(10,)).files[
        "layout.csl"
    ]
    tile = text.partition("@set_tile_code")[2]
    params = re.findall(r"^        \.(\w+) = (.*),$", tile, re.MULTILINE)
    assert params[0] == ("memcpy_params", "memcpy.get_params(x)")
    for name, value in params[1:]:
        assert re.fullmatch(
            r"(rows|cols)_flood|(rows|cols)_inward_send\([xy]\)|of_place\([xy], .*\)"
            r"|by_parity\([xy]( / (rows|cols)_group)?, .*\)",
            value,
        ), name


def test_every_declared_thing_is_used() -> None:
    lowered = _lower(_layer, Mesh(2, 3), x=(7, 33), w=(33, 16), b=(16,))
    for name, text in _csl(lowered).items():
        declared = re.findall(r"^(?:const|var|param) (\w+)|^fn (\w+)", text, re.M)
        outside = "".join(other for n, other in _csl(lowered).items() if n != name)
        for pair in declared:
            word = rf"\b{pair[0] or pair[1]}\b"
            uses = len(re.findall(word, text)) + len(re.findall(word, outside))
            assert uses > 1, f"{pair} in {name}"


def test_user_names_that_are_csl_words_change() -> None:
    text = _lower(lambda a, b: a + b, Mesh(1, 1), var=(4,), total=(4,)).files["pe.csl"]
    other = _lower(lambda a: a + 1.0, Mesh(1, 1), result=(4,))
    assert "var result_value = @zeros([4]f32);" in other.files["pe.csl"]
    assert "var var_value = @zeros([4]f32);" in text
    assert "var total_value = @zeros([4]f32);" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-2.5, "(-2.5)"),
        (1e-7, "1e-07"),
        (1e10, "1e+10"),
        (float("inf"), "math.POSITIVE_INF_f32"),
        (float("-inf"), "math.NEGATIVE_INF_f32"),
        (float("nan"), "math.NaN_f32"),
    ],
)
def test_floats_as_text(value: float, text: str) -> None:
    assert float_text(value) == text


def test_floats_survive_their_text() -> None:
    bits = np.random.default_rng(0).integers(0, 0x7F80_0000, 2000, np.uint32)
    for value in bits.view(np.float32):
        assert np.float32(float(float_text(float(value)))) == value


def test_indices_as_text() -> None:
    assert index_text(("i", "j"), (8, 1), 3) == "8 * i + j + 3"
    assert index_text(("i", "j"), (0, 1)) == "j"
    assert index_text(("i",), (0,)) == "0"
    assert index_text((), (), 7) == "7"


def test_tables_as_text() -> None:
    table = np.asarray([1.5, -2.0], np.float32)
    assert array_initial(table.dtype, 2, table) == "[2]f32 {\n  1.5, -2.0\n}"
    flags = np.asarray([True, False])
    assert array_initial(flags.dtype, 2, flags) == "[2]u16 {\n  1, 0\n}"


def test_long_comments_wrap() -> None:
    lines = comment("word " * 40)
    assert len(lines) > 1
    assert all(len(line) <= 92 for line in lines)
    assert lines[1].startswith("  //   word")
