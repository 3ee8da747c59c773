"""Compiles and simulates random programs beside JAX, and counts.

python tests/end_to_end/random_programs/run.py --count 5000 --seed 1 --jobs 2 \\
    --state FILE

Programs are made of the primitives and dtypes that the compiler supports. Those that
are wrong or crash are cut down to the lines that are needed and printed. With --state,
outcomes are kept in a file of JSON lines, and a seed in it is not run again.
`--one SEED:NUMBER` shows and runs one program.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from random_outcome import minimal, outcome_of
from random_suite import program_of

_CHUNK = 25
_CHUNKS_PER_PROCESS = 4


def chunk(seed: int, numbers: list[int]) -> list[dict[str, str]]:
    """The outcomes of some programs."""
    return [_record(seed, number) for number in numbers]


def _record(seed: int, number: int) -> dict[str, str]:
    program = program_of(f"{seed}:{number}")
    outcome = outcome_of(program)
    text = ""
    if outcome.is_defect:
        part = minimal(program, outcome)
        text, outcome = part.show(), outcome_of(part)
    name = f"{seed}:{number}"
    return {"name": name, "kind": outcome.kind, "detail": outcome.detail, "text": text}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after")
    parser.add_argument("--state", type=Path, help="file of outcomes")
    parser.add_argument("--one", default="", help="SEED:NUMBER")
    asked = parser.parse_args()
    if asked.one:
        return _show(asked.one)
    records = _finished(asked.state)
    left = [n for n in range(asked.count) if f"{asked.seed}:{n}" not in records]
    for record in _records(asked, left):
        records[record["name"]] = record
        if asked.state:
            with asked.state.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        if record["text"]:
            print(f"{record['name']} {record['kind']}: {record['detail']}")
            print(record["text"], flush=True)
    counts = Counter(record["kind"] for record in records.values())
    print(", ".join(f"{count:,} {kind}" for kind, count in counts.most_common()))
    return bool(counts["wrong"] + counts["crash"])


def _show(name: str) -> int:
    program = program_of(name)
    outcome = outcome_of(program)
    print(program.show())
    print(f"# {outcome.kind}: {outcome.detail}")
    if outcome.is_defect:
        print(minimal(program, outcome).show())
    return outcome.is_defect


def _finished(state: Path | None) -> dict[str, dict[str, str]]:
    if state is None or not state.exists():
        return {}
    lines = state.read_text(encoding="utf-8").splitlines()
    return {record["name"]: record for record in map(json.loads, lines)}


def _records(asked: argparse.Namespace, left: list[int]) -> Iterator[dict[str, str]]:
    """Outcomes in order, until time is up.

    Processes are renewed now and then, by pools of their own: one with
    `max_tasks_per_child` stops for ever when its last process is used up.
    """
    end = time.monotonic() + asked.minutes * 60
    parts = [left[i : i + _CHUNK] for i in range(0, len(left), _CHUNK)]
    each = _CHUNKS_PER_PROCESS * asked.jobs
    for first in range(0, len(parts), each):
        if time.monotonic() > end:
            return
        with ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
            seeds = [asked.seed] * each
            for records in pool.map(chunk, seeds, parts[first : first + each]):
                yield from records


if __name__ == "__main__":
    sys.exit(main())
