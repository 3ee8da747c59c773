"""Writes everything.md, from the signatures and docstrings, and the pictures.

`python docs/reference/generate.py` rewrites them; a test fails if one is out of date.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyflame as pf

FOLDER = Path(__file__).parent

HEAD = """# Everything

Every function and class, with its arguments and what it says of itself. Names in one
row mean the same. Most functions of `pf` are methods of Tensor too, with the tensor as
the first argument.
"""


def page() -> str:
    """The text of the page."""
    functions = [name for name in pf.__all__ if inspect.isfunction(getattr(pf, name))]
    classes = [name for name in pf.__all__ if inspect.isclass(getattr(pf, name))]
    errors = [name for name in classes if issubclass(getattr(pf, name), Exception)]
    parts = [HEAD]
    for module, names in _by_module(functions).items():
        parts.append(_section(_first_sentence(module.__doc__), pf, names))
    parts.append(_section("Classes", pf, sorted(set(classes) - set(errors))))
    parts.append(_section("Errors", pf, errors, signatures=False))
    parts.append(_section("`pf.nn`", pf.nn, _callables(pf.nn)))
    parts.append(_section("`pf.nn.functional`", *_own(pf.nn.functional)))
    parts.append(_section("`pf.nn.init`", *_own(pf.nn.init)))
    parts.append(_section("`pf.optim`", pf.optim, _callables(pf.optim)))
    parts.append(_section("`pf.autograd`", pf.autograd, pf.autograd.__all__))
    parts.append(_section("`pf.report`", *_own(pf.report)))
    return "\n".join(parts)


def _by_module(names: Iterable[str]) -> dict[ModuleType, list[str]]:
    """The functions by where they are defined."""
    found: dict[ModuleType, list[str]] = {}
    for name in names:
        module = sys.modules[getattr(pf, name).__module__]
        found.setdefault(module, []).append(name)
    return dict(sorted(found.items(), key=lambda item: item[0].__name__))


def _callables(module: ModuleType) -> list[str]:
    public = [name for name in vars(module) if not name.startswith("_")]
    return sorted(n for n in public if _is_ours(module, getattr(module, n)))


def _own(module: ModuleType) -> tuple[ModuleType, list[str]]:
    """What a module defines or, as a package, gathers."""
    names = _callables(module)
    inside = module.__name__ + ("." if hasattr(module, "__path__") else "")
    return module, [
        name for name in names if getattr(module, name).__module__.startswith(inside)
    ] or names


def _is_ours(module: ModuleType, thing: Any) -> bool:
    where = getattr(thing, "__module__", None) or ""
    if not (inspect.isfunction(thing) or inspect.isclass(thing)):
        return False
    return where.startswith("pyflame") and not (
        inspect.isclass(thing) and issubclass(thing, Exception)
    )


def _section(
    title: str, owner: ModuleType, names: Iterable[str], signatures: bool = True
) -> str:
    lines = [f"## {title}", "", "| name | what it is |", "|---|---|"]
    lines += _rows(owner, names, signatures)
    return "\n".join([*lines, ""])


def _rows(owner: ModuleType, names: Iterable[str], signatures: bool) -> Iterator[str]:
    """A row per function or class; names for the same thing share one."""
    same: dict[Any, list[str]] = {}
    for name in names:
        same.setdefault(getattr(owner, name), []).append(name)
    for thing, its_names in same.items():
        first, *others = sorted(its_names, key=lambda n: (n != thing.__name__, n))
        text = f"`{first}{_signature(thing) if signatures else ''}`"
        text += "".join(f", `{name}`" for name in others)
        yield f"| {_cell(text)} | {_cell(_first_sentence(thing.__doc__))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _signature(thing: Any) -> str:
    """`(x, dim=None)`, without types."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return ""
    parts: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not any(
            part.startswith("*") for part in parts
        ):
            parts.append("*")
        parts.append(_parameter(parameter))
    return f"({', '.join(parts)})"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
    text = stars.get(parameter.kind, "") + parameter.name
    if parameter.default is parameter.empty:
        return text
    default = parameter.default
    shown = default.name if isinstance(default, pf.DType) else _plain(default)
    return f"{text}={shown}"


def _plain(default: Any) -> str:
    """A literal as it is written; of anything else, that it may be left out."""
    try:
        ast.literal_eval(repr(default))
    except (SyntaxError, ValueError):
        return "..."
    return repr(default)


def _first_sentence(text: str | None) -> str:
    assert text, "a public name without a docstring"
    paragraph = " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[.;])\s(?=[A-Z])", paragraph)[0]
    return sentence.rstrip(".")


def texts() -> dict[str, str]:
    """The text of every generated file, by its path in this folder."""
    return {
        "everything.md": page(),
        "pictures/graph.svg": pf.report.graph_drawing(_graph()).svg() + "\n",
        "pictures/mesh.svg": pf.report.tiles(GRID, [10, 33]).svg() + "\n",
    }


GRID = pf.MeshLayout.grid(3, 4)


def _graph() -> pf.Graph:
    hidden = pf.nn.Linear(64, 32)
    out = pf.nn.Linear(32, 10)
    images = pf.zeros([16, 64], layout=pf.MeshLayout.grid(4, 4))
    logits = out(pf.relu(hidden(images)))
    digits = pf.zeros([16], dtype=pf.int32)
    loss = pf.nn.CrossEntropyLoss()(logits, digits)
    return pf.get_graph(loss)


if __name__ == "__main__":
    for path, text in texts().items():
        (FOLDER / path).write_text(text, encoding="utf-8")
