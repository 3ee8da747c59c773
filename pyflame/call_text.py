"""How the arguments of a recorded op are shown: `sum(h, dim=1)`, `index(x, [1:4])`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pyflame import node as nodes
from pyflame.ops.shape import AT, FROM, index, index_text

Texts = tuple[str, ...]


def operands_of(recorded: nodes.Node) -> Sequence[nodes.Node]:
    """`x, x` of `x * x`; of one of several results, what all of them come from."""
    if all(i.aval is not None for i in recorded.inputs):
        return recorded.inputs
    return nodes.operands(recorded)


def call_texts(
    recorded: nodes.Node, name_of: Callable[[nodes.Node], str]
) -> tuple[Texts, Texts]:
    """The operands by name, numbers as they are; and the other arguments. Those that
    are off or left out are not shown."""
    operands = tuple(
        repr(i.value) if i.is_literal else name_of(i) for i in operands_of(recorded)
    )
    static: dict[str, Any] = dict(recorded.static)
    if recorded.op is index:
        return _index_texts(operands, static["key"])
    return operands, tuple(
        f"{name}={index_text(value) if name == 'key' else repr(value)}"
        for name, value in static.items()
        if value is not None and value is not False
    )


def _index_texts(operands: Texts, key: Sequence[object]) -> tuple[Texts, Texts]:
    """The array, and the index as it may have been written."""
    starts = iter(operands[1:])
    parts = [_part_text(part, starts) for part in key]
    return (operands[0], f"[{', '.join(parts)}]"), ()


def _part_text(part: object, starts: Iterator[str]) -> str:
    match part:
        case str() if part == AT:
            return next(starts)
        case (str() as kind, int() as length) if kind == FROM:
            return _range_text(next(starts), length)
    return index_text((part,))[1:-1]


def _range_text(start: str, length: int) -> str:
    if start.isdigit():
        return f"{start}:{int(start) + length}"
    return f"{start}:{start}+{length}"
