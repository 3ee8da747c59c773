"""The workloads compute the same with every library, and can be timed one by one.

pytest tests/benchmarks --benchmark-only
"""

from __future__ import annotations

import frontend_report
import op_recording
import pytest
import training_jax
import training_pf

import pyflame as pf

ALL = [*frontend_report.TRAINING, *frontend_report.HARD_CASES]


@pytest.mark.parametrize(
    ("name", "wrap"),
    [(name, ()) for name in ALL]
    + [(name, (pf.jit,)) for name in frontend_report.TRAINING],
)
def test_losses_are_those_of_jax(name, wrap):
    step, _ = getattr(training_pf, name)(*wrap)
    other, _ = getattr(training_jax, name)()
    ours, theirs = [[float(s()) for _ in range(5)] for s in (step, other)]
    assert ours == pytest.approx(theirs, rel=2e-4)


@pytest.mark.parametrize("name", ALL)
def test_losses_are_those_of_pytorch(name):
    pytest.importorskip("torch")
    import training_torch

    step, _ = getattr(training_pf, name)()
    other, _ = getattr(training_torch, name)()
    ours = [float(step()) for _ in range(5)]
    theirs = [
        float(getattr(x, "detach", lambda x=x: x)())
        for x in (other() for _ in range(5))
    ]
    assert ours == pytest.approx(theirs, rel=2e-4)


@pytest.mark.parametrize("name", ALL)
def test_a_second_step_infers_and_traces_nothing(name):
    from pyflame.staging import counts

    step, _ = getattr(training_pf, name)()
    step()
    step()
    before = counts.inferences, counts.traces
    for _ in range(5):
        step()
    assert (counts.inferences, counts.traces) == before


@pytest.mark.parametrize("name", ALL)
def test_step(benchmark, name):
    step, wait = getattr(training_pf, name)()

    def steps():
        for _ in range(10):
            step()
        wait()

    benchmark.pedantic(steps, rounds=5, warmup_rounds=2)


@pytest.mark.parametrize("name", list(op_recording.calls()))
def test_recording(benchmark, name):
    benchmark(op_recording.calls()[name])
