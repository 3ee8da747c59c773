"""Over many programs: generated CSL has no statement and no name without an effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering.cases import Case
from lowering.errors import UnsupportedDtypeError
from lowering.lower import lower, lower_partitioned
from lowering.mesh import Layout, Mesh
from lowering.partition import mesh_primitives as mesh_p
from lowering.partition.partition import Partitioned
from lowering.partition.rules import creation, dot, elementwise, reduction, shape
from lowering.placement import Placement

Files = dict[str, str]

_MESHES = [Mesh(2, 3), Mesh(3, 1)]
_SIZES = {"n": 7, "m": 4, "k": 5}
_RULES = [creation, dot, elementwise, reduction, shape]
_DECLARED = re.compile(r"^ *(?:const|var|param) (\w+)|^fn (\w+)", re.MULTILINE)
_PARAMETERS = re.compile(r"^fn \w+\(([^)]*)\)[^{]*\{\n(.*?)^\}", re.MULTILINE | re.S)


def _code(text: str) -> str:
    """Without comments, and without the names in strings."""
    return re.sub(r'//.*|"[^"]*"', "", text)


def _csl(files: Files) -> Files:
    return {n: _code(t) for n, t in files.items() if n.endswith(".csl")}


def check_text(files: Files) -> None:
    """Nothing is assigned to itself; all that is declared is used."""
    texts = _csl(files)
    for name, text in texts.items():
        for line in text.splitlines():
            _check_statement(name, line.strip())
        others = "".join(other for n, other in texts.items() if n != name)
        for first, second in _DECLARED.findall(text):
            _check_used(name, first or second, text, others)
        for parameters, body in _PARAMETERS.findall(text):
            for parameter in re.findall(r"(\w+):", parameters):
                assert re.search(rf"\b{parameter}\b", body), f"{parameter} in {name}"
        blocks = text.replace(".{}", "").replace(", {})", "")  # `{}` is no control task
        assert not re.search(r"\{\s*\}", blocks), f"empty in {name}"


def _check_statement(name: str, line: str) -> None:
    if match := re.fullmatch(r"([\w\[\] *+-]+) = ([\w\[\] *+-]+);", line):
        assert match[1] != match[2], f"{name}: {line}"
    if match := re.fullmatch(r"@f?mov(?:s|16|32)\((.+), (.+)\);", line):
        assert match[1] != match[2], f"{name}: {line}"


def _check_used(name: str, word: str, text: str, others: str) -> None:
    """Parameters of a module are named where it is imported: that is no use."""
    pattern = rf"\b{word}\b"
    here = len(re.findall(pattern, text)) - len(re.findall(rf"\.{word} =", text))
    called = re.search(rf"\.{word}\(", others) is not None
    assert here > 1 or called, f"{word} in {name} is not used"


def _compile(case: Case, mesh: Mesh, layout: Layout | None) -> Files:
    """The files; none if the compiler refuses the case."""
    arrays = case.arrays(_SIZES, np.random.default_rng(0))
    closed = jax.make_jaxpr(case.function)(*arrays)
    names = [f"x{n}" for n in range(len(arrays))]
    outs = [f"y{n}" for n in range(len(closed.out_avals))]
    layouts = [layout] * len(outs)
    try:
        return lower(
            closed, in_names=names, out_names=outs, mesh=mesh, out_layouts=layouts
        ).files
    except UnsupportedDtypeError:
        return {}


@pytest.mark.parametrize("mesh", _MESHES, ids=str)
@pytest.mark.parametrize("rules", _RULES, ids=lambda file: file.__name__.split(".")[-1])
def test_cases_of_every_rule(rules: Any, mesh: Mesh) -> None:
    layouts = [None, Layout("single_pe")]
    for number, case in enumerate(rules.CASES):
        check_text(_compile(case, mesh, layouts[number % 2]))


def _programs() -> dict[str, Callable[..., Any]]:
    return {
        "first power": lambda x: x**1,
        "power and root": lambda x: jnp.sqrt(x**2) + x**3,
        "one element": lambda x: jnp.exp(jnp.sum(x)) ** 1 / 3.0,
        "two of one": lambda x: (x, x, x.T.T + 0.0),
        "softmax": lambda x: jax.nn.softmax(x, axis=1),
        "all of it": lambda x: jnp.max(x) - jnp.min(x) + jnp.mean(x * x),
        "gradient": jax.grad(lambda x: jnp.sum(jax.nn.relu(x @ x.T) ** 2)),
    }


@pytest.mark.parametrize("name", list(_programs()))
def test_small_programs(name: str) -> None:
    for operand in ("f32[1,1]", "f32[n,k]"):
        for mesh in _MESHES:
            case = Case(name, _programs()[name], (operand,))
            check_text(_compile(case, mesh, Layout("single_pe")))


def _exchanges(axis: Any, size: int) -> dict[str, Callable[..., Any]]:
    line: Any = {"axis": axis, "size": size}
    return {
        "broadcast": lambda x: mesh_p.mesh_broadcast(x, root=0, **line),
        "relay": lambda x: mesh_p.mesh_broadcast(x, root=1, **line),
        "sum": lambda x: mesh_p.mesh_reduce(x, op="sum", root=0, **line),
        "minimum": lambda x: mesh_p.mesh_all_reduce(x, op="min", **line),
        "gather": lambda x: mesh_p.mesh_all_gather(x, dim=0, **line),
        "outward": lambda x: mesh_p.mesh_shift(x, offset=1, **line),
        "inward": lambda x: mesh_p.mesh_shift(x, offset=-1, **line),
        "scalar": lambda x: mesh_p.mesh_broadcast(x[0, 0] * 2.0, root=1, **line),
        "a scalar beside a loop": lambda x: _scalar_beside_a_loop(x, line),
        "a copy of a copy": lambda x: mesh_p.mesh_all_reduce(
            (jnp.exp(x[0, 0]) + lax.reduce_sum(x, (0, 1))) ** 1, op="sum", **line
        ),
        "slice": lambda x: mesh_p.mesh_slice(x, dim=0, tile=1, **line),
    }


def _scalar_beside_a_loop(x: Any, line: Any) -> Any:
    """The copy that the exchange works on joins the loop of the quotient."""
    total = lax.reduce_sum(x, (0, 1))
    quotient = x[0, 0] / 3.0
    return mesh_p.mesh_all_reduce(total, op="sum", **line) + quotient


@pytest.mark.parametrize("axis", ["rows", "cols"])
@pytest.mark.parametrize("name", list(_exchanges("rows", 3)))
def test_single_exchanges(name: str, axis: str) -> None:
    mesh = Mesh(3, 1) if axis == "rows" else Mesh(1, 3)
    closed = jax.make_jaxpr(_exchanges(axis, 3)[name])(np.ones((2, 5), np.float32))
    ins, outs = (
        tuple(Placement(v.shape, v.dtype, (None,) * v.ndim, mesh.extent) for v in avals)
        for avals in (closed.in_avals, closed.out_avals)
    )
    parts = Partitioned(closed, ins, outs, mesh)
    check_text(lower_partitioned(parts, in_names=["x"], out_names=["y"]).files)


def test_a_file_called_like_a_module_imports_none() -> None:
    """Comments name the user's files; only code decides what is imported."""
    source = compile("def f(x):\n    return x + 1.0\n", "/home/me/math.py", "exec")
    names: dict[str, Any] = {}
    exec(source, names)
    files = _compile(Case("add", names["f"], ("f32[n,k]",)), Mesh(1, 1), None)
    assert "math.py:2" in files["pe.csl"]
    check_text(files)
