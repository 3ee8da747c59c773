"""Pooling over the last two dimensions, with PyTorch's window positions."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import jax
import jax.numpy as jnp
import numpy as np

from pyflame.errors import ShapeError
from pyflame.ops.halves import rounded_once
from pyflame.ops.shapes import text
from pyflame.ops.tiles import max_of_tiles
from pyflame.ops.wafer import is_for_wafer

Pair = tuple[int, int]

MAX_SCANNED = 32  # elements of a window that are compared one by one


@dataclass(frozen=True)
class _Windows:
    """Where windows lie along one dimension of size `size`."""

    size: int
    count: int
    kernel: int
    stride: int
    padding: int
    dilation: int

    @property
    def pads(self) -> Pair:
        """Elements added in front and behind; behind may be negative."""
        reach = self.dilation * (self.kernel - 1) + 1
        used = (self.count - 1) * self.stride + reach
        return self.padding, used - self.size - self.padding

    def positions(self) -> np.ndarray:
        """[kernel, count]: where in the input the elements of each window lie."""
        start = np.arange(self.count) * self.stride - self.padding
        return np.arange(self.kernel)[:, None] * self.dilation + start

    def divisors(self, count_include_pad: bool) -> np.ndarray:
        """How many elements the mean over each window is of."""
        start = np.arange(self.count) * self.stride - self.padding
        end = np.minimum(start + self.kernel, self.size + self.padding)
        if count_include_pad:
            return end - start
        return np.minimum(end, self.size) - np.maximum(start, 0)


def max_pool2d(
    x: jax.Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> jax.Array:
    """The largest value of each window; padding never wins.

    The gradient goes to the first of equal values.

    Raises: ShapeError, unless `x` is [N, C, H, W] or [C, H, W] and a window fits.
    """
    windows = _windows(
        "max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode
    )
    least = _least(x)
    padded = _padded(x, windows, least)
    are_tiles = all(map(_is_tile, windows)) and prod(kernel_size) <= MAX_SCANNED
    if are_tiles and not is_for_wafer():
        return max_of_tiles(padded, kernel_size)
    if jnp.issubdtype(x.dtype, jnp.floating) and dilation == (1, 1):
        return _reduce(padded, least, jax.lax.max, windows)
    values = _window_values(padded, windows)
    first = jnp.argmax(values, 0)[None]
    return jnp.take_along_axis(values, first, 0)[0]


def max_pool2d_indices(
    x: jax.Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> jax.Array:
    """Where `max_pool2d` found its values: row * W + column of the image, int32."""
    windows = _windows(
        "max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode
    )
    values = _window_values(_padded(x, windows, _least(x)), windows)
    # Padding never wins: an element is preferred, even if it is as small.
    row, col = (w.positions() for w in windows)
    inside_rows, inside_cols = (
        (p >= 0) & (p < w.size) for p, w in zip((row, col), windows, strict=True)
    )
    inside = inside_rows[:, None, :, None] & inside_cols[None, :, None, :]
    place = row[:, None, :, None] * x.shape[-1] + col[None, :, None, :]
    flat = (-1, *(1,) * (x.ndim - 2), *place.shape[2:])
    wins = (values == jnp.max(values, 0)) | jnp.isnan(values)
    wins = wins & jnp.asarray(inside.reshape(flat))
    first = jnp.argmax(wins, 0)[None]
    places = jnp.broadcast_to(jnp.asarray(place.reshape(flat), jnp.int32), wins.shape)
    return jnp.take_along_axis(places, first, 0)[0]


def avg_pool2d(
    x: jax.Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None = None,
) -> jax.Array:
    """The mean of each window, over its padding too if `count_include_pad`.

    `divisor_override` is what the sums are divided by instead. Means of integers are
    cut off towards 0.

    Raises: ShapeError, unless `x` is [N, C, H, W] or [C, H, W] and a window fits.
    """
    windows = _windows("avg_pool2d", x, kernel_size, stride, padding, (1, 1), ceil_mode)
    if divisor_override is not None:
        divisors = np.asarray(divisor_override)
    else:
        divisors = np.outer(*(w.divisors(count_include_pad) for w in windows))

    def means(x: jax.Array) -> jax.Array:
        sums = _reduce(_padded(x, windows, 0), 0, jax.lax.add, windows)
        quotient = jnp.broadcast_to(jnp.asarray(divisors, x.dtype), sums.shape)
        return jax.lax.div(sums, quotient)

    return rounded_once(means, x)


def adaptive_avg_pool2d(
    x: jax.Array, *, output_size: tuple[int | None, int | None]
) -> jax.Array:
    """Means over windows from floor(i H / h) to ceil((i + 1) H / h), as [..., h, w].

    None keeps a size. Raises: ShapeError, unless `x` is [N, C, H, W] or [C, H, W].
    """
    _check_images("adaptive_avg_pool2d", x)
    for axis, count in zip((-2, -1), output_size, strict=True):
        if count is not None:
            x = _adaptive_means(x, axis, count)
    return x


def _adaptive_means(x: jax.Array, axis: int, count: int) -> jax.Array:
    size = x.shape[axis]
    if size % count == 0:
        where = x.ndim + axis
        split = (*x.shape[:where], count, size // count, *x.shape[where + 1 :])
        return jnp.mean(x.reshape(split), where + 1)
    i = np.arange(count)[:, None]
    start, end = i * size // count, -(-(i + 1) * size // count)
    j = np.arange(size)
    shares = ((j >= start) & (j < end)) / (end - start)
    means = jnp.moveaxis(x, axis, -1) @ jnp.asarray(shares.T, x.dtype)
    return jnp.moveaxis(means, -1, axis)


def _windows(
    op: str,
    x: jax.Array,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> tuple[_Windows, _Windows]:
    _check_images(op, x)
    along = zip(x.shape[-2:], kernel, stride, padding, dilation, strict=True)
    rows, cols = (
        _Windows(n, _count(n, k, s, p, d, ceil_mode), k, s, p, d)
        for n, k, s, p, d in along
    )
    if min(rows.count, cols.count) < 1:
        raise ShapeError(
            f"{op} of {text(x)}: a window of {list(kernel)} with dilation "
            f"{list(dilation)} does not fit",
            rule="a window is not larger than the padded input",
        )
    return rows, cols


def _count(size: int, k: int, stride: int, padding: int, d: int, ceil: bool) -> int:
    room = size + 2 * padding - d * (k - 1) - 1
    count = (room + (stride - 1 if ceil else 0)) // stride + 1
    starts_in_the_far_padding = (count - 1) * stride >= size + padding
    return count - 1 if ceil and starts_in_the_far_padding else count


def _is_tile(w: _Windows) -> bool:
    """Whether windows lie side by side, with no padding in front of the first."""
    return w.stride == w.kernel and not w.padding and w.dilation == 1


def _least(x: jax.Array) -> float:
    if jnp.issubdtype(x.dtype, jnp.floating):
        return -jnp.inf
    return jnp.iinfo(x.dtype).min


def _padded(
    x: jax.Array, windows: tuple[_Windows, _Windows], value: float
) -> jax.Array:
    """`x` with exactly the elements that windows cover, behind and in front."""
    edges = [(0, 0, 0)] * (x.ndim - 2) + [(*w.pads, 0) for w in windows]
    return jax.lax.pad(x, jnp.asarray(value, x.dtype), edges)


def _reduce(
    padded: jax.Array, start: float, op: object, windows: tuple[_Windows, _Windows]
) -> jax.Array:
    ones = (1,) * (padded.ndim - 2)
    return jax.lax.reduce_window(
        padded,
        np.asarray(start, padded.dtype)[()],
        op,  # pyright: ignore[reportArgumentType]
        (*ones, *(w.kernel for w in windows)),
        (*ones, *(w.stride for w in windows)),
        "VALID",
    )


def _window_values(padded: jax.Array, windows: tuple[_Windows, _Windows]) -> jax.Array:
    """[kernel elements, ..., rows, cols]: element by element of all windows."""
    rows, cols = windows
    return jnp.stack(
        [
            padded[
                ...,
                _strided(i * rows.dilation, rows),
                _strided(j * cols.dilation, cols),
            ]
            for i in range(rows.kernel)
            for j in range(cols.kernel)
        ]
    )


def _strided(start: int, w: _Windows) -> slice:
    return slice(start, start + (w.count - 1) * w.stride + 1, w.stride)


def _check_images(op: str, x: jax.Array) -> None:
    if x.ndim not in (3, 4):
        raise ShapeError(
            f"{op} of {text(x)}: {x.ndim} dimensions",
            rule="the input is [N, C, H, W] or [C, H, W]",
        )
