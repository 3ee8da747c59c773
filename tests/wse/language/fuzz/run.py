"""Feeds random and broken programs to the front end and the machine, and counts.

python tests/wse/language/fuzz/run.py --seed 1 --grammar 40000 --own 40000 \\
    --official 20000 --jobs 2

Prints a table of outcomes; escapes go to the folder given with --escapes. Official
programs need PYFLAME_CSL_EXAMPLES. `--one KIND:NUMBER` shows and runs one input.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random

from csl_grammar import Drawn, Maker, Seeded
from csl_mutations import mutated, official_programs, own_programs
from csl_outcomes import Outcome, Program, outcome_of
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

KINDS = ("hypothesis", "grammar", "own", "official")
MEMORY_BYTES = 6 << 30
CHUNK = 200


@dataclass
class Tally:
    """What a chunk of inputs came to."""

    kind: str
    counts: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    escapes: list[tuple[str, str, str]] = field(default_factory=list)
    slowest: float = 0.0

    def add(self, label: str, program: Program, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        self.slowest = max(self.slowest, outcome.seconds)
        if outcome.kind == "escape":
            self.escapes.append((label, program.show(), outcome.detail))
        else:
            self.messages[outcome.detail[:60]] += 1

    def merge(self, other: Tally) -> None:
        self.counts += other.counts
        self.messages += other.messages
        self.escapes += other.escapes
        self.slowest = max(self.slowest, other.slowest)


def made(kind: str, number: int, base: int) -> Program:
    """Input `number` of a kind: the same for the same seed."""
    random = Random(f"{base}:{kind}:{number}")
    if kind == "grammar":
        return Maker(Seeded(random)).program()
    return mutated(random, own_programs() if kind == "own" else official_programs())


def chunk(kind: str, start: int, count: int, base: int) -> Tally:
    """Inputs start to start + count of a kind."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    tally = Tally(kind)
    if kind == "hypothesis":
        _hypothesis_chunk(tally, start, count, base)
        return tally
    for number in range(start, start + count):
        program = made(kind, number, base)
        tally.add(f"{kind}:{number}", program, outcome_of(program))
    return tally


def _hypothesis_chunk(tally: Tally, start: int, count: int, base: int) -> None:
    @seed(base * 1_000_003 + start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def feed(data: st.DataObject) -> None:
        program = Maker(Drawn(data.draw)).program()
        number = start + sum(tally.counts.values())
        tally.add(f"hypothesis:{number}", program, outcome_of(program))

    feed()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after")
    parser.add_argument("--escapes", type=Path, default=Path("fuzz_escapes"))
    parser.add_argument("--one", default="", help="KIND:NUMBER")
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    if arguments.one:
        return show_one(arguments.one, arguments.seed)
    tallies = run_all(arguments)
    print(table(tallies))
    return sum(t.counts["escape"] for t in tallies.values()) > 0


def show_one(label: str, base: int) -> int:
    kind, _, number = label.partition(":")
    program = made(kind, int(number), base)
    print(program.show())
    outcome = outcome_of(program)
    print(f"// {outcome.kind} after {outcome.seconds:.2f} s\n{outcome.detail}")
    return outcome.kind == "escape"


def run_all(arguments: argparse.Namespace) -> dict[str, Tally]:
    work = [
        (kind, start, min(CHUNK, getattr(arguments, kind) - start), arguments.seed)
        for kind in KINDS
        for start in range(0, getattr(arguments, kind), CHUNK)
    ]
    Random(arguments.seed).shuffle(work)
    tallies = {kind: Tally(kind) for kind in KINDS if getattr(arguments, kind)}
    end = time.monotonic() + arguments.minutes * 60
    own_programs(), official_programs()  # read once, before the processes fork
    with ProcessPoolExecutor(arguments.jobs, get_context("fork")) as pool:
        waiting = [pool.submit(_timed_chunk, end, *item) for item in work]
        for number, future in enumerate(waiting, 1):
            tally = future.result()
            tallies[tally.kind].merge(tally)
            keep_escapes(tally, arguments.escapes)
            done = sum(sum(t.counts.values()) for t in tallies.values())
            if number % 10 == 0:
                print(f"{done} inputs", file=sys.stderr, flush=True)
    return tallies


def _timed_chunk(end: float, kind: str, start: int, count: int, base: int) -> Tally:
    """The chunk, or nothing once time is up."""
    if time.monotonic() > end:
        return Tally(kind)
    return chunk(kind, start, count, base)


def keep_escapes(tally: Tally, folder: Path) -> None:
    for label, text, detail in tally.escapes:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{label.replace(':', '_')}.txt"
        path.write_text(f"{text}\n\n{detail}", encoding="utf-8")


def table(tallies: dict[str, Tally]) -> str:
    names = ("finished", "refused", "fault", "deadlock", "escape")
    lines = [f"| inputs | {' | '.join(names)} | different messages | slowest |"]
    lines.append("|---" * (len(names) + 3) + "|")
    for tally in tallies.values():
        counts = " | ".join(f"{tally.counts[name]:,}" for name in names)
        total = sum(tally.counts.values())
        lines.append(
            f"| {total:,} {tally.kind} | {counts} | {len(tally.messages):,} "
            f"| {tally.slowest:.1f} s |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
