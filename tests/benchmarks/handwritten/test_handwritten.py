"""Counterparts of the hand-written examples compute what JAX does."""

from __future__ import annotations

import os
from pathlib import Path

import handwritten_report as report
import handwritten_runs as runs
import pytest
from comparisons import COMPARISONS, Comparison

DOCS = Path(__file__).parents[3] / "docs" / "handwritten.md"
QUICK = [each for each in COMPARISONS if each.mesh[0] * each.mesh[1] <= 25]


def _name(comparison: Comparison) -> str:
    return comparison.example


@pytest.mark.parametrize("comparison", QUICK, ids=_name)
def test_a_counterpart_computes_what_jax_does(comparison: Comparison) -> None:
    assert runs.generated_cycles(comparison, "wse3") > 0


def test_time_counts_between_tasks() -> None:
    slices = [
        {"ph": "X", "name": "set up", "ts": 5, "dur": 3},
        {"ph": "X", "name": "work", "ts": 10, "dur": 20},
        {"ph": "X", "name": "@fmacs", "ts": 28, "dur": 6},
        {"ph": "X", "name": "report", "ts": 40, "dur": 9},
    ]
    trace = {"traceEvents": [{"ph": "M", "name": "thread_name"}, *slices]}
    assert runs.span_cycles(trace, "work", "report") == 24
    assert runs.span_cycles(trace, "", "") == 44


@pytest.mark.slow
def test_the_table_is_up_to_date() -> None:
    if report.VARIABLE not in os.environ:
        pytest.skip(f"{report.VARIABLE} names no checkout of csl-examples")
    checkout = Path(os.environ[report.VARIABLE])
    assert report.report(checkout) in DOCS.read_text("utf-8")
