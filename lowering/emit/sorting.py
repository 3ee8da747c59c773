"""Sorting as statements: a stable merge of indices, from runs of one up."""

from __future__ import annotations

from typing import Any

import numpy as np

from lowering.emit.dsds import Dsds
from lowering.emit.indexing import loop_names
from lowering.emit.registry import step_lines
from lowering.emit.text import LOOP_NAMES, index_text, nest
from lowering.plan.element_ops import MOVES
from lowering.plan.steps_sort import SortStep
from lowering.plan.values import Shape, View, collapse, whole
from lowering.target import Target


@step_lines.register
def _sort(step: SortStep, dsds: Dsds, target: Target) -> list[str]:
    """Per line: the order of its keys, then every operand in that order."""
    views = [*step.xs, *map(whole, step.outs)]
    lines, strides = collapse(
        step.xs[0].shape[:-1], [view.strides[:-1] for view in views]
    )
    names = loop_names(lines)
    here = LOOP_NAMES[len(names)]
    order = dsds.buffer_name(step.order)
    length = step.order.element_count

    def element(number: int, index: str) -> str:
        return _element(views[number], strides[number], names, index, dsds)

    keys = range(step.num_keys)
    comparison = _precedes(
        [element(n, "right_index") for n in keys],
        [element(n, "left_index") for n in keys],
        [step.xs[n].dtype for n in keys],
    )
    count = len(step.xs)
    body = [
        f"for (@range(i16, {length})) |{here}| {{",
        f"  {order}[{here}] = {here};",
        "}",
        *_merges(order, step, dsds, comparison),
        f"for (@range(i16, {length})) |{here}| {{",
        *(
            f"  {element(count + n, here)} = {element(n, f'{order}[{here}]')};"
            for n in range(count)
        ),
        "}",
    ]
    if names:
        return nest(names, lines, body)
    return ["  {", *(f"    {line}" for line in body), "  }"]


def _merges(order: str, step: SortStep, dsds: Dsds, comparison: str) -> list[str]:
    """Runs of twice the length in each pass; of equal elements, the left one first."""
    length, spare = step.order.element_count, dsds.buffer_name(step.spare)
    if length == 1:
        return []
    move = MOVES[str(step.order.dtype)]
    return [
        "var run: i16 = 1;",
        f"while (run < {length}) : (run *= 2) {{",
        "  var slot: i16 = 0;",
        f"  while (slot < {length}) {{",
        "    var left: i16 = slot;",
        f"    const left_end: i16 = {_end('slot + run', length)};",
        "    var right: i16 = left_end;",
        f"    const right_end: i16 = {_end('left_end + run', length)};",
        "    while (slot < right_end) : (slot += 1) {",
        "      var takes_right: bool = left == left_end;",
        "      if (left < left_end and right < right_end) {",
        f"        const left_index = {order}[left];",
        f"        const right_index = {order}[right];",
        f"        takes_right = {comparison};",
        "      }",
        "      if (takes_right) {",
        f"        {spare}[slot] = {order}[right];",
        "        right += 1;",
        "      } else {",
        f"        {spare}[slot] = {order}[left];",
        "        left += 1;",
        "      }",
        "    }",
        "  }",
        f"  {move}({dsds.whole(step.order)}, {dsds.whole(step.spare)});",
        "}",
    ]


def _end(wanted: str, length: int) -> str:
    """Where a run ends: the last one may be shorter."""
    return f"if ({wanted} < {length}) {wanted} else {length}"


def _precedes(firsts: list[str], seconds: list[str], dtypes: list[Any]) -> str:
    """Whether the first keys come strictly before the second ones; NaN comes last."""
    text = ""
    for x, y, dtype in reversed([*zip(firsts, seconds, dtypes, strict=True)]):
        is_float = np.issubdtype(dtype, np.floating)
        less = f"{x} < {y}"
        if is_float:
            less += f" or ({y} != {y} and {x} == {x})"
        if text:
            same = f"{x} == {y}"
            if is_float:
                same = f"({same} or ({x} != {x} and {y} != {y}))"
            less += f" or ({same} and ({text}))"
        text = less
    return text


def _element(
    view: View, strides: Shape, names: tuple[str, ...], index: str, dsds: Dsds
) -> str:
    steps = (*strides[: len(names)], view.strides[-1])
    text = index_text((*names, index), steps, view.offset)
    return f"{dsds.buffer_name(view.value)}[{text}]"
