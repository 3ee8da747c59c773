"""Ops that spread, repeat, turn and cut dimensions."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.shapes import Dims, dims, one_dim, text


def permute(x: jax.Array, *, dims: tuple[int, ...]) -> jax.Array:
    """The dimensions in another order."""
    order = tuple(one_dim("permute", x, d) for d in dims)
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(
            f"permute of {text(x)} to {list(dims)}: not every dim is named once",
            rule="a permutation names each dimension exactly once",
        )
    return jnp.transpose(x, order)


def matrix_transpose(x: jax.Array) -> jax.Array:
    """Swaps the last two dimensions."""
    if x.ndim < 2:
        raise ShapeError(
            f"mT of {text(x)}: there is no matrix",
            rule="mT swaps the last two dimensions",
        )
    return jnp.swapaxes(x, -1, -2)


def movedim(
    x: jax.Array, *, source: tuple[int, ...], destination: tuple[int, ...]
) -> jax.Array:
    """Moves dims to other places; the others keep their order."""
    if len(source) != len(destination):
        raise ShapeError(
            f"movedim of {text(x)} from {list(source)} to {list(destination)}: the "
            "counts differ",
            rule="each dimension that moves has one place to go to",
        )
    return jnp.moveaxis(x, dims("movedim", x, source), dims("movedim", x, destination))


def expand(x: jax.Array, *, shape: tuple[int, ...]) -> jax.Array:
    """`x` repeated along dimensions of size 1, and along new ones in front.

    A size of -1 keeps that of `x`.
    """
    lead = len(shape) - x.ndim
    own = (None,) * lead + tuple(x.shape)
    sizes = (
        [n if s == -1 else s for s, n in zip(shape, own, strict=True)]
        if (lead >= 0)
        else [None]
    )
    fits = lead >= 0 and all(
        s is not None and s >= 0 and (n is None or n in (1, s))
        for s, n in zip(sizes, own, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"expand of {text(x)} to {list(shape)}: the sizes do not fit",
            rule="counted from the back, each size is kept (-1 also keeps it), or "
            "it was 1; new dimensions come in front",
        )
    return jnp.broadcast_to(x, [s for s in sizes if s is not None])


def repeat(x: jax.Array, *, counts: tuple[int, ...]) -> jax.Array:
    """`x` laid side by side `counts` times along its last dimensions."""
    if len(counts) < x.ndim or min(counts, default=0) < 0:
        raise ShapeError(
            f"repeat of {text(x)} by {list(counts)}: the counts do not fit",
            rule="there is a count of 0 or more for each dimension, and perhaps for "
            "new ones in front",
        )
    own = (1,) * (len(counts) - x.ndim) + x.shape
    apart = x.reshape([k for n in own for k in (1, n)])
    pairs = list(zip(counts, own, strict=True))
    spread = jnp.broadcast_to(apart, [k for pair in pairs for k in pair])
    return spread.reshape([m * n for m, n in pairs])


def repeat_interleave(x: jax.Array, *, repeats: int, dim: int | None) -> jax.Array:
    """Each element `repeats` times in a row, along `dim` or of the flat array."""
    axis = None if dim is None else one_dim("repeat_interleave", x, dim)
    return jnp.repeat(x, repeats, axis=axis)


def flip(x: jax.Array, *, dim: Dims) -> jax.Array:
    """The order of elements along the dims turned round."""
    return jnp.flip(x, dims("flip", x, dim))


def roll(
    x: jax.Array, *, shifts: tuple[int, ...], dim: tuple[int, ...] | None
) -> jax.Array:
    """Elements moved on; those beyond the end come in at the front."""
    if dim is None and len(shifts) == 1:
        return jnp.roll(x, shifts[0])
    if dim is None or len(shifts) != len(dim):
        raise ShapeError(
            f"roll of {text(x)} by {list(shifts)} with dim={dim}: the counts differ",
            rule="there is one shift for each dim",
        )
    return jnp.roll(x, shifts, tuple(one_dim("roll", x, d) for d in dim))


def narrow(x: jax.Array, *, dim: int, start: int, length: int) -> jax.Array:
    """`length` elements along `dim` from `start`."""
    axis = one_dim("narrow", x, dim)
    size = x.shape[axis]
    first = start + size if start < 0 else start
    if not 0 <= first <= first + length <= size:
        raise ShapeError(
            f"narrow of {text(x)} along dim {dim}: {length} elements from {start} are "
            "out of range",
            rule=f"dimension {axis} has size {size}",
        )
    return jax.lax.slice_in_dim(x, first, first + length, axis=axis)


def unflatten(x: jax.Array, *, dim: int, sizes: tuple[int, ...]) -> jax.Array:
    """One dimension split into several; one of their sizes may be -1."""
    axis = one_dim("unflatten", x, dim)
    known = math.prod(s for s in sizes if s != -1)
    holes = sum(s == -1 for s in sizes)
    whole = [x.shape[axis] // known if s == -1 and known else s for s in sizes]
    if holes > 1 or min(whole, default=-1) < 0 or math.prod(whole) != x.shape[axis]:
        raise ShapeError(
            f"unflatten of {text(x)} along dim {dim} to {list(sizes)}: "
            f"{x.shape[axis]} elements do not fit",
            rule="the sizes multiply to that of the dimension; at most one is -1",
        )
    return x.reshape(*x.shape[:axis], *whole, *x.shape[axis + 1 :])


def diagonal(x: jax.Array, *, offset: int, dim1: int, dim2: int) -> jax.Array:
    """The diagonal of two dimensions, as a new last dimension."""
    _check_matrix("diagonal", x)
    first, second = one_dim("diagonal", x, dim1), one_dim("diagonal", x, dim2)
    if first == second:
        raise ShapeError(
            f"diagonal of {text(x)}: dim1={dim1} and dim2={dim2} are the same",
            rule="a diagonal runs through two dimensions",
        )
    return jnp.diagonal(x, offset, first, second)


def diag(x: jax.Array, *, diagonal: int) -> jax.Array:
    """A matrix with `x` on a diagonal; or the diagonal of the matrix `x`."""
    if x.ndim not in (1, 2):
        raise ShapeError(
            f"diag of {text(x)}: there are {x.ndim} dimensions",
            rule="diag takes a vector or a matrix",
            help="use x.diagonal() for the diagonals of several matrices",
        )
    return jnp.diag(x, diagonal)


def tril(x: jax.Array, *, diagonal: int) -> jax.Array:
    """0 above the diagonal; a positive one lies further up."""
    _check_matrix("tril", x)
    return jnp.tril(x, diagonal)


def triu(x: jax.Array, *, diagonal: int) -> jax.Array:
    """0 below the diagonal; a positive one lies further up."""
    _check_matrix("triu", x)
    return jnp.triu(x, diagonal)


def grid_of(x: jax.Array, *, shape: tuple[int, ...], axis: int) -> jax.Array:
    """A vector along one axis of `shape`, the same along all others."""
    return jax.lax.broadcast_in_dim(x.reshape(-1), shape, (axis,))


def _check_matrix(op: str, x: jax.Array) -> None:
    if x.ndim < 2:
        raise ShapeError(
            f"{op} of {text(x)}: there is no matrix",
            rule=f"{op} takes at least two dimensions",
        )
