"""Our cycles stay where docs/hardware.md puts them beside the published ones."""

from pathlib import Path

import cycles_report as report
import published_patterns
import pytest
from csl_runs import array, ran
from page_section import section
from published import Figure

DOCS = Path(__file__).parents[3] / "docs" / "hardware.md"


def _name(figure: Figure) -> str:
    return f"{figure.arch}-{figure.profile}-{figure.what}"


QUICK = [figure for figure in report.FIGURES if not figure.slow]
SLOW = [figure for figure in report.FIGURES if figure.slow]


@pytest.mark.parametrize("figure", QUICK, ids=_name)
def test_a_figure_is_met_or_its_reason_is_given(figure: Figure) -> None:
    assert figure.within() != bool(figure.why), f"ours / published {figure.ratio():.2f}"


@pytest.mark.slow
@pytest.mark.parametrize("figure", SLOW, ids=_name)
def test_a_figure_of_a_large_program_is_met(figure: Figure) -> None:
    assert figure.within(), f"ours / published {figure.ratio():.2f}"


@pytest.mark.slow
def test_the_table_is_up_to_date() -> None:
    assert section(DOCS, "cycles") == report.report()


SUMS = {
    "chain.csl": {"width": 8, "height": 1, "snake": 0},
    "two_phase.csl": {"group": 3},
    "tree.csl": {"rounds": 3},
    "star.csl": {"width": 8},
}


@pytest.mark.parametrize("file", SUMS)
@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_reductions_add_up(file: str, arch: str) -> None:
    wafer = ran(file, arch, n=5, **SUMS[file])
    assert array(wafer, "sum", "<f4", 5).tolist() == [len(list(wafer.pes()))] * 5


@pytest.mark.parametrize("snake", [0, 1])
@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_reductions_of_a_rectangle_add_up(arch: str, snake: int) -> None:
    wafer = ran("chain.csl", arch, n=5, width=4, height=3, snake=snake)
    assert array(wafer, "sum", "<f4", 5).tolist() == [12] * 5


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_a_broadcast_reaches_all(arch: str) -> None:
    wafer = ran("broadcast.csl", arch, n=5, width=4, height=3)
    for pe in wafer.pes():
        assert array(wafer, "sum", "<f4", 5, pe.x, pe.y).tolist() == [1] * 5


def test_formulas_give_the_published_values() -> None:
    """The table of section 2.1 of the cost notes: P = 64, B = 256."""
    p = published_patterns
    models = (p.star, p.chain, p.tree, p.two_phase, p.broadcast)
    assert [round(model(64, 256)) for model in models] == [16133, 634, 1566, 588, 324]
