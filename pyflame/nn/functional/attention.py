"""Attention as a function."""

from __future__ import annotations

import math
from typing import Any

from pyflame.errors import ArgumentError
from pyflame.nn.functional.dropout import dropout
from pyflame.ops import attention as ops
from pyflame.tensors import apply


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Any:
    """softmax(query key' * scale + mask) value: [..., L, E], [..., S, E], [..., S, V].

    Args:
        attn_mask: broadcasts to [..., L, S]; true where attention is allowed (unlike
            the masks of MultiheadAttention), or floating and added.
        dropout_p: probability of dropping a weight, whatever the mode.
        is_causal: position i sees keys up to i; instead of a mask.
        scale: of the scores; None is 1 / sqrt(E).

    A query that sees no key gets zeros.

    Raises: ArgumentError, ShapeError, DTypeError.
    """
    if is_causal and attn_mask is not None:
        raise ArgumentError(
            "scaled_dot_product_attention: attn_mask and is_causal=True",
            rule="is_causal stands for a mask",
            help="put the causal mask into attn_mask",
        )
    masks = []
    if is_causal:
        sizes = {"queries": query.shape[-2], "keys": key.shape[-2]}
        masks.append(apply(ops.causal_mask, **sizes))
    elif attn_mask is not None:
        masks.append(apply(ops.key_is_hidden, attn_mask))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    dropped = dropout_p != 0
    if dropped:
        masks.append(dropout(apply(ops.scores_of_one, query, key), dropout_p))
    operands = (query, key, value, factor, *masks)
    return apply(ops.scaled_attention, *operands, dropped=dropped)
