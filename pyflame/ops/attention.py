"""Attention over several heads, [N, heads, L, D] inside."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from pyflame.errors import DTypeError, ShapeError
from pyflame.ops.halves import rounded_once
from pyflame.ops.linalg import matmul
from pyflame.ops.linear import linear
from pyflame.ops.shapes import text


def project_heads(
    x: jax.Array,
    weight: jax.Array,
    *bias: jax.Array,
    heads: int,
    part: int,
    parts: int,
    batch_first: bool,
) -> jax.Array:
    """Part `part` of `parts` of a projection of x [L, N, I], as [N, heads, L, D].

    `weight` has the rows of all parts one after the other.
    """
    rows = weight.shape[0] // parts
    mine = slice(part * rows, (part + 1) * rows)
    y = linear(x, weight[mine], *(b[mine] for b in bias))
    return _split(y if batch_first else jnp.swapaxes(y, 0, 1), heads)


def heads_of(
    y: jax.Array, *, heads: int, part: int, parts: int, batch_first: bool
) -> jax.Array:
    """Part `part` of `parts` equal ones of y [L, N, parts * E], as [N, heads, L, D]."""
    size = y.shape[-1] // parts
    mine = y[..., part * size : (part + 1) * size]
    return _split(mine if batch_first else jnp.swapaxes(mine, 0, 1), heads)


def append_row(x: jax.Array, row: jax.Array) -> jax.Array:
    """`x` [N, heads, L, D] with `row` [1, 1, heads * D] as one more position."""
    n, heads, _, _ = x.shape
    one = jnp.broadcast_to(_split(row, heads), (n, heads, 1, x.shape[3]))
    return jnp.concatenate([x, one.astype(x.dtype)], 2)


def append_zeros(x: jax.Array) -> jax.Array:
    """`x` [N, heads, L, D] with zeros as one more position."""
    return jnp.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0)))


def attention_weights(
    query: jax.Array, key: jax.Array, *masks: jax.Array, blind: str = "nan"
) -> jax.Array:
    """softmax(query key' / sqrt(D) + masks): [..., L, D] and [..., S, D], [..., L, S].

    A mask broadcasts; a boolean one is true where attention is not allowed, another is
    added. `blind`: what a query gets that sees no key at all, "nan" or "zeros".
    """
    return _weights(query, key, 1 / math.sqrt(query.shape[-1]), masks, blind)


def scaled_attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    scale: jax.Array | float,
    *masks: jax.Array,
    dropped: bool,
) -> jax.Array:
    """softmax(query key' * scale + masks) value, with zeros for a query that is blind.

    `dropped`: the last of the masks is what the weights are multiplied with. Halves are
    rounded once, at the end.

    Raises: ShapeError, if query, key and value do not fit together.
    """
    _check_operands(query, key)
    masks, factors = (masks[:-1], masks[-1:]) if dropped else (masks, ())

    def attended(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
        weights = _weights(q, k, jnp.asarray(scale, q.dtype), masks, "zeros")
        for factor in factors:
            weights = weights * factor.astype(weights.dtype)
        return matmul(weights, v)

    return rounded_once(attended, query, key, value)


def scores_of_one(query: jax.Array, key: jax.Array) -> jax.Array:
    """Ones [..., L, S], a score for each query and key.

    Raises: ShapeError, if query and key do not fit together.
    """
    _check_operands(query, key)
    return jnp.ones_like(matmul(query, jnp.swapaxes(key, -1, -2)), jnp.float32)


def _check_operands(query: jax.Array, key: jax.Array) -> None:
    if min(query.ndim, key.ndim) < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            f"scaled_dot_product_attention of query {text(query)} and key "
            f"{text(key)}: the sizes do not fit",
            rule="query [..., L, E], key [..., S, E] and value [..., S, V]",
        )


def _weights(
    query: jax.Array,
    key: jax.Array,
    scale: jax.Array | float,
    masks: tuple[jax.Array, ...],
    blind: str,
) -> jax.Array:
    scores = jnp.matmul(query * scale, jnp.swapaxes(key, -1, -2))
    for mask in masks:
        scores = _masked(scores, mask)
    if blind == "nan" or not masks:
        return jax.nn.softmax(scores, -1)
    sees = jnp.max(scores, -1, keepdims=True) != -jnp.inf
    return jnp.where(sees, jax.nn.softmax(jnp.where(sees, scores, 0), -1), 0)


def key_is_hidden(mask: jax.Array) -> jax.Array:
    """A mask of `scaled_dot_product_attention`, true where a key is seen, as ours.

    Raises: DTypeError, if it is neither boolean nor floating.
    """
    _check_kind("attn_mask", mask)
    return ~mask if mask.dtype == jnp.bool_ else mask


def head_mask(
    mask: jax.Array, *, batch: int, heads: int, queries: int, keys: int, extra: int
) -> jax.Array:
    """An attention mask [L, S] or [N * heads, L, S] for scores [N, heads, L, S].

    `extra` positions at the end of the keys are always seen.
    """
    if mask.shape not in ((queries, keys), (batch * heads, queries, keys)):
        raise ShapeError(
            f"attn_mask {text(mask)} for {queries} queries and {keys} keys in {heads} "
            f"heads of a batch of {batch}: the sizes differ",
            rule="attn_mask is [L, S] or [N * heads, L, S]",
        )
    _check_kind("attn_mask", mask)
    if mask.ndim == 3:
        mask = mask.reshape(batch, heads, queries, keys)
    return jnp.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, extra)])


def key_mask(mask: jax.Array, *, batch: int, keys: int, extra: int) -> jax.Array:
    """A padding mask [N, S] for scores [N, heads, L, S]; see `head_mask`."""
    if mask.shape != (batch, keys):
        raise ShapeError(
            f"key_padding_mask {text(mask)} for {keys} keys in a batch of {batch}: the "
            "sizes differ",
            rule="key_padding_mask is [N, S]",
        )
    _check_kind("key_padding_mask", mask)
    return jnp.pad(mask, ((0, 0), (0, extra)))[:, None, None, :]


def _check_kind(name: str, mask: jax.Array) -> None:
    if mask.dtype != jnp.bool_ and not jnp.issubdtype(mask.dtype, jnp.floating):
        raise DTypeError(
            f"{name} {text(mask)}: what do its numbers mean?",
            rule="a mask is boolean, true where attention is not allowed, or floating "
            "and added to the scores",
            help="convert it: mask.to(pf.bool_)",
        )


def causal_mask(*, queries: int, keys: int) -> jax.Array:
    """[L, S], true where a position would see a later one."""
    return ~jnp.tri(queries, keys, dtype=jnp.bool_)


def join_heads(weights: jax.Array, value: jax.Array, *, batch_first: bool) -> jax.Array:
    """weights [N, heads, L, S] of value [N, heads, S, D], as [L, N, heads * D]."""
    y = jnp.matmul(weights, value)
    n, heads, length, size = y.shape
    order = (0, 2, 1, 3) if batch_first else (2, 0, 1, 3)
    lead = (n, length) if batch_first else (length, n)
    return jnp.transpose(y, order).reshape(*lead, heads * size)


def _split(x: jax.Array, heads: int) -> jax.Array:
    n, length, size = x.shape
    return jnp.swapaxes(x.reshape(n, length, heads, size // heads), 1, 2)


def _masked(scores: jax.Array, mask: jax.Array) -> jax.Array:
    if mask.dtype == jnp.bool_:
        return jnp.where(mask, -jnp.inf, scores)
    return scores + mask.astype(scores.dtype)
