"""Gathers and scatters: a loop over the points, with one window moved in each pass."""

from __future__ import annotations

from collections.abc import Sequence

from lowering.emit.dsds import Dsds
from lowering.emit.indexing import loop_names
from lowering.emit.registry import step_lines
from lowering.emit.text import index_text, nest
from lowering.emit.windows import Window, sum_text, window_lines
from lowering.plan.steps_gather import Component, GatherStep, Places, ScatterStep
from lowering.plan.values import Constant, View, whole
from lowering.target import Target


@step_lines.register
def _gather(step: GatherStep, dsds: Dsds, target: Target) -> list[str]:
    points = _Points(step.places, step.indices, dsds)
    to, source = points.of_array(whole(step.out)), points.of_table(step.table)
    if step.filling is None:
        return points.loop(points.place_lines(to, source, "copy", points.clipped()))
    filling = Constant(step.filling, (), step.out.dtype)
    otherwise = window_lines(to, filling, dsds, depth=len(points.names))
    copied = points.place_lines(to, source, "copy", points.known())
    return points.loop(points.if_inside(copied, otherwise))


@step_lines.register
def _scatter(step: ScatterStep, dsds: Dsds, target: Target) -> list[str]:
    points = _Points(step.places, step.indices, dsds)
    to = points.of_table(whole(step.out))
    updates = step.updates
    source = updates if isinstance(updates, Constant) else points.of_array(updates)
    kind = "copy" if step.combination == "set" else step.combination
    changed = points.place_lines(to, source, kind, points.known())
    return points.loop(points.if_inside(changed))


class _Points:
    """The loop over the points of a step, and what its body says of a point."""

    def __init__(self, places: Places, indices: View, dsds: Dsds) -> None:
        self._places = places
        self._indices = indices
        self._dsds = dsds
        self.names = loop_names(places.points)

    def loop(self, body: Sequence[str]) -> list[str]:
        if not self.names:  # a scope of its own, for what the body declares
            return ["  {", *(f"    {line}" for line in body), "  }"]
        return nest(self.names, self._places.points, list(body))

    def of_array(self, view: View) -> Window:
        """The point's window of the array that has one for each point."""
        places = self._places
        part = View(view.value, places.window, places.array_strides, view.offset)
        return Window(part, index_text(self.names, places.array_steps))

    def of_table(self, view: View) -> Window:
        """The point's window of the table, which begins at `place`."""
        places = self._places
        part = View(view.value, places.window, places.table_strides, view.offset)
        return Window(part, "place")

    def clipped(self) -> str:
        """Where the window begins, moved inside the table."""
        return self._place("places.clipped({index}, {last})")

    def known(self) -> str:
        """Where the window begins that is known to lie inside."""
        return self._place("@as(i16, {index})")

    def _place(self, start: str) -> str:
        terms = [
            _times(each.stride, start.format(index=self._index(each), last=each.last))
            for each in self._places.components
            if each.last > 0
        ]
        return sum_text(*terms, index_text(self.names, self._places.table_steps))

    def place_lines(
        self, to: Window, source: Window | Constant, kind: str, place: str
    ) -> list[str]:
        """One window to the other; that of the table begins at `place`."""
        lines = window_lines(to, source, self._dsds, kind, len(self.names))
        return [f"const place: i16 = {place};", *lines]

    def if_inside(
        self, body: Sequence[str], otherwise: Sequence[str] = ()
    ) -> list[str]:
        tests = [
            f"places.inside({self._index(each)}, {each.last})"
            for each in self._places.components
        ]
        if not tests:
            return list(body)
        lines = [f"if ({' and '.join(tests)}) {{", *(f"  {line}" for line in body)]
        if otherwise:
            lines += ["} else {", *(f"  {line}" for line in otherwise)]
        return [*lines, "}"]

    def _index(self, component: Component) -> str:
        index = index_text(self.names, self._places.index_strides, component.offset)
        return f"{self._dsds.buffer_name(self._indices.value)}[{index}]"


def _times(stride: int, index: str) -> str:
    return index if stride == 1 else f"{stride} * {index}"
