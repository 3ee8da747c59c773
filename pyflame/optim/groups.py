"""Parameter groups: what the first argument of an optimizer may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pyflame.errors import ArgumentError, DTypeError
from pyflame.optim.checks import check_keys, check_lr
from pyflame.tensors import Tensor

Group = dict[str, Any]
Options = dict[str, Any]

# What schedulers remember in a group beside its options.
SCHEDULED = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum")


def checked_groups(
    op: str,
    params: Any,
    defaults: Options,
    check: Callable[[Options], Options],
    spelled: Callable[[Group], Group],
    taken: Iterable[Tensor] = (),
) -> list[Group]:
    """Groups with all options from tensors, or from dicts with some options each.

    `spelled` gives the options of a group our names; `taken` are in a group already.

    Raises: ArgumentError, DTypeError.
    """
    entries = _entries(op, params)
    if not any(isinstance(entry, dict) for entry in entries):
        entries = [{"params": entries}]
    groups = [
        _group(op, i, spelled(e) if isinstance(e, dict) else e, defaults, check)
        for i, e in enumerate(entries)
    ]
    seen: set[Tensor] = set(taken)
    for i, group in enumerate(groups):
        for param in group["params"]:
            if param in seen:
                raise ArgumentError(
                    f"{op}: a parameter {param._text()} stands twice, again in group "
                    f"{i}",
                    rule="every parameter belongs to one group, once",
                )
            seen.add(param)
    return groups


def _entries(op: str, params: Any) -> list[Any]:
    if isinstance(params, (Tensor, dict, str)) or not isinstance(params, Iterable):
        raise ArgumentError(
            f"{op}: params is of type {type(params).__name__}",
            rule="params is an iterable of Tensors, or of dicts with 'params'",
            help="write [x] for a single tensor, or model.parameters()",
        )
    if isinstance(params, (set, frozenset)):
        raise ArgumentError(
            f"{op}: params is a set",
            rule="parameters have an order, by which their state is saved",
            help="pass a list",
        )
    entries = list(params)
    if not entries:
        raise ArgumentError(
            f"{op}: the list of parameters is empty",
            help="an iterator such as model.parameters() can be read once only",
        )
    return _without_names(op, entries)


def _without_names(op: str, entries: list[Any]) -> list[Any]:
    """The tensors of named parameters; anything else as it is.

    Raises: ArgumentError, if only some have names.
    """
    named = [isinstance(e, tuple) and len(e) == 2 for e in entries]
    if not any(named):
        return entries
    if not all(named):
        raise ArgumentError(
            f"{op}: some entries of params have names, others have not",
            rule="params is parameters() or named_parameters()",
        )
    return [tensor for _, tensor in entries]


def _group(
    op: str, i: int, entry: Any, defaults: Options, check: Callable[[Options], Options]
) -> Group:
    if not isinstance(entry, dict):
        raise ArgumentError(
            f"{op}: entry {i} of params is of type {type(entry).__name__}",
            rule="params has Tensors only, or dicts only",
        )
    # Learning rates of schedulers may come along, to go on at a later epoch.
    remembered = SCHEDULED
    check_keys(f"{op}: group {i}", entry, ("params",), (*defaults, *remembered))
    params = entry["params"]
    params = [params] if isinstance(params, Tensor) else _entries(op, params)
    for j, param in enumerate(params):
        _check_param(op, f"parameter {j} of group {i}", param)
    options = check({key: entry.get(key, defaults[key]) for key in defaults})
    scheduled = {key: check_lr(op, entry[key]) for key in remembered if key in entry}
    return {"params": params, **options, **scheduled}


def _check_param(op: str, what: str, param: Any) -> None:
    if not isinstance(param, Tensor):
        raise ArgumentError(
            f"{op}: {what} is of type {type(param).__name__}",
            rule="parameters are Tensors",
        )
    if not param.dtype.is_floating:
        raise DTypeError(
            f"{op}: {what} is {param._text()}",
            rule="only floating tensors have gradients",
        )
    if not param._node.is_source:
        raise ArgumentError(
            f"{op}: {what} is the result of {param._node.op.__name__}",  # pyright: ignore
            rule="parameters are made, not computed: by pf.tensor, pf.randn, ...",
            help="make it data of its own with detach() before it is used",
        )
