"""CSL code generation."""

from pathlib import Path

import numpy as np
import pytest

import pyflame as pf

DEFAULTS = {
    "output_dir": "./pyflame_csl_output",
    "target": "wse2",
    "optimize": True,
    "generate_debug_info": False,
    "emit_comments": True,
    "fabric_width": 0,
    "fabric_height": 0,
    "runtime_address": "",
}


@pytest.fixture(scope="module")
def product() -> pf.Tensor:
    pf.manual_seed(0)
    return pf.relu(pf.randn([6, 4]) @ pf.randn([4, 5]))


def test_code_gen_options_class(documented) -> None:
    documented(pf.CodeGenOptions, **DEFAULTS)
    options = pf.CodeGenOptions()
    assert {name: getattr(options, name) for name in DEFAULTS} == DEFAULTS
    options.target = "wse3"
    options.optimize = False
    options.runtime_address = "localhost:9001"
    assert (options.target, options.optimize) == ("wse3", False)
    assert options.runtime_address == "localhost:9001"


def test_code_gen_result_class(product, tmp_path) -> None:
    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    result = pf.compile_to_csl(product, options)
    assert isinstance(result, pf.CodeGenResult)
    assert result.success is True
    assert result.output_dir == str(tmp_path)
    assert result.error_message == ""
    assert all(Path(path).is_file() for path in result.generated_files)
    texts = [Path(path).read_text("utf-8") for path in result.generated_files]
    assert texts == list(result.sources.values())
    assert {"layout.csl", "pe.csl", "run.py"} <= set(result.sources)


def test_a_failure_is_a_result_too(product, tmp_path) -> None:
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse4")
    result = pf.compile_to_csl(product, options)
    assert result.success is False
    assert "CodeGenOptions.target='wse4' is no target" in result.error_message
    assert (result.generated_files, result.sources) == ([], {})


def test_csl_code_generator_class(documented, product, tmp_path) -> None:
    generator = pf.CSLCodeGenerator()
    documented(generator.generate, graph=..., options=None)
    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    result = generator.generate(pf.get_graph(product), options)
    assert result.success, result.error_message
    assert len(result.generated_files) == len(result.sources) > 3


def test_options_may_be_left_out(product, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = pf.CSLCodeGenerator().generate(pf.get_graph(product))
    assert result.success, result.error_message
    assert result.output_dir == "./pyflame_csl_output"
    assert (tmp_path / "pyflame_csl_output" / "layout.csl").is_file()


def test_compile_to_csl(product, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = pf.compile_to_csl(product)
    assert result.success, result.error_message
    run = result.simulate()
    np.testing.assert_allclose(run.outputs, product.numpy(), rtol=1e-5, atol=1e-5)
