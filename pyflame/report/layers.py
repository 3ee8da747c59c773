"""Where the nodes of a graph go: layer by layer downward, edges without detours.

The steps are those of Sugiyama, Tagawa and Toda (1981): layers by longest path, edges
over several layers through points of their own, order within a layer by barycenters;
then places as near to the neighbours' as the sizes allow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_SWEEPS = 8
_GAP = 22.0  # between boxes of a layer
_POINT_WIDTH = 8.0

Order = list[list[int]]


@dataclass
class Arrangement:
    """`layers` of items, and per item its layer and the x of its middle.

    Items below the number of nodes are the nodes; the others are points of edges.
    `paths` gives the items of each edge, from above to below.
    """

    layer: list[int]
    x: list[float]
    layers: Order
    paths: dict[tuple[int, int], list[int]]


@dataclass
class _Items:
    layer: list[int]
    widths: list[float]
    above: list[list[int]] = field(default_factory=list)
    below: list[list[int]] = field(default_factory=list)


def arrange(inputs: Sequence[Sequence[int]], widths: Sequence[float]) -> Arrangement:
    """Places nodes that are numbered so that inputs come before their users."""
    layer = _layers(inputs)
    items, paths = _with_points(inputs, layer, widths)
    layers: Order = [[] for _ in range(max(items.layer, default=-1) + 1)]
    for item, level in enumerate(items.layer):
        layers[level].append(item)
    _order(layers, items)
    return Arrangement(items.layer, _places(layers, items), layers, paths)


def _layers(inputs: Sequence[Sequence[int]]) -> list[int]:
    """One below the lowest input; a node without inputs just above its first user."""
    layer = [0] * len(inputs)
    for node, its_inputs in enumerate(inputs):
        layer[node] = max((layer[i] + 1 for i in its_inputs), default=0)
    first_use: dict[int, int] = {}
    for node, its_inputs in enumerate(inputs):
        for i in its_inputs:
            first_use[i] = min(first_use.get(i, layer[node]), layer[node])
    for node, its_inputs in enumerate(inputs):
        if not its_inputs and node in first_use:
            layer[node] = first_use[node] - 1
    return layer


def _with_points(
    inputs: Sequence[Sequence[int]], layer: Sequence[int], widths: Sequence[float]
) -> tuple[_Items, dict[tuple[int, int], list[int]]]:
    """The nodes, and a point for every layer that an edge passes."""
    items = _Items(list(layer), list(widths))
    items.above = [[] for _ in inputs]
    items.below = [[] for _ in inputs]
    paths: dict[tuple[int, int], list[int]] = {}
    for node, its_inputs in enumerate(inputs):
        for i in dict.fromkeys(its_inputs):
            path = [i]
            for level in range(layer[i] + 1, layer[node]):
                path.append(_new_point(items, level))
            path.append(node)
            for upper, lower in pairwise(path):
                items.below[upper].append(lower)
                items.above[lower].append(upper)
            paths[i, node] = path
    return items, paths


def _new_point(items: _Items, level: int) -> int:
    items.layer.append(level)
    items.widths.append(_POINT_WIDTH)
    items.above.append([])
    items.below.append([])
    return len(items.layer) - 1


def _order(layers: Order, items: _Items) -> None:
    """Sorts each layer by the mean position of its neighbours, downward and upward."""
    position = [0.0] * len(items.layer)

    def renumber(level: list[int]) -> None:
        for place, item in enumerate(level):
            position[item] = place / max(len(level) - 1, 1)

    for level in layers:
        renumber(level)
    for sweep in range(_SWEEPS):
        neighbours = items.above if sweep % 2 == 0 else items.below
        for level in layers if sweep % 2 == 0 else reversed(layers):
            level.sort(key=_mean_of(neighbours, position))
            renumber(level)


def _mean_of(
    neighbours: list[list[int]], position: list[float]
) -> Callable[[int], float]:
    def mean(item: int) -> float:
        near = neighbours[item]
        if not near:
            return position[item]
        return sum(position[n] for n in near) / len(near)

    return mean


def _places(layers: Order, items: _Items) -> list[float]:
    """The middles: each layer packed, then drawn to its neighbours, back and forth."""
    x = [0.0] * len(items.layer)
    for level in layers:
        _spread(level, [0.0] * len(level), items.widths, x)
    for sweep in range(2 * _SWEEPS):
        neighbours = items.below if sweep % 2 == 0 else items.above
        mean = _mean_of(neighbours, x)
        for level in reversed(layers) if sweep % 2 == 0 else layers:
            _spread(level, [mean(item) for item in level], items.widths, x)
    left = min((x[i] - items.widths[i] / 2 for i in range(len(x))), default=0.0)
    return [place - left for place in x]


def _spread(
    level: list[int], wanted: list[float], widths: list[float], x: list[float]
) -> None:
    """The places nearest to the wanted ones, in order, with gaps between the boxes.

    Neighbours that would collide are joined, and a group stands at the mean of what
    its members want (least squares; the pool-adjacent-violators algorithm).
    """
    offsets: list[float] = []
    for number, item in enumerate(level):
        step = 0.0
        if number:
            step = (widths[level[number - 1]] + widths[item]) / 2 + _GAP
        offsets.append((offsets[-1] if offsets else 0.0) + step)
    groups: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        total, count = place - offset, 1
        while groups and groups[-1][0] / groups[-1][1] >= total / count:
            before, number = groups.pop()
            total, count = total + before, count + number
        groups.append((total, count))
    shifts = [total / count for total, count in groups for _ in range(count)]
    for item, offset, shift in zip(level, offsets, shifts, strict=True):
        x[item] = offset + shift
