"""Values between PyTorch and pyflame: arguments one way, results the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sweep_entry import Excluded

import pyflame as pf

DTYPES = {
    torch.float32: pf.float32,
    torch.float16: pf.float16,
    torch.bfloat16: pf.bfloat16,
    torch.int32: pf.int32,
    torch.int16: pf.int16,
    torch.int8: pf.int8,
    torch.bool: pf.bool_,
}
NARROWED = {torch.int64: torch.int32, torch.float64: torch.float32}
# Arguments about where and how memory lies: pyflame has one way, and these are it.
_MEANINGLESS = {
    "device": (None, "cpu", torch.device("cpu")),
    "layout": (None, torch.strided),
    "memory_format": (None, torch.contiguous_format, torch.preserve_format),
    "non_blocking": (False,),
    "pin_memory": (False,),
    "requires_grad": (False,),
    "size_average": (None,),
    "reduce": (None,),
}
_PLAIN = (bool, int, float, str, type(None), type(Ellipsis))


def to_pf(value: Any, leaves: dict[int, pf.Tensor]) -> Any:
    """`value` with pf tensors for PyTorch's; the same tensor gives the same tensor.

    Raises: Excluded, for what has no counterpart.
    """
    if isinstance(value, torch.Tensor):
        return leaves.setdefault(id(value), to_pf_tensor(value))
    if isinstance(value, torch.dtype):
        return _dtype(value)
    if isinstance(value, slice):
        parts = (value.start, value.stop, value.step)
        return slice(*[to_pf(part, leaves) for part in parts])
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not _is_meaningless(k, v)}
        return {key: to_pf(item, leaves) for key, item in kept.items()}
    if isinstance(value, (list, tuple)):
        items = [to_pf(item, leaves) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, complex):
        raise Excluded("complex numbers")
    if not isinstance(value, _PLAIN):
        raise Excluded(f"{type(value).__name__} arguments")
    return value


def _is_meaningless(key: str, value: Any) -> bool:
    choices = _MEANINGLESS.get(key, ())
    return any(value is c or (type(value) is type(c) and value == c) for c in choices)


def to_pf_tensor(value: torch.Tensor) -> pf.Tensor:
    """A pf tensor with the values, and the dtype if pyflame has it.

    Raises: Excluded, if it has not, or for what is no strided CPU tensor.
    """
    if value.layout is not torch.strided:
        raise Excluded("sparse tensors")
    dtype = _dtype(value.dtype)
    plain = value.detach().resolve_conj().resolve_neg()
    if dtype in (pf.bfloat16, pf.float16):
        return pf.tensor(plain.float().numpy(), dtype=dtype)
    return pf.tensor(plain.numpy(), dtype=dtype)


def _dtype(dtype: torch.dtype) -> pf.DType:
    dtype = NARROWED.get(dtype, dtype)
    if dtype not in DTYPES:
        raise Excluded(f"{str(dtype).removeprefix('torch.')}, which pyflame has not")
    return DTYPES[dtype]


def results(value: Any) -> list[Any]:
    """The tensors and numbers of a result, in order."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in results(item)]
    return [value]


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """The PyTorch tensors among (nested) arguments."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)


def weights(shape: Any, dtype: torch.dtype) -> torch.Tensor:
    """A gradient to start from that no symmetry hides errors of: from 0.5 to 1.5."""
    count = int(np.prod(shape, dtype=np.int64))
    values = 1 + 0.5 * torch.cos(torch.arange(count, dtype=torch.float32))
    return values.reshape(tuple(shape)).to(dtype)


def difference(mine: Any, theirs: Any) -> str:
    """What differs between our result and PyTorch's; nothing, if they are equal.

    Shapes and dtypes must agree (64-bit ones as the 32-bit ones that pyflame has);
    values as `torch.testing.assert_close` compares them, with its tolerances.
    """
    actual, expected = (_narrowed(as_torch(value)) for value in (mine, theirs))
    return _text_of_difference(actual, expected)


def distance(mine: Any, theirs: Any, exact: Any) -> str:
    """What is wrong with a result by PyTorch's float64 result; nothing, if it is near.

    Near are the tolerances of the dtype; and twice the largest error of PyTorch's own
    result, where that is more.
    """
    actual, other = as_torch(mine), as_torch(theirs)
    other = _narrowed(other)
    comparable = actual.dtype in _TOLERANCES
    if not comparable or actual.dtype != other.dtype or actual.shape != other.shape:
        return difference(mine, theirs)
    best = as_torch(exact)
    errors = (other.double() - best).abs().nan_to_num(0, posinf=0)
    largest = float(errors.max()) if errors.numel() else 0.0
    rtol, atol = _TOLERANCES[actual.dtype]
    agreed = (actual == other) | (actual.isnan() & other.isnan())
    rounded = torch.where(agreed, actual, best.to(actual.dtype))
    return _text_of_difference(actual, rounded, rtol, max(atol, 2 * largest))


# Those of torch.testing.assert_close.
_TOLERANCES = {
    torch.float32: (1.3e-6, 1e-5),
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
}


def _narrowed(value: torch.Tensor) -> torch.Tensor:
    return value.to(NARROWED.get(value.dtype, value.dtype))


def _text_of_difference(
    actual: torch.Tensor,
    expected: torch.Tensor,
    rtol: float | None = None,
    atol: float | None = None,
) -> str:
    try:
        torch.testing.assert_close(
            actual, expected, rtol=rtol, atol=atol, equal_nan=True, check_stride=False
        )
    except AssertionError as error:
        return " ".join(str(error).split())
    return ""


def in_double(value: Any) -> Any:
    """Arguments with float64 tensors and dtypes for all floating ones."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.detach().double().requires_grad_(value.requires_grad)
    if isinstance(value, torch.dtype) and value.is_floating_point:
        return torch.float64
    if isinstance(value, dict):
        return {key: in_double(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [in_double(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def as_torch(value: Any) -> torch.Tensor:
    """A result of either side as a PyTorch tensor without gradients."""
    if isinstance(value, torch.Tensor):
        return value.detach().resolve_conj().resolve_neg()
    if not isinstance(value, pf.Tensor):
        return torch.as_tensor(value)
    dtypes = {mine: theirs for theirs, mine in DTYPES.items()}
    array = value.numpy()
    if value.dtype is pf.bfloat16:
        array = array.astype(np.float32)
    return torch.from_numpy(array).to(dtypes[value.dtype])
