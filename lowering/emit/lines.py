"""What the layout and the PE program say about the lines of exchanging PEs."""

from __future__ import annotations

from dataclasses import dataclass

from lowering.emit.indexing import COORDINATE
from lowering.mesh import ROWS
from lowering.plan.resources import Line, Resources

_COLOR_NAMES = {
    "inward": ("inward_even", "inward_odd"),
    "star": ("star",),
    "flood": ("flood",),
    "across": ("across_even", "across_odd"),
    "outward": ("outward_even", "outward_odd"),
}


@dataclass(frozen=True, slots=True)
class LineText:
    """One axis, in the words of the templates.

    `rows` is the axis along a column of PEs (south is forth), `cols` along a row.
    """

    line: Line

    @property
    def axis(self) -> str:
        return self.line.axis

    @property
    def size(self) -> int:
        return self.line.size

    @property
    def word(self) -> str:
        return "column" if self.axis == ROWS else "row"

    @property
    def length(self) -> str:
        return "height" if self.axis == ROWS else "width"

    @property
    def coordinate(self) -> str:
        return "y" if self.axis == ROWS else "x"

    @property
    def getter(self) -> str:
        return COORDINATE[self.axis]

    @property
    def forth(self) -> str:
        return "SOUTH" if self.axis == ROWS else "EAST"

    @property
    def back(self) -> str:
        return "NORTH" if self.axis == ROWS else "WEST"

    @property
    def inward(self) -> bool:
        return "inward" in self.line.channels

    @property
    def star(self) -> bool:
        return "star" in self.line.channels

    @property
    def flood(self) -> bool:
        return "flood" in self.line.channels

    @property
    def floods_inward(self) -> bool:
        """Whether PE 0 floods through the queue on which others send inward."""
        return self.flood and self.inward and not self.star

    @property
    def across(self) -> bool:
        return "across" in self.line.channels

    @property
    def group(self) -> int:
        return self.line.group

    @property
    def outward(self) -> bool:
        return "outward" in self.line.channels

    @property
    def bindings(self) -> list[tuple[str, str]]:
        """Parameters of the collectives module beside size and task."""
        pairs: list[tuple[str, str]] = []
        for name, channel in self.line.channels.items():
            if name == "flood" and self.star:
                continue
            if name == "flood":
                pairs.append(("flood_color", f"{self.axis}_flood"))
            else:
                pairs += [
                    (f"{name}_{way}", f"{self.axis}_{name}_{way}")
                    for way in ("send", "receive")
                ]
            pairs.append((f"{name}_in", f"@get_input_queue({channel.input_queue})"))
            if name != "flood" or not self.inward:
                queue = f"@get_output_queue({channel.output_queue})"
                pairs.append((f"{name}_out", queue))
        return pairs


def lines_of(resources: Resources) -> list[LineText]:
    return [LineText(line) for line in resources.lines]


def colors(resources: Resources) -> list[dict[str, str | int]]:
    """Every color with the name it has in the layout."""
    return [
        {"name": f"{line.axis}_{name}", "number": number}
        for line in resources.lines
        for kind, channel in line.channels.items()
        for name, number in zip(_COLOR_NAMES[kind], channel.colors, strict=True)
    ]


def tile_params(resources: Resources) -> list[dict[str, str]]:
    """Colors that the layout gives each PE: they depend on the kind of its place."""
    params: list[dict[str, str]] = []
    for line in lines_of(resources):
        axis, at = line.axis, line.coordinate
        if line.inward:
            odd_first = f"by_parity({at}, {axis}_inward_odd, {axis}_inward_even)"
            params += [
                _param(f"{axis}_inward_send", f"{axis}_inward_send({at})"),
                _param(f"{axis}_inward_receive", odd_first),
            ]
        if line.star:
            pair = (f"{axis}_flood" if line.flood else f"{axis}_star", f"{axis}_star")
            params += [
                _param(f"{axis}_star_send", f"of_place({at}, {', '.join(pair)})"),
                _param(
                    f"{axis}_star_receive", f"of_place({at}, {', '.join(pair[::-1])})"
                ),
            ]
        elif line.flood:
            params.append(_param(f"{axis}_flood", f"{axis}_flood"))
        if line.across:
            number = f"{axis}_across_number({at})"
            even, odd = f"{axis}_across_even", f"{axis}_across_odd"
            params += [
                _param(f"{axis}_across_send", f"by_parity({number}, {even}, {odd})"),
                _param(f"{axis}_across_receive", f"by_parity({number}, {odd}, {even})"),
            ]
        if line.outward:
            even, odd = f"{axis}_outward_even", f"{axis}_outward_odd"
            params += [
                _param(f"{axis}_outward_send", f"by_parity({at}, {even}, {odd})"),
                _param(f"{axis}_outward_receive", f"by_parity({at}, {odd}, {even})"),
            ]
    return params


def _param(name: str, text: str) -> dict[str, str]:
    return {"name": name, "text": text}


def uses_size(resources: Resources) -> bool:
    """Whether some exchange does another thing on the last PE of a line."""
    return not set(resources.functions) <= {"flood", "relay_inward"}


def collectives_context(resources: Resources) -> dict[str, object]:
    """What the collectives module needs to know; the same for both lines."""
    line = lines_of(resources)[0]
    kinds = resources.functions
    reductions = [
        (kind, name, builtin, words)
        for kind in ("inward", "star", "groups", "across")
        for name, builtin, words in (
            ("sum", "@fadds", "sum"),
            ("max", "@fmaxs", "maximum"),
        )
        if f"reduce_{kind}_{name}" in kinds
    ]
    shifts = [
        (way, to, origin, first, last)
        for way, to, origin, first, last in (
            ("outward", "to_outer", "from_inner", "0", "size - 1"),
            ("inward", "to_inner", "from_outer", "size - 1", "0"),
        )
        if f"shift_{way}" in kinds
    ]
    return {
        "inward": line.inward,
        "star": line.star,
        "flood": line.flood,
        "across": line.across,
        "outward": line.outward,
        "kinds": kinds,
        "uses_size": uses_size(resources),
        "reductions": reductions,
        "shifts": shifts,
        "input_queues": _input_queues(line),
        "output_queues": _output_queues(line),
    }


def _input_queues(line: LineText) -> list[tuple[str, str]]:
    found = [("inward_in", "inward_receive")] if line.inward else []
    if line.star:
        found.append(("star_in", "star_receive"))
    elif line.flood:
        found.append(("flood_in", "flood_color"))
    found += [("across_in", "across_receive")] if line.across else []
    return found + ([("outward_in", "outward_receive")] if line.outward else [])


def _output_queues(line: LineText) -> list[tuple[str, str]]:
    found = [("inward_out", "inward_send")] if line.inward else []
    if line.star:
        found.append(("star_out", "star_send"))
    elif line.flood and not line.inward:
        found.append(("flood_out", "flood_color"))
    found += [("across_out", "across_send")] if line.across else []
    return found + ([("outward_out", "outward_send")] if line.outward else [])
