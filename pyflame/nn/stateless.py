"""A module as a pure function of its parameters and buffers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax

from pyflame import node as nodes
from pyflame.errors import ArgumentError, ShapeError
from pyflame.nn.module import Module
from pyflame.recorded import as_node
from pyflame.tensors import Tensor


def functional_call(
    module: Module,
    state: Mapping[str, Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    mutable: bool = False,
) -> Any:
    """The module's result with the values of `state` in place of its own.

    For jax.grad, vmap, scan and the like: `state` has Tensors, arrays or tracers by
    the names of `state_dict()`; what it lacks stays as it is. Afterwards the module has
    its own tensors again. With `mutable`, returns the result and the new state: what
    running statistics became.

    Args:
        args: a tuple of arguments, or the only one.

    Raises: ArgumentError, for names that the module has not; ShapeError.
    """
    own = dict(module._state())
    _check_names(type(module).__name__, own, state)
    inside = {name: _node(name, own[name], value) for name, value in state.items()}
    before = {name: tensor._node for name, tensor in own.items()}
    for name, node in inside.items():
        own[name]._node = node
        node.names += 1
    try:
        positional = args if isinstance(args, tuple) else (args,)
        result = module(*positional, **(kwargs or {}))
        if mutable:
            return result, {k: _like(state.get(k), own[k]) for k in own}
        return result
    finally:
        for name in inside:
            now, own[name]._node = own[name]._node, before[name]
            now.release()


def _like(given: Any, tensor: Tensor) -> Any:
    """What a tensor stands for now; an array where an array was given."""
    now = Tensor(tensor._node)
    return now.__jax_array__() if isinstance(given, jax.Array) else now


def _check_names(
    module: str, own: Mapping[str, Tensor], state: Mapping[str, Any]
) -> None:
    unknown = [name for name in state if name not in own]
    if unknown:
        raise ArgumentError(
            f"functional_call of {module}: it has no {', '.join(map(repr, unknown))}",
            rule="names are those of state_dict()",
        )


def _node(name: str, own: Tensor, value: Any) -> nodes.Node:
    """The node that stands for a parameter inside, of its shape."""
    node = as_node(value)
    shape = list(node.aval.shape) if node.aval is not None else None
    if shape != own.shape:
        raise ShapeError(
            f"functional_call: {name!r} is given as {shape}, not {own.shape}",
            rule="values have the shapes of state_dict()",
        )
    return node
