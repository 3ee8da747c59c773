"""What the sweep counted, a row per group of harnesses."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness_catalogue import harnesses
from harness_verdict import VERDICTS, Outcome

_TABLE = re.compile(
    r"(<!-- harnesses -->\n).*?(<!-- end of harnesses -->)", flags=re.DOTALL
)
_COUNTED = VERDICTS[:-1]


def summary(found: Sequence[Outcome]) -> str:
    """One line per group and mesh, and one for all."""
    lines = [
        f"{group} {mesh}: {_counts(some)}"
        for (group, mesh), some in sorted(_by_group(found).items())
    ]
    return "\n".join([*lines, f"all: {_counts(found)}"])


def rewrite(page: Path, found: Sequence[Outcome]) -> None:
    """Puts the table for these outcomes between the marks in the page."""
    text = page.read_text(encoding="utf-8")
    assert _TABLE.search(text), f"{page} has no place for the table"
    made = table(found)
    text = _TABLE.sub(lambda match: match[1] + made + match[2], text)
    page.write_text(text, encoding="utf-8")


def table(found: Sequence[Outcome]) -> str:
    """Markdown: counts, a row per group, and why harnesses are left out."""
    meshes = sorted({outcome.mesh for outcome in found})
    groups = _by_group(found)
    sizes = Counter(h.group_name for h in harnesses().values())
    header = ["group", "harnesses", "excluded"]
    header += [f"{mesh} {verdict}" for mesh in meshes for verdict in _COUNTED]
    lines = [header, ["---"] * len(header)]
    for group in sorted(sizes):
        some = [groups.get((group, mesh), []) for mesh in meshes]
        if any(some):
            lines.append([f"`{group}`", *_sizes(sizes[group], some), *_cells(some)])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{_head(found, meshes)}\n{text}\n{_exclusions(found)}"


def _head(found: Sequence[Outcome], meshes: Sequence[str]) -> str:
    counts = [
        f"- {mesh} PEs: {_counts([o for o in found if o.mesh == mesh])}."
        for mesh in meshes
    ]
    names = {outcome.harness for outcome in found}
    every = len(harnesses())
    part = "all" if len(names) == every else f"a sample of {len(names):,} of the"
    return "\n".join([f"Of {part} {every:,} harnesses:", "", *counts, ""])


def _sizes(size: int, some: Sequence[Sequence[Outcome]]) -> list[str]:
    names = {o.harness for each in some for o in each}
    excluded = {o.harness for each in some for o in each if o.verdict == "excluded"}
    run = f"{size}" if len(names) == size else f"{len(names)} of {size}"
    return [run, str(len(excluded) or "")]


def _cells(some: Sequence[Sequence[Outcome]]) -> Iterable[str]:
    for each in some:
        counts = Counter(outcome.verdict for outcome in each)
        yield from (str(counts[verdict] or "") for verdict in _COUNTED)


def _exclusions(found: Sequence[Outcome]) -> str:
    reasons = Counter(
        reason for _, reason in {(o.harness, o.reason) for o in found if not _is_run(o)}
    )
    lines = [f"- {reason}: {count:,}\n" for reason, count in reasons.most_common()]
    return "Excluded, because they say nothing about the wafer:\n\n" + "".join(lines)


def _is_run(outcome: Outcome) -> bool:
    return outcome.verdict != "excluded"


def _counts(found: Iterable[Outcome]) -> str:
    counts = Counter(outcome.verdict for outcome in found)
    return ", ".join(f"{counts[v]:,} {v}" for v in VERDICTS if counts[v])


def _by_group(
    found: Iterable[Outcome],
) -> dict[tuple[str, str], list[Outcome]]:
    groups: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in found:
        groups[harnesses()[outcome.harness].group_name, outcome.mesh].append(outcome)
    return dict(groups)
