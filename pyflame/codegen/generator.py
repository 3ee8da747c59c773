"""`compile_to_csl` and `CSLCodeGenerator`: never an exception for a bad program."""

from __future__ import annotations

import copy
import os
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from lowering.errors import LoweringError, OptionError, raise_all
from lowering.lower import Lowered, lower
from lowering.lower import Options as LoweringOptions
from pyflame.codegen import finish, layouts
from pyflame.codegen.carry import carried
from pyflame.codegen.executable import Executable
from pyflame.codegen.options import CodeGenOptions, problems_of
from pyflame.codegen.result import CodeGenResult
from pyflame.codegen.staged import Staged, stage_function, stage_graph
from pyflame.errors import ArgumentError, PyFlameError
from pyflame.graph import Graph
from pyflame.ops.wafer import staging_for_wafer
from pyflame.source import place_of_error
from pyflame.tensors import Tensor

Target = Tensor | Graph | Callable[..., Any]


def compile_to_csl(
    target: Target,
    *example_args: Any,
    options: CodeGenOptions | None = None,
    in_layouts: Any = None,
    out_layouts: Any = None,
    carry: dict[str, str] | None = None,
) -> CodeGenResult:
    """Compiles a tensor, a graph, or a function of arrays and pytrees to CSL files.

    Args:
        target: a Tensor or Graph, whose inputs are where it begins, with their current
            values as defaults; or a function that JAX can trace.
        example_args: arguments of a function; only shapes and dtypes matter. Options
            may be given as the last one.
        options: see CodeGenOptions.
        in_layouts: a layout for all inputs, a table by name, or a pytree of layouts
            like the arguments. None leaves the choice to the tensors, then the
            compiler.
        out_layouts: the same for the result.
        carry: `{input path: output path}`: outputs that the next launch finds as
            inputs, on the wafer, in the same memory. A path is a value's name, or one
            above it: `{"params": "out.0"}`. See `CodeGenResult.session`.

    Returns: a CodeGenResult; what keeps the program from compiling is in its
    `error_message`.
    """
    if example_args and isinstance(example_args[-1], CodeGenOptions):
        *rest, last = example_args
        if options is not None:
            return _failed(last, "compile_to_csl: options are given twice")
        return compile_to_csl(
            target,
            *rest,
            options=last,
            in_layouts=in_layouts,
            out_layouts=out_layouts,
            carry=carry,
        )
    chosen = copy.copy(options) if options is not None else CodeGenOptions()
    if not isinstance(chosen, CodeGenOptions):
        return _failed(CodeGenOptions(), str(_no_options(chosen)))
    try:
        staged, lowered = _compiled(
            target, example_args, chosen, in_layouts, out_layouts, carry
        )
        return _written(staged, lowered, chosen)
    except LoweringError as error:
        return _failed(chosen, str(error))
    except Exception as error:
        return _failed(chosen, _explained(error))


class CSLCodeGenerator:
    """Generates CSL from graphs; `compile_to_csl` does the work."""

    def generate(
        self, graph: Target, options: CodeGenOptions | None = None
    ) -> CodeGenResult:
        """Compiles a graph (or a tensor) to CSL files.

        Returns: a CodeGenResult; nothing is raised for a program that cannot be.
        """
        return compile_to_csl(graph, options=options)


def _compiled(
    target: Any,
    args: tuple[Any, ...],
    options: CodeGenOptions,
    in_layouts: Any,
    out_layouts: Any,
    carry: Any,
) -> tuple[Staged, Lowered]:
    if problems := problems_of(options):
        raise_all(problems)
    staged = _stage(target, args)
    ins = layouts.merged(
        layouts.spread("in_layouts", in_layouts, staged.in_tree, staged.in_names),
        staged.in_layouts,
    )
    outs = layouts.spread("out_layouts", out_layouts, staged.out_tree, staged.out_names)
    pairs, problems = carried(carry, staged, outs)
    if problems:
        raise_all(problems)
    return staged, _lowered(staged, ins, outs, pairs, options)


def _lowered(
    staged: Staged,
    ins: layouts.Layouts,
    outs: layouts.Layouts,
    carry: list[tuple[int, int]],
    options: CodeGenOptions,
) -> Lowered:
    wanted = layouts.lowered((*ins, *outs))
    mesh = layouts.mesh_for(options, wanted)
    names = (*staged.in_names, *staged.out_names)
    if problems := layouts.mesh_problems(mesh, wanted, names):
        raise_all(problems)
    result = lower(
        staged.jaxpr,
        in_names=staged.in_names,
        out_names=staged.out_names,
        mesh=mesh,
        in_layouts=wanted[: len(ins)],
        out_layouts=wanted[len(ins) :],
        carry=carry,
        donated=staged.donated,
        target=options.target,
        options=LoweringOptions(
            check_stages=options.generate_debug_info, optimize=options.optimize
        ),
    )
    files = finish.finished(result.files, result.plan, options)
    result = replace(result, files=files)
    if options.generate_debug_info:
        from pyflame.codegen import check  # loads the simulator's front end

        check.check_text(result)
    return result


def _stage(target: Any, args: tuple[Any, ...]) -> Staged:
    graph = Graph(target) if isinstance(target, Tensor) else target
    if isinstance(graph, Graph):
        if args:
            raise ArgumentError(
                "compile_to_csl: a tensor takes no example arguments",
                rule="the inputs of a tensor are where its graph begins",
                help="pass a function to name the arguments",
            )
        with staging_for_wafer():
            return stage_graph(graph)
    if not callable(graph):
        raise ArgumentError(
            f"compile_to_csl: {type(target).__name__} is nothing to compile",
            rule="a target is a Tensor, a Graph or a function",
        )
    with staging_for_wafer():
        return stage_function(graph, args)


def _written(
    staged: Staged, lowered: Lowered, options: CodeGenOptions
) -> CodeGenResult:
    files = lowered.files
    folder = Path(options.output_dir)
    try:
        paths = [_write(folder, name, text) for name, text in files.items()]
    except OSError as error:
        raise OptionError(
            f"output_dir {os.fspath(options.output_dir)!r} cannot be written: "
            f"{error.strerror or error}",
            help="choose a folder that can be made and written",
        ) from error
    return CodeGenResult(
        success=True,
        output_dir=os.fspath(options.output_dir),
        generated_files=paths,
        sources=dict(files),
        cost=lowered.plan.cost,
        _executable=Executable.of(lowered),
        _interface=staged.interface,
    )


def _write(folder: Path, name: str, text: str) -> str:
    relative = PurePath(name)
    assert not relative.is_absolute(), name
    assert ".." not in relative.parts, name
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    if text.startswith("#!"):
        path.chmod(0o755)
    return str(path)


def _failed(options: CodeGenOptions, message: str) -> CodeGenResult:
    folder = options.output_dir
    return CodeGenResult(
        success=False,
        output_dir=folder if isinstance(folder, str) else repr(folder),
        error_message=message,
    )


def _no_options(options: Any) -> ArgumentError:
    return ArgumentError(
        f"compile_to_csl: options={options!r} are no options",
        rule="options are a pf.CodeGenOptions, or None for the defaults",
    )


def _explained(error: Exception) -> str:
    """An error of the frontend, or of the user's own function, with its line."""
    expected = isinstance(error, PyFlameError)
    text = str(error) if expected else f"{type(error).__name__}: {error}"
    if place := place_of_error(error):
        return f"{text}\n  at    {place}  {place.text}"
    return text if expected else f"{text}\n{_last_frames(error)}"


def _last_frames(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return "\n".join(
        f"  at    {PurePath(frame.filename).name}:{frame.lineno}  {frame.line}"
        for frame in frames
    )
