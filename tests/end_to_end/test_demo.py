"""The demo tells the truth, and its exit status with it."""

from pathlib import Path

import pytest

from pyflame import demo


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "HELD_OUT", 64)
    monkeypatch.setattr(demo, "STEPS", 60)


def test_demo_agrees(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert demo.main() == 0
    out = capsys.readouterr().out
    assert "of 49,152 bytes per PE" in out
    assert "PEs        16 (4 x 4) of a WSE-3" in out
    assert "verdict    the wafer and JAX agree" in out
    assert (tmp_path / "pyflame_csl_output" / "pe.csl").exists()


def test_demo_fails_if_the_wafer_disagrees(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "TOLERANCE", -1.0)
    assert demo.main() == 1
    assert "THEY DISAGREE" in capsys.readouterr().out
