"""Published figures of scalar code, loops and what stands around vector operations."""

from __future__ import annotations

from functools import partial

from csl_runs import laps
from published import Figure, Unmeasured

SCALARS = "scalars.csl"
STEPS = 256


def statement(lap: int, arch: str = "wse3") -> int:
    """Cycles of one statement, without the reading of the counter."""
    noted = laps(SCALARS, arch)
    return noted[lap] - noted[0]


def per_step(lap: int) -> float:
    return statement(lap) / STEPS


def branch() -> int:
    """How much longer the condition that fails takes than the one that holds."""
    return statement(9) - statement(8)


def loop_edge() -> float:
    """An iteration less the four instructions of its statement."""
    return per_step(13) - statement(1)


def overlap() -> float:
    """Both together to the sum of each alone."""
    empty, vector, chain, both = laps("overlap.csl", "wse3")
    return (both - empty) / (vector + chain - 2 * empty)


def _statement(what: str, published: float, lap: int, **more) -> Figure:
    arch = more.pop("arch", "wse3")
    return Figure(
        what=what,
        source=more.pop("source", "FAB 10j"),
        arch=arch,
        published=published,
        unit="cycles",
        measured=partial(statement, lap, arch),
        **more,
    )


STATEMENTS = (
    _statement("`k = i + j`, i16 in memory", 4, 1),
    _statement("`k = i * j`, i16 in memory", 4, 2),
    _statement("`c = a * b`, f16 in memory", 4, 3),
    _statement("`c = a * b + c`, f16 in memory", 6, 4),
    _statement("`k = i << 3`", 3, 5),
    _statement("`r = @as(f32, a)`", 3, 6),
    _statement("f32 division, WSE-2", 50, 7, arch="wse2", source="EX", hardware=True),
    _statement("f32 division, WSE-3", 50, 7, source="EX", hardware=True),
    Figure(
        what="step of a chain of i16 products and sums",
        source="FAB 10k",
        arch="wse3",
        published=2.01,
        unit="cycles",
        measured=partial(per_step, 10),
    ),
    Figure(
        what="step of a chain of f16 products",
        source="FAB 8",
        arch="wse3",
        published=2,
        unit="cycles",
        measured=partial(per_step, 11),
    ),
    Figure(
        what="taken branch less one not taken",
        source="FAB 10h",
        arch="wse3",
        published=3,
        unit="cycles",
        measured=branch,
    ),
    Figure(
        what="back edge of a `for` loop",
        source="FAB 8",
        arch="wse3",
        published=9,
        unit="cycles",
        measured=loop_edge,
    ),
    Figure(
        what="element of a rolled scalar dot product (22 to 25)",
        source="FAB 10d",
        arch="wse3",
        published=22,
        unit="cycles",
        measured=partial(per_step, 12),
    ),
    Figure(
        what="vector operation and independent scalar code to the sum of both",
        source="FAB 10k",
        arch="wse3",
        published=0.999,
        unit="x",
        measured=overlap,
    ),
)


def _form(what: str, published: int, lap: int, why: str = "") -> Figure:
    return Figure(
        what=what,
        source="FAB 10 (G9)",
        arch="wse3",
        published=published,
        unit="cycles",
        measured=lambda: laps("loops.csl", "wse3")[lap],
        why=why,
    )


LOOPS = (
    _form("one `@fmach`", 1040, 0),
    _form(
        "`while` over tiles of 16",
        4617,
        1,
        "18 cycles a tile are the two loads of DSRs, the wait for them, 4 of "
        "arithmetic and the loop's edge: the compiler fills the wait with the steps "
        "of the DSDs and the load of the factor, which this model adds",
    ),
    _form("`@map` over tiles of 16", 2840, 2),
    _form("`for` around `@map`, tiles of 16", 3032, 3),
)

UNMEASURED = (
    Unmeasured(
        what="decode to execute, load to use, depth of the pipeline",
        source="FAB 8, 10h, 10i",
        published="3 and 4 cycles",
        why="seen in a trace of the pipeline only",
    ),
    Unmeasured(
        what="`if` and `else` that assign constants",
        source="FAB 10j",
        published="predicated when optimised; 8 and 13 cycles when not",
        why="the model knows branches only; their difference stands above",
    ),
    Unmeasured(
        what="GEMV of one tile, per multiply-add",
        source="FAB 10d",
        published="0.52 cycles and 358 of set-up",
        why="the shapes of the fit are not given",
    ),
)
