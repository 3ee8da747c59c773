"""Sessions: many launches of one program on one wafer."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame.errors import RunError, ShapeError

W = np.linspace(-1, 2, 8, dtype=np.float32).reshape(4, 2)
X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


def _affine(params: Any, x: Any) -> Any:
    return {"y": x @ params["w"] + params["b"][0]}


@pytest.fixture
def result(tmp_path: Path) -> pf.CodeGenResult:
    options = pf.CodeGenOptions(output_dir=str(tmp_path / "out"), target="wse3")
    params = {"w": W, "b": [np.float32(1)]}
    return pf.compile_to_csl(
        _affine, params, X, options=options, in_layouts=pf.MeshLayout.grid(2, 2)
    )


def test_inputs_stay_where_they_were_put(result: pf.CodeGenResult) -> None:
    session = result.session()
    first = session.run({"w": W, "b": [1.0]}, X)
    np.testing.assert_allclose(first.outputs["y"], X @ W + 1, rtol=1e-5)
    second = session.run(..., 2 * X)
    np.testing.assert_allclose(second.outputs["y"], 2 * X @ W + 1, rtol=1e-5)
    third = session.run({"w": ..., "b": [-1.0]}, ...)
    np.testing.assert_allclose(third.outputs["y"], 2 * X @ W - 1, rtol=1e-5)
    assert first.cycles == second.cycles == third.cycles
    assert third.report.cycles >= 3 * third.cycles


def test_sessions_have_wafers_of_their_own(result: pf.CodeGenResult) -> None:
    one, other = result.session(seed=1), result.session(seed=2)
    one.run({"w": W, "b": [1.0]}, X)
    other.run({"w": 2 * W, "b": [0.0]}, X)
    np.testing.assert_allclose(one.run(..., ...).outputs["y"], X @ W + 1, rtol=1e-5)
    np.testing.assert_allclose(other.run(..., ...).outputs["y"], 2 * X @ W, rtol=1e-5)


def test_a_tensor_brings_its_values(tmp_path: Path) -> None:
    x = pf.tensor(X)
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    session = pf.compile_to_csl(pf.exp(x), options).session()
    np.testing.assert_allclose(session.run().outputs, np.exp(X), rtol=1e-5)
    np.testing.assert_allclose(session.run(-X).outputs, np.exp(-X), rtol=1e-5)
    np.testing.assert_allclose(session.run(...).outputs, np.exp(-X), rtol=1e-5)


def test_the_first_launch_gives_every_input(result: pf.CodeGenResult) -> None:
    with pytest.raises(RunError) as caught:
        result.session().run({"w": ..., "b": ...}, X)
    assert str(caught.value) == (
        "run: nothing is on the wafer for params.b.0, params.w\n"
        "  rule  `...` leaves what is there, from an earlier launch\n"
        "  help  give every input at the first launch, and donated ones at each"
    )


def test_wrong_arguments(result: pf.CodeGenResult) -> None:
    session = result.session()
    with pytest.raises(RunError) as caught:
        session.run(..., ..., ...)
    assert str(caught.value) == (
        "run: 3 inputs with 3 arrays are given\n"
        "  rule  the program takes params.b.0, params.w, x"
    )
    with pytest.raises(RunError, match="run: 2 inputs with 2 arrays are given"):
        session.run(W, ...)
    with pytest.raises(ShapeError, match=r"run: input x has shape \[4, 2\]"):
        session.run(..., W)


def test_nothing_to_run() -> None:
    failed = pf.compile_to_csl(pf.relu, X, pf.CodeGenOptions(target="wse9"))
    for call in ("session", "simulate"):
        with pytest.raises(RunError, match=f"{call}: nothing was generated"):
            getattr(failed, call)()
    with pytest.raises(RunError, match="save: nothing was generated"):
        failed.save("nowhere")


def test_a_single_run_has_nothing_from_before(result: pf.CodeGenResult) -> None:
    with pytest.raises(RunError) as caught:
        result.simulate({"w": W, "b": ...}, ...)
    assert str(caught.value) == (
        "simulate: `...` in the place of params.b.0, x\n"
        "  rule  only a session has values from earlier launches\n"
        "  help  give every input, or use session()"
    )


def test_donated_inputs_give_their_memory_away(tmp_path: Path) -> None:
    def chain(x: Any, y: Any) -> Any:
        first = jnp.exp(x) @ y
        return jnp.tanh(first) @ y, y

    x, y = np.ones((8, 8), np.float32), np.eye(8, dtype=np.float32)
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    options.fabric_width = options.fabric_height = 2
    donating = jax.jit(chain, donate_argnums=0)
    kept = pf.compile_to_csl(chain, x, y, options)
    given = pf.compile_to_csl(donating, x, y, options)
    assert kept.cost is not None
    assert given.cost is not None
    assert given.cost.data_bytes == kept.cost.data_bytes - x.nbytes // 4
    session, want = given.session(), chain(x, y)
    for arguments in ((x, y), (x, ...)):
        for have, wanted in zip(session.run(*arguments).outputs, want, strict=True):
            np.testing.assert_allclose(have, wanted, rtol=1e-5)
    with pytest.raises(RunError, match="run: nothing is on the wafer for x"):
        session.run(..., ...)
    given.save(tmp_path / "saved")
    loaded = pf.CodeGenResult.load(tmp_path / "saved").session()
    loaded.run(x, y)
    with pytest.raises(RunError, match="run: nothing is on the wafer for x"):
        loaded.run(..., y)


def test_what_is_carried_is_not_given_away(tmp_path: Path) -> None:
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    double = jax.jit(lambda x: jnp.exp(x) * 2 - x, donate_argnums=0)
    x = np.linspace(0, 1, 7, dtype=np.float32)
    session = pf.compile_to_csl(double, x, options, carry={"x": "out"}).session()
    session.run(x)
    want = np.asarray(double(double(x)))
    np.testing.assert_allclose(session.run(...).outputs, want, rtol=1e-5)
