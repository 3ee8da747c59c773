"""The command line."""

import subprocess
import sys

import pytest

from pyflame import cli


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["--version"])
    assert exit_info.value.code == 0
    assert capsys.readouterr().out.strip() == "1.0.0-alpha"


def test_exec_without_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["exec", "--"])
    assert "no command is given; write `pyflame exec -- COMMAND...`" in (
        capsys.readouterr().err
    )


def test_exec_passes_the_exit_status_on() -> None:
    program = "import sys; sys.exit(7)"
    assert cli.main(["exec", "--", sys.executable, "-c", program]) == 7


def test_the_module_with_arguments_is_the_command() -> None:
    program = "import sys; sys.exit(7)"
    command = [sys.executable, "-m", "pyflame", "exec", "--", sys.executable]
    assert subprocess.run([*command, "-c", program], check=False).returncode == 7
