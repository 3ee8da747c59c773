"""The flags of `pyflame exec`: environment variables for the machines it leads to."""

from __future__ import annotations

import argparse
from pathlib import Path

from pyflame.wse.machine.strictness import STRICT
from pyflame.wse.sdk import machine_settings as settings

USAGE = (
    "pyflame exec [--strict] [--seed N] [--reads FILE] [--trace FILE] "
    "[--counters[=FILE]] [--log PE(X,Y)] [--sim-log KINDS] -- COMMAND [ARGUMENT ...]"
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--strict",
        action="store_true",
        help="make errors of undefined reads, lost pointers and races",
    )
    add(
        "--seed",
        metavar="N",
        help="permute the order of what the hardware leaves open",
    )
    add(
        "--reads",
        metavar="FILE",
        help="write a checksum of every array that the host reads, a line each",
    )
    add("--trace", metavar="FILE", help="write a trace for ui.perfetto.dev")
    add(
        "--counters",
        nargs="?",
        const=settings.TABLE,
        metavar="FILE",
        help="count cycles by cause and wavelets by link: a table on stderr, or JSON",
    )
    add(
        "--log",
        action="append",
        default=[],
        metavar="PE(X,Y)",
        help="write every statement and operation of a PE to pe_X_Y.log; repeatable",
    )
    add(
        "--sim-log",
        metavar="KINDS",
        help="lines of the vendor's simulator in sim.log: landing,router,inst_trace",
    )


def variables(flags: argparse.Namespace) -> dict[str, str]:
    """What the command's environment gets for the flags. Paths become absolute, since
    a command may run its scripts in other folders."""
    found: dict[str, str] = {}
    if flags.strict:
        found[STRICT] = "1"
    if flags.seed:
        found[settings.SEED] = flags.seed
    if flags.reads:
        found[settings.READS] = str(Path(flags.reads).absolute())
    if flags.trace:
        found[settings.TRACE] = str(Path(flags.trace).absolute())
    if flags.counters == settings.TABLE:
        found[settings.COUNTERS] = settings.TABLE
    elif flags.counters:
        found[settings.COUNTERS] = str(Path(flags.counters).absolute())
    if flags.log:
        found[settings.LOG] = " ".join(flags.log)
        found[settings.LOG_FOLDER] = str(Path.cwd())
    if flags.sim_log:
        found[settings.LINES] = flags.sim_log
    return found
