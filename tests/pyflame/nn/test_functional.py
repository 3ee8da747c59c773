"""Functions without a module: attention, norms, one-hot classes, edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame.nn import functional as F

RNG = np.random.default_rng(6)
Q = RNG.normal(size=(2, 3, 4, 8)).astype(np.float32)
K = RNG.normal(size=(2, 3, 5, 8)).astype(np.float32)
V = RNG.normal(size=(2, 3, 5, 6)).astype(np.float32)
SEEN = RNG.random(size=(2, 1, 4, 5)) < 0.6
SEEN[0, 0, 1] = False  # a query that sees nothing
ADDED = RNG.normal(size=(4, 5)).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.3},
        {"is_causal": True},
        {"attn_mask": SEEN},
        {"attn_mask": ADDED},
        {"attn_mask": np.where(SEEN, 0, -np.inf).astype(np.float32)},
    ],
)
def test_scaled_dot_product_attention_agrees_with_torch(
    torch: Any, agree: Any, options: dict[str, Any]
) -> None:
    there = {
        k: torch.tensor(v) if isinstance(v, np.ndarray) else v
        for k, v in options.items()
    }
    attend = torch.nn.functional.scaled_dot_product_attention
    agree(
        lambda *x: F.scaled_dot_product_attention(*x, **options),
        lambda *x: attend(*x, **there),
        *(Q, K, V),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("need_weights", [False, True])
def test_a_sequence_of_padding_alone_is_what_it_is_in_torch(
    torch: Any, twin: Any, need_weights: bool
) -> None:
    mine, theirs = twin("MultiheadAttention", 8, 2)
    x = RNG.normal(size=(3, 2, 8)).astype(np.float32)
    padding = np.array([[True] * 3, [False, False, True]])
    ours, other = pf.tensor(x), torch.tensor(x, requires_grad=True)
    options = {"need_weights": need_weights}
    a = mine(ours, key_padding_mask=padding, **options)
    b, weights = theirs(*[other] * 3, key_padding_mask=torch.tensor(padding), **options)
    if need_weights:
        a, own = a
        np.testing.assert_allclose(own.numpy(), weights.detach(), rtol=1e-4)
    a.sum().backward()
    b.sum().backward()
    np.testing.assert_allclose(a.numpy(), b.detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.grad.numpy(), other.grad, rtol=1e-4, atol=1e-5)
    assert np.isnan(ours.grad.numpy()).any() == need_weights


@pytest.mark.parametrize("p", [1, 2.0, 3.5, float("inf")])
@pytest.mark.parametrize("dim", [0, -1])
def test_normalize_agrees_with_torch(
    torch: Any, agree: Any, p: float, dim: int
) -> None:
    x = RNG.normal(size=(4, 6)).astype(np.float32)
    agree(
        lambda x: F.normalize(x, p, dim),
        lambda x: torch.nn.functional.normalize(x, p, dim),
        x,
    )


def test_normalize_of_zeros_agrees_with_torch(torch: Any, agree: Any) -> None:
    x = np.array([[0, 0, 0], [3, 0, 4]], np.float32)
    agree(F.normalize, torch.nn.functional.normalize, x)


def test_one_hot(torch: Any) -> None:
    classes = np.array([[0, 2], [1, 1]])
    mine = F.one_hot(classes, 4)
    theirs = torch.nn.functional.one_hot(torch.tensor(classes), 4)
    np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    assert mine.dtype is pf.int32
    assert F.one_hot(np.array([5, -1]), 2).numpy().tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("pads", "options"),
    [
        ((1, 2), {}),
        ((1, -1, 0, 2), {"value": 3.5}),
        ((-1, 0, 1, 1, 2, 0), {}),
        ((2, 1), {"mode": "reflect"}),
        ((3, 2, 1, 4), {"mode": "replicate"}),
        ((5, 0, 0, 3), {"mode": "circular"}),
        ((), {}),
    ],
)
def test_pad_agrees_with_torch(
    torch: Any, agree: Any, pads: Any, options: dict[str, Any]
) -> None:
    x = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    x = x[0] if options.get("mode") == "reflect" else x
    agree(
        lambda x: F.pad(x, pads, **options),
        lambda x: torch.nn.functional.pad(x, pads, **options),
        x,
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: F.scaled_dot_product_attention(
                *map(pf.tensor, (Q, K, V)), attn_mask=ADDED, is_causal=True
            ),
            "scaled_dot_product_attention: attn_mask and is_causal=True\n"
            "  rule  is_causal stands for a mask\n"
            "  help  put the causal mask into attn_mask",
        ),
        (
            lambda: F.scaled_dot_product_attention(*map(pf.tensor, (Q, V, V))),
            "scaled_dot_product_attention of query float32[2, 3, 4, 8] and key "
            "float32[2, 3, 5, 6]: the sizes do not fit\n"
            "  rule  query [..., L, E], key [..., S, E] and value [..., S, V]",
        ),
        (
            lambda: F.normalize(pf.ones([2, 2]), 0),
            "normalize: p=0\n  rule  p is above 0",
        ),
        (
            lambda: F.one_hot(pf.ones([2]), 3),
            "one_hot of float32[2]: classes are integers\n"
            "  help  convert first: x.to(pf.int32)",
        ),
        (
            lambda: F.one_hot(np.array([1]), -1),
            "one_hot: num_classes=-1 is no size\n"
            "  rule  num_classes is an integer of 1 or more",
        ),
        (
            lambda: F.pad(pf.ones([2]), (1, 1, 1)),
            "pad: [1, 1, 1] are no pads\n"
            "  rule  pads are two integers for each padded dimension, the last one "
            "first",
        ),
        (
            lambda: F.pad(pf.ones([2]), (1, 1, 1, 1)),
            "pad of float32[2]: there are pads for 2 dimensions\n"
            "  rule  pads are a pair per dimension, of the last ones",
        ),
        (
            lambda: F.pad(pf.ones([2, 3]), (3, 0), mode="reflect"),
            "pad of float32[2, 3] by [[3, 0]] in mode 'reflect': 3 beside 3\n"
            "  rule  reflected padding is smaller than the input, circular padding not "
            "larger, neither is negative",
        ),
        (
            lambda: F.pad(pf.ones([2]), (1, 1), mode="edge"),
            "pad: mode='edge' is not known\n"
            "  rule  mode is one of 'constant', 'reflect', 'replicate', 'circular'",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message
