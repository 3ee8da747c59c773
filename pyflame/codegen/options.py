"""What a caller can ask of the generated code."""

from __future__ import annotations

import operator
import os
from dataclasses import dataclass
from typing import Any

from lowering.errors import LoweringError, OptionError

TARGETS = ("wse2", "wse3")


@dataclass
class CodeGenOptions:
    """Configuration of code generation; unknown names are refused.

    Attributes:
        output_dir: where the files are written; made if it does not exist.
        target: "wse2" or "wse3".
        optimize: join element-wise steps into loops, which saves memory and cycles.
        generate_debug_info: run every stage's checker, compile the generated text
            with the simulator's front end, and write `debug_info.txt`: what each step
            costs, and the equation and source line behind the lines of pe.csl.
        emit_comments: keep the comments in the generated CSL.
        fabric_width: columns of PEs; 0 for what the layouts need.
        fabric_height: rows of PEs; 0 for what the layouts need.
        runtime_address: address of the system that run.py connects to; "" for the
            simulator.
    """

    output_dir: str = "./pyflame_csl_output"
    target: str = "wse2"
    optimize: bool = True
    generate_debug_info: bool = False
    emit_comments: bool = True
    fabric_width: int = 0
    fabric_height: int = 0
    runtime_address: str = ""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).__dataclass_fields__:
            known = ", ".join(type(self).__dataclass_fields__)
            raise AttributeError(f"CodeGenOptions has no {name!r}; it has {known}")
        object.__setattr__(self, name, value)


def problems_of(options: CodeGenOptions) -> list[LoweringError]:
    """Every option with a value outside its range."""
    checks = (
        _output_dir_problem(options.output_dir),
        _target_problem(options.target),
        *(
            _flag_problem(name, getattr(options, name))
            for name in ("optimize", "generate_debug_info", "emit_comments")
        ),
        *(
            _size_problem(name, getattr(options, name))
            for name in ("fabric_width", "fabric_height")
        ),
        _address_problem(options.runtime_address),
    )
    return [problem for problem in checks if problem is not None]


def _output_dir_problem(value: Any) -> LoweringError | None:
    if isinstance(value, (str, os.PathLike)) and "\0" not in (text := os.fspath(value)):
        if text:
            return None
    return OptionError(
        f"CodeGenOptions.output_dir={value!r} is no folder",
        rule="output_dir is the path of a folder, as text",
    )


def _target_problem(value: Any) -> LoweringError | None:
    if value in TARGETS:
        return None
    return OptionError(
        f"CodeGenOptions.target={value!r} is no target",
        rule="programs are generated for 'wse2' or 'wse3'",
        help="set options.target = 'wse3'",
    )


def _flag_problem(name: str, value: Any) -> LoweringError | None:
    if isinstance(value, bool):
        return None
    return OptionError(
        f"CodeGenOptions.{name}={value!r} is neither True nor False",
        help=f"set options.{name} = True or False",
    )


def _size_problem(name: str, value: Any) -> LoweringError | None:
    try:
        if not isinstance(value, bool) and operator.index(value) >= 0:
            return None
    except TypeError:
        pass
    return OptionError(
        f"CodeGenOptions.{name}={value!r} is no number of PEs",
        rule="sizes are integers of 0 or more",
        help="use 0 for what the layouts need",
    )


def _address_problem(value: Any) -> LoweringError | None:
    if isinstance(value, str) and value.isprintable() and " " not in value:
        return None
    return OptionError(
        f"CodeGenOptions.runtime_address={value!r} is no address",
        rule="an address is HOST:PORT, or empty for the simulator",
    )
