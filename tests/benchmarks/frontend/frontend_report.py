"""Measures the frontend beside jax.jit and PyTorch, and writes a table.

    python tests/benchmarks/frontend/frontend_report.py docs/performance.md

Every workload is run in turn by each way, round after round, so that a change of the
machine's speed meets all of them. A figure is the median over the rounds; a ratio is
the median of the ratios within a round. Without PyTorch its column is empty. The text
of the file outside the marked table stays.
"""

from __future__ import annotations

import os
import platform
import sys
import timeit
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import jax
import op_recording
import training_jax
import training_pf

import pyflame as pf

sys.path.insert(0, str(Path(__file__).parents[1]))
from page_section import rewrite

ROUNDS = 25
SECONDS_PER_ROUND = 0.12

TRAINING = {
    "mlp": "MLP 784-256-10, batch 64",
    "cnn": "LeNet-like CNN, batch 32",
    "block": "transformer, 2 layers of 128, batch 8 x 64",
}
HARD_CASES = {
    "norm": "batch norm, statistics unread",
    "read": "loss read before backward",
    "rate": "learning rate changes every step",
    "evaluate": "evaluation, no optimizer",
    "accumulate": "gradients of 4 batches add up",
}

Way = tuple[Callable[[], Any], Callable[[], Any]]


def ways(name: str) -> dict[str, Way]:
    """The workload by each library: a step, and what waits for the last one."""
    found: dict[str, Way] = {"pf": getattr(training_pf, name)()}
    if name in TRAINING:
        found["pf.jit"] = getattr(training_pf, name)(pf.jit)
    found["jax"] = getattr(training_jax, name)()
    if find_spec("torch"):
        import training_torch

        found["torch"] = getattr(training_torch, name)()
    return found


def measure(name: str) -> dict[str, list[float]]:
    """Microseconds per step by way, one figure per round."""
    runs = {way: _Run(*pair) for way, pair in ways(name).items()}
    times: dict[str, list[float]] = {way: [] for way in runs}
    for _ in range(ROUNDS):
        for way, run in runs.items():
            times[way].append(run.round_us())
    return times


class _Run:
    """Steps enough for a round."""

    def __init__(self, step: Callable[[], Any], wait: Callable[[], Any]) -> None:
        self.step, self.wait = step, wait
        self.count = 5
        self.round_us()  # compiles
        self.count = max(3, round(SECONDS_PER_ROUND * 1e6 / self.round_us()))

    def round_us(self) -> float:
        def steps() -> None:
            for _ in range(self.count):
                self.step()
            self.wait()

        return timeit.timeit(steps, number=1) / self.count * 1e6


def training_row(title: str, times: dict[str, list[float]]) -> str:
    us = {way: f"{median(found):,.0f}" for way, found in times.items()}
    extra = median(
        a - 1.05 * b for a, b in zip(times["pf.jit"], times["jax"], strict=True)
    )
    return _row(
        title,
        us["pf"],
        us["pf.jit"],
        us["jax"],
        us.get("torch", ""),
        _ratio(times, "pf", "jax"),
        f"{_ratio(times, 'pf.jit', 'jax')} ({extra:+.0f} us)",
        _ratio(times, "pf", "torch"),
    )


def hard_row(title: str, times: dict[str, list[float]]) -> str:
    us = {way: f"{median(found):,.0f}" for way, found in times.items()}
    return _row(
        title,
        us["pf"],
        us["jax"],
        us.get("torch", ""),
        _ratio(times, "pf", "jax"),
        _ratio(times, "pf", "torch"),
    )


def _ratio(times: dict[str, list[float]], way: str, other: str) -> str:
    if other not in times:
        return ""
    pairs = zip(times[way], times[other], strict=True)
    return f"{median(a / b for a, b in pairs):.2f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def table() -> str:
    lines = [
        f"Python {platform.python_version()}, jax {jax.__version__}"
        f"{_torch_version()}, {os.cpu_count()} cores. Microseconds per step.",
        "",
        _row(
            "training step",
            "pf",
            "pf.jit",
            "jax.jit",
            "PyTorch",
            "pf / jax.jit",
            "pf.jit / jax.jit (beyond 1.05)",
            "pf / PyTorch",
        ),
        _row("---", *["---:"] * 7),
        *(training_row(title, measure(name)) for name, title in TRAINING.items()),
        "",
        _row("hard case", "pf", "jax.jit", "PyTorch", "pf / jax.jit", "pf / PyTorch"),
        _row("---", *["---:"] * 5),
        *(hard_row(title, measure(name)) for name, title in HARD_CASES.items()),
        "",
        _row("recording", "us per op"),
        _row("---", "---:"),
        *(_row(name, f"{us:.1f}") for name, us in op_recording.measured().items()),
    ]
    return "\n".join(lines)


def _torch_version() -> str:
    if not find_spec("torch"):
        return ""
    import torch

    return f", PyTorch {torch.__version__}"


def main() -> None:
    rewrite(Path(sys.argv[1]), "frontend", table())


if __name__ == "__main__":
    main()
