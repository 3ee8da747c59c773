"""Published figures of vector operations on memory."""

from __future__ import annotations

from functools import partial

from csl_runs import laps
from published import Figure, Unmeasured

SHORT, LONG = 512, 2048
EMPTY = 0

# Laps of the programs' stop-watches.
_HALVES = "empty copy fill add mul fma add16 xor16 reduce register stride2 stride4 dot"
HALVES = {name: lap for lap, name in enumerate(_HALVES.split())}
SINGLES = {
    "copy": 1,
    "fma colliding": 3,
    "fma": 2,
    "add": 6,
    "mul": 7,
    "add of three": 12,
}
MULTIPLY_BY_PLACE = slice(8, 12)
FMA_BY_PLACE = slice(2, 6)


def timed(file: str, lap: int, n: int, arch: str, profile: str = "vendor_sim") -> int:
    """Cycles of one operation, with a reading of the counter."""
    return laps(file, arch, profile, n=n)[lap]


def untimed(file: str, lap: int, n: int, arch: str) -> int:
    """Cycles of one operation without the reading."""
    noted = laps(file, arch, n=n)
    return noted[lap] - noted[EMPTY]


def rate(file: str, lap: int, arch: str, profile: str = "vendor_sim") -> float:
    """Elements per cycle of long vectors."""
    cycles = [timed(file, lap, n, arch, profile) for n in (SHORT, LONG)]
    return (LONG - SHORT) / (cycles[1] - cycles[0])


def cycles_per_element(file: str, lap: int, arch: str) -> float:
    return 1 / rate(file, lap, arch)


def setup(file: str, lap: int, arch: str) -> float:
    """What a line through the cycles of two lengths leaves at length 0."""
    slope = cycles_per_element(file, lap, arch)
    return timed(file, lap, LONG, arch) - slope * LONG


def of_stride_2(n: int) -> float:
    """A copy of every second element against one of neighbors, set-up included."""
    copies = (untimed("halves.csl", HALVES[k], n, "wse3") for k in ("stride2", "copy"))
    return next(copies) / next(copies)


def of_collision(arch: str) -> float:
    """The worst of four placements of a multiply-add against the best."""
    cycles = laps("singles.csl", arch, n=LONG)[FMA_BY_PLACE]
    return max(cycles) / min(cycles)


def multiply_by_place(choose) -> int:
    """5,124 products with registers loaded before, by the place of the operands."""
    return choose(laps("singles.csl", "wse2", n=5124)[MULTIPLY_BY_PLACE])


def colliding_fma_rate(profile: str) -> float:
    cycles = [
        max(laps("singles.csl", "wse3", profile, n=n)[FMA_BY_PLACE])
        for n in (SHORT, LONG)
    ]
    return (LONG - SHORT) / (cycles[1] - cycles[0])


def _rate(what, source, arch, published, file, lap, **more) -> Figure:
    measured = partial(rate, file, lap, arch, more.get("profile", "vendor_sim"))
    return Figure(
        what=what,
        source=source,
        arch=arch,
        published=published,
        unit="elements/cycle",
        measured=measured,
        **more,
    )


def _halves(what, source, published, name, **more) -> Figure:
    arch = more.pop("arch", "wse3")
    return _rate(what, source, arch, published, "halves.csl", HALVES[name], **more)


def _singles(what, source, arch, published, name, **more) -> Figure:
    return _rate(what, source, arch, published, "singles.csl", SINGLES[name], **more)


SILICON = {"profile": "silicon", "hardware": True}

THROUGHPUT = (
    _halves("`@fmach`", "DOC, RED", 4, "fma", arch="wse2", hardware=True),
    _singles("`@fmacs`", "FD25", "wse2", 1, "fma", hardware=True),
    _singles("`@fadds`", "FD25", "wse2", 1, "add", hardware=True),
    _singles("`@fmuls`", "FD25", "wse2", 1, "mul", hardware=True),
    _halves("`@fmovh`", "FAB 3", 8, "copy"),
    _singles("`@fmovs`", "FAB 3", "wse3", 4, "copy"),
    _halves("`@fmovh` of a scalar", "FAB 10d", 7.93, "fill"),
    _halves("`@fmach`", "FAB 3", 4, "fma"),
    Figure(
        what="`@fmacs`, colliding operands",
        source="FAB 3",
        arch="wse3",
        published=0.5,
        unit="elements/cycle",
        measured=partial(colliding_fma_rate, "vendor_sim"),
    ),
    _halves("`@faddh`", "FAB 10d", 3.96, "add"),
    _halves("`@fmulh`", "FAB 10d", 3.96, "mul"),
    _halves("`@add16`", "FAB 10d", 3.94, "add16"),
    _halves("`@xor16`", "FAB 10d", 3.94, "xor16"),
    _singles("`@fadds`", "FAB 10j", "wse3", 2, "add"),
    _halves("`@fmovh` into a scalar", "FAB 10d", 1, "register"),
    _halves("`@fmovh` of every 2nd element", "FAB 10d", 4, "stride2"),
    _halves("`@fmovh` of every 4th element", "FAB 10d", 2, "stride4"),
    _halves("`@fmovh`", "FAB 3", 4.82, "copy", **SILICON),
    _singles("`@fmovs`", "FAB 3", "wse3", 2.44, "copy", **SILICON),
    _halves("`@fmach`", "FAB 3", 2.92, "fma", **SILICON),
    Figure(
        what="`@fmacs`, colliding operands",
        source="FAB 3",
        arch="wse3",
        published=0.5,
        unit="elements/cycle",
        measured=partial(colliding_fma_rate, "silicon"),
        **SILICON,
    ),
)

REDUCTIONS = (
    Figure(
        what="`@faddh(&sum, sum, x)`",
        source="FAB 10d",
        arch="wse3",
        published=2.0,
        unit="cycles/element",
        measured=partial(cycles_per_element, "halves.csl", HALVES["reduce"], "wse3"),
    ),
    Figure(
        what="dot product: `@fmulh`, then the reduction",
        source="FAB 10d",
        arch="wse3",
        published=2.25,
        unit="cycles/element",
        measured=partial(cycles_per_element, "halves.csl", HALVES["dot"], "wse3"),
    ),
)

BANKS = (
    Figure(
        what="`@fmuls` of 5,124, best placement",
        source="SPMM",
        arch="wse2",
        published=5130,
        unit="cycles",
        measured=partial(multiply_by_place, min),
    ),
    Figure(
        what="`@fmuls` of 5,124, worst placement",
        source="SPMM",
        arch="wse2",
        published=10254,
        unit="cycles",
        measured=partial(multiply_by_place, max),
    ),
    Figure(
        what="worst of four placements of `@fmacs` to the best",
        source="FAB 3",
        arch="wse3",
        published=1.94,
        unit="x",
        measured=partial(of_collision, "wse3"),
    ),
    Figure(
        what="stride 2 to stride 1, `@fmovh` of 2,048",
        source="FAB 8",
        arch="wse3",
        published=1.981,
        unit="x",
        measured=partial(of_stride_2, 2048),
    ),
    Figure(
        what="stride 2 to stride 1, `@fmovh` of 16",
        source="FAB 8",
        arch="wse3",
        published=1.286,
        unit="x",
        measured=partial(of_stride_2, 16),
    ),
)


def matmul_cycles(rows: int, inner: int, columns: int) -> int:
    sizes = {"rows": rows, "inner": inner, "columns": columns}
    return laps("matmul_columns.csl", "wse2", **sizes)[0]


COLUMNS = tuple(
    Figure(
        what=f"`@fmacs` over columns, {rows} x {inner} by {inner} x {columns}",
        source="SPMM (G4)",
        arch="wse2",
        published=published,
        unit="cycles",
        measured=partial(matmul_cycles, rows, inner, columns),
        hardware=True,
    )
    for rows, inner, columns, published in ((64, 48, 64, 476866), (128, 8, 64, 150760))
)

_SAME_FORM = (
    "FAB 10i gives 8 for the same form: there every 8 elements take 2 cycles, here the "
    "first 8 take one"
)


def _whole(what: str, source: str, published: int, n: int, name: str, why: str = ""):
    file, laps_of = "halves.csl", HALVES
    if name not in HALVES:
        file, laps_of = "singles.csl", SINGLES
    measured = partial(untimed, file, laps_of[name], n, "wse3")
    return Figure(
        what=what,
        source=source,
        arch="wse3",
        published=published,
        unit="cycles",
        measured=measured,
        why=why,
    )


def _fitted(what: str, published: int, file: str, lap: int) -> Figure:
    return Figure(
        what=what,
        source="FAB 3",
        arch="wse3",
        published=published,
        unit="cycles",
        measured=partial(setup, file, lap, "wse3"),
    )


SETUP = (
    _fitted("`@fmovh`, at length 0, timer included", 15, "halves.csl", HALVES["copy"]),
    _fitted("`@fmovs`, at length 0, timer included", 15, "singles.csl", 1),
    _fitted("`@fmach`, at length 0, timer included", 16, "halves.csl", HALVES["fma"]),
    _fitted("`@fmacs`, at length 0, timer included", 17, "singles.csl", SINGLES["fma"]),
    _whole("`@faddh` of 8, to the next instruction", "FAB 10i", 8, 8, "add"),
    _whole("`@faddh` of 16, to the next instruction", "FAB 10i", 10, 16, "add"),
    _whole("`@faddh` of 64, to the next instruction", "FAB 10i", 22, 64, "add"),
    _whole("`@fmovh` of 8 copies of a scalar", "FAB 10j", 5, 8, "fill"),
    _whole("`@fmovh` of 8", "FAB 10j", 6, 8, "copy"),
    _whole("`@fmovh` of 8, stride 2", "FAB 10j", 7, 8, "stride2"),
    _whole("`@fmulh` of 8", "FAB 10j", 7, 8, "mul", _SAME_FORM),
    _whole(
        "`@fadds` of 8, three vectors",
        "FAB 10j",
        9,
        8,
        "add of three",
        "one cycle, as for `@fmulh`",
    ),
    _whole("`@faddh` of 8 into a scalar", "FAB 10j", 24, 8, "reduce"),
)

UNMEASURED = (
    Unmeasured(
        what="a row of 2,597 cycles for 5,124 elements, WSE-2",
        source="SPMM",
        published="2,597 cycles",
        why="the operation was not recorded; two elements per cycle fit a move",
    ),
    Unmeasured(
        what="first load of a DSR to the last element's execution",
        source="FAB 10i",
        published="11 / 13 / 25 cycles of 8 / 16 / 64",
        why="seen in a trace of the pipeline; a program sees when the next instruction "
        "issues, which stands above",
    ),
    Unmeasured(
        what="placements of half-precision operands",
        source="DOC; FAB 10c",
        published="full speed only 4 words apart; no difference found",
        why="the two sources disagree; the profile follows the measurement",
    ),
    Unmeasured(
        what="worst collision at other strides",
        source="FAB 3",
        published="up to 2.86 x",
        why="neither the stride nor the lengths are given",
    ),
)
