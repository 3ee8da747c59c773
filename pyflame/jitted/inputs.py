"""The arguments of a call: which are values of the program, and which are its key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from pyflame import node as nodes
from pyflame.convert import to_array
from pyflame.errors import ArgumentError
from pyflame.jitted.placeholder import kind_of
from pyflame.tensors import Tensor


class Inputs:
    """Arguments taken apart.

    `leaves` are all of them; `values` those that a program is given: Tensors, arrays
    and floats; None for what is static. `key` tells all calls apart that need another
    program.
    """

    __slots__ = ("key", "leaves", "static", "tensors", "traced", "tree", "values")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.leaves, self.tree = _flat(args, kwargs)
        self.values: list[Any] = []
        self.tensors: list[Tensor] = []
        self.static: list[Any] = []
        self.traced = False
        key: list[Any] = [self.tree]
        for leaf in self.leaves:
            if type(leaf) is Tensor:
                node = leaf._node
                value = node.value
                if value is not None and node.op is None and not node.lost:
                    self.tensors.append(leaf)
                    self.values.append(node.fed())
                    key += (node.aval, "leaf" if node.tracked else "constant")
                    if isinstance(value, Tracer):
                        self.traced = True
                    continue
            key += self._take(leaf)
        ids = list(map(id, self.tensors))
        if len(ids) > 1 and len(set(ids)) < len(ids):
            key.append(tuple(map(ids.index, ids)))
        self.key = tuple(key)

    def _take(self, leaf: Any) -> tuple[Any, Any]:
        """Adds the value of a leaf; returns its part of the key: a pair."""
        kind = type(leaf)
        if kind is Tensor:
            node = leaf.eval()._node
            self.tensors.append(leaf)
            self.values.append(node.fed())
            if isinstance(node.value, Tracer):
                self.traced = True
            return node.aval, kind_of(node)
        if kind is float:
            self.values.append(leaf)
            return float, None
        if isinstance(leaf, Tracer):
            self.traced = True
            return None, None
        if isinstance(leaf, (jax.Array, np.ndarray, np.generic)):
            array = _array(leaf)
            self.values.append(array)
            return nodes.aval_of(array), None
        self.values.append(None)
        self.static.append(leaf)
        return kind, _hashable(leaf)

    def with_values(self, make: Callable[[int, Any], Any]) -> list[Any]:
        """The leaves with the values replaced by what `make(position, leaf)` gives."""
        return [
            leaf if value is None else make(position, leaf)
            for position, (leaf, value) in enumerate(
                zip(self.leaves, self.values, strict=True)
            )
        ]


def _flat(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
    if not kwargs:
        for arg in args:
            if type(arg) is not Tensor:
                break
        else:
            return list(args), len(args)
    return jax.tree_util.tree_flatten(
        (args, kwargs), is_leaf=lambda x: isinstance(x, Tensor)
    )


def _array(leaf: Any) -> jax.Array:
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.extended):
        raise ArgumentError(
            f"pf.jit: an argument is an array of {leaf.dtype}",
            rule="arguments of pf.jit become tensors, which hold numbers",
            help="random numbers inside pf.jit go on with pf.manual_seed; to pass "
            "keys, use jax.jit and pf.random_from",
        )
    return leaf if isinstance(leaf, jax.Array) else to_array(leaf)


def _hashable(leaf: Any) -> Any:
    try:
        hash(leaf)
    except TypeError:
        raise ArgumentError(
            f"pf.jit: an argument of type {type(leaf).__name__} has no hash",
            rule="arguments are tensors, arrays and floats, or else compared by value",
            help="pass what the function needs of it, or capture it instead",
        ) from None
    return leaf


def unflat(tree: Any, leaves: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments from their leaves."""
    if isinstance(tree, int):
        return tuple(leaves), {}
    return jax.tree_util.tree_unflatten(tree, leaves)


class Fixed:
    """An argument that is compared by value, whatever it is."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Fixed)
            and type(self.value) is type(other.value)
            and self.value == other.value
        )

    def __hash__(self) -> int:
        return hash(self.value)


class Static:
    """Which arguments are to be compared by value, by position or by name."""

    def __init__(self, numbers: Sequence[int], names: Sequence[str]) -> None:
        self._numbers = tuple(numbers)
        self._names = tuple(names)

    def marked(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with those that are static wrapped."""
        if self._numbers:
            numbers = {i % len(args) if i < 0 else i for i in self._numbers if args}
            args = tuple(
                Fixed(_hashable(arg)) if i in numbers else arg
                for i, arg in enumerate(args)
            )
        if self._names and kwargs:
            kwargs = {
                k: Fixed(_hashable(v)) if k in self._names else v
                for k, v in kwargs.items()
            }
        return args, kwargs


def unmarked(arg: Any) -> Any:
    """What was wrapped."""
    return arg.value if isinstance(arg, Fixed) else arg
