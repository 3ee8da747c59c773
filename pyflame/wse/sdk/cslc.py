"""`cslc`: compiles a CSL program into a program folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pyflame.wse.errors import CslError, HostError, WseError
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import ColorConfig, Image
from pyflame.wse.language.reader import FileReader
from pyflame.wse.sdk import saved
from pyflame.wse.sdk.command_line import Request, parse
from pyflame.wse.sdk.geometry import check_geometry
from pyflame.wse.sdk.rpc import parameter_table


def main(arguments: list[str] | None = None) -> int:
    """Runs the compiler; errors go to stderr. The exit status: 0, or 1 for errors."""
    try:
        request = parse(sys.argv[1:] if arguments is None else arguments)
        remarks = [f"warning: {text}" for text in request.warnings]
        _report_warnings(remarks, request)
        _report_warnings(run(request).warnings, request)
    except WseError as error:
        text = error.render() if isinstance(error, CslError) else f"error: {error}"
        print(text, file=sys.stderr)
        return 1
    return 0


def run(request: Request) -> Image:
    """Compiles, checks the geometry and writes the program folder.

    Raises:
        CslError: the program breaks a rule of the language.
        HostError: it does not fit the fabric, or the folder cannot be written.
    """
    reader = FileReader(request.options.import_paths)
    image = compile_program(request.top_file, request.options, reader)
    check_geometry(request.options, image.width, image.height)
    saved.save(image, reader.read(request.top_file).path, Path(request.output))
    _write_output_json(request, image)
    if request.out_routes:
        print(routing_table(image))
    if request.verbose:
        print(_summary(request, image))
    return image


def _report_warnings(remarks: Sequence[str], request: Request) -> None:
    for remark in remarks:
        print(remark, file=sys.stderr)
    if remarks and request.warnings_as_errors:
        raise HostError("warnings are errors (--warnings-as-errors)")


def _write_output_json(request: Request, image: Image) -> None:
    if not request.output_json:
        return  # out.json holds the same table
    try:
        Path(request.output_json).write_text(json.dumps(parameter_table(image)) + "\n")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise HostError(f"cannot write '{request.output_json}': {reason}") from error


def _summary(request: Request, image: Image) -> str:
    return (
        f"{request.top_file}: {image.width}x{image.height} PEs, "
        f"{len(image.programs)} PE programs from {len(image.sources)} files, "
        f"{request.options.arch}, written to {request.output}"
    )


def routing_table(image: Image) -> str:
    """One line per PE and color: where wavelets come from and where they go."""
    lines: list[str] = []
    for (x, y), colors in sorted(image.color_configs.items(), key=lambda i: i[0][::-1]):
        lines += [_route(x, y, color, colors[color]) for color in sorted(colors)]
    return "\n".join(lines)


def _route(x: int, y: int, color: int, config: ColorConfig) -> str:
    switched = " (switched)" if config.switches else ""
    return (
        f"PE({x},{y}) color {color}: {' '.join(config.rx)} -> "
        f"{' '.join(config.tx)}{switched}"
    )


if __name__ == "__main__":
    sys.exit(main())
