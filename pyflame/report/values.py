"""A tensor in a notebook: its values, and where they are."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from pyflame.graph_text import size_text
from pyflame.report.heat import heat_strip
from pyflame.report.markup import Markup
from pyflame.report.mesh import describe, tiles
from pyflame.report.tables import (
    block,
    folded,
    heading,
    note,
    preformatted,
    side_by_side,
    table,
)
from pyflame.tensors import Tensor

MAX_ROWS = 8
MAX_COLS = 8
_STRIP_FROM = 64  # elements: with fewer, the table says enough
_SMALL = 16  # rows and columns that are drawn large
_DOTS = "⋯"

Array = np.ndarray[Any, Any]


def tensor_html(tensor: Tensor) -> str:
    """The report of a tensor. Like `repr`, it asks for the values: a pending tensor is
    computed, and the report says so."""
    pending = not tensor.is_evaluated()
    value = tensor.__jax_array__()
    if isinstance(value, Tracer) or not isinstance(value, jax.Array):
        return block(heading("Tensor", str(value)))
    array = np.asarray(value)
    layout = tensor._node.layout
    facts = [
        f"{tensor.dtype.name}{list(array.shape)}",
        size_text(array.nbytes),
        "was pending, computed to be shown" if pending else "evaluated",
    ]
    if layout is not None:
        facts.insert(2, str(layout))
    parts: list[str] = [heading("Tensor", *facts), _values(array)]
    if layout is not None and layout.num_pes > 1:
        picture = tiles(layout, array.shape).inline()
        parts.append(folded(describe(layout, array.shape), picture))
    return block(*parts)


def _values(array: Array) -> Markup:
    if not array.size:
        return note("no elements")
    if array.ndim > 2:
        text = np.array2string(_plain(array), separator=", ", threshold=200)
        return Markup(preformatted(text) + _statistics(array))
    matrix = array.reshape(1, -1) if array.ndim < 2 else array
    shown = _table(matrix, array.ndim)
    if array.size < _STRIP_FROM:
        return shown
    with_facts = Markup(shown + _statistics(array))
    if array.ndim < 2:
        return with_facts
    title = f"heat map of {array.shape[0]} x {array.shape[1]} values"
    cell = 14.0 if max(array.shape) <= _SMALL else 7.0
    return side_by_side(with_facts, heat_strip(array, title, cell).inline())


def _table(matrix: Array, ndim: int) -> Markup:
    """The values, with dots for what does not fit."""
    rows, cols = (_shown(n, m) for n, m in zip(matrix.shape, _LIMITS, strict=True))
    picked = matrix[np.ix_(_kept(rows), _kept(cols))]
    texts = iter(_texts(picked))
    body: list[list[str]] = []
    for row in rows:
        line = [] if ndim < 2 else [_DOTS if row is None else str(row)]
        for col in cols:
            missing = row is None or col is None
            line.append(_DOTS if missing else next(texts))
        body.append(line)
    if ndim == 0:
        return table(body)
    header = [_DOTS if col is None else str(col) for col in cols]
    return table(body, header=header if ndim == 1 else ["", *header])


_LIMITS = (MAX_ROWS, MAX_COLS)


def _shown(size: int, limit: int) -> list[int | None]:
    """The indices that are shown; None stands for the rest."""
    if size <= limit:
        return list(range(size))
    last = limit // 3
    return [*range(limit - last), None, *range(size - last, size)]


def _kept(indices: list[int | None]) -> list[int]:
    return [i for i in indices if i is not None]


def _texts(values: Array) -> list[str]:
    """The values as NumPy would print them together."""
    if values.dtype.kind not in "fV":
        return [str(value) for value in values.flat]
    numbers = _plain(values).astype(np.float64)
    finite = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    wide = finite.size and (finite.max() >= 1e5 or finite.min() < 1e-4)
    whole = not wide and bool((finite == np.round(finite)).all())
    digits = ".3e" if wide else ".1f" if whole else ".4f"
    return [f"{value:{digits}}" for value in numbers.flat]


def _statistics(array: Array) -> Markup:
    """Smallest, mean and largest value; and how many are not finite."""
    if array.dtype.kind == "b":
        return note(f"{np.count_nonzero(array):,} of {array.size:,} are true")
    values = _plain(array)
    is_finite = np.isfinite(values)
    finite = values if is_finite.all() else values[is_finite]
    facts: list[str] = []
    if finite.size:
        mean = finite.mean(dtype=np.float64)
        facts = [f"min {finite.min():.4g}", f"mean {mean:.4g}"]
        facts.append(f"max {finite.max():.4g}")
    bad = array.size - finite.size
    if bad:
        facts.append(f"{bad:,} not finite")
    return note(", ".join(facts))


def _plain(array: Array) -> Array:
    """bfloat16, which NumPy prints and sorts its own way, as float32."""
    return array.astype(np.float32) if array.dtype.kind == "V" else array
