"""docs/pytorch.md: what the sweep counted, a row per op."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import torch
from sweep_run import Outcome
from sweep_table import ENTRIES

PAGE = Path(__file__).parents[3] / "docs" / "pytorch.md"
COUNTS = Path(__file__).parent / "counts.json"

MAIN = (torch.float32, torch.int32)
OTHERS = (torch.float16, torch.bfloat16, torch.int16, torch.int8, torch.bool)

Outcomes = Mapping[tuple[str, torch.dtype], Outcome]


def load_counts() -> tuple[str, dict[tuple[str, torch.dtype], Outcome]]:
    """The version of PyTorch, and the outcomes of every op in the table."""
    kept = json.loads(COUNTS.read_text("utf-8"))
    found = {
        (name, getattr(torch, dtype)): _outcome(counts)
        for name, by_dtype in kept["ops"].items()
        for dtype, counts in by_dtype.items()
    }
    return kept["pytorch"], found


def save_counts(outcomes: Outcomes) -> None:
    """Writes the outcomes in the order of the table, for this version of PyTorch."""
    ops: dict[str, dict[str, object]] = {}
    for name in ENTRIES:
        for dtype in MAIN:
            if (name, dtype) in outcomes:
                counts = {k: v for k, v in vars(outcomes[name, dtype]).items() if v}
                counts.pop("failures", None)
                title = str(dtype).removeprefix("torch.")
                ops.setdefault(name, {})[title] = counts
    lines = [f"  {json.dumps(name)}: {json.dumps(ops[name])}" for name in ops]
    text = f'{{"pytorch": "{version()}", "ops": {{\n' + ",\n".join(lines) + "\n}}\n"
    COUNTS.write_text(text, encoding="utf-8")


def version() -> str:
    """PyTorch's version without the kind of its build."""
    return torch.__version__.partition("+")[0]


def comparable(outcome: Outcome | None) -> object:
    """What does not hang on how a machine rounds: all but the `near` ones."""
    if outcome is None:
        return None
    return {k: v for k, v in vars(outcome).items() if k not in ("near", "failures")}


def _outcome(counts: Mapping[str, object]) -> Outcome:
    outcome = Outcome(**counts)  # pyright: ignore[reportArgumentType]
    outcome.refused = Counter(outcome.refused)
    outcome.excluded = Counter(outcome.excluded)
    return outcome


_HEAD = """# Beside PyTorch, sample by sample

PyTorch tests its ops on sample inputs (`OpInfo` of `torch.testing`): shapes with empty
and missing dimensions, broadcasting, every argument. Here pyflame computes them beside
PyTorch {version}, on the CPU, gradients included. This page is written by

    python tests/pyflame/torch_sweep/write_table.py

and the tests count it again. `pytest -m slow tests/pyflame/torch_sweep` does the same
for float16, bfloat16, int16, int8 and bool, and for all samples of ops whose samples
are too many for every day (†).

**{equal:,} of {samples:,} sample inputs are equal, and {gradients:,} of
{with_gradients:,} gradients; {refused:,} are refused, {excluded:,} say nothing about
pyflame.**

- *Equal* means equal shapes, dtypes (64-bit ones as the 32-bit ones there are here) and
  values, integers exactly, floats as `torch.testing.assert_close` compares them:
  relative 1.3e-6 for float32, 1e-3 for float16, 1.6e-2 for bfloat16, absolute 1e-5.
- Where rounding shows for a reason (*), and for the halves, a result beyond that is
  equal if it is as near to PyTorch's float64 result as PyTorch's own is: within twice
  its largest error. {near:,} samples here need this.
- Gradients start from a different value at every element.
- *Refused* by an error of pyflame that says why; *excluded* because there is nothing to
  compare. The reasons stand below the table.

| PyTorch | pyflame | float32 | gradients | int32 |
|---|---|---|---|---|
"""


def page(outcomes: Outcomes) -> str:
    """The whole page."""
    rows = "".join(row(name, outcomes) for name in ENTRIES)
    return _heading(outcomes) + rows + _reasons(outcomes)


def row(name: str, outcomes: Outcomes) -> str:
    """The row of one op, counted from the outcomes there are."""
    entry = ENTRIES[name]
    single = outcomes.get((name, torch.float32))
    cells = (
        f"`{name}`{' *' if entry.rounding else ''}{' †' if entry.every > 1 else ''}",
        f"`{entry.shown}`",
        equal_cell(single),
        gradient_cell(single),
        equal_cell(outcomes.get((name, torch.int32))),
    )
    return "| " + " | ".join(cells) + " |\n"


def equal_cell(outcome: Outcome | None) -> str:
    """Equal of all; what is missing was refused or excluded."""
    return f"{outcome.equal} of {outcome.samples}" if outcome else ""


def gradient_cell(outcome: Outcome | None) -> str:
    """How many samples have gradients, all of them equal."""
    if outcome is None or not outcome.with_gradients:
        return ""
    return f"{outcome.gradients} of {outcome.with_gradients}"


def _heading(outcomes: Outcomes) -> str:
    every = outcomes.values()
    return _HEAD.format(
        version=load_counts()[0],
        equal=sum(o.equal for o in every),
        samples=sum(o.samples for o in every),
        gradients=sum(o.gradients for o in every),
        with_gradients=sum(o.with_gradients for o in every),
        refused=sum(o.refused.total() for o in every),
        excluded=sum(o.excluded.total() for o in every),
        near=sum(o.near for o in every),
    )


def _reasons(outcomes: Outcomes) -> str:
    reasons = [f"- `{e.name}`: {e.rounding}\n" for e in ENTRIES.values() if e.rounding]
    refused = _counted({name: o.refused for name, o in _by_name(outcomes)})
    excluded = _counted({name: o.excluded for name, o in _by_name(outcomes)})
    return (
        "\n## Where rounding shows (*)\n\n"
        + "".join(reasons)
        + "\n## Refused\n\n"
        + refused
        + "\n## Excluded\n\n"
        + excluded
    )


def _by_name(outcomes: Outcomes) -> list[tuple[str, Outcome]]:
    merged = {name: Outcome() for name, _ in outcomes}
    for (name, _), outcome in outcomes.items():
        merged[name].refused += outcome.refused
        merged[name].excluded += outcome.excluded
    return list(merged.items())


def _counted(counters: Mapping[str, Counter[str]]) -> str:
    names: dict[str, list[str]] = {}
    counts = Counter[str]()
    for name, counter in counters.items():
        counts += counter
        for reason in counter:
            names.setdefault(reason, []).append(f"`{name}`")
    return "".join(
        f"- {reason} ({counts[reason]}): {', '.join(names[reason])}\n"
        for reason in sorted(names)
    )
