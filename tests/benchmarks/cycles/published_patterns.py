"""The published model of reductions and broadcasts (RED, section 2.1 of the notes).

The model's numbers are fitted to a CS-2 to 4 to 21 per cent; they begin with the first
wavelet, ours with the clock's reading before the operation's issue. Ours are given less
that reading.
"""

from __future__ import annotations

from functools import partial
from math import isqrt, log2

from csl_runs import cycles_of_all, laps
from published import Figure, Unmeasured

RAMP = 2
STAGE = 2 * RAMP + 1


def star(p: int, b: int) -> float:
    return b * (p - 1) + STAGE


def chain(p: int, b: int) -> float:
    return b + (STAGE + 1) * (p - 1)


def tree(p: int, b: int) -> float:
    rounds = log2(p)
    energy = b * p * rounds / (2 * (p - 1)) + p - 1
    return max(b * rounds, energy) + STAGE * rounds


def two_phase(p: int, b: int) -> float:
    group = p**0.5
    energy = 2 * b * (p - group) / (p - 1) + p - 1
    return max(2 * b, energy) + STAGE * (2 * group - 2)


def broadcast(p: int, b: int) -> float:
    return b + p + 2 * RAMP


def broadcast_2d(m: int, n: int, b: int) -> float:
    return b + m + n - 2 + STAGE


def ours(file: str, **sizes: int) -> int:
    """Cycles on WSE-2 less a reading of the counter."""
    return cycles_of_all(file, "wse2", **sizes) - laps("scalars.csl", "wse2")[0]


def _row(name: str, file: str, model, p: int, b: int, **sizes: int) -> Figure:
    return Figure(
        what=f"{name}, {p} PEs, {b} words",
        source="RED, model",
        arch="wse2",
        published=model(p, b),
        unit="cycles",
        measured=partial(ours, file, n=b, **sizes),
        hardware=True,
        slow=p > 64 or p * b > 10_000,
    )


def _on_a_row(p: int, b: int) -> list[Figure]:
    found = [
        _row("chain", "chain.csl", chain, p, b, width=p, height=1, snake=0),
        _row("broadcast", "broadcast.csl", broadcast, p, b, width=p, height=1),
    ]
    if p <= 64:  # a round needs an input queue
        found.append(_row("tree", "tree.csl", tree, p, b, rounds=p.bit_length() - 1))
    if isqrt(p) ** 2 == p:
        found.append(
            _row("two-phase", "two_phase.csl", two_phase, p, b, group=isqrt(p))
        )
    if p * b <= 16_384:
        found.append(_row("star", "star.csl", star, p, b, width=p))
    return found


def _on_a_square(side: int, b: int) -> list[Figure]:
    p = side * side
    sizes = {"n": b, "width": side, "height": side}
    models = {
        "X-Y chain": (2 * chain(side, b), "chain.csl", {"snake": 0}),
        "snake": (chain(p, b), "chain.csl", {"snake": 1}),
        "2-D broadcast": (broadcast_2d(side, side, b), "broadcast.csl", {}),
    }
    return [
        Figure(
            what=f"{name}, {side} x {side} PEs, {b} words",
            source="RED, model",
            arch="wse2",
            published=cycles,
            unit="cycles",
            measured=partial(ours, file, **sizes, **more),
            hardware=True,
            slow=b > 64,
        )
        for name, (cycles, file, more) in models.items()
    ]


ROWS = tuple(
    figure
    for p, b in ((16, 16), (64, 1), (64, 256), (512, 1), (512, 256))
    for figure in _on_a_row(p, b)
)
SQUARES = tuple(
    figure for side, b in ((8, 16), (8, 256)) for figure in _on_a_square(side, b)
)

UNMEASURED = (
    Unmeasured(
        what="ring allreduce",
        source="RED",
        published="a formula",
        why="the model receives, stores and sends on in one stage of 5 cycles; an "
        "operation of the machine has one destination",
    ),
    Unmeasured(
        what="Auto-Gen reductions, and the curves measured on a CS-2",
        source="RED",
        published="plots",
        why="the numbers behind them are not published",
    ),
    Unmeasured(
        what="tree of 512 PEs; two-phase of 512; star of 512 with 256 words",
        source="RED",
        published="2,349; 1,218; 130,821 cycles",
        why="nine rounds need nine input queues; 512 has no whole root; the star is "
        "linear in both and would run long",
    ),
)
