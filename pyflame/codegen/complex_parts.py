"""Complex arrays as inputs and outputs of programs: the wafer holds both their parts.

In the pytrees of a program, a complex array is a `Parts` of two arrays, `z.re` and
`z.im`; its user gives and gets complex64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


class Parts(NamedTuple):
    """The real and the imaginary part of a complex array, or something about each."""

    re: Any
    im: Any


def is_parts(x: Any) -> bool:
    return isinstance(x, Parts)


def on_parts(
    function: Callable[..., Any], specs: list[Any], is_leaf: Callable[[Any], bool]
) -> tuple[Callable[..., Any], list[Any]]:
    """The function on parts where it has complex arrays, and the specs of its leaves
    so."""

    def ends(x: Any) -> bool:
        return is_parts(x) or is_leaf(x)

    def with_parts(*args: Any) -> Any:
        whole = jax.tree.map(_whole, args, is_leaf=ends)
        return jax.tree.map(_parts, function(*whole), is_leaf=is_leaf)

    return with_parts, [_parts_spec(spec) for spec in specs]


def joined(tree: Any) -> Any:
    """The pytree with complex64 arrays in the place of their parts."""
    return jax.tree.map(_joined, tree, is_leaf=is_parts)


def split(array: np.ndarray[Any, Any]) -> Parts:
    """The parts of a complex array, float32."""
    return Parts(*(np.array(part, np.float32) for part in (array.real, array.imag)))


def complex_array(leaf: Any) -> Any:
    """Python's numbers and lists, and complex128, as complex64; all else as it is."""
    if isinstance(leaf, (complex, float, int, list)):
        return np.asarray(leaf, np.complex64)
    if isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype == np.complex128:
        return leaf.astype(np.complex64)
    return leaf


def _is_complex(x: Any) -> bool:
    if not isinstance(x, jax.Array | jax.ShapeDtypeStruct):
        return False  # no tensor is complex
    return jnp.issubdtype(x.dtype, jnp.complexfloating)


def _whole(x: Any) -> Any:
    return lax.complex(*x) if is_parts(x) else x


def _parts(x: Any) -> Any:
    return Parts(jnp.real(x), jnp.imag(x)) if _is_complex(x) else x


def _parts_spec(spec: Any) -> Any:
    if not _is_complex(spec):
        return spec
    return Parts(*[jax.ShapeDtypeStruct(spec.shape, np.float32)] * 2)


def _joined(x: Any) -> Any:
    if not is_parts(x):
        return x
    whole = np.empty(x.re.shape, np.complex64)
    whole.real, whole.imag = x
    return whole
