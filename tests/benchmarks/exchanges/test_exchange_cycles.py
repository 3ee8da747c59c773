"""Predictions stay near the simulated cycles, and choose what is fastest."""

from __future__ import annotations

from pathlib import Path

import crossings
import exchanges_report as report
import products
import pytest
from crossings import Crossing

DOCS = Path(__file__).parents[3] / "docs" / "exchanges.md"
QUICK = [row for row in crossings.ROWS if row.size <= 64 and row.words <= 8]


def _name(row: Crossing) -> str:
    return f"{row.what}-{row.target}-{row.size}-{row.words}"


@pytest.mark.parametrize("row", QUICK, ids=_name)
def test_the_chosen_pattern_is_the_fastest(row: Crossing) -> None:
    cycles = {name: crossings.measured(row, name) for name in row.patterns}
    simulated = {name: each.simulated for name, each in cycles.items()}
    name = crossings.chosen(row)
    fastest = min(found for found in simulated.values() if found is not None)
    assert simulated[name] <= 1.03 * fastest
    assert cycles[name].predicted == pytest.approx(simulated[name], rel=0.2)


def test_a_product_is_near_its_prediction_and_its_bound() -> None:
    row = products.ROWS[0]
    result = products.measured(row)
    assert result.predicted == pytest.approx(result.simulated, rel=0.15)
    assert result.simulated < 2.1 * row.bound_cycles


@pytest.mark.slow
def test_the_tables_are_up_to_date() -> None:
    assert report.report() in DOCS.read_text("utf-8")
