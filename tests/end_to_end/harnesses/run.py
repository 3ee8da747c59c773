"""Runs JAX's own test harnesses on the simulated wafer, beside JAX on the CPU.

python tests/end_to_end/harnesses/run.py --group sin cos --mesh 1x1 2x2 --jobs 2
python tests/end_to_end/harnesses/run.py --sample 1 --state FILE --out PAGE

Prints what is wrong, crashes or takes too long, then a count by group. With --state,
finished jobs are kept in a file of JSON lines and not run again; --again VERDICT runs
those of that verdict again. With --out, the table in that page is rewritten from all
outcomes in the state file.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness_catalogue import chosen
from harness_table import rewrite, summary
from harness_verdict import VERDICTS, Job, Outcome
from harness_workers import outcomes

_LOUD = ("wrong", "crash", "timeout")


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--group", nargs="*", default=[], help="only these groups")
    add("--dtype", nargs="*", default=[], help="only these dtypes, as in float32")
    add("--name", default="", help="only harnesses whose full name contains this")
    add("--mesh", nargs="*", default=["1x1", "2x2"], help="ROWSxCOLS")
    add("--target", default="wse3", choices=("wse2", "wse3"))
    add("--sample", type=int, default=0, help="of each group and dtype; 0 for all")
    add("--linear-algebra", action="store_true", help="run that of LAPACK as well")
    add("--jobs", type=int, default=1, help="processes")
    add("--limit", type=float, default=60.0, help="processor seconds for each job")
    add("--state", type=Path, help="file of finished jobs, one JSON object a line")
    add("--again", nargs="*", default=[], choices=VERDICTS, help="run these again")
    add("--out", type=Path, help="page whose table is rewritten")
    add("--show", nargs="*", default=_LOUD, choices=VERDICTS, help="verdicts to print")
    return parser.parse_args(arguments)


def finished(state: Path | None) -> dict[tuple[str, str, str], Outcome]:
    """The last outcome of every job in the file."""
    if state is None or not state.exists():
        return {}
    lines = state.read_text(encoding="utf-8").splitlines()
    found = [Outcome(**json.loads(line)) for line in lines]
    return {(o.harness, o.mesh, o.target): o for o in found}


def main() -> int:
    asked = parsed()
    known = finished(asked.state)
    jobs = [
        Job(name, mesh, asked.target, asked.linear_algebra)
        for name in chosen(asked.group, asked.dtype, asked.sample)
        for mesh in asked.mesh
        if asked.name in name
    ]
    mine = {(job.harness, job.mesh, job.target): job for job in jobs}
    again = [k for k, o in known.items() if k in mine and o.verdict in asked.again]
    to_run = [job for key, job in mine.items() if key not in known or key in again]
    for outcome in outcomes(to_run, asked.jobs, asked.limit):
        known[outcome.harness, outcome.mesh, outcome.target] = outcome
        if asked.state:
            _keep(outcome, asked.state)
        if outcome.verdict in asked.show:
            _print(outcome)
    print(summary([known[key] for key in mine]))
    if asked.out:
        rewrite(asked.out, list(known.values()))
    return any(known[key].verdict in _LOUD for key in mine)


def _keep(outcome: Outcome, state: Path) -> None:
    with state.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(outcome)) + "\n")


def _print(outcome: Outcome) -> None:
    where = f"{outcome.mesh} {outcome.target}"
    print(f"{outcome.verdict}: {outcome.harness} on {where}: {outcome.reason}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
