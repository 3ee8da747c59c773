"""Operations along dimensions: reductions, running totals, order, windows, products."""

from __future__ import annotations

import math

from random_maker import Draft, Maker, Operation
from random_ops_elementwise import is_bool, is_exact
from random_values import (
    FUNCTION,
    Known,
    Value,
    combined,
    exact,
    rounded,
)


def _has_dims(value: Value) -> bool:
    return len(value.shape) > 0


def _is_number(value: Value) -> bool:
    return value.dtype != "bool"


def _dims(maker: Maker, x: Value) -> tuple[int, ...]:
    return tuple(d for d in range(len(x.shape)) if maker.flip()) or (0,)


def _summed(x: Value, text: str, count: int) -> Draft:
    """Sums of so many elements."""
    known = combined([x], count * x.bound, count * x.error)
    if not x.exact:
        known = Known(known.bound, False, known.error + FUNCTION[x.dtype] * known.bound)
    return Draft(text.format(x=x.name), (x,), known)


def total(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, _is_number)
    if x is None:
        return None
    dims = _dims(maker, x)
    text = maker.pick((f"jnp.sum({{x}}, {dims}, dtype={{x}}.dtype)",) * 2)
    return _summed(x, text, math.prod(x.shape[d] for d in dims))


def mean(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, lambda v: v.is_float)
    if x is None:
        return None
    dims = _dims(maker, x)
    error = x.error + 3 * FUNCTION[x.dtype] * x.bound
    known = rounded(x.bound, error, FUNCTION[x.dtype])
    return Draft(f"jnp.mean({x.name}, {dims})", (x,), known)


def extreme(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims)
    if x is None:
        return None
    verb = maker.pick(("max", "min"))
    known = Known(x.bound, x.exact, x.error)
    return Draft(f"jnp.{verb}({x.name}, {_dims(maker, x)})", (x,), known)


def product(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, _is_number, is_exact)
    if x is None:
        return None
    dims = _dims(maker, x)
    count = math.prod(x.shape[d] for d in dims)
    bound = x.bound**count if x.bound < 99 and count < 20 else math.inf
    return Draft(
        f"jnp.prod({x.name}, {dims}, dtype={x.name}.dtype)", (x,), Known(bound)
    )


def quantor(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, is_bool)
    if x is None:
        return None
    verb = maker.pick(("any", "all"))
    return Draft(f"jnp.{verb}({x.name}, {_dims(maker, x)})", (x,), exact(1))


def place_of_extreme(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, is_exact, _is_number)
    if x is None:
        return None
    dim = maker.whole(0, len(x.shape) - 1)
    verb = maker.pick(("argmax", "argmin"))
    return Draft(f"jnp.{verb}({x.name}, {dim})", (x,), exact(x.shape[dim]))


def running(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, _is_number)
    if x is None:
        return None
    dim, reverse = maker.whole(0, len(x.shape) - 1), maker.flip()
    verb = maker.pick(("cumsum", "cummax", "cummin"))
    text = f"lax.{verb}({{x}}, {dim}, reverse={reverse})"
    if verb == "cumsum":
        return _summed(x, text, x.shape[dim])
    return Draft(text.format(x=x.name), (x,), Known(x.bound, x.exact, x.error))


def running_product(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, _is_number, is_exact, lambda v: v.bound < 99)
    if x is None:
        return None
    dim = maker.whole(0, len(x.shape) - 1)
    known = Known(x.bound ** x.shape[dim])
    return Draft(f"lax.cumprod({x.name}, {dim})", (x,), known)


def order(maker: Maker) -> Draft | None:
    """Sorted values of anything; their places only of what is exact."""
    x = maker.some(_has_dims, _is_number)
    if x is None:
        return None
    dim, n = maker.whole(0, len(x.shape) - 1), x.shape[-1]
    k = maker.whole(1, n)
    known = Known(x.bound, x.exact, x.error)
    texts = [f"jnp.sort({x.name}, {dim})", f"lax.top_k({x.name}, {k})[0]"]
    if x.exact and maker.flip():
        known = exact(max(x.shape))
        texts = [f"jnp.argsort({x.name}, {dim})", f"lax.top_k({x.name}, {k})[1]"]
    return Draft(maker.pick(texts), (x,), known)


def windows(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, _is_number, lambda v: v.dtype in ("float32", "int32"))
    if x is None:
        return None
    sizes = tuple(maker.whole(1, min(3, n)) for n in x.shape)
    strides = tuple(maker.whole(1, 2) for _ in x.shape)
    padding = maker.pick(("VALID", "SAME"))
    verb, zero = maker.pick((("add", "0"), ("max", "low"), ("min", "high")))
    limits = "jnp.finfo" if x.is_float else "jnp.iinfo"
    start = {"0": "0", "low": f"{limits}({x.name}.dtype).min"}.get(
        zero, f"{limits}({x.name}.dtype).max"
    )
    text = (
        f"lax.reduce_window({{x}}, np.array({start}, {{x}}.dtype), lax.{verb}, "
        f"{sizes}, {strides}, '{padding}')"
    )
    if verb == "add":
        return _summed(x, text, math.prod(sizes))
    return Draft(text.format(x=x.name), (x,), Known(x.bound, x.exact, x.error))


def matrix_product(maker: Maker) -> Draft | None:
    """A dot_general of two values along dimensions of the same size."""
    x = maker.some(_has_dims, lambda v: v.is_float)
    if x is None:
        return None
    dim = maker.whole(0, len(x.shape) - 1)
    size = x.shape[dim]
    y = maker.some(lambda v: v.dtype == x.dtype and size in v.shape) or x
    other = maker.pick([d for d, n in enumerate(y.shape) if n == size])
    text = f"lax.dot_general({x.name}, {y.name}, ((({dim},), ({other},)), ((), ())))"
    return Draft(text, (x, y), _products(x, y, size))


def batched_product(maker: Maker) -> Draft | None:
    """Products along the last dimension, for each index of the first."""
    x = maker.some(lambda v: v.is_float and len(v.shape) > 1)
    if x is None:
        return None
    y = maker.like(x)
    last = len(x.shape) - 1
    numbers = f"((({last},), ({last},)), ((0,), (0,)))"
    text = f"lax.dot_general({x.name}, {y.name}, {numbers})"
    return Draft(text, (x, y), _products(x, y, x.shape[-1]))


def convolution(maker: Maker) -> Draft | None:
    x = maker.some(lambda v: v.is_float and len(v.shape) == 2)
    if x is None:
        return None
    y = maker.like(x)
    rows, cols = (maker.whole(1, min(3, n)) for n in x.shape)
    strides = maker.whole(1, 2), maker.whole(1, 2)
    dilations = f"lhs_dilation=({maker.whole(1, 2)}, 1), rhs_dilation=(1, 1)"
    text = (
        f"lax.conv_general_dilated({x.name}[None, None], "
        f"{y.name}[None, None, :{rows}, :{cols}], {strides}, 'SAME', {dilations})"
    )
    return Draft(text, (x, y), _products(x, y, rows * cols))


def _products(x: Value, y: Value, count: int) -> Known:
    """Sums of so many products."""
    bound = count * x.bound * y.bound
    if x.exact and y.exact:
        return exact(bound)
    error = count * (x.error * y.bound + y.error * x.bound)
    return rounded(bound, error, FUNCTION[x.dtype])


LINES: list[Operation] = [
    *(total, total, mean, extreme, product, quantor, place_of_extreme, running),
    *(running_product, order, windows, matrix_product, matrix_product),
    *(batched_product, convolution),
]
