"""Loading values by name into the tensors of a module: all of them, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pyflame.creation import tensor as new_tensor
from pyflame.errors import ArgumentError
from pyflame.tensors import Tensor


class LoadedKeys(NamedTuple):
    """Keys that a state_dict lacked, and keys that nothing asked for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load(
    name: str, own: Mapping[str, Tensor], given: Mapping[str, Any], strict: bool
) -> LoadedKeys:
    """Assigns the given values to the tensors of the same name.

    Raises: ArgumentError, listing everything that does not fit; nothing is assigned.
    """
    if not isinstance(given, Mapping):
        raise ArgumentError(
            f"load_state_dict of {name}: {type(given).__name__} is no state_dict",
            rule="a state_dict maps names to tensors",
        )
    keys = LoadedKeys(
        [key for key in own if key not in given],
        [key for key in given if key not in own],
    )
    values = {key: _value(given[key]) for key in own if key in given}
    problems = [f"missing key {key!r}" for key in keys.missing_keys if strict]
    problems += [f"unexpected key {key!r}" for key in keys.unexpected_keys if strict]
    problems += [
        f"{key!r} has shape {value.shape}, not {own[key].shape}"
        for key, value in values.items()
        if value.shape != own[key].shape
    ]
    if problems:
        raise ArgumentError(
            f"load_state_dict of {name}: {'; '.join(problems)}",
            rule="names and shapes are those of state_dict()",
            help="strict=False leaves missing tensors as they are and skips others",
        )
    for key, value in values.items():
        target = own[key]
        same = value.dtype == target.dtype
        target._assign(value if same else value.to(target.dtype))
    return keys


def _value(value: Any) -> Tensor:
    """A Tensor of its own from a Tensor, an array, or a tensor of PyTorch."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "detach"):  # of PyTorch; NumPy has no bfloat16 to give
        value = value.detach().cpu()
        value = value.float() if value.is_floating_point() else value
    return new_tensor(np.asarray(value))
