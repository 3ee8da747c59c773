"""What a compiled program is to its caller: names, types and pytrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from pyflame.codegen.complex_parts import complex_array, is_parts, joined, split
from pyflame.codegen.key_words import words_of
from pyflame.convert import to_array
from pyflame.errors import DTypeError, RunError, ShapeError
from pyflame.tensors import Tensor

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Interface:
    """The arguments and the result of a program, flattened.

    `in_tree` is the pytree of the positional arguments, whose leaves are the inputs
    numbered `in_order`; `out_tree` and `out_order` are the same for the result. There,
    complex arrays are `Parts` of two values.
    `defaults` computes the values that inputs have where a run is given none.
    """

    in_names: tuple[str, ...]
    in_types: tuple[jax.ShapeDtypeStruct, ...]
    in_tree: Any
    in_order: tuple[int, ...]
    out_tree: Any
    out_order: tuple[int, ...]
    defaults: Callable[[], list[Array]] | None = None

    def arrays(self, call: str, inputs: tuple[Any, ...]) -> list[Array | None]:
        """An array per input, or None where `...` stands for what is there already.

        Raises: RunError, ShapeError, DTypeError, naming `call` and the input.
        """
        if not inputs and self.defaults is not None:
            return list(self.defaults())
        leaves = self._leaves(call, inputs)
        found: list[Array | None] = [None] * len(leaves)
        for number, leaf in zip(self.in_order, leaves, strict=True):
            if leaf is not ...:
                name, wanted = self.in_names[number], self.in_types[number]
                found[number] = _checked(call, name, leaf, wanted)
        return found

    def complete(self, call: str, inputs: tuple[Any, ...]) -> list[Array]:
        """An array per input.

        Raises: RunError, ShapeError, DTypeError, naming `call` and the input.
        """
        found = self.arrays(call, inputs)
        named = zip(self.in_names, found, strict=True)
        missing = [name for name, x in named if x is None]
        if missing:
            raise RunError(
                f"{call}: `...` in the place of {', '.join(missing)}",
                rule="only a session has values from earlier launches",
                help="give every input, or use session()",
            )
        return [array for array in found if array is not None]

    def result(self, outputs: Sequence[Array]) -> Any:
        """The outputs in the pytree of the result."""
        ordered = [outputs[number] for number in self.out_order]
        return joined(jax.tree.unflatten(self.out_tree, ordered))

    def _leaves(self, call: str, inputs: tuple[Any, ...]) -> list[Any]:
        """The arguments flattened, complex ones as their parts."""
        numbers = jax.tree.unflatten(self.in_tree, self.in_order)
        wanted, whole = jax.tree.flatten(numbers, is_leaf=is_parts)
        leaves = self._whole_leaves(call, inputs, whole)
        found: list[Any] = []
        for which, leaf in zip(wanted, leaves, strict=True):
            if not is_parts(which):
                found.append(leaf)
            elif leaf is ...:
                found += [..., ...]
            else:
                found += self._split(call, leaf, which.re)
        return found

    def _split(self, call: str, leaf: Any, number: int) -> tuple[Any, Any]:
        """A complex input's parts; `number` is that of the real one."""
        name = self.in_names[number].removesuffix(".re")
        wanted = jax.ShapeDtypeStruct(self.in_types[number].shape, np.complex64)
        return split(_checked(call, name, complex_array(leaf), wanted))

    def _whole_leaves(self, call: str, inputs: tuple[Any, ...], tree: Any) -> list[Any]:
        """The leaves of `tree`; a list may be a container, or an array as a list."""
        for flatten, is_leaf in (
            (_flattened, _is_list_or_end),
            (_flattened, _is_end),
            (_spread, _is_end),
            (_spread, _is_list_or_end),
        ):
            leaves = flatten(inputs, tree, is_leaf)
            if leaves is not None:
                return leaves
        count = len(jax.tree.leaves(inputs, is_leaf=_is_end))
        raise RunError(
            f"{call}: {len(inputs)} inputs with {count} arrays are given",
            rule=f"the program takes {', '.join(self.in_names) or 'no inputs'}",
        )


IsLeaf = Callable[[Any], bool]


def _flattened(inputs: tuple[Any, ...], tree: Any, is_leaf: IsLeaf) -> list[Any] | None:
    """The leaves; None if they are no such tree."""
    leaves, found = jax.tree.flatten(inputs, is_leaf=is_leaf)
    return leaves if found == tree else None


def _spread(inputs: tuple[Any, ...], tree: Any, is_leaf: IsLeaf) -> list[Any] | None:
    """The leaves, with `...` once for each below it; None if they are no such tree."""
    leaves = jax.tree.leaves(inputs, is_leaf=is_leaf)
    names = jax.tree.unflatten(tree, range(tree.num_leaves))
    try:
        whole = jax.tree.broadcast(inputs, names, is_leaf=is_leaf)
    except ValueError:
        return None
    spread = jax.tree.leaves(whole, is_leaf=is_leaf)
    given = [leaf for leaf in leaves if leaf is not ...]
    is_same = len(given) == sum(leaf is not ... for leaf in spread)
    return spread if is_same and len(spread) == tree.num_leaves else None


def _is_end(x: Any) -> bool:
    return x is ... or isinstance(x, Tensor)


def _is_list_or_end(x: Any) -> bool:
    return _is_end(x) or isinstance(x, list)


def _has_dtype(leaf: Any, dtype: Any) -> bool:
    """Whether it is NumPy's of this dtype; tensors have no unsigned integers."""
    return isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype == dtype


def _checked(call: str, name: str, leaf: Any, wanted: Any) -> Array:
    """The input as an array of the program's dtype, if it is one of that kind."""
    leaf = words_of(leaf)
    if isinstance(leaf, (Tensor, jax.Array)) or _has_dtype(leaf, wanted.dtype):
        array = np.asarray(leaf)
    elif isinstance(leaf, (bool, int, float, list)):
        array = np.asarray(to_array(leaf, wanted.dtype))
    else:
        array = np.asarray(to_array(leaf))
    if array.shape != wanted.shape:
        raise ShapeError(
            f"{call}: input {name} has shape {list(array.shape)}",
            rule=f"the program was compiled for {wanted.dtype}{list(wanted.shape)}",
        )
    if array.dtype != wanted.dtype:
        raise DTypeError(
            f"{call}: input {name} is {array.dtype}",
            rule=f"the program was compiled for {wanted.dtype}{list(wanted.shape)}",
            help=f"convert it: x.astype('{wanted.dtype}')",
        )
    return array
