"""The command line of `cslc`: text to compile options."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import Any

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import INLINED_ITERATIONS, Options

_MAX_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class Request:
    """What one call of `cslc` asks for.

    `output_json` is None, "" (beside out.json) or a path. `warnings` are remarks on
    the command line itself.
    """

    top_file: str
    output: str
    options: Options
    verbose: bool
    out_routes: bool
    output_json: str | None
    warnings: tuple[str, ...]
    warnings_as_errors: bool


def parse(arguments: list[str]) -> Request:
    """The request behind a command line.

    Raises:
        HostError: a malformed value.
        SystemExit: help was asked for, or argparse refused the line.
    """
    parsed, unknown = _parser().parse_known_args(arguments)
    options = Options(
        arch=parsed.arch,
        params=_named_values("--params", parsed.params),
        colors=_named_values("--colors", parsed.colors),
        fabric_dims=_pair("--fabric-dims", parsed.fabric_dims),
        fabric_offsets=_pair("--fabric-offsets", parsed.fabric_offsets),
        memcpy=parsed.memcpy,
        channels=_count("--channels", parsed.channels, _MAX_CHANNELS),
        width_west_buf=_count("--width-west-buf", parsed.width_west_buf),
        width_east_buf=_count("--width-east-buf", parsed.width_east_buf),
        import_paths=(*parsed.import_path, *_paths_of_environment()),
        fp16_format=parsed.fp16_format,
        max_inlined_iterations=_count(
            "--max-inlined-iterations", parsed.max_inlined_iterations
        ),
    )
    return Request(
        parsed.csl_filename,
        parsed.output,
        options,
        parsed.verbose,
        parsed.out_routes,
        parsed.output_json,
        _warnings(parsed, unknown),
        parsed.warnings_as_errors,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cslc",
        description="Compile a CSL program for the simulated wafer.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("csl_filename", help="the file with the layout block")
    add("-o", dest="output", default="out", help="folder to write (default: out)")
    add("--arch", choices=("wse2", "wse3"), default="wse2", help="target machine")
    add("--fabric-dims", metavar="W,H", help="size of the simulated fabric")
    add("--fabric-offsets", metavar="X,Y", help="place of the program on the fabric")
    add("--params", **_repeated("NAME:VALUE,...", "values of params of the top file"))
    add("--colors", **_repeated("NAME:VALUE,...", "values of its params of type color"))
    add("--memcpy", action="store_true", help="connect the program to the host")
    add("--channels", default="0", metavar="N", help="host channels, 0 to 16")
    add("--width-west-buf", default="0", metavar="N", help="buffer columns, west")
    add("--width-east-buf", default="0", metavar="N", help="buffer columns, east")
    add("--import-path", **_repeated("DIR", "folder of <...> modules and tile code"))
    add(
        "--fp16-format",
        choices=("f16", "cb16", "bf16"),
        default="f16",
        help="the 16-bit float format of the program (default: f16)",
    )
    add("--output-json", nargs="?", const="", metavar="PATH", help="write the params")
    add("--out-routes", action="store_true", help="print the routing table")
    add(
        "--max-inlined-iterations",
        default=str(INLINED_ITERATIONS),
        metavar="N",
        help="most iterations of an inline loop",
    )
    add("--comptime-func-depth-limit", metavar="N", help="accepted, has no effect")
    add("--max-parallelism", metavar="N", help="accepted, has no effect")
    add("-g0", action="store_true", help="accepted, has no effect")
    add("--warnings-as-errors", action="store_true", help="fail if there are warnings")
    add("--verbose", action="store_true", help="tell what was compiled")
    return parser


def _repeated(metavar: str, help: str) -> dict[str, Any]:
    """A flag that may be given several times."""
    return {
        "action": "append",
        "default": [],
        "metavar": metavar,
        "help": f"{help} (may be repeated)",
    }


def _warnings(parsed: argparse.Namespace, unknown: list[str]) -> tuple[str, ...]:
    warnings = [_ignored(word) for word in unknown]
    if parsed.comptime_func_depth_limit is not None:
        warnings.append("--comptime-func-depth-limit has no effect here")
    return tuple(warnings)


def _ignored(word: str) -> str:
    if word.endswith(".csl"):
        return f"'{word}' is ignored: the code of PEs is named by @set_tile_code"
    return f"unknown option '{word}' is ignored"


def _named_values(flag: str, lists: list[str]) -> dict[str, int]:
    """`NAME:VALUE,...` of every use of a flag, joined."""
    values: dict[str, int] = {}
    for item in (i.strip() for text in lists for i in text.split(",")):
        if not item:
            continue
        name, colon, value = item.partition(":")
        if not (colon and name.isidentifier()):
            raise HostError(f"{flag}: '{item}' is not NAME:VALUE")
        if name in values:
            raise HostError(f"{flag}: '{name}' is given twice")
        values[name] = _unsigned(f"{flag}: the value of '{name}'", value)
    return values


def _unsigned(what: str, text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if value < 0:
        raise HostError(f"{what} must be an unsigned integer, not '{text}'")
    return value


def _count(flag: str, text: str, most: int | None = None) -> int:
    value = _unsigned(flag, text)
    if most is not None and value > most:
        raise HostError(f"{flag} must be 0 to {most}, not {value}")
    return value


def _pair(flag: str, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 2:
        raise HostError(f"{flag} takes two numbers such as 8,3, not '{text}'")
    return _unsigned(flag, parts[0]), _unsigned(flag, parts[1])


def _paths_of_environment() -> tuple[str, ...]:
    """Folders of CSL_IMPORT_PATH, separated by colons."""
    return tuple(p for p in os.environ.get("CSL_IMPORT_PATH", "").split(":") if p)
