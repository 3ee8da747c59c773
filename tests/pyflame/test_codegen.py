"""compile_to_csl: targets, names, files, options, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from lowering.normalise.normalise import normalise
from lowering.partition.partition import evaluate

A = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
W = np.linspace(-1, 2, 8, dtype=np.float32).reshape(4, 2)


@pytest.fixture
def options(tmp_path: Path) -> pf.CodeGenOptions:
    return pf.CodeGenOptions(output_dir=str(tmp_path / "out"), target="wse3")


def _network(x: Any, params: dict[str, Any]) -> Any:
    return {"y": pf.relu(x @ params["w"]) + params["b"]}


def test_documented_defaults() -> None:
    options = pf.CodeGenOptions()
    assert vars(options) == {
        "output_dir": "./pyflame_csl_output",
        "target": "wse2",
        "optimize": True,
        "generate_debug_info": False,
        "emit_comments": True,
        "fabric_width": 0,
        "fabric_height": 0,
        "runtime_address": "",
    }


def test_unknown_option() -> None:
    with pytest.raises(AttributeError, match="CodeGenOptions has no 'width'; it has"):
        pf.CodeGenOptions().width = 4


def test_a_tensor_runs_with_the_values_of_its_leaves(
    options: pf.CodeGenOptions,
) -> None:
    a = pf.tensor(A)
    w = pf.tensor(W)
    y = pf.relu(a @ w) * 2.0 + 1
    result = pf.compile_to_csl(y, options)
    assert result.success, result.error_message
    assert result.error_message == ""
    np.testing.assert_allclose(result.simulate().outputs, y.numpy(), rtol=1e-6)
    run = result.simulate(A + 1, w)
    expected = np.maximum((A + 1) @ W, 0) * 2 + 1
    np.testing.assert_allclose(run.outputs, expected, rtol=1e-6)
    assert run.outputs.dtype == np.float32
    assert run.cycles > 0
    names = [value["name"] for value in _program(result)["inputs"]]
    assert names == ["a", "w"]


def test_an_evaluated_tensor_is_still_a_program(options: pf.CodeGenOptions) -> None:
    a = pf.tensor(A)
    y = pf.relu(a)
    y.eval()
    result = pf.compile_to_csl(y, options)
    assert len(_program(result)["inputs"]) == 1
    np.testing.assert_array_equal(result.simulate(-A).outputs, np.maximum(-A, 0))


def test_generator_takes_graphs(options: pf.CodeGenOptions) -> None:
    y = pf.exp(pf.tensor(A))
    for target in (y, pf.get_graph(y)):
        result = pf.CSLCodeGenerator().generate(target, options)
        np.testing.assert_allclose(result.simulate().outputs, np.exp(A), rtol=1e-5)


def test_a_function_keeps_its_pytrees_and_names(options: pf.CodeGenOptions) -> None:
    params = {"w": W, "b": np.ones(2, np.float32)}
    result = pf.compile_to_csl(_network, A, params, options=options)
    assert result.success, result.error_message
    program = _program(result)
    inputs = [value["name"] for value in program["inputs"]]
    assert inputs == ["x", "params.b", "params.w"]
    assert [value["name"] for value in program["outputs"]] == ["out.y"]
    outputs = result.simulate(A, params).outputs
    np.testing.assert_allclose(outputs["y"], np.maximum(A @ W, 0) + 1, rtol=1e-6)


def test_example_arguments_may_be_shapes_and_tensors(
    options: pf.CodeGenOptions,
) -> None:
    spec = jax.ShapeDtypeStruct((3, 4), jnp.float32)
    lazy = pf.randn([4, 2])
    result = pf.compile_to_csl(lambda x, w: x @ w, spec, lazy, options)
    assert result.success, result.error_message
    assert not lazy.is_evaluated()
    run = result.simulate(A, pf.tensor(W))
    np.testing.assert_allclose(run.outputs, A @ W, rtol=1e-5)


def test_gradients_compile(options: pf.CodeGenOptions) -> None:
    def loss(w: Any) -> Any:
        return pf.sum((pf.tensor(A) @ w) ** 2)

    result = pf.compile_to_csl(jax.grad(loss), W, options)
    assert result.success, result.error_message
    expected = jax.grad(loss)(jnp.array(W))
    np.testing.assert_allclose(
        result.simulate(W).outputs, expected, rtol=1e-5, atol=1e-5
    )


def test_several_outputs(options: pf.CodeGenOptions) -> None:
    def function(x: Any) -> Any:
        return x + 1, (x > 0, [pf.sum(x, dim=1)])

    result = pf.compile_to_csl(function, A, options)
    assert result.success, result.error_message
    plus, (positive, [total]) = result.simulate(A).outputs
    np.testing.assert_array_equal(plus, A + 1)
    np.testing.assert_array_equal(positive, A > 0)
    assert positive.dtype == np.bool_
    np.testing.assert_allclose(total, A.sum(1), rtol=1e-6, atol=1e-6)


def test_files(options: pf.CodeGenOptions) -> None:
    result = pf.compile_to_csl(pf.relu, A, options)
    assert result.output_dir == options.output_dir
    names = [Path(path).name for path in result.generated_files]
    assert names == list(result.sources)
    wanted = {
        "layout.csl",
        "pe.csl",
        "run.py",
        "program.json",
        "commands_wse2.sh",
        "commands_wse3.sh",
    }
    assert wanted <= set(names)
    for path in result.generated_files:
        assert Path(path).parent == Path(options.output_dir)
        assert Path(path).read_text("utf-8") == result.sources[Path(path).name]


def test_same_input_same_bytes(options: pf.CodeGenOptions) -> None:
    def compiled() -> dict[str, str]:
        layout = pf.MeshLayout.grid(2, 2)
        params = {"w": W, "b": np.ones(2, np.float32)}
        result = pf.compile_to_csl(
            _network, A, params, options=options, in_layouts=layout
        )
        return result.sources

    assert compiled() == compiled()


def test_comments_are_optional(options: pf.CodeGenOptions) -> None:
    options.emit_comments = False
    result = pf.compile_to_csl(pf.relu, A, options)
    for name, text in result.sources.items():
        if name.endswith(".csl"):
            assert "//" not in text
            assert not text.startswith("\n")
    np.testing.assert_array_equal(result.simulate(A).outputs, np.maximum(A, 0))


def test_runtime_address_goes_to_run_py(options: pf.CodeGenOptions) -> None:
    options.runtime_address = "10.0.0.1:9000"
    result = pf.compile_to_csl(pf.relu, A, options)
    script = result.sources["commands_wse3.sh"]
    assert 'cs_python run.py --name out --cmaddr 10.0.0.1:9000 "$@"' in script
    options.runtime_address = ""
    plain = pf.compile_to_csl(pf.relu, A, options).sources["commands_wse3.sh"]
    assert "--cmaddr" not in plain


def test_debug_info_checks_and_explains(options: pf.CodeGenOptions) -> None:
    options.generate_debug_info = True
    a = pf.tensor(A)
    y = pf.exp(a) * 2.0
    result = pf.compile_to_csl(y, options)
    assert result.success, result.error_message
    text = result.sources["debug_info.txt"]
    assert "test_codegen.py" in text
    assert "y = pf.exp(a) * 2.0" in text


@pytest.mark.parametrize(
    "algorithm",
    [
        jax.lax.DotAlgorithmPreset.F16_F16_F16,
        jax.lax.DotAlgorithmPreset.TF32_TF32_F32,
        jax.lax.DotAlgorithm(jnp.float16, jnp.float16, jnp.float16),
    ],
    ids=["halves", "not on the CPU", "not a preset"],
)
def test_debug_info_checks_products_that_ask_for_less(
    options: pf.CodeGenOptions, algorithm: Any
) -> None:
    """They are computed in full; JAX would round them, or has them on no CPU."""
    options.generate_debug_info = True
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)

    def product(x: Any) -> Any:
        return jax.lax.dot(x, x.T, precision=algorithm)

    def program(x: Any) -> Any:
        return jax.lax.cond(x[0, 0] < 0, jax.jit(product), lambda x: x @ x.T, x)

    result = pf.compile_to_csl(program, x, options=options)
    assert result.success, result.error_message
    np.testing.assert_allclose(result.simulate(x).outputs, x @ x.T, rtol=1e-5)


@pytest.mark.parametrize("comments", [True, False])
def test_debug_info_says_of_lines_which_equation_they_compute(
    options: pf.CodeGenOptions, comments: bool
) -> None:
    options.generate_debug_info, options.emit_comments = True, comments
    options.fabric_width = 2
    result = pf.compile_to_csl(lambda x: (pf.exp(x) * 2.0).sum(1), A, options)
    assert result.success, result.error_message
    code = result.sources["pe.csl"].splitlines()
    found: dict[str, str] = {}
    for row in result.sources["debug_info.txt"].partition("pe.csl")[2].splitlines()[1:]:
        span, equation = row.split(maxsplit=1)
        first, last = map(int, span.split("-"))
        assert "  at test_codegen.py:" in equation
        name = equation.partition(":")[0]
        found[name] = found.get(name, "") + "\n".join(code[first - 1 : last])
    assert "math.exp(" in found["exp"]
    assert "@fmuls(" in found["mul"]
    assert "@fadds(" in found["sum"]
    assert "cols_line." in found["out"]
    assert not any("next_phase" in text or "//" in text for text in found.values())


@pytest.mark.parametrize("stage", ["normalise", "partition"])
def test_debug_info_finds_the_stage_that_changes_a_value(
    options: pf.CodeGenOptions, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def wrong(*given: Any) -> Any:
        if stage == "partition":
            return [values + 1 for values in evaluate(*given)]
        return normalise(jax.make_jaxpr(lambda x: x + 1)(A))

    name = {"normalise": "lower.normalise", "partition": "stage_checks.evaluate"}[stage]
    monkeypatch.setattr(f"lowering.{name}", wrong)
    assert pf.compile_to_csl(pf.exp, A, options).success
    options.generate_debug_info = True
    result = pf.compile_to_csl(pf.exp, A, options)
    assert not result.success
    assert f"{stage} changed output 0" in result.error_message


def test_optimizing_saves_memory_and_changes_no_value(
    options: pf.CodeGenOptions,
) -> None:
    def function(x: Any) -> Any:
        return pf.exp(x) / (pf.exp(-x) + 1) * pf.tanh(x)

    fast = pf.compile_to_csl(function, A, options)
    options.optimize = False
    slow = pf.compile_to_csl(function, A, options)
    assert fast.cost is not None
    assert slow.cost is not None
    assert fast.cost.data_bytes < slow.cost.data_bytes
    assert len(fast.cost.steps) < len(slow.cost.steps)
    expected = np.exp(A) / (np.exp(-A) + 1) * np.tanh(A)
    for result in (fast, slow):
        np.testing.assert_allclose(
            result.simulate(A).outputs, expected, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("target", ["wse2", "wse3"])
def test_both_targets(options: pf.CodeGenOptions, target: str) -> None:
    options.target = target
    result = pf.compile_to_csl(
        lambda x, w: pf.relu(x @ w), A, W, options, in_layouts=pf.MeshLayout.grid(2, 2)
    )
    assert result.success, result.error_message
    np.testing.assert_allclose(
        result.simulate(A, W).outputs, np.maximum(A @ W, 0), rtol=1e-6
    )


@pytest.mark.parametrize(("width", "height"), [(3, 2), (4, 0), (0, 3)])
def test_fabric_size_is_the_mesh(
    options: pf.CodeGenOptions, width: int, height: int
) -> None:
    options.fabric_width, options.fabric_height = width, height
    result = pf.compile_to_csl(lambda x: x + 1, A, options)
    mesh = _program(result)["mesh"]
    assert mesh == {"rows": height or 1, "cols": width or 1}
    np.testing.assert_array_equal(result.simulate(A).outputs, A + 1)


@pytest.mark.parametrize(
    "given",
    [
        (pf.MeshLayout.grid(2, 2), {"w": pf.MeshLayout.row_partition(2), "b": None}),
        [pf.MeshLayout.grid(2, 2), pf.MeshLayout.row_partition(2)],
        {"x": pf.MeshLayout.grid(2, 2), "params.w": pf.MeshLayout.row_partition(2)},
    ],
)
def test_layouts_by_place_and_by_name(options: pf.CodeGenOptions, given: Any) -> None:
    params = {"w": W, "b": np.ones(2, np.float32)}
    result = pf.compile_to_csl(_network, A, params, options=options, in_layouts=given)
    assert result.success, result.error_message
    by_name = {value["name"]: value for value in _program(result)["inputs"]}
    assert by_name["x"]["axes"] == ["rows", "cols"]
    assert by_name["params.w"]["axes"] == ["rows", None]
    outputs = result.simulate(A, params).outputs
    np.testing.assert_allclose(outputs["y"], np.maximum(A @ W, 0) + 1, rtol=1e-6)


def test_tensors_bring_their_layouts(options: pf.CodeGenOptions) -> None:
    x = pf.tensor(A, layout=pf.MeshLayout.grid(3, 2))
    for result in (
        pf.compile_to_csl(x + 1, options),
        pf.compile_to_csl(lambda x: x + 1, x, options),
    ):
        assert _program(result)["inputs"][0]["axes"] == ["rows", "cols"]
        assert _program(result)["mesh"] == {"rows": 3, "cols": 2}


def test_out_layouts(options: pf.CodeGenOptions) -> None:
    layout = pf.MeshLayout.col_partition(2)
    result = pf.compile_to_csl(
        lambda x: (x * 2, x.sum(0)), A, options, out_layouts=(layout, None)
    )
    assert result.success, result.error_message
    assert _program(result)["outputs"][0]["axes"] == [None, "cols"]
    np.testing.assert_array_equal(result.simulate(A).outputs[0], A * 2)


def _program(result: pf.CodeGenResult) -> dict[str, Any]:
    assert result.success, result.error_message
    return json.loads(result.sources["program.json"])
