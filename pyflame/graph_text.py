"""A graph as aligned text: a line per node, and what the nodes cost together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyflame.source import Place

MAX_LINES = 60  # nodes that are shown of a long graph
_FIRST = 40
_CALL_WIDTH = 48
_TEXT_WIDTH = 48
_SUMMARY_FROM = 8  # nodes
_SUMMARY_OPS = 5


@dataclass(frozen=True)
class Row:
    """What is shown of a node. `inputs` are numbers of rows; `work` are the flops, by
    op, that no earlier row has counted, None where the graph begins."""

    name: str
    op_type: str
    operands: tuple[str, ...]
    attributes: tuple[str, ...]
    type: str
    layout: str
    work: Mapping[str, int] | None
    size_bytes: int
    place: Place | None
    inputs: tuple[int, ...]
    is_output: bool

    @property
    def flops(self) -> int | None:
        return None if self.work is None else sum(self.work.values())

    def call(self, width: int) -> str:
        """`matmul(a, b)`; of operands that do not fit the width, how many there are,
        and of other arguments the first ones."""
        operands, attributes = list(self.operands), list(self.attributes)
        while len(text := self._call(operands, attributes)) > width:
            if len(operands) > 1:
                operands.pop()
            elif attributes:
                attributes.pop()
            else:
                break
        return text

    def _call(self, operands: list[str], attributes: list[str]) -> str:
        left = len(self.operands) - len(operands)
        more = [f"{left} more"] if left else []
        dots = ["..."] if len(attributes) < len(self.attributes) else []
        return f"{self.op_type}({', '.join([*operands, *more, *attributes, *dots])})"


def graph_text(
    rows: Sequence[Row], max_nodes: int | None = MAX_LINES, width: int | None = None
) -> str:
    """The text of a graph; of a long one, the middle is left out and summed up.

    Lines are cut at `width` characters, if one is given.
    """
    if not rows:
        return "graph: no nodes"
    head, middle, tail = _folded(rows, max_nodes)
    lines = _aligned([*head, *tail])
    if middle:
        lines.insert(1 + len(head), f"  ... {_middle_text(middle)}")
    mixed = any(row.work and row.op_type not in row.work for row in rows)
    summary = flops_by_op(rows) if mixed or len(rows) >= _SUMMARY_FROM else ""
    lines += [f"  {summary}"] if summary else []
    lines.insert(0, _title(rows))
    cut = lines if width is None else [shortened(line, width) for line in lines]
    return "\n".join(cut)


def size_text(size_bytes: int) -> str:
    """`1,536 B`, from 10,000 on in KiB, MiB or GiB with four digits."""
    if size_bytes < 10_000:
        return f"{size_bytes:,} B"
    size, unit = size_bytes / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size < 10_000:
            break
        size, unit = size / 1024, larger
    return f"{size:,.4g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"


def clean(text: str) -> str:
    """The text with what a terminal would act on replaced."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def shortened(text: str, width: int) -> str:
    """At most `width` characters of the text."""
    return text if len(text) <= width else text[: width - 3].rstrip() + "..."


def total_flops(rows: Iterable[Row]) -> int:
    return sum(row.flops or 0 for row in rows)


def plural(count: int, noun: str) -> str:
    """`1 node`, `1,200 nodes`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _title(rows: Sequence[Row]) -> str:
    inputs = [row for row in rows if row.flops is None]
    outputs = [row for row in rows if row.is_output]
    into = size_text(sum(row.size_bytes for row in inputs))
    out = size_text(sum(row.size_bytes for row in outputs))
    return (
        f"graph: {plural(len(rows), 'node')}, {len(inputs):,} of them inputs; "
        f"{plural(total_flops(rows), 'flop')}; {into} in, {out} out"
    )


def _folded(
    rows: Sequence[Row], max_nodes: int | None
) -> tuple[Sequence[Row], Sequence[Row], Sequence[Row]]:
    if max_nodes is None or len(rows) <= max_nodes:
        return rows, (), ()
    first = max_nodes * _FIRST // MAX_LINES
    last = len(rows) - (max_nodes - first)
    return rows[:first], rows[first:last], rows[last:]


def _middle_text(rows: Sequence[Row]) -> str:
    ops = Counter(row.op_type for row in rows).most_common(_SUMMARY_OPS)
    named = ", ".join(f"{count:,} {op}" for op, count in ops)
    flops = plural(total_flops(rows), "flop")
    return f"{plural(len(rows), 'node')} more ({named}): {flops}"


def _aligned(rows: Sequence[Row]) -> list[str]:
    """A heading and a line per row. The user's text stands where it changes."""
    header = ("name", "", "type", "layout", "flops", "bytes", "line")
    cells = [header, *map(_cells, rows)]
    texts = ["", *_texts(rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    kept = [i for i, width in enumerate(widths) if i != 3 or width > len("layout")]
    return [
        "  " + "  ".join([*(_cell(line[i], widths[i], i) for i in kept), text]).rstrip()
        for line, text in zip(cells, texts, strict=True)
    ]


def _cell(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column in (4, 5) else text.ljust(width)


def _cells(row: Row) -> tuple[str, ...]:
    flops = "" if row.flops is None else f"{row.flops:,}"
    place = clean(str(row.place)) if row.place else ""
    call = clean(f"= {row.call(_CALL_WIDTH)}")
    size = f"{row.size_bytes:,}"
    return row.name, call, row.type, row.layout, flops, size, place


def _texts(rows: Sequence[Row]) -> list[str]:
    before = None
    texts: list[str] = []
    for row in rows:
        new = row.place is not None and row.place != before
        text = row.place.text if row.place and new else ""
        texts.append(shortened(clean(text), _TEXT_WIDTH))
        before = row.place
    return texts


def flops_by_op(rows: Iterable[Row]) -> str:
    """`flops by op: matmul 1,024 (98%), relu 16 (2%)`; empty, if there are none."""
    by_op = Counter[str]()
    for row in rows:
        by_op.update(row.work or {})
    total = by_op.total()
    if not total:
        return ""
    largest_first = sorted(by_op.items(), key=lambda item: (-item[1], item[0]))
    shown = largest_first[:_SUMMARY_OPS]
    parts = [f"{op} {count:,} ({count / total:.0%})" for op, count in shown if count]
    rest = total - sum(count for _, count in shown)
    if rest:
        parts.append(f"other {rest:,} ({rest / total:.0%})")
    return f"flops by op: {', '.join(parts)}"
