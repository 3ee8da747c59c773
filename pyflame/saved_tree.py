"""Nested dicts, lists and numbers as JSON, with the arrays beside it.

JSON has no tuples, no integer keys, no NaN and no arrays, so these are marked: every
JSON object has exactly one key, which says what it stands for. Nothing in it names
code, a class or a path.

    {"dict": [[key, value], ...]}    {"tuple": [...]}    {"float": "nan"}
    {"tensor": 3}    {"jax": 3}    {"numpy": 3}        the third array beside it
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from pyflame import node as nodes
from pyflame.dtypes import DType
from pyflame.errors import ArgumentError, DTypeError
from pyflame.tensors import Tensor

MAX_DEPTH = 64

# bfloat16 is the one that JAX brings along; NumPy knows the rest.
DTYPES = {
    name: jax.numpy.dtype(name)
    for name in (
        "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
        "float16 bfloat16 float32 float64"
    ).split()
}
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class MalformedTreeError(ValueError):
    """JSON that no tree is written as."""


@dataclass
class Encoder:
    """Turns a tree into JSON and collects its arrays in order."""

    arrays: list[Any] = field(default_factory=list)

    def encode(self, value: Any, where: str = "", depth: int = 0) -> Any:
        """`value` as JSON; `where` is its place in the tree, for errors.

        Raises: ArgumentError, for what cannot be saved; DTypeError, for an array of
        objects, strings or complex numbers.
        """
        if depth > MAX_DEPTH:
            raise ArgumentError(
                f"save: {where[:40]}... is nested deeper than {MAX_DEPTH} levels",
                help="does a list or dict contain itself?",
            )
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if type(value) is list:
            return self._items(value, where, depth)
        if type(value) is tuple:
            return {"tuple": self._items(value, where, depth)}
        if isinstance(value, dict):
            return {"dict": self._pairs(value, where, depth)}
        return self._array(value, where)

    def _items(self, items: Sequence[Any], where: str, depth: int) -> list[Any]:
        return [
            self.encode(item, f"{where}[{i}]", depth + 1)
            for i, item in enumerate(items)
        ]

    def _pairs(self, items: dict[Any, Any], where: str, depth: int) -> list[Any]:
        for key in items:
            if type(key) not in (str, int):
                raise ArgumentError(
                    f"save: the key {key!r} of {where or 'the dict'} is of type "
                    f"{type(key).__name__}",
                    rule="keys are strings or integers",
                )
        return [
            [key, self.encode(item, f"{where}[{key!r}]", depth + 1)]
            for key, item in items.items()
        ]

    def _array(self, value: Any, where: str) -> dict[str, int]:
        kind = _kind_of(value)
        if kind is None:
            raise ArgumentError(
                f"save: {where or 'the value'} is of type {type(value).__name__}",
                rule="what is saved is built of dicts, lists, tuples, numbers, "
                "strings, None, tensors and arrays",
                help="save its state_dict(), or convert it first",
            )
        if kind != "tensor" and value.dtype.name not in DTYPES:
            raise DTypeError(
                f"save: {where or 'the array'} is an array of {value.dtype}",
                rule=f"arrays are of {', '.join(DTYPES)}",
            )
        self.arrays.append(value)
        return {kind: len(self.arrays) - 1}


def _kind_of(value: Any) -> str | None:
    kinds = {"tensor": Tensor, "jax": jax.Array, "numpy": np.ndarray}
    return next((k for k, cls in kinds.items() if isinstance(value, cls)), None)


_MAKERS: dict[str, Callable[[np.ndarray[Any, Any]], Any]] = {
    "tensor": lambda array: Tensor(nodes.data(jax.numpy.array(array))),
    "jax": jax.numpy.array,
    "numpy": lambda array: array,
}


def parse_json(text: bytes) -> Any:
    """JSON as `Encoder` results are written: finite numbers, no key twice.

    Raises: ValueError, for other JSON, and for what is none.
    """
    return json.loads(
        text,
        parse_constant=_refuse_constant,
        parse_float=_finite,
        object_pairs_hook=_object,
    )


def _refuse_constant(name: str) -> float:
    raise MalformedTreeError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedTreeError(f"{text[:40]} is too large for a number")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedTreeError("an object of JSON has a key twice")
    return found


def check_references(tree: Any, count: int) -> None:
    """Raises: MalformedTreeError, unless each of `count` arrays stands in the tree
    once: a small file must not ask for many copies of an array."""
    seen: set[int] = set()
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            for kind, value in item.items():
                if kind not in _MAKERS:
                    waiting.append(value)
                elif type(value) is int and value in seen:
                    raise MalformedTreeError(f"array {value} stands in the tree twice")
                elif type(value) is int:
                    seen.add(value)
    missing = [i for i in range(count) if i not in seen]
    if missing:
        raise MalformedTreeError(f"array {missing[0]} stands nowhere in the tree")


def decode(tree: Any, arrays: Sequence[np.ndarray[Any, Any]], depth: int = 0) -> Any:
    """The value that `Encoder.encode` turned into `tree`.

    Raises: MalformedTreeError, if it did not.
    """
    if depth > 2 * MAX_DEPTH:
        raise MalformedTreeError(f"it is nested deeper than {MAX_DEPTH} levels")
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    if isinstance(tree, list):
        return [decode(item, arrays, depth + 1) for item in tree]
    match tree:
        case {"tuple": [*items], **rest} if not rest:
            return tuple(decode(item, arrays, depth + 1) for item in items)
        case {"dict": [*pairs], **rest} if not rest:
            return _decode_dict(pairs, arrays, depth)
        case {"float": str(name), **rest} if not rest and name in _NON_FINITE:
            return _NON_FINITE[name]
    return _decode_array(tree, arrays)


def _decode_dict(pairs: list[Any], arrays: Sequence[Any], depth: int) -> Any:
    result: dict[str | int, Any] = {}
    for pair in pairs:
        match pair:
            case [str() | int() as key, item] if type(key) is not bool:
                if key in result:
                    raise MalformedTreeError(f"the key {key!r} stands twice in a dict")
                result[key] = decode(item, arrays, depth + 1)
            case _:
                raise MalformedTreeError("an entry of a dict is no key and value")
    return result


def _decode_array(tree: Any, arrays: Sequence[Any]) -> Any:
    if isinstance(tree, dict) and len(tree) == 1:
        ((kind, number),) = tree.items()
        if kind in _MAKERS and type(number) is int and 0 <= number < len(arrays):
            _check_dtype(kind, arrays[number].dtype)
            return _MAKERS[kind](arrays[number])
    raise MalformedTreeError(f"{str(tree)[:60]!r} stands for nothing")


def _check_dtype(kind: str, dtype: np.dtype[Any]) -> None:
    """Raises: MalformedTreeError, if the elements would be narrowed without a word."""
    if kind == "tensor" and dtype.name not in {member.value for member in DType}:
        raise MalformedTreeError(f"no tensor has the dtype {dtype.name}")
    if kind == "jax" and jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise MalformedTreeError(
            f"a JAX array of {dtype.name} needs jax_enable_x64, as when it was saved"
        )
