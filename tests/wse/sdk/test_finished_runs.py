"""Which runs debug_util can still find."""

import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.sdk import finished_runs


@pytest.fixture(autouse=True)
def no_runs(monkeypatch):
    monkeypatch.setattr(finished_runs, "_runs", {})


def test_the_last_run_of_a_folder_is_found_under_any_spelling(tmp_path, monkeypatch):
    finished_runs.remember(tmp_path / "out", "first")
    finished_runs.remember(tmp_path / "out", "second")
    monkeypatch.chdir(tmp_path)
    assert finished_runs.last_run("./out") == "second"


def test_old_runs_are_forgotten(tmp_path):
    for number in range(8):
        finished_runs.remember(tmp_path / str(number), number)
    finished_runs.remember(tmp_path / "0", "again")
    finished_runs.remember(tmp_path / "8", 8)
    assert finished_runs.last_run(tmp_path / "0") == "again"
    with pytest.raises(HostError, match="no run of the program in"):
        finished_runs.last_run(tmp_path / "1")
