"""`pyflame exec -- COMMAND...`: any command, with cslc and cs_python served by us."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pyflame.wse.sdk.cs_python import PACKAGES

_TOOLS = ("cslc", "cs_python")
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126

# The folder that holds the package `pyflame`.
_ROOT = Path(__file__).parents[3]


def run(argv: list[str], variables: Mapping[str, str] | None = None) -> int:
    """Runs a command with our tools first on PATH; returns its exit status.

    `variables` are added to its environment.

    `cerebras.sdk...` is importable in every Python that the command starts. A command
    that is killed by signal n gives 128 + n, as in a shell.
    """
    command = argv[1:] if argv[:1] == ["--"] else argv
    if not command:
        print("usage: pyflame exec -- COMMAND [ARGUMENT ...]", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="pyflame-exec-") as folder:
        write_tools(Path(folder))
        return _run(command, {**environment(folder), **(variables or {})})


def write_tools(folder: Path) -> None:
    """Writes the executables `cslc` and `cs_python` into a folder."""
    for tool in _TOOLS:
        path = folder / tool
        path.write_text(_tool_script(tool), encoding="utf-8")
        path.chmod(0o755)


def _tool_script(tool: str) -> str:
    """A shell script that starts the tool in this very Python installation.

    -P keeps the working directory off the import path: a folder of examples must not
    shadow the standard library.
    """
    start = (
        f"import sys; sys.path.append({str(_ROOT)!r}); "
        f"from pyflame.wse.sdk.{tool} import main; sys.exit(main())"
    )
    command = shlex.join([sys.executable, "-P", "-c", start])
    return f'#!/bin/sh\nexec {command} "$@"\n'


def environment(folder: str) -> dict[str, str]:
    """Environment variables for a command: tools of a folder first, packages too."""
    environment = dict(os.environ)
    environment["PATH"] = _joined(folder, environment.get("PATH", os.defpath))
    environment["PYTHONPATH"] = _joined(
        str(PACKAGES), environment.get("PYTHONPATH", "")
    )
    return environment


def _joined(first: str, rest: str) -> str:
    return os.pathsep.join((first, rest)) if rest else first


def _run(command: list[str], environment: dict[str, str]) -> int:
    try:
        status = subprocess.run(command, env=environment, check=False).returncode
    except FileNotFoundError:
        print(f"pyflame exec: command not found: {command[0]}", file=sys.stderr)
        return _NOT_FOUND
    except PermissionError:
        print(f"pyflame exec: cannot execute: {command[0]}", file=sys.stderr)
        return _NOT_EXECUTABLE
    return 128 - status if status < 0 else status
