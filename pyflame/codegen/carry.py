"""What `carry=` names: outputs that are inputs again at the next launch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from lowering.errors import LoweringError, OptionError
from lowering.placement import type_text
from pyflame.codegen.staged import Layouts, Staged, is_at

_RULE = "carry is a table of input paths and the paths of outputs that replace them"
_NAMES_SHOWN = 8


def carried(
    given: Any, staged: Staged, out_layouts: Layouts
) -> tuple[list[tuple[int, int]], list[LoweringError]]:
    """Numbers of inputs and of the outputs that replace them, and what is wrong.

    A path names one value (`w1`, `out.0`) or all below it (`params` for `params.w1`);
    then both sides have the same paths below.
    """
    if not given:
        return [], []
    if not isinstance(given, dict) or not all(
        isinstance(part, str) for pair in given.items() for part in pair
    ):
        return [], [OptionError(f"compile_to_csl: carry={given!r}", rule=_RULE)]
    pairs: list[tuple[int, int]] = []
    problems: list[LoweringError] = []
    for source, result in given.items():
        try:
            pairs += _pairs(source, result, staged)
        except LoweringError as error:
            problems.append(error)
    if not problems:
        problems += _twice(pairs, staged)
        problems += [
            problem
            for pair in pairs
            if (problem := _problem(*pair, staged, out_layouts)) is not None
        ]
    return pairs, problems


def _pairs(source: str, result: str, staged: Staged) -> Iterator[tuple[int, int]]:
    ins = _below(source, staged.in_names, f"carry[{source!r}]", "input")
    outs = _below(result, staged.out_names, f"carry[{source!r}] = {result!r}", "output")
    if ins.keys() != outs.keys():
        raise OptionError(
            f"compile_to_csl: carry of {source} from {result}",
            notes=[
                (side, ", ".join(path + rest for rest in rests) or "none")
                for side, path, rests in (
                    ("inputs", source, sorted(ins.keys() - outs.keys())),
                    ("outputs", result, sorted(outs.keys() - ins.keys())),
                )
            ],
            rule="both paths have the same paths below; those above have no partner",
            help="return a tree like the argument, or name the values one by one",
        )
    return ((ins[rest], outs[rest]) for rest in ins)


def _below(path: str, names: Sequence[str], what: str, kind: str) -> dict[str, int]:
    """The numbers of the values at `path`, by what their names have after it."""
    found = {
        name.removeprefix(path): number
        for number, name in enumerate(names)
        if is_at(path, name)
    }
    if found:
        return found
    similar = get_close_matches(path, names, n=1)
    shown = ", ".join(names[:_NAMES_SHOWN]) or "none"
    more = ", ..." if len(names) > _NAMES_SHOWN else ""
    raise OptionError(
        f"compile_to_csl: {what} names no {kind}",
        notes=[(f"{kind}s", f"{shown}{more}")],
        rule=_RULE,
        help=f"did you mean {similar[0]!r}?" if similar else "",
    )


def _twice(pairs: Sequence[tuple[int, int]], staged: Staged) -> list[LoweringError]:
    """An input has one successor, and an output one place to go."""
    problems: list[LoweringError] = []
    for side, names in enumerate((staged.in_names, staged.out_names)):
        numbers = [pair[side] for pair in pairs]
        for number in sorted({n for n in numbers if numbers.count(n) > 1}):
            problems.append(
                OptionError(
                    f"compile_to_csl: carry has {names[number]} twice",
                    rule="one output replaces one input",
                )
            )
    return problems


def _problem(
    source: int, result: int, staged: Staged, out_layouts: Layouts
) -> LoweringError | None:
    before, after = staged.jaxpr.in_avals[source], staged.jaxpr.out_avals[result]
    names = f"{staged.in_names[source]} from {staged.out_names[result]}"
    if (before.shape, before.dtype) != (after.shape, after.dtype):
        return OptionError(
            f"compile_to_csl: carry of {names}: "
            f"{type_text(before.shape, before.dtype)} from "
            f"{type_text(after.shape, after.dtype)}",
            rule="what is carried keeps its shape and dtype",
            help="convert the result with astype or reshape, inside the function",
        )
    if out_layouts[result] is not None:
        return OptionError(
            f"compile_to_csl: carry of {names}, and a layout for the output",
            rule="what is carried lies as the input does",
            help=f"leave {staged.out_names[result]} out of out_layouts",
        )
    return None
