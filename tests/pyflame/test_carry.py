"""carry: values that stay on the wafer from launch to launch, and wrong uses of it."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

GRID = pf.MeshLayout.grid(2, 2)


@pytest.fixture
def options(tmp_path: Path) -> pf.CodeGenOptions:
    return pf.CodeGenOptions(output_dir=str(tmp_path / "out"), target="wse3")


def _normal(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _step(params: Any, x: Any, y: Any) -> Any:
    def loss(params: Any) -> Any:
        hidden = jnp.maximum(x @ params["w1"] + params["b1"], 0)
        return jnp.mean((hidden @ params["w2"] - y) ** 2)

    value, gradient = jax.value_and_grad(loss)(params)
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, gradient), value


@pytest.mark.parametrize(
    ("layout", "optimize"), [(None, True), (GRID, True), (GRID, False)]
)
def test_training_on_the_wafer(
    options: pf.CodeGenOptions, layout: Any, optimize: bool
) -> None:
    params = {"w1": _normal(7, 5), "b1": _normal(5), "w2": _normal(5, 3)}
    batches = [(_normal(6, 7, seed=n), _normal(6, 3, seed=9 + n)) for n in range(4)]
    options.optimize = optimize
    result = pf.compile_to_csl(
        _step,
        params,
        *batches[0],
        options=options,
        in_layouts=layout,
        carry={"params": "out.0"},
    )
    assert result.success, result.error_message
    session = result.session()
    held: Any = params
    for x, y in batches:
        run = session.run(held, x, y)
        params, expected = _step(params, x, y)
        np.testing.assert_allclose(run.outputs[1], expected, rtol=1e-5)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
            run.outputs[0],
            params,
        )
        held = ...


def test_what_is_carried_has_one_symbol(options: pf.CodeGenOptions) -> None:
    w = _normal(4, 4)
    result = pf.compile_to_csl(
        lambda w, x: (w + x, x),
        w,
        w,
        options,
        in_layouts=GRID,
        carry={"w": "out.0"},
    )
    program = json.loads(result.sources["program.json"])
    assert [value["symbol"] for value in program["inputs"]] == ["w", "x"]
    assert [value["symbol"] for value in program["outputs"]] == ["w", "out_1"]
    assert "@fadds(w_dsd, w_dsd, x_dsd);" in result.sources["pe.csl"]


def test_all_carries_change_at_once(options: pf.CodeGenOptions) -> None:
    def rotate(a: Any, b: Any, c: Any) -> Any:
        return {"a": b, "b": c.T, "c": a + b, "old": a, "again": b}

    start = [_normal(3, 3, seed=n) for n in range(3)]
    for layout in (None, GRID, pf.MeshLayout.single_pe()):
        result = pf.compile_to_csl(
            rotate,
            *start,
            options=options,
            in_layouts=layout,
            carry={name: f"out.{name}" for name in "abc"},
        )
        assert result.success, result.error_message
        session, held, values = result.session(), list(start), start
        for _ in range(3):
            outputs = session.run(*held).outputs
            expected = rotate(*values)
            for name, array in outputs.items():
                np.testing.assert_allclose(array, expected[name], rtol=1e-6)
            values = [expected[name] for name in "abc"]
            held = [..., ..., ...]


def test_a_value_may_be_carried_unchanged_or_replaced_by_a_number(
    options: pf.CodeGenOptions,
) -> None:
    def function(a: Any, b: Any) -> Any:
        return a, jnp.full_like(b, 2), a.sum() + b.sum()

    a, b = _normal(5), _normal(3)
    carry = {"a": "out.0", "b": "out.1"}
    result = pf.compile_to_csl(function, a, b, options, carry=carry)
    session = result.session()
    np.testing.assert_allclose(session.run(a, b).outputs[2], a.sum() + b.sum(), 1e-5)
    first, second, total = session.run(..., ...).outputs
    np.testing.assert_array_equal(first, a)
    np.testing.assert_array_equal(second, np.full(3, 2, np.float32))
    np.testing.assert_allclose(total, a.sum() + 6, rtol=1e-5)


def _refusal(options: pf.CodeGenOptions, carry: Any, **kwargs: Any) -> str:
    def step(params: Any, x: Any) -> Any:
        return {"new": params, "x": x @ params["w"], "other": {"w": x}}

    params = {"w": _normal(4, 4), "b": _normal(4)}
    result = pf.compile_to_csl(
        step, params, _normal(3, 4), options=options, carry=carry, **kwargs
    )
    assert not result.success
    return result.error_message


def test_carry_is_a_table(options: pf.CodeGenOptions) -> None:
    assert _refusal(options, ["params"]) == (
        "compile_to_csl: carry=['params']\n"
        "  rule      carry is a table of input paths and the paths of outputs that "
        "replace them"
    )


def test_paths_that_name_nothing_are_listed(options: pf.CodeGenOptions) -> None:
    assert _refusal(options, {"parms": "out.new", "x": "out.y"}) == (
        "the program cannot be compiled: 2 errors\n"
        "compile_to_csl: carry['parms'] names no input\n"
        "  inputs    params.b, params.w, x\n"
        "  rule      carry is a table of input paths and the paths of outputs that "
        "replace them\n"
        "  help      did you mean 'params.w'?\n"
        "compile_to_csl: carry['x'] = 'out.y' names no output\n"
        "  outputs   out.new.b, out.new.w, out.other.w, out.x\n"
        "  rule      carry is a table of input paths and the paths of outputs that "
        "replace them\n"
        "  help      did you mean 'out.x'?"
    )


def test_trees_that_differ(options: pf.CodeGenOptions) -> None:
    assert _refusal(options, {"params": "out.other"}) == (
        "compile_to_csl: carry of params from out.other\n"
        "  inputs    params.b\n"
        "  outputs   none\n"
        "  rule      both paths have the same paths below; those above have no "
        "partner\n"
        "  help      return a tree like the argument, or name the values one by one"
    )


def test_shapes_layouts_and_names_twice(options: pf.CodeGenOptions) -> None:
    assert _refusal(options, {"params.w": "out.x"}) == (
        "compile_to_csl: carry of params.w from out.x: f32[4,4] from f32[3,4]\n"
        "  rule      what is carried keeps its shape and dtype\n"
        "  help      convert the result with astype or reshape, inside the function"
    )
    assert _refusal(options, {"x": "out.x"}, out_layouts={"out.x": GRID}) == (
        "compile_to_csl: carry of x from out.x, and a layout for the output\n"
        "  rule      what is carried lies as the input does\n"
        "  help      leave out.x out of out_layouts"
    )
    assert _refusal(options, {"params.w": "out.new.w", "params": "out.new"}) == (
        "the program cannot be compiled: 2 errors\n"
        "compile_to_csl: carry has params.w twice\n"
        "  rule      one output replaces one input\n"
        "compile_to_csl: carry has out.new.w twice\n"
        "  rule      one output replaces one input"
    )
