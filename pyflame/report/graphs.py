"""A graph as a drawing: boxes for its nodes, in layers, and lines between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pyflame.graph import Graph
from pyflame.graph_text import Row, flops_by_op, shortened, size_text, total_flops
from pyflame.report.drawing import Drawing, label, rectangle
from pyflame.report.layers import Arrangement, arrange
from pyflame.report.markup import (
    AMBER,
    BLUE,
    GREEN,
    INK,
    PURPLE,
    Markup,
    element,
    number,
    text_width,
)
from pyflame.report.tables import block, folded, heading, note, preformatted

MAX_BOXES = 30  # of a larger graph, the middle is one box
_FIRST = 20
_NAME_WIDTH = 26  # characters
_LINE, _PADDING = 15.0, 8.0
_BETWEEN = 28.0  # layers
_MARGIN = 4.0


@dataclass(frozen=True)
class _Box:
    lines: tuple[str, ...]
    color: str
    inputs: tuple[int, ...]
    weight: float  # from 0 to 1: its part of all flops
    thick: bool = False

    @property
    def width(self) -> float:
        first, *others = self.lines
        widths = [text_width(first, 12), *(text_width(line, 11) for line in others)]
        return max(widths) + 2 * _PADDING

    @property
    def height(self) -> float:
        return _LINE * len(self.lines) + 2 * _PADDING - 4


def graph_drawing(graph: Graph, max_nodes: int = MAX_BOXES) -> Drawing:
    """The nodes of a graph in layers, inputs above their users.

    Inputs are blue, outputs green, gradients purple; the more of the flops a node
    takes, the more it is filled. Of a graph of more than `max_nodes` nodes, the middle
    is one box.
    """
    return _drawing(graph.rows, max_nodes)


def graph_html(graph: Graph) -> str:
    """The report of a graph: its cost, its drawing, and its text behind a click."""
    title, *facts = _title(graph.rows)
    return block(
        heading(title, *facts),
        note(flops_by_op(graph.rows)),
        graph_drawing(graph).inline(),
        folded("as text", preformatted(graph.text())),
    )


def _title(rows: Sequence[Row]) -> list[str]:
    inputs = [row for row in rows if row.flops is None]
    return [
        f"Graph of {len(rows):,} nodes",
        f"{len(inputs):,} inputs, {size_text(sum(r.size_bytes for r in inputs))}",
        f"{total_flops(rows):,} flops",
    ]


def _drawing(rows: Sequence[Row], max_nodes: int) -> Drawing:
    boxes = _boxes(rows, max(max_nodes, 3))
    plan = arrange([box.inputs for box in boxes], [box.width for box in boxes])
    tops, height = _tops(plan, boxes)
    right = max((plan.x[i] + box.width / 2 for i, box in enumerate(boxes)), default=0.0)
    right = max([right, *plan.x])
    shapes = list(_edges(plan, boxes, tops))
    for i, box in enumerate(boxes):
        x = plan.x[i] - box.width / 2 + _MARGIN
        shapes.append(_box(box, x, tops[plan.layer[i]] + _MARGIN))
    title = ", ".join(_title(rows))
    return Drawing(title, right + 2 * _MARGIN, height + 2 * _MARGIN, tuple(shapes))


def _boxes(rows: Sequence[Row], max_nodes: int) -> list[_Box]:
    total = max(total_flops(rows), 1)
    if len(rows) <= max_nodes:
        return [_node_box(row, row.inputs, total) for row in rows]
    first = max_nodes * _FIRST // MAX_BOXES
    last = len(rows) - (max_nodes - 1 - first)

    def shown(i: int) -> int:
        return i if i < first else first if i < last else i - last + first + 1

    def inputs(some: Sequence[Row], own: int) -> tuple[int, ...]:
        found = dict.fromkeys(shown(i) for row in some for i in row.inputs)
        return tuple(i for i in found if i != own)

    head = [_node_box(row, inputs([row], -1), total) for row in rows[:first]]
    middle = rows[first:last]
    tail = [_node_box(row, inputs([row], -1), total) for row in rows[last:]]
    return [*head, _folded_box(middle, inputs(middle, first), total), *tail]


def _node_box(row: Row, inputs: tuple[int, ...], total: int) -> _Box:
    name = shortened(row.name, _NAME_WIDTH)
    kind = row.type if not row.layout else f"{row.type} {row.layout}"
    lines = [f"{name} = {row.op_type}", kind]
    if row.flops:
        lines.append(f"{row.flops:,} flops")
    weight = (row.flops or 0) / total
    return _Box(tuple(lines), _color(row), inputs, weight, row.is_output)


def _folded_box(rows: Sequence[Row], inputs: tuple[int, ...], total: int) -> _Box:
    ops = Counter(row.op_type for row in rows).most_common(3)
    more = ", ".join(f"{count:,} {op}" for op, count in ops)
    flops = total_flops(rows)
    lines = (f"⋮ {len(rows):,} nodes more", more, f"{flops:,} flops")
    return _Box(lines, INK, inputs, 0.0)


def _color(row: Row) -> str:
    if row.flops is None:
        return BLUE
    if row.is_output:
        return GREEN
    return PURPLE if row.op_type == "gradient" else AMBER


def _tops(plan: Arrangement, boxes: Sequence[_Box]) -> tuple[list[float], float]:
    """Where each layer starts, and where the last one ends."""
    tops: list[float] = []
    y = 0.0
    for level in plan.layers:
        tops.append(y)
        heights = [boxes[i].height for i in level if i < len(boxes)]
        y += max(heights, default=0.0) + _BETWEEN
    return tops, max(y - _BETWEEN, 0.0)


def _edges(
    plan: Arrangement, boxes: Sequence[_Box], tops: list[float]
) -> Iterator[Markup]:
    for path in plan.paths.values():
        start, *between, end = path
        points = [(plan.x[start], tops[plan.layer[start]] + boxes[start].height)]
        for point in between:
            level = plan.layer[point]
            bottom = tops[level + 1] - _BETWEEN
            points += [(plan.x[point], tops[level]), (plan.x[point], bottom)]
        points.append((plan.x[end], tops[plan.layer[end]]))
        yield _line([(x + _MARGIN, y + _MARGIN) for x, y in points])


def _line(points: Sequence[tuple[float, float]]) -> Markup:
    """Straight down beside boxes, curved between layers; an arrow head at the end."""
    x, y = points[0]
    path = [f"M{number(x)} {number(y)}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0) / 2
        bends = [x0, y0 + bend, x1, y1 - bend, x1, y1]
        path.append("C" + " ".join(map(number, bends)))
    x, y = points[-1]
    head = [x - 3.5, y - 6, x + 3.5, y - 6]
    arrow = f"M{number(x)} {number(y)}L{' '.join(map(number, head))}Z"
    return element(
        "g",
        element("path", d=" ".join(path), fill="none", stroke=INK, stroke_opacity=0.4),
        element("path", d=arrow, fill=INK, fill_opacity=0.5),
        class_="edge",
    )


def _box(box: _Box, x: float, y: float) -> Markup:
    width, height = box.width, box.height
    fill = 0.08 + 0.42 * box.weight
    line = 0.95 if box.thick else 0.6
    shapes = [rectangle(x, y, width, height, box.color, fill=fill, line=line, radius=5)]
    for row, text in enumerate(box.lines):
        base = y + _PADDING + _LINE * row + 9
        size, faint = (12.0, 1.0) if row == 0 else (11.0, 0.75)
        shapes.append(
            label(text, x + width / 2, base, size=size, opacity=faint, bold=row == 0)
        )
    return element("g", *shapes, class_="node")
