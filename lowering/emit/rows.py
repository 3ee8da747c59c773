"""Rows that stand apart: functions that give the place of one by its number."""

from __future__ import annotations

from collections.abc import Sequence

from lowering.dtypes import ELEMENT_TYPES
from lowering.emit.dsds import Dsds
from lowering.emit.registry import step_lines
from lowering.plan.allocate import Allocation
from lowering.plan.element_ops import MOVES
from lowering.plan.origins import Step
from lowering.plan.steps_rows import PutRowStep, Rows, TakeRowStep
from lowering.plan.values import Count, View
from lowering.target import Target


@step_lines.register
def _take(step: TakeRowStep, dsds: Dsds, target: Target) -> list[str]:
    place = _place(step.rows, step.count)
    vector = dsds.whole(step.out)
    source = f"@set_dsd_base_addr({vector}, {place})"
    return [f"  {MOVES[str(step.out.dtype)]}({vector}, {source});"]


@step_lines.register
def _put(step: PutRowStep, dsds: Dsds, target: Target) -> list[str]:
    place, row = _place(step.rows, step.count), step.rows.values[0]
    to = f"@set_dsd_base_addr({dsds.whole(row)}, {place})"
    source = dsds.view(View(step.x.value, (row.element_count,), (1,), step.x.offset))
    return [f"  {MOVES[str(row.dtype)]}({to}, {source});"]


def row_functions(steps: Sequence[Step], allocation: Allocation) -> list[str]:
    """Every function that gives the place of a row, each once."""
    return [_function(rows, allocation) for rows in _all_rows(steps)]


def row_names(steps: Sequence[Step]) -> list[str]:
    """What these functions are called."""
    return [rows.name for rows in _all_rows(steps)]


def _all_rows(steps: Sequence[Step]) -> list[Rows]:
    chosen = [step for step in steps if isinstance(step, TakeRowStep | PutRowStep)]
    return list(dict.fromkeys(step.rows for step in chosen))


def _function(rows: Rows, allocation: Allocation) -> str:
    places = [f"&{allocation.buffer_of[value].name}" for value in rows.values]
    pointer = f"[*]{ELEMENT_TYPES[str(rows.values[0].dtype)]}"
    cases = [
        f"    {n} => {{ slot = {place}; }}," for n, place in enumerate(places[:-1])
    ]
    return "\n".join(
        [
            f"fn {rows.name}(n: i16) {pointer} {{",
            f"  var slot: {pointer} = {places[-1]};",
            "  switch (n) {",
            *cases,
            "    else => {},",
            "  }",
            "  return slot;",
            "}",
        ]
    )


def _place(rows: Rows, count: Count) -> str:
    return f"{rows.name}({str(count).removeprefix('(').removesuffix(')')})"
