"""The report of an object, by its type: what notebooks ask it for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflame.codegen.result import CodeGenResult
from pyflame.codegen.simulation_run import SimulationRun
from pyflame.errors import ArgumentError
from pyflame.graph import Graph
from pyflame.layout import MeshLayout
from pyflame.report.graphs import graph_html
from pyflame.report.mesh import layout_html
from pyflame.report.results import result_html, run_html
from pyflame.report.values import tensor_html
from pyflame.tensors import Tensor

_REPORTS: dict[type, Callable[[Any], str]] = {
    Tensor: tensor_html,
    MeshLayout: layout_html,
    Graph: graph_html,
    CodeGenResult: result_html,
    SimulationRun: run_html,
}


def html_of(shown: Any) -> str:
    """HTML for a Tensor, MeshLayout, Graph, CodeGenResult or SimulationRun.

    Raises: ArgumentError, for anything else.
    """
    for kind, report in _REPORTS.items():
        if isinstance(shown, kind):
            return report(shown)
    known = ", ".join(kind.__name__ for kind in _REPORTS)
    raise ArgumentError(
        f"html_of: there is no report on {type(shown).__name__}",
        rule=f"there are reports on {known}",
    )
