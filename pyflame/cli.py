"""The `pyflame` command. Start-up is light: only the demo loads JAX."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import pyflame
from pyflame.wse.sdk import exec_flags


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a subcommand; returns its exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.verb == "demo":
        from pyflame import demo

        return demo.main()
    command = arguments.command
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        parser.error("exec: no command is given; write `pyflame exec -- COMMAND...`")
    from pyflame.wse.sdk import exec as sdk_exec

    return sdk_exec.run(command, exec_flags.variables(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyflame",
        description="PyTorch-like tensors on JAX that compile to CSL, "
        "and the simulated wafer that runs it.",
    )
    parser.add_argument("--version", action="version", version=pyflame.__version__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    execute = verbs.add_parser(
        "exec",
        help="run a command with cslc, cs_python and cerebras.sdk served by pyflame",
        usage=exec_flags.USAGE,
    )
    exec_flags.add_flags(execute)
    execute.add_argument("command", nargs=argparse.REMAINDER)
    verbs.add_parser(
        "demo", help="train a classifier of digits and run it on a simulated wafer"
    )
    return parser
