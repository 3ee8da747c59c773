"""Attention layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflame.creation import tensor, zeros
from pyflame.errors import ArgumentError, ShapeError
from pyflame.nn import functional as F
from pyflame.nn import init
from pyflame.nn.arguments import check_positive, check_probability
from pyflame.nn.linear import Linear
from pyflame.nn.module import Module
from pyflame.ops import attention as ops
from pyflame.tensors import apply


class MultiheadAttention(Module):
    """Attention over `num_heads` heads (Vaswani et al. 2017), with PyTorch's names.

    Args:
        dropout: probability of dropping an attention weight in training.
        bias: whether the projections, in and out, have one.
        add_bias_kv: whether keys and values get one learned position more.
        add_zero_attn: whether keys and values get one position of zeros more.
        kdim, vdim: sizes of keys and values; None is `embed_dim`.
        batch_first: [batch, seq, embed] instead of [seq, batch, embed].
    """

    in_proj_weight: Any
    q_proj_weight: Any
    k_proj_weight: Any
    v_proj_weight: Any
    in_proj_bias: Any
    bias_k: Any
    bias_v: Any

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        _check_heads(embed_dim, num_heads)
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = check_probability("MultiheadAttention", dropout)
        self.add_zero_attn = add_zero_attn
        self.batch_first = batch_first
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        check_positive("MultiheadAttention", kdim=self.kdim, vdim=self.vdim)
        self._make_in_projection(bias, add_bias_kv)
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        if bias:
            init.zeros_(self.out_proj.bias)

    def _make_in_projection(self, bias: bool, add_bias_kv: bool) -> None:
        e = self.embed_dim
        self._joint = self.kdim == self.vdim == e
        sizes = {"q_proj_weight": e, "k_proj_weight": self.kdim}
        sizes |= {"v_proj_weight": self.vdim}
        joint = zeros([3 * e, e]) if self._joint else None
        self.register_parameter("in_proj_weight", joint)
        for name, size in sizes.items():
            self.register_parameter(name, None if self._joint else zeros([e, size]))
        self.register_parameter("in_proj_bias", zeros([3 * e]) if bias else None)
        for name in ("bias_k", "bias_v"):
            row = init.xavier_normal_(zeros([1, 1, e])) if add_bias_kv else None
            self.register_parameter(name, row)
        for name in ("in_proj_weight", *sizes):
            weight = getattr(self, name)
            if weight is not None:
                init.xavier_uniform_(weight)

    def forward(
        self,
        query: Any,
        key: Any = None,
        value: Any = None,
        key_padding_mask: Any = None,
        need_weights: bool = False,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> Any:
        """query [L, N, E], key [S, N, kdim], value [S, N, vdim]: [L, N, E].

        `key` None is the query, `value` None the key; N may be missing everywhere.

        Args:
            key_padding_mask: [N, S], true (or added) where a key is no key.
            need_weights: also return the weights [N, L, S], or, unless
                `average_attn_weights`, [N, heads, L, S].
            attn_mask: [L, S] or [N * heads, L, S], true (or added) where attention is
                not allowed.
            is_causal: position i sees keys up to i.

        A query that sees no key at all gets zeros before the last projection, or NaN
        with `need_weights`, as in PyTorch.

        Raises: ShapeError, for sizes that do not fit together.
        """
        key = query if key is None else key
        value = key if value is None else value
        single = len(query.shape) == 2
        if single:
            axis = 0 if self.batch_first else 1
            lone = {id(x): x.unsqueeze(axis) for x in (query, key, value)}
            query, key, value = (lone[id(x)] for x in (query, key, value))
            key_padding_mask = _batched(key_padding_mask)
        self._check(query, key, value)
        q, k, v = self._project(query, key, value)
        masks = self._masks(
            q, k.shape[2] - self._extra(), key_padding_mask, attn_mask, is_causal
        )
        blind = "nan" if need_weights else "zeros"  # as PyTorch's two ways
        weights = apply(ops.attention_weights, q, k, *masks, blind=blind)
        weights = F.dropout(weights, self.dropout, self.training)
        joined = apply(ops.join_heads, weights, v, batch_first=self.batch_first)
        output = self.out_proj(joined)
        if single:
            output = output.squeeze(0 if self.batch_first else 1)
        if not need_weights:
            return output
        weights = weights.mean(1) if average_attn_weights else weights
        return output, weights.squeeze(0) if single else weights

    def _extra(self) -> int:
        """Positions that keys have more than were given."""
        return int(self.bias_k is not None) + int(self.add_zero_attn)

    def _project(self, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
        if self._joint and query is key is value:
            q, k, v = self._heads_of_one(query)
        else:
            q, k, v = (self._heads(x, i) for i, x in enumerate((query, key, value)))
        if self.bias_k is not None:
            k = apply(ops.append_row, k, self.bias_k)
            v = apply(ops.append_row, v, self.bias_v)
        if self.add_zero_attn:
            k, v = apply(ops.append_zeros, k), apply(ops.append_zeros, v)
        return q, k, v

    def _heads_of_one(self, x: Any) -> Iterator[Any]:
        """Query, key and value of one sequence, by a single product."""
        bias = () if self.in_proj_bias is None else (self.in_proj_bias,)
        y = F.linear(x, self.in_proj_weight, *bias)
        for part in range(3):
            yield apply(
                ops.heads_of,
                y,
                heads=self.num_heads,
                part=part,
                parts=3,
                batch_first=self.batch_first,
            )

    def _heads(self, x: Any, part: int) -> Any:
        own = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        bias = self.in_proj_bias
        if self._joint:
            operands = (x, self.in_proj_weight) + (() if bias is None else (bias,))
        else:
            e = self.embed_dim
            rows = () if bias is None else (bias[part * e : (part + 1) * e],)
            operands = (x, own[part], *rows)
        return apply(
            ops.project_heads,
            *operands,
            heads=self.num_heads,
            part=part if self._joint else 0,
            parts=3 if self._joint else 1,
            batch_first=self.batch_first,
        )

    def _masks(
        self, q: Any, keys: int, padding: Any, mask: Any, is_causal: bool
    ) -> list[Any]:
        batch, _, queries, _ = q.shape
        masks = []
        if is_causal:
            causal = apply(ops.causal_mask, queries=queries, keys=keys)
            masks.append(self._head_mask(causal, batch, queries, keys))
        if mask is not None:
            masks.append(self._head_mask(mask, batch, queries, keys))
        if padding is not None:
            masks.append(
                apply(
                    ops.key_mask, padding, batch=batch, keys=keys, extra=self._extra()
                )
            )
        return masks

    def _head_mask(self, mask: Any, batch: int, queries: int, keys: int) -> Any:
        return apply(
            ops.head_mask,
            mask,
            batch=batch,
            heads=self.num_heads,
            queries=queries,
            keys=keys,
            extra=self._extra(),
        )

    def _check(self, query: Any, key: Any, value: Any) -> None:
        shapes = [list(x.shape) for x in (query, key, value)]
        sizes = [self.embed_dim, self.kdim, self.vdim]
        batch, seq = (0, 1) if self.batch_first else (1, 0)
        fits = all(len(s) == 3 for s in shapes)
        fits = fits and [s[2] for s in shapes] == sizes
        fits = fits and len({s[batch] for s in shapes}) == 1
        if not fits or shapes[1][seq] != shapes[2][seq]:
            raise ShapeError(
                f"query {shapes[0]}, key {shapes[1]} and value {shapes[2]} do not fit",
                rule=f"query [{_lead('L', self.batch_first)}, {sizes[0]}], key "
                f"[{_lead('S', self.batch_first)}, {sizes[1]}] and value "
                f"[{_lead('S', self.batch_first)}, {sizes[2]}] have the same S and N",
            )

    def extra_repr(self) -> str:
        return (
            f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, "
            f"dropout={self.dropout}, batch_first={self.batch_first}"
        )


class SelfAttention(Module):
    """MultiheadAttention of a sequence [seq, batch, embed] to itself."""

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True
    ) -> None:
        self.attention = MultiheadAttention(embed_dim, num_heads, dropout, bias)

    def forward(self, input: Any, **options: Any) -> Any:
        """[seq, batch, embed]; options as of MultiheadAttention.forward."""
        return self.attention(input, **options)


class CrossAttention(Module):
    """MultiheadAttention of a query [L, batch, E] to a context [S, batch, E]."""

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True
    ) -> None:
        self.attention = MultiheadAttention(embed_dim, num_heads, dropout, bias)

    def forward(self, query: Any, context: Any, **options: Any) -> Any:
        """[L, batch, embed]; options as of MultiheadAttention.forward."""
        return self.attention(query, context, context, **options)


def _lead(letter: str, batch_first: bool) -> str:
    return f"N, {letter}" if batch_first else f"{letter}, N"


def _batched(mask: Any) -> Any:
    """A padding mask [S] as [1, S]."""
    return None if mask is None else tensor(mask).unsqueeze(0)


def _check_heads(embed_dim: int, num_heads: int) -> None:
    check_positive("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
    if embed_dim % num_heads:
        raise ArgumentError(
            f"MultiheadAttention: embed_dim={embed_dim} in num_heads={num_heads} does "
            "not divide",
            rule="embed_dim is a multiple of num_heads",
        )
