"""pyflame exec and cs_python, each in a process of its own."""

import subprocess
import sys

import pytest

from pyflame.wse.sdk import cs_python
from pyflame.wse.sdk import exec as pyflame_exec


def run(*command, cwd=None):
    """Exit status, output and errors of `pyflame exec -- COMMAND`."""
    code = (
        "import sys; from pyflame.wse.sdk.exec import run; sys.exit(run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--", *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_tools_come_first_on_the_path():
    status, out, _ = run("sh", "-c", "command -v cslc; command -v cs_python")
    assert status == 0
    assert out.count("pyflame-exec-") == 2


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("sh", "-c", "exit 3"), 3),
        (("sh", "-c", "kill -TERM $$"), 143),
        (("no-such-command-here",), 127),
        (("/",), 126),
        ((), 2),
    ],
)
def test_exit_status_passes_through(command, status):
    assert run(*command)[0] == status


def test_missing_command_is_named():
    assert run("no-such-command-here")[2] == (
        "pyflame exec: command not found: no-such-command-here\n"
    )


def test_the_dashes_are_optional(capfd):
    assert pyflame_exec.run(["sh", "-c", "echo hi"]) == 0
    assert capfd.readouterr().out == "hi\n"


def test_cs_python_runs_a_script_like_python(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "helper.py").write_text("VALUE = 42\n")
    (folder / "json.csl").write_text("")
    (folder / "run.py").write_text(
        "import sys, os\n"
        "import helper\n"
        "from cerebras.sdk.sdk_utils import memcpy_view\n"
        "from cerebras.sdk import sdk_utils\n"
        "assert __name__ == '__main__'\n"
        "assert 'jax' not in sys.modules and 'scipy' not in sys.modules\n"
        "print(sys.argv, helper.VALUE, os.getcwd())\n"
        "print(sys.path[0])\n"
        "sys.exit(5)\n"
    )
    status, out, err = run("cs_python", "a folder/run.py", "--name", "x", cwd=tmp_path)
    assert err == ""
    assert status == 5
    argv, path = out.splitlines()
    assert argv == f"['a folder/run.py', '--name', 'x'] 42 {tmp_path}"
    assert path == str(folder)


def test_cs_python_serves_packages_to_plain_python_too(tmp_path):
    status, _, err = run(
        sys.executable, "-c", "import cerebras.geometry, cerebras.sdk.sdk_utils"
    )
    assert (status, err) == (0, "")


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ([], 2, "usage: cs_python SCRIPT [ARGUMENT ...]\n"),
        (["--help"], 0, "usage: cs_python SCRIPT [ARGUMENT ...]\n"),
        (["none.py"], 2, "cs_python: there is no file 'none.py'\n"),
    ],
)
def test_cs_python_usage(line, status, message, capsys):
    assert cs_python.main(line) == status
    assert capsys.readouterr().err == message
