"""The programs that the simulator is timed by compute what they should."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import simulator_workloads as workloads

ARCHS = pytest.mark.parametrize("arch", ["wse2", "wse3"])


@ARCHS
@pytest.mark.parametrize("leaps", [False, True])
def test_values(arch, leaps):
    assert workloads.line(7, 300, arch, leaps=leaps).hops == 7 * 300
    workloads.summa(3, 6, arch, leaps=leaps)


@ARCHS
def test_leaps_keep_cycles_and_counts(arch):
    steps, leapt = (workloads.summa(4, 12, arch, leaps=leaps) for leaps in (0, 1))
    assert (leapt.cycles, leapt.hops) == (steps.cycles, steps.hops)


def test_the_report_measures_in_another_process():
    script = Path(workloads.__file__).with_name("report.py")
    command = [sys.executable, str(script), "--measure", "resident", json.dumps([2])]
    found = json.loads(subprocess.check_output(command, text=True))
    assert found["bytes"] > 4 * 48 * 1024
