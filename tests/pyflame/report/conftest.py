"""Reading drawings back: what stands where."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import pytest

from pyflame.report import Drawing

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    text: tuple[str, ...] = ()

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: Box) -> bool:
        beside = self.right <= other.x or other.right <= self.x
        stacked = self.bottom <= other.y or other.bottom <= self.y
        return not (beside or stacked)


class Picture:
    """A drawing parsed as strict XML."""

    def __init__(self, drawing: Drawing) -> None:
        self.root = ElementTree.fromstring(drawing.svg())
        assert self.root.tag == f"{SVG}svg"
        _, _, self.width, self.height = map(float, self.root.attrib["viewBox"].split())

    def boxes(self, class_: str) -> list[Box]:
        return [
            self.box(r)
            for r in self.root.iter(f"{SVG}rect")
            if r.get("class") == class_
        ]

    def nodes(self) -> list[Box]:
        groups = [g for g in self.root.iter(f"{SVG}g") if g.get("class") == "node"]
        return [self._node(group) for group in groups]

    def edges(self) -> list[list[tuple[float, float]]]:
        """The end points of the curves of each edge."""
        groups = [g for g in self.root.iter(f"{SVG}g") if g.get("class") == "edge"]
        return [_points(group[0].attrib["d"]) for group in groups]

    def texts(self) -> list[str]:
        return [t.text or "" for t in self.root.iter(f"{SVG}text")]

    def box(self, rect: ElementTree.Element) -> Box:
        return Box(*(float(rect.attrib[k]) for k in ("x", "y", "width", "height")))

    def _node(self, group: ElementTree.Element) -> Box:
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        found = self.box(rect)
        text = tuple(t.text or "" for t in group.iter(f"{SVG}text"))
        return Box(found.x, found.y, found.width, found.height, text)

    def check(self, boxes: list[Box]) -> None:
        """No two overlap, and all are inside the drawing."""
        for i, box in enumerate(boxes):
            assert box.x >= 0
            assert box.y >= 0
            assert box.right <= self.width
            assert box.bottom <= self.height
            assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def _points(path: str) -> list[tuple[float, float]]:
    start, *curves = path.replace("M", "").split("C")
    numbers = [[float(n) for n in curve.split()] for curve in (start, *curves)]
    return [(n[-2], n[-1]) for n in numbers]


@pytest.fixture
def read() -> type[Picture]:
    return Picture
