"""Operations that move elements: shapes, slices, padding, indexing by numbers."""

from __future__ import annotations

import math

from random_maker import Draft, Maker, Operation
from random_ops_elementwise import is_exact
from random_values import Known, Value, combined


def _has_dims(value: Value) -> bool:
    return len(value.shape) > 0


def _kept(x: Value, text: str) -> Draft:
    """The same elements elsewhere."""
    return Draft(text.format(x=x.name), (x,), Known(x.bound, x.exact, x.error))


def _of(x: Value, y: Value, text: str) -> Draft:
    """Elements of both."""
    known = Known(max(x.bound, y.bound, 1), x.exact and y.exact, max(x.error, y.error))
    return Draft(text.format(x=x.name, y=y.name), (x, y), known)


def reshape(maker: Maker) -> Draft | None:
    x = maker.some()
    assert x is not None, "there are always inputs"
    divisors = [d for d in range(1, x.size + 1) if x.size % d == 0]
    first = maker.pick(divisors)
    rest = x.size // first
    second = maker.pick([d for d in divisors if rest % d == 0])
    shape = maker.pick(
        ((x.size,), (first, rest), (first, second, rest // second), (1, first, rest))
    )
    return _kept(x, f"jnp.reshape({{x}}, {shape})")


def transpose(maker: Maker) -> Draft | None:
    x = maker.some(lambda v: len(v.shape) > 1)
    if x is None:
        return None
    dims = list(range(len(x.shape)))
    order = [dims.pop(maker.whole(0, len(dims) - 1)) for _ in x.shape]
    return _kept(x, f"jnp.transpose({{x}}, {tuple(order)})")


def axes(maker: Maker) -> Draft | None:
    """Dimensions of size 1 come and go, and others are repeated."""
    x = maker.some()
    assert x is not None, "there are always inputs"
    units = [dim for dim, size in enumerate(x.shape) if size == 1]
    if units and maker.flip():
        return _kept(x, f"jnp.squeeze({{x}}, {maker.pick(units)})")
    dim, count = maker.whole(0, len(x.shape)), maker.whole(1, 4)
    shape = (*x.shape[:dim], count, *x.shape[dim:])
    mapped = tuple(d if d < dim else d + 1 for d in range(len(x.shape)))
    return _kept(x, f"lax.broadcast_in_dim({{x}}, {shape}, {mapped})")


def slices(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims)
    if x is None:
        return None
    parts = [_slice(maker, size) for size in x.shape]
    return _kept(x, f"{{x}}[{', '.join(parts)}]")


def _slice(maker: Maker, size: int) -> str:
    kind = maker.whole(0, 5)
    if kind < 2:
        return ":"
    if kind == 2:
        return str(maker.whole(-size, size - 1))
    start = maker.whole(0, size - 1)
    stop, step = maker.whole(start + 1, size), maker.whole(1, 3)
    return f"{start}:{stop}:{step}" if kind < 5 else f"::-{step}"


def reversal(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims)
    if x is None:
        return None
    dims = tuple(d for d in range(len(x.shape)) if maker.flip()) or (0,)
    return _kept(x, f"lax.rev({{x}}, {dims})")


def padding(maker: Maker) -> Draft | None:
    """Before, after and between; negative amounts cut off."""
    x = maker.some(_has_dims)
    if x is None:
        return None
    config = [
        (maker.whole(-1, 2), maker.whole(-1, 2), maker.whole(0, 2)) for _ in x.shape
    ]
    number = maker.whole(0, 1)
    text = f"lax.pad({{x}}, np.array({number}, {{x}}.dtype), {config})"
    known = Known(max(x.bound, 1), x.exact, x.error)
    return Draft(text.format(x=x.name), (x,), known)


def joined(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims)
    if x is None:
        return None
    dim = maker.whole(0, len(x.shape) - 1)

    def fits(v: Value) -> bool:
        cut = lambda s: (*s[:dim], *s[dim + 1 :])  # noqa: E731
        return (v.dtype, len(v.shape)) == (x.dtype, len(x.shape)) and cut(
            v.shape
        ) == cut(x.shape)

    y = maker.some(fits) or x
    return _of(x, y, f"jnp.concatenate([{{x}}, {{y}}, {{x}}][:2], {dim})")


def rolled(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims)
    if x is None:
        return None
    dim, by = maker.whole(0, len(x.shape) - 1), maker.whole(-3, 3)
    text = maker.pick(
        (
            f"jnp.roll({{x}}, {by}, {dim})",
            f"jnp.repeat({{x}}, 2, {dim})",
            "jnp.tile({x}, 2)",
            f"jnp.flip({{x}}, {dim})",
            f"jnp.stack([{{x}}, {{x}}], {dim})",
            f"jnp.split({{x}}, [1], {dim})[0]",
            f"jnp.swapaxes({{x}}, 0, {dim})",
        )
    )
    return _kept(x, text)


def window(maker: Maker) -> Draft | None:
    """dynamic_slice, its start clamped."""
    x = maker.some(_has_dims)
    if x is None:
        return None
    start, extra = _index(maker)
    sizes = tuple(maker.whole(1, size) for size in x.shape)
    starts = ", ".join([start, *(["1"] * (len(x.shape) - 1))])
    draft = _kept(x, f"lax.dynamic_slice({{x}}, ({starts},), {sizes})")
    return Draft(draft.expression, (x, *extra), draft.known)


def put_window(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims)
    if x is None:
        return None
    start, extra = _index(maker)
    part = ", ".join(f":{maker.whole(1, size)}" for size in x.shape)
    y = maker.like(x)
    starts = ", ".join([*(["1"] * (len(x.shape) - 1)), start])
    text = f"lax.dynamic_update_slice({{x}}, {{y}}[{part}], ({starts},))"
    draft = _of(x, y, text)
    return Draft(draft.expression, (x, y, *extra), draft.known)


def _index(maker: Maker) -> tuple[str, tuple[Value, ...]]:
    """A scalar index: a number or a value of the program."""
    scalar = maker.some(lambda v: not v.shape and v.dtype == "int32" and v.bound < 9)
    if scalar is not None:
        return scalar.name, (scalar,)
    return f"jnp.int32({maker.whole(-2, 4)})", ()


def _indices(maker: Maker, size: int) -> tuple[str, tuple[Value, ...]]:
    """A few indices along a dimension, out of bounds now and then."""
    found = maker.some(
        lambda v: v.dtype == "int32" and len(v.shape) == 1 and v.bound < 99
    )
    if found is not None and maker.flip():
        return found.name, (found,)
    numbers = [maker.whole(-1, size) for _ in range(maker.whole(1, 4))]
    return f"jnp.array({numbers})", ()


def taken(maker: Maker) -> Draft | None:
    """A gather. What lies outside is filled by 0 or is the last there is."""
    x = maker.some(_has_dims)
    if x is None:
        return None
    dim = maker.whole(0, len(x.shape) - 1)
    indices, extra = _indices(maker, x.shape[dim])
    how = maker.pick(("mode='clip'", "mode='fill', fill_value=0", "mode='wrap'"))
    draft = _kept(x, f"jnp.take({{x}}, {indices}, {dim}, {how})")
    return Draft(draft.expression, (x, *extra), draft.known)


def scattered(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, lambda v: v.dtype != "bool")
    if x is None:
        return None
    indices, extra = _indices(maker, x.shape[0])
    count = math.prod(extra[0].shape) if extra else indices.count(",") + 1
    verb = maker.pick(("set", "add", "max", "min", "mul"))
    mode = maker.pick(("drop", "clip"))
    bound = 3.0**count * x.bound if verb == "mul" else x.bound + 3 * count
    text = f"{x.name}.at[{indices}].{verb}({maker.whole(0, 3)}, mode='{mode}')"
    known = combined([x], bound, x.error * (3.0**count if verb == "mul" else 1))
    return Draft(text, (x, *extra), known)


def one_hot(maker: Maker) -> Draft | None:
    x = maker.some(is_exact, lambda v: v.dtype == "int32" and v.size < 40)
    if x is None:
        return None
    return Draft(f"jax.nn.one_hot({x.name}, 4)", (x,), Known(1))


MOVES: list[Operation] = [
    *(reshape, transpose, axes, slices, slices, reversal, padding, joined, rolled),
    *(rolled, window, put_window, taken, scattered, one_hot),
]
