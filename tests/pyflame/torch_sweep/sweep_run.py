"""Runs the sample inputs of one op through pyflame and through PyTorch.

Compiling each sample alone would take hours. All samples are recorded first, each with
its own backward, and then computed together: one structure, one compilation.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import torch
from sweep_entry import Call, Entry, Excluded
from sweep_values import (
    difference,
    distance,
    in_double,
    results,
    tensors_in,
    to_pf,
    to_pf_tensor,
    weights,
)

import pyflame as pf

TOGETHER = 128
_HALVES = (torch.float16, torch.bfloat16)


@dataclass
class Outcome:
    """What became of the sample inputs of an op for a dtype.

    `gradients` counts samples with equal gradients, of those with any. `near` counts
    samples whose results or gradients are equal by the float64 result only.
    """

    samples: int = 0
    equal: int = 0
    gradients: int = 0
    with_gradients: int = 0
    near: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@dataclass
class _Theirs:
    """PyTorch's results, and the gradients of the tensors that ask for them."""

    results: list[Any]
    wanted: list[torch.Tensor]
    gradients: list[Any]


@dataclass
class _Recorded:
    """One sample: our results and gradients, still to compute, beside PyTorch's."""

    name: str
    sample: Any
    results: list[Any]
    gradients: list[Any]
    theirs: _Theirs


def run(
    entry: Entry, op: Any, dtype: torch.dtype, every: int = 1, start: int = 0
) -> Outcome:
    """Compares every `every`-th sample input from `start`, gradients included."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both sides warn of what they are asked here
        return _run(entry, op, dtype, start, every)


def _run(entry: Entry, op: Any, dtype: torch.dtype, start: int, every: int) -> Outcome:
    outcome = Outcome()
    grad = dtype.is_floating_point and dtype in op.supported_backward_dtypes("cpu")
    torch.manual_seed(0)
    samples = op.sample_inputs("cpu", dtype, requires_grad=grad)
    by_float64 = bool(entry.rounding) or dtype in _HALVES
    for batch in _batches(islice(samples, start, None, every), TOGETHER):
        recorded = _recorded(entry, op, batch, outcome)
        _compute(recorded)
        for one in recorded:
            _compare(entry, op, one, outcome, by_float64)
    return outcome


def _batches(samples: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(samples)
    while batch := list(islice(iterator, size)):
        yield batch


def _recorded(
    entry: Entry, op: Any, samples: Iterable[Any], outcome: Outcome
) -> list[_Recorded]:
    found: list[_Recorded] = []
    for sample in samples:
        outcome.samples += 1
        name = f"{entry.name} #{outcome.samples - 1} {_text(sample)}"
        try:
            found.append(_record(entry, op, sample, name))
        except Excluded as why:
            outcome.excluded[str(why)] += 1
        except pf.PyFlameError as error:
            reason = entry.refusal(str(error))
            outcome.refused[reason] += 1
            if not reason:
                outcome.failures.append(f"{name}: refused: {error}")
        except Exception as error:
            outcome.failures.append(f"{name}: {type(error).__name__}: {error}")
    return found


def _record(entry: Entry, op: Any, sample: Any, name: str) -> _Recorded:
    entry.check_present(sample.kwargs)
    leaves: dict[int, pf.Tensor] = {}
    arguments = to_pf((sample.input, *sample.args), leaves)
    mine = results(entry.call(*arguments, **to_pf(dict(sample.kwargs), leaves)))
    theirs = _theirs(entry, op.op, (sample.input, *sample.args), sample.kwargs)
    if any(g is not None for g in theirs.gradients):
        _backward(mine, theirs.results)
    gradients = [leaves[id(t)].grad for t in theirs.wanted]
    return _Recorded(name, sample, mine, gradients, theirs)


def _theirs(
    entry: Entry, op: Call, arguments: tuple[Any, ...], named: dict[str, Any]
) -> _Theirs:
    found = results(entry.compared(op(*arguments, **named)))
    wanted = [t for t in tensors_in([arguments, named]) if t.requires_grad]
    wanted = list({id(t): t for t in wanted}.values())
    outputs = [found[i] for i in _differentiable(found)]
    if not outputs or not wanted:
        return _Theirs(found, wanted, [None] * len(wanted))
    starts = [weights(t.shape, t.dtype) for t in outputs]
    gradients = torch.autograd.grad(outputs, wanted, starts, allow_unused=True)
    return _Theirs(found, wanted, list(gradients))


def _differentiable(found: list[Any]) -> list[int]:
    return [
        i
        for i, t in enumerate(found)
        if isinstance(t, torch.Tensor) and t.requires_grad
    ]


def _backward(mine: list[Any], theirs: list[Any]) -> None:
    """Our backward from the same gradients; several results are added up first."""
    indices = _differentiable(theirs)
    starts = [to_pf_tensor(weights(theirs[i].shape, theirs[i].dtype)) for i in indices]
    if len(indices) == 1:
        mine[indices[0]].backward(starts[0])
        return
    terms = [(mine[i] * start).sum() for i, start in zip(indices, starts, strict=True)]
    pf.stack(terms).sum().backward()


def _compute(recorded: list[_Recorded]) -> None:
    pending = [x for one in recorded for x in (*one.results, *one.gradients)]
    tensors = [x for x in pending if isinstance(x, pf.Tensor)]
    if tensors:
        pf.eval(*tensors)


def _compare(
    entry: Entry, op: Any, one: _Recorded, outcome: Outcome, by_float64: bool
) -> None:
    function = op.op
    if entry.open_choice:
        function = partial(entry.open_choice, op.op, one.results)
        arguments = (one.sample.input, *one.sample.args)
        one.theirs = _theirs(entry, function, arguments, one.sample.kwargs)
    wrong = _differences("result", one.results, one.theirs.results)
    bad = _differences("gradient", one.gradients, one.theirs.gradients)
    if (wrong or bad) and by_float64:
        outcome.near += 1
        wrong, bad = _by_float64(entry, function, one)
    outcome.equal += not wrong
    if any(g is not None for g in one.theirs.gradients):
        outcome.with_gradients += 1
        outcome.gradients += not bad
    outcome.failures += [f"{one.name}: {text}" for text in (*wrong, *bad)]


def _by_float64(entry: Entry, op: Call, one: _Recorded) -> tuple[list[str], list[str]]:
    arguments = in_double((one.sample.input, *one.sample.args))
    exact = _theirs(entry, op, arguments, in_double(dict(one.sample.kwargs)))
    return (
        _differences("result", one.results, one.theirs.results, exact.results),
        _differences("gradient", one.gradients, one.theirs.gradients, exact.gradients),
    )


def _differences(
    what: str, mine: list[Any], theirs: list[Any], exact: list[Any] | None = None
) -> list[str]:
    if len(mine) != len(theirs):
        return [f"{len(mine)} {what}s instead of {len(theirs)}"]
    found: list[str] = []
    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        if a is None and b is None:
            continue
        a, b = _or_zeros(a, b), _or_zeros(b, a)
        text = difference(a, b)
        if text and exact is not None and exact[i] is not None:
            text = distance(a, b, exact[i])
        found += [f"{what} {i}: {text}"] if text else []
    return found


def _or_zeros(gradient: Any, like: Any) -> Any:
    """A gradient that is missing means that nothing flows: zeros."""
    if gradient is not None:
        return gradient
    if isinstance(like, pf.Tensor):
        return pf.zeros(like.shape, dtype=like.dtype)
    return torch.zeros_like(like)


def _text(sample: Any) -> str:
    return repr(_summary((sample.input, *sample.args, sample.kwargs)))


def _summary(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, dict):
        return {key: _summary(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_summary(item) for item in value]
    return value
