"""Operations that are loops and branches."""

from __future__ import annotations

from random_maker import Draft, Maker, Operation
from random_ops_elementwise import is_exact
from random_values import FUNCTION, Known, Value, rounded


def _has_dims(value: Value) -> bool:
    return len(value.shape) > 0


def _is_number(value: Value) -> bool:
    return value.dtype != "bool"


def scan(maker: Maker) -> Draft | None:
    """The largest so far of each row, and a sum with it."""
    x = maker.some(_has_dims, _is_number)
    if x is None:
        return None
    body = "lambda c, r: (jnp.maximum(c, r), c + r)"
    reverse, result = maker.flip(), maker.whole(0, 1)
    text = f"lax.scan({body}, {x.name}[0], {x.name}, reverse={reverse})[{result}]"
    return Draft(text, (x,), Known(2 * x.bound, x.exact, 2 * x.error))


def recurrence(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, lambda v: v.is_float)
    if x is None:
        return None
    body = "lambda c, r: (jnp.tanh(c * 0.5 + r), c)"
    text = f"lax.scan({body}, {x.name}[0], {x.name})[{maker.whole(0, 1)}]"
    known = rounded(x.bound + 1, 2 * x.error, 4 * FUNCTION[x.dtype])
    return Draft(text, (x,), known)


def counted_loop(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, _is_number, is_exact)
    if x is None:
        return None
    body = maker.pick(
        (
            "lambda i, c: jnp.roll(c, 1, 0)",
            "lambda i, c: c[::-1] + 1",
            "lambda i, c: jnp.maximum(c, -c[::-1] * 2)",
            "lambda i, c: c + i.astype(c.dtype)",
            "lambda i, c: lax.dynamic_update_slice_in_dim(c, c[:1] + 1, i, 0)",
            "lambda i, c: c - lax.dynamic_slice_in_dim(c, i, 1, 0)",
        )
    )
    first = maker.whole(-1, 1)
    last = first + maker.whole(0, 3)
    text = f"lax.fori_loop({first}, {last}, {body}, {x.name})"
    return Draft(text, (x,), Known(8 * x.bound + 8))


def loop_until(maker: Maker) -> Draft | None:
    """As many passes as the data says."""
    x = maker.some(_has_dims, is_exact, lambda v: v.dtype in ("int32", "float32"))
    if x is None or x.bound > 100:
        return None
    text = (
        "lax.while_loop(lambda s: (jnp.max(s[0]) < 20) & (s[1] < 4), "
        f"lambda s: (jnp.abs(s[0]) + 1 + s[0], s[1] + 1), ({x.name}, 0))"
    )
    known = Known(16 * x.bound + 64)
    return Draft(f"{text}[{maker.whole(0, 1)}]", (x,), known)


def branch(maker: Maker) -> Draft | None:
    x = maker.some(_has_dims, _is_number)
    chooser = maker.some(is_exact, _has_dims, _is_number)
    if x is None or chooser is None:
        return None
    cases = maker.pick(
        (
            "lambda a: a + 1, lambda a: a[::-1]",
            "lambda a: a * 2, lambda a: a - jnp.max(a)",
            "jnp.zeros_like, lambda a: jnp.roll(a, 1, -1)",
        )
    )
    condition = f"jnp.sum({chooser.name}) > {maker.whole(0, 2)}"
    text = f"lax.cond({condition}, {cases}, {x.name})"
    return Draft(text, (x, chooser), Known(2 * x.bound + 1, x.exact, 2 * x.error))


def switch(maker: Maker) -> Draft | None:
    x = maker.some(_is_number)
    index = maker.some(lambda v: not v.shape and v.dtype == "int32")
    if x is None or index is None:
        return None
    cases = "[lambda a: a, lambda a: a + 1, lambda a: a * 2]"
    text = f"lax.switch({index.name}, {cases}, {x.name})"
    return Draft(text, (x, index), Known(2 * x.bound + 1, x.exact, 2 * x.error))


def nested(maker: Maker) -> Draft | None:
    """A loop in a loop, with an exchange in it."""
    x = maker.some(lambda v: len(v.shape) == 2 and v.exact and v.dtype == "int32")
    if x is None or x.bound > 100:
        return None
    inner = "lax.fori_loop(0, 2, lambda j, a: a + jnp.max(a, 0) - j, c)"
    text = f"lax.fori_loop(0, 2, lambda i, c: {inner} + i, {x.name})"
    return Draft(text, (x,), Known(64 * x.bound + 64))


FLOW: list[Operation] = [
    *(scan, recurrence, counted_loop, loop_until, branch, switch, nested)
]
