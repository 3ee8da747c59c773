"""Published figures of messages between PEs."""

from __future__ import annotations

from functools import partial

from csl_runs import cycles_of_all, laps
from published import Figure, Unmeasured


def message(
    hops: int,
    n: int,
    arch: str,
    profile: str = "vendor_sim",
    turns: int = 0,
    senders: int = 1,
) -> int:
    """From before the send's issue to the start of the receiver's next task."""
    sizes = {"hops": hops, "n": n, "turns": turns, "senders": senders}
    return cycles_of_all("message.csl", arch, profile, **sizes)


def per_hop(arch: str, profile: str = "vendor_sim") -> float:
    return (message(9, 8, arch, profile) - message(1, 8, arch, profile)) / 8


def per_wavelet(arch: str, profile: str = "vendor_sim") -> float:
    return (message(4, 1024, arch, profile) - message(4, 256, arch, profile)) / 768


def turn(profile: str) -> int:
    straight, turned = (message(4, 8, "wse3", profile, turns=t) for t in (0, 1))
    return turned - straight


def dispatched(n: int) -> int:
    """A message over one hop without the timer and the loads of two DSRs."""
    reading, loads = laps("scalars.csl", "wse3")[0], 5
    return message(1, n, "wse3") - reading - loads


def two_senders() -> float:
    """A message of two PEs over one link against that of one."""
    one, two = (message(4, 1024, "wse3", senders=s) for s in (1, 2))
    return two / one


def relay(stages: int, n: int) -> int:
    return cycles_of_all("relay.csl", "wse3", stages=stages, n=n)


def _of(
    what: str, source: str, arch: str, published: float, unit: str, measured, **more
):
    return Figure(
        what=what,
        source=source,
        arch=arch,
        published=published,
        unit=unit,
        measured=measured,
        **more,
    )


SILICON = {"profile": "silicon", "hardware": True}

MESSAGES = (
    _of(
        "hop", "DOC, RED", "wse2", 1, "cycles", partial(per_hop, "wse2"), hardware=True
    ),
    _of("hop", "FAB 4, 10g", "wse3", 2, "cycles", partial(per_hop, "wse3")),
    _of(
        "hop",
        "FAB 4, 10g",
        "wse3",
        2,
        "cycles",
        partial(per_hop, "wse3", "silicon"),
        **SILICON,
    ),
    _of(
        "wavelet",
        "FD25",
        "wse2",
        1,
        "cycles",
        partial(per_wavelet, "wse2"),
        hardware=True,
    ),
    _of("wavelet", "FAB 10g", "wse3", 1.001, "cycles", partial(per_wavelet, "wse3")),
    _of(
        "wavelet",
        "FAB 4",
        "wse3",
        1.125,
        "cycles",
        partial(per_wavelet, "wse3", "silicon"),
        **SILICON,
    ),
    _of(
        "turn",
        "FAB 4",
        "wse3",
        33,
        "cycles",
        partial(turn, "vendor_sim"),
        why="an optional term, `turn_cycles`, off in this profile: one source, and the "
        "model of RED fits routes with turns without it",
    ),
    _of("turn", "FAB 4", "wse3", 20, "cycles", partial(turn, "silicon"), **SILICON),
    _of(
        "8 words, 1 hop: send's dispatch to the next task",
        "FAB 10j",
        "wse3",
        19,
        "cycles",
        partial(dispatched, 8),
    ),
    _of(
        "8 words, 1 hop, timer and set-up included",
        "FAB 10j",
        "wse3",
        36,
        "cycles",
        partial(message, 1, 8, "wse3"),
    ),
    _of(
        "two senders over one link to one sender",
        "FAB 4",
        "wse3",
        2,
        "x",
        two_senders,
        hardware=True,
    ),
    *(
        _of(
            f"{n} words; hops: {hops}, turns: {turns}",
            "FAB `noc_model`",
            "wse3",
            33 + 2 * hops + 1.125 * n + 20 * turns,
            "cycles",
            partial(message, hops, n, "wse3", "silicon", turns),
            **SILICON,
        )
        for hops, n, turns in ((1, 64, 0), (8, 64, 0), (8, 64, 1), (8, 1024, 0))
    ),
)

RELAYS = tuple(
    _of(
        f"{n} words; stages: {stages}",
        "FAB 10g (R1)",
        "wse3",
        1.001 * stages * n + 16.1 * stages + 16.5,
        "cycles",
        partial(relay, stages, n),
    )
    for stages in (1, 2, 4, 8)
    for n in (64, 512)
)

UNMEASURED = (
    Unmeasured(
        what="dispatch to the link, router to execution, last wavelet to the next task",
        source="FAB 10j",
        published="7, 3 and 3 cycles",
        why="seen in a trace only; they are parts of the 19 cycles above",
    ),
    Unmeasured(
        what="westward hops beyond 32",
        source="FAB 10g",
        published="2.9 cycles",
        why="unexplained by its source; not modelled",
    ),
    Unmeasured(
        what="dependent stage of WSE-3",
        source="FAB 10f",
        published="2.07 cycles",
        why="a fit over whole programs, which its source doubts",
    ),
    Unmeasured(
        what="host transfers",
        source="EX, DOC",
        published="7 Gbit/s a channel, 200 us a transaction",
        why="the host's side has no clock here",
    ),
)
