"""The generated scripts, unmodified, under our stand-ins for the vendor's tools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowering.lower import lower
from lowering.mesh import Mesh

_EXEC = "import sys; from pyflame.cli import main; sys.exit(main(sys.argv[1:]))"


TABLE = jnp.arange(301, dtype=jnp.bfloat16)  # too large to stand in the text


def _program(x: Any, w: Any, b: Any, none: Any) -> Any:
    return jax.nn.relu(x @ w + b), x.sum(1) > 0.0, none * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    random = np.random.default_rng(0)
    shapes = ((7, 33), (33, 16), (16,), (0, 3))
    inputs = [random.standard_normal(shape).astype(np.float32) for shape in shapes]
    lowered = lower(
        jax.make_jaxpr(_program)(*inputs),
        in_names=["x", "w", "b", "n"],
        out_names=["y", "positive", "nothing"],
        mesh=Mesh(2, 3),
    )
    for name, text in lowered.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    np.savez(folder / "inputs.npz", **dict(zip("xwbn", inputs, strict=True)))
    y, positive, nothing = _program(*inputs)
    np.savez(folder / "expected.npz", y=y, positive=positive, nothing=nothing)
    return folder


def _run(
    folder: Path, script: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _EXEC, "exec", "--", "bash", script, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_scripts_run_and_agree_with_jax(folder: Path, arch: str) -> None:
    done = _run(folder, f"commands_{arch}.sh", "--outputs", "outputs.npz")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "y: float32[7, 16]",
        "positive: bool[7]",
        "nothing: float32[0, 3]",
        "The outputs are those of expected.npz.",
        "SUCCESS!",
    ]
    with np.load(folder / "outputs.npz") as outputs:
        assert sorted(outputs) == ["nothing", "positive", "y"]


def test_arrays_that_a_function_closes_over_come_with_the_program(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(0)
    x, w = (random.standard_normal(s).astype(np.float32) for s in ((7, 33), (33, 16)))
    lowered = lower(
        jax.make_jaxpr(lambda x: x @ w)(x),
        in_names=["x"],
        out_names=["y"],
        mesh=Mesh(2, 2),
    )
    for name, text in lowered.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    np.savez(tmp_path / "inputs.npz", x=x)
    np.savez(tmp_path / "expected.npz", y=x @ w)
    done = _run(tmp_path, "commands_wse3.sh")
    assert done.returncode == 0, done.stderr
    assert "The outputs are those of expected.npz." in done.stdout


def _narrow(h: Any, b: Any, i: Any, u: Any, flag: Any) -> Any:
    return [
        jnp.where(flag, h, -h) * 2,
        b @ b.T,
        i.sum(0, dtype=jnp.int8),
        u.T // 3,
        ~flag,
        b.astype(jnp.float32).astype(jnp.uint8),
        TABLE + b[0, 0],
    ]


def test_elements_of_16_bits_travel_to_the_host_and_back(tmp_path: Path) -> None:
    """Odd sizes; bfloat16 is float32 in the files."""
    random = np.random.default_rng(0)
    numbers = np.float32(random.standard_normal((5, 3)) * 9)
    dtypes = ("float16", "bfloat16", "int8", "uint16", "bool")
    inputs = [jnp.asarray(numbers).astype(dtype) for dtype in dtypes]
    expected = _narrow(*inputs)
    lowered = lower(
        jax.make_jaxpr(_narrow)(*inputs),
        in_names=list("hbiuf"),
        out_names=[f"y{n}" for n in range(len(expected))],
        mesh=Mesh(2, 2),
    )
    for name, text in lowered.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for file, names, arrays in (
        ("inputs", "hbiuf", inputs),
        ("expected", [f"y{n}" for n in range(len(expected))], expected),
    ):
        plain = [x.astype("float32") if x.dtype == "bfloat16" else x for x in arrays]
        np.savez(tmp_path / f"{file}.npz", **dict(zip(names, plain, strict=True)))
    done = _run(tmp_path, "commands_wse3.sh")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "y0: float16[5, 3]",
        "y1: float32[5, 5]",
        "y2: int8[3]",
        "y3: uint16[3, 5]",
        "y4: bool[5, 3]",
        "y5: uint8[5, 3]",
        "y6: float32[301]",
        "The outputs are those of expected.npz.",
        "SUCCESS!",
    ]


def test_the_address_of_a_system_reaches_the_runtime(folder: Path) -> None:
    done = _run(folder, "commands_wse3.sh", "--cmaddr", "10.0.0.1:9000")
    assert done.returncode != 0
    assert (
        "cmaddr '10.0.0.1:9000': this runtime drives a simulated wafer" in done.stderr
    )


def test_a_wrong_expectation_fails(folder: Path) -> None:
    with np.load(folder / "expected.npz") as expected:
        np.savez(
            folder / "wrong.npz", y=expected["y"] + 1, positive=expected["positive"]
        )
    done = _run(folder, "commands_wse3.sh", "--expected", "wrong.npz")
    assert done.returncode != 0
    assert "SUCCESS" not in done.stdout
    assert "AssertionError" in done.stderr


def test_without_input_files_the_inputs_are_random(folder: Path) -> None:
    nothing = ("--inputs", "none.npz", "--expected", "none.npz")
    done = _run(folder, "commands_wse3.sh", *nothing)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "SUCCESS!"


def test_several_launches_go_on_with_what_is_carried(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    lowered = lower(
        jax.make_jaxpr(lambda x, y: (x + y, y))(x, x),
        in_names=["x", "y"],
        out_names=["total", "y"],
        mesh=Mesh(2, 2),
        carry=[(0, 0)],
    )
    for name, text in lowered.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    np.savez(tmp_path / "inputs.npz", x=x, y=2 * x)
    np.savez(tmp_path / "expected.npz", total=7 * x, y=2 * x)
    done = _run(tmp_path, "commands_wse3.sh", "--launches", "3")
    assert done.returncode == 0, done.stderr
    assert "The outputs are those of expected.npz." in done.stdout
