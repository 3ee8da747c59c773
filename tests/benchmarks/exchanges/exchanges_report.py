"""Measures predicted and simulated cycles of exchanges and products, and writes tables.

    python tests/benchmarks/exchanges/exchanges_report.py docs/exchanges.md

The text of the file outside of the marked tables stays. Without a file the tables go to
the standard output.
"""

from __future__ import annotations

import sys
from pathlib import Path

import crossings
import products
from crossings import Crossing, Cycles
from products import Product

sys.path.insert(0, str(Path(__file__).parents[1]))
from page_section import rewrite


def report() -> str:
    """Both tables."""
    return (
        "### Along a row\n\n"
        "| what | wafer | PEs | words | chain | two phases | star | chosen |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
        + "\n".join(map(_crossing, crossings.ROWS))
        + "\n\n### Products\n\n"
        "| what | a, b | PEs | wafer | how | predicted | simulated | bound "
        "| simulated / bound |\n"
        "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: |\n"
        + "\n".join(map(_product, products.ROWS))
        + "\n"
    )


def _crossing(row: Crossing) -> str:
    cells = [
        _cycles(crossings.measured(row, pattern)) if pattern in row.patterns else ""
        for pattern in crossings.PATTERNS
    ]
    name = crossings.chosen(row).replace("_", " ")
    head = [row.what, row.target, str(row.size), str(row.words)]
    return f"| {' | '.join([*head, *cells, name])} |"


def _cycles(cycles: Cycles) -> str:
    simulated = "" if cycles.simulated is None else f" / {cycles.simulated:,}"
    return f"{cycles.predicted:,}{simulated}"


def _product(row: Product) -> str:
    result = products.measured(row)
    shapes = ", ".join("x".join(map(str, shape)) for shape in (row.a, row.b))
    cells = [
        row.what,
        f"{'f16' if row.dtype == 'float16' else 'f32'} {shapes}",
        "x".join(map(str, row.mesh)),
        row.target,
        result.how,
        f"{result.predicted:,}",
        f"{result.simulated:,}",
        f"{row.bound_cycles:,.0f}",
        f"{result.simulated / row.bound_cycles:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    tables = report()
    if len(sys.argv) < 2:
        print(tables)
        return
    rewrite(Path(sys.argv[1]), "exchanges", tables)


if __name__ == "__main__":
    main()
