"""Whether the wafer's values are JAX's: by dtype, with NaN, infinities and signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

# Two units in the last place of the halves; what sums and exp differ by in float32.
TOLERANCES = {
    "float32": 2e-5,
    "complex64": 2e-5,
    "float16": 2e-3,
    "bfloat16": 1.6e-2,
}


def difference(got: Any, want: Any) -> str:
    """How two pytrees of arrays differ, in one line; empty if they do not.

    Integers and booleans are equal exactly. Floats are within the dtype's tolerance,
    relative or absolute; NaN equals NaN, an infinity only itself, and where both are
    zero their signs agree. Of complex numbers the distance counts, with a NaN in either
    part they are NaN, and signs of zeros are left open.
    """
    have, expected = jax.tree.leaves(got), jax.tree.leaves(want)
    if len(have) != len(expected):
        return f"{len(have)} results, not {len(expected)}"
    for number, (mine, reference) in enumerate(zip(have, expected, strict=True)):
        text = _difference(as_array(mine), as_array(reference))
        if text:
            return f"result {number}: {text}"
    return ""


def is_as_near(got: Any, want: Any, exact: Callable[[], Any]) -> bool:
    """Whether floats are as near to a result of more bits as JAX's own are.

    Every result's largest error is at most twice that of JAX's. `exact` is asked for
    that result; None, or one of another structure, says nothing.
    """
    have, expected = jax.tree.leaves(got), jax.tree.leaves(want)
    precise = jax.tree.leaves(exact())
    if len(have) != len(precise):
        return False
    triples = zip(have, expected, precise, strict=True)
    return all(_is_as_near(*map(as_array, triple)) for triple in triples)


def _is_as_near(got: Any, want: Any, exact: Any) -> bool:
    if (got.dtype, got.shape, got.shape) != (want.dtype, want.shape, exact.shape):
        return False
    if str(want.dtype) not in TOLERANCES:
        return bool(np.array_equal(got, want))
    if not np.array_equal(np.isfinite(got), np.isfinite(want)):
        return False
    finite = np.isfinite(want) & np.isfinite(exact)
    mine, reference, precise = (_wide(array[finite]) for array in (got, want, exact))
    error = np.max(np.abs(reference - precise), initial=0)
    return bool(np.max(np.abs(mine - precise), initial=0) <= 2 * error)


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """A NumPy array; random keys by the words that they are."""
    if hasattr(value, "dtype") and jax.dtypes.issubdtype(
        value.dtype, jax.dtypes.prng_key
    ):
        value = jax.random.key_data(value)
    return np.asarray(value)


def _difference(got: np.ndarray[Any, Any], want: np.ndarray[Any, Any]) -> str:
    if (got.dtype, got.shape) != (want.dtype, want.shape):
        return f"{_type(got)}, not {_type(want)}"
    equal = _equal(got, want)
    if equal.all():
        return ""
    place = tuple(int(i) for i in np.argwhere(~equal)[0])
    count = f"{np.sum(~equal):,} of {want.size:,} elements"
    first = f"{got[place]} for {want[place]} at {list(place)}"
    return f"{count} of {_type(want)} differ, first {first}"


def _type(array: np.ndarray[Any, Any]) -> str:
    return f"{array.dtype}{list(array.shape)}"


def _equal(
    got: np.ndarray[Any, Any], want: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    tolerance = TOLERANCES.get(str(want.dtype))
    if tolerance is None:
        return np.asarray(got == want)
    mine, reference = _wide(got), _wide(want)
    near = np.isclose(mine, reference, tolerance, tolerance, equal_nan=True)
    if np.iscomplexobj(want):
        return near
    signs = np.signbit(mine) == np.signbit(reference)
    return near & (signs | (mine != 0) | (reference != 0))


def _wide(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers with the bits of float64."""
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)
