"""The arrows between the packages, read from the import statements.

pyflame may import lowering and pyflame.wse; lowering imports neither; pyflame.wse
knows NumPy and the standard library. Only pyflame.codegen and what starts programs
sees both. `import pyflame.wse` loads no JAX, so that its tools start quickly.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("pyflame", "lowering")

# What each ring may import beside the standard library and itself.
LIBRARIES = {
    "pyflame": {"jax", "numpy", "lowering"},
    "pyflame.wse": {"numpy"},
    "lowering": {"jax", "numpy", "jinja2"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files() -> list[Path]:
    return sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def ring_of(module: str) -> str:
    for ring in ("pyflame.wse", "pyflame", "lowering"):
        if module == ring or module.startswith(ring + "."):
            return ring
    return module.partition(".")[0]


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Every dotted name an import statement mentions; "." marks a relative one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def broken_arrows(module: str, text: str) -> list[str]:
    """What the imports of a module break, in words; empty if they keep the rules."""
    names = list(imported_names(ast.parse(text)))
    ring = ring_of(module)
    broken = [f"{module}: relative import {n}" for n in names if n.startswith(".")]
    broken += [f"{module}: private {n}" for n in names if n.startswith("jax._src")]
    for name in names:
        target = ring_of(name)
        if target in LIBRARIES[ring] | {ring, ""} | sys.stdlib_module_names:
            continue
        if (ring, target) == ("pyflame", "pyflame.wse"):
            continue
        broken.append(f"{module}: {ring} must not import {name}")
    rings = {ring_of(n) for n in names}
    if {"lowering", "pyflame.wse"} <= rings and not module.startswith(
        "pyflame.codegen"
    ):
        broken.append(f"{module}: only pyflame.codegen sees both rings")
    return broken


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_imports_follow_the_arrows(path: Path) -> None:
    assert broken_arrows(module_name(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "text", "expected"),
    [
        (
            "lowering.plan",
            "import pyflame",
            "lowering.plan: lowering must not import pyflame",
        ),
        (
            "lowering.plan",
            "def f():\n    from pyflame.wse import errors",
            "lowering.plan: lowering must not import pyflame.wse.errors",
        ),
        (
            "pyflame.wse.sdk.cslc",
            "import jax.numpy as jnp",
            "pyflame.wse.sdk.cslc: pyflame.wse must not import jax.numpy",
        ),
        (
            "pyflame.wse.sdk.cslc",
            "from pyflame.errors import PyFlameError",
            "pyflame.wse.sdk.cslc: pyflame.wse must not import "
            "pyflame.errors.PyFlameError",
        ),
        (
            "pyflame.cli",
            "import lowering\nimport pyflame.wse",
            "pyflame.cli: only pyflame.codegen sees both rings",
        ),
        ("pyflame.ops", "import torch", "pyflame.ops: pyflame must not import torch"),
        ("pyflame.ops", "from . import x", "pyflame.ops: relative import ..x"),
        ("lowering.a", "import jax._src.core", "lowering.a: private jax._src.core"),
    ],
)
def test_the_check_finds_a_broken_arrow(module: str, text: str, expected: str) -> None:
    assert expected in broken_arrows(module, text)


# --- cycles -------------------------------------------------------------------------


def import_graph(texts: dict[str, str]) -> dict[str, set[str]]:
    """Who imports whom, also for types only or inside a function."""
    graph: dict[str, set[str]] = {}
    for module, text in texts.items():
        names = set(imported_names(ast.parse(text)))
        prefixes = {n.rpartition(".")[0] for n in names if n not in texts}
        graph[module] = ((names | prefixes) & set(texts)) - {module}
    return graph


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one import cycle in order, or an empty list."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return path[path.index(module) :]
        if module in done:
            return []
        for target in sorted(graph[module]):
            cycle = visit(target, [*path, module])
            if cycle:
                return cycle
        done.add(module)
        return []

    return next((c for m in sorted(graph) if (c := visit(m, []))), [])


def test_no_import_cycles() -> None:
    texts = {module_name(p): p.read_text(encoding="utf-8") for p in source_files()}
    assert find_cycle(import_graph(texts)) == []


def test_the_check_finds_a_cycle() -> None:
    texts = {
        "a": "import b",
        "b": "def f():\n    from c import name",
        "c": "import a",
        "d": "import a",
    }
    assert find_cycle(import_graph(texts)) == ["a", "b", "c"]


# --- what really loads --------------------------------------------------------------

LOAD_WSE = """
import importlib, pkgutil, sys
import pyflame.wse
for module in pkgutil.walk_packages(pyflame.wse.__path__, "pyflame.wse."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
REPORT = """
print(*sorted({"jax", "jaxlib", "jinja2", "lowering"} & set(sys.modules)))
"""


def loaded_by(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code + REPORT],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return run.stdout.strip()


def test_the_simulator_loads_no_jax() -> None:
    assert loaded_by(LOAD_WSE) == ""


def test_the_check_notices_jax() -> None:
    assert loaded_by("import sys, jax\n") == "jax jaxlib"
