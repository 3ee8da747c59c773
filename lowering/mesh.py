"""The rectangle of PEs that a program runs on, and the layouts a user can ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from lowering.errors import LayoutError

Axis = Literal["rows", "cols"]
ROWS: Axis = "rows"
COLS: Axis = "cols"
AXES: tuple[Axis, Axis] = (ROWS, COLS)

Kind = Literal["single_pe", "row_partition", "col_partition", "grid"]


@dataclass(frozen=True, slots=True)
class Mesh:
    """`rows` x `cols` PEs; PE(x, y) stands in column x (eastward), row y (southward).

    Raises: LayoutError, unless both are at least 1.
    """

    rows: int
    cols: int

    def __post_init__(self) -> None:
        _check_counts(f"mesh {self.rows}x{self.cols}", self.rows, self.cols)

    def __str__(self) -> str:
        return f"{self.rows}x{self.cols}"

    def size(self, axis: Axis) -> int:
        """The number of PEs along `axis`."""
        return self.rows if axis == ROWS else self.cols

    @property
    def extent(self) -> tuple[int, int]:
        """(rows, cols): the whole mesh as a placement's extent."""
        return (self.rows, self.cols)

    @property
    def pe_count(self) -> int:
        return self.rows * self.cols


@dataclass(frozen=True, slots=True)
class Layout:
    """How a user wants a value to lie on the mesh, whatever its rank.

    single_pe: all of it on PE(0, 0). row_partition: the first dimension over `rows`.
    col_partition: the last dimension over `cols`. grid: the last two dimensions over
    `rows` and `cols` (a vector uses the columns only). A layout smaller than the mesh
    sits at its top left.

    Raises: LayoutError, if a count is below 1 or does not suit the kind.
    """

    kind: Kind
    rows: int = 1
    cols: int = 1

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise LayoutError(
                f"unknown layout {self.kind!r}",
                help=f"use one of {', '.join(get_args(Kind))}",
            )
        _check_counts(str(self), self.rows, self.cols)
        _check_kind(self)

    def __str__(self) -> str:
        counts = {
            "single_pe": "",
            "row_partition": f"({self.rows})",
            "col_partition": f"({self.cols})",
            "grid": f"({self.rows}, {self.cols})",
        }
        return f"{self.kind}{counts.get(self.kind, '')}"


def mesh_of(layouts: Iterable[Layout | None], at_least: Mesh | None = None) -> Mesh:
    """The smallest mesh that holds every layout, and `at_least` if given."""
    rows, cols = at_least.extent if at_least else (1, 1)
    for layout in layouts:
        if layout is not None:
            rows, cols = max(rows, layout.rows), max(cols, layout.cols)
    return Mesh(rows, cols)


def _check_counts(what: str, rows: int, cols: int) -> None:
    if rows < 1 or cols < 1:
        raise LayoutError(
            f"{what} has no PEs",
            rule="a mesh or layout has at least one row and one column of PEs",
            help="use counts of 1 or more",
        )


def _check_kind(layout: Layout) -> None:
    one_row = layout.kind in ("single_pe", "col_partition")
    one_col = layout.kind in ("single_pe", "row_partition")
    if (one_row and layout.rows != 1) or (one_col and layout.cols != 1):
        raise LayoutError(
            f"{layout.kind} over {layout.rows} rows and {layout.cols} columns",
            rule="row_partition uses one column of PEs, col_partition one row, "
            "single_pe one of each",
            help=f"use grid({layout.rows}, {layout.cols})",
        )
