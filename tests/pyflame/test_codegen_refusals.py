"""What cannot be compiled or run: no exception, but every reason, word for word."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jax.extend.core import Primitive

import pyflame as pf
from lowering.normalise.registry import REWRITES

A = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
mystery, riddle = map(Primitive, ("mystery", "riddle"))  # as a future JAX may have
for strange in (mystery, riddle):
    strange.def_abstract_eval(lambda x: x)


@pytest.fixture
def options(tmp_path: Path) -> pf.CodeGenOptions:
    return pf.CodeGenOptions(output_dir=str(tmp_path / "out"), target="wse3")


def _refusal(*args: Any, **kwargs: Any) -> str:
    result = pf.compile_to_csl(*args, **kwargs)
    assert not result.success
    assert result.generated_files == []
    assert result.sources == {}
    return result.error_message


def test_all_bad_options_are_listed(options: pf.CodeGenOptions) -> None:
    options.target = "wse9"
    options.fabric_width = -2
    options.optimize = "yes"
    assert _refusal(pf.relu, A, options) == (
        "the program cannot be compiled: 3 errors\n"
        "CodeGenOptions.target='wse9' is no target\n"
        "  rule      programs are generated for 'wse2' or 'wse3'\n"
        "  help      set options.target = 'wse3'\n"
        "CodeGenOptions.optimize='yes' is neither True nor False\n"
        "  help      set options.optimize = True or False\n"
        "CodeGenOptions.fabric_width=-2 is no number of PEs\n"
        "  rule      sizes are integers of 0 or more\n"
        "  help      use 0 for what the layouts need"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("output_dir", "", "CodeGenOptions.output_dir='' is no folder"),
        ("output_dir", 3, "CodeGenOptions.output_dir=3 is no folder"),
        ("fabric_height", 1.5, "CodeGenOptions.fabric_height=1.5 is no number of PEs"),
        (
            "emit_comments",
            1,
            "CodeGenOptions.emit_comments=1 is neither True nor False",
        ),
        (
            "runtime_address",
            "a b",
            "CodeGenOptions.runtime_address='a b' is no address",
        ),
    ],
)
def test_bad_option(
    options: pf.CodeGenOptions, name: str, value: Any, message: str
) -> None:
    setattr(options, name, value)
    assert _refusal(pf.relu, A, options).splitlines()[0] == message


def test_options_of_another_type() -> None:
    message = _refusal(pf.relu, A, options={"target": "wse3"})
    assert message.startswith(
        "compile_to_csl: options={'target': 'wse3'} are no options"
    )


def test_unwritable_folder(options: pf.CodeGenOptions, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    options.output_dir = str(tmp_path / "file" / "out")
    assert "cannot be written: Not a directory" in _refusal(pf.relu, A, options)


def test_layouts_larger_than_the_fabric(options: pf.CodeGenOptions) -> None:
    options.fabric_width, options.fabric_height = 2, 2
    layout = pf.MeshLayout.grid(4, 1)
    message = _refusal(lambda x: x + 1, A, options, in_layouts=layout)
    assert message == (
        "layout grid(4, 1) of x does not fit a fabric of 2x2 PEs (rows x columns)\n"
        "  rule      no layout has more rows or columns than fabric_height and "
        "fabric_width\n"
        "  help      set fabric_width=2, fabric_height=4, or 0 for what is needed"
    )


def test_layouts_that_are_none(options: pf.CodeGenOptions) -> None:
    message = _refusal(lambda x: x + 1, A, options, in_layouts=["grid"])
    assert message == (
        "in_layouts of x: 'grid' is no layout\n"
        "  rule  a layout is None or a pf.MeshLayout\n"
        "  help  use pf.MeshLayout.single_pe(), row_partition(n), col_partition(n) or "
        "grid(rows, cols)"
    )


def test_layouts_that_do_not_match(options: pf.CodeGenOptions) -> None:
    layout = pf.MeshLayout.grid(2, 2)
    message = _refusal(lambda x: x + 1, A, options, in_layouts=[layout] * 3)
    assert "does not match the values x" in message


def test_unknown_primitives_are_all_listed(options: pf.CodeGenOptions) -> None:
    def function(x: Any) -> Any:
        y = riddle.bind(x)
        return y + mystery.bind(x)

    message = _refusal(function, A, options)
    first, *lines = message.splitlines()
    assert first == "2 primitives have no rule: mystery, riddle"
    assert any("riddle" in line and "y = riddle.bind(x)" in line for line in lines)
    assert any("mystery" in line and "return y + mystery" in line for line in lines)
    assert any(line.startswith("  rule      supported are abs, a") for line in lines)
    assert any(line.startswith("  help") for line in lines)


def test_unknown_primitives_of_a_tensor_point_to_its_line(
    options: pf.CodeGenOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(REWRITES, "sin")
    x = pf.tensor(A)
    y = pf.sin(x)
    message = _refusal(y * 2, options)
    assert "y = pf.sin(x)" in message


def test_too_large_a_program(options: pf.CodeGenOptions) -> None:
    layout = pf.MeshLayout.grid(2, 2)
    x = pf.zeros([512, 512], layout=layout)
    message = _refusal(x + 1, options)
    assert "262,144" in message
    assert "49,152" in message
    assert "grid(" in message.splitlines()[-1]


def test_functions_that_fail(options: pf.CodeGenOptions) -> None:
    def mismatched(x: Any) -> Any:
        return pf.matmul(x, pf.ones([7, 2]))

    lines = _refusal(mismatched, A, options).splitlines()
    assert lines[0] == (
        "matmul of float32[3, 4] and float32[7, 2]: inner sizes 4 and 7 differ"
    )
    assert lines[-1].startswith("  at    test_codegen_refusals.py:")
    assert lines[-1].endswith("  return pf.matmul(x, pf.ones([7, 2]))")

    def broken(x: Any) -> Any:
        raise KeyError("weights")

    message = _refusal(broken, A, options)
    assert message.startswith("KeyError: 'weights'")
    assert 'raise KeyError("weights")' in message


def test_arguments_that_are_no_arrays(options: pf.CodeGenOptions) -> None:
    def scaled(x: Any, how: Any) -> Any:
        return x

    assert _refusal(scaled, A, "fast", options=options) == (
        "argument how of scaled is str, no array\n"
        "  rule  a program's inputs are arrays, Tensors and numbers, or pytrees of "
        "them\n"
        "  help  bind other arguments beforehand, with functools.partial"
    )


def test_wrong_targets(options: pf.CodeGenOptions) -> None:
    assert _refusal(3, options).startswith("compile_to_csl: int is nothing to compile")
    message = _refusal(pf.tensor(A), A, options)
    assert message.startswith("compile_to_csl: a tensor takes no example arguments")


def test_runs_that_are_refused(options: pf.CodeGenOptions) -> None:
    result = pf.compile_to_csl(lambda x, w: x @ w, A, A.T, options)
    with pytest.raises(pf.RunError) as error:
        result.simulate(A)
    assert str(error.value) == (
        "simulate: 1 inputs with 1 arrays are given\n  rule  the program takes x, w"
    )
    with pytest.raises(pf.ShapeError) as error:
        result.simulate(A, A)
    assert str(error.value) == (
        "simulate: input w has shape [3, 4]\n"
        "  rule  the program was compiled for float32[4, 3]"
    )
    with pytest.raises(pf.DTypeError) as error:
        result.simulate(A, A.T.astype(np.int32))
    assert str(error.value) == (
        "simulate: input w is int32\n"
        "  rule  the program was compiled for float32[4, 3]\n"
        "  help  convert it: x.astype('float32')"
    )
    failed = pf.compile_to_csl(3, options)
    with pytest.raises(pf.RunError, match="simulate: nothing was generated"):
        failed.simulate()
