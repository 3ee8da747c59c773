"""Attention: every argument beside PyTorch, known answers, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn

RNG = np.random.default_rng(4)
L, S, N, E = 4, 5, 3, 8
QUERY = RNG.normal(size=(L, N, E)).astype(np.float32)
KEY = RNG.normal(size=(S, N, E)).astype(np.float32)
VALUE = RNG.normal(size=(S, N, E)).astype(np.float32)
PADDING = np.zeros((N, S), bool)
PADDING[0, 3:] = PADDING[1, 4:] = True
MASK = np.triu(np.ones((L, S), bool), 2)
ADDED = RNG.normal(size=(N * 2, L, S)).astype(np.float32)

OPTIONS = [
    {},
    {"bias": False},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 6, "vdim": 7},
    {"kdim": 6, "vdim": 7, "bias": False, "add_bias_kv": True},
    {"batch_first": True},
]
MASKS = [
    {},
    {"key_padding_mask": PADDING},
    {"attn_mask": MASK},
    {"attn_mask": ADDED},
    {"attn_mask": MASK, "key_padding_mask": PADDING},
]


def _inputs(options: dict[str, Any]) -> list[Any]:
    inputs = [
        QUERY,
        KEY[..., : options.get("kdim", E)],
        VALUE[..., : options.get("vdim", E)],
    ]
    return [x.swapaxes(0, 1) if options.get("batch_first") else x for x in inputs]


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
@pytest.mark.parametrize(
    ("options", "masks"),
    [
        *[({}, masks) for masks in MASKS],
        *[(options, MASKS[-1]) for options in OPTIONS[1:]],
        ({"add_bias_kv": True, "add_zero_attn": True}, {"attn_mask": ADDED}),
    ],
)
def test_values_and_weights_agree_with_torch(
    torch: Any, twin: Any, options: Any, masks: Any
) -> None:
    mine, theirs = twin("MultiheadAttention", E, 2, **options)
    inputs = _inputs(options)
    torch_masks = {k: torch.tensor(v) for k, v in masks.items()}
    for average in (True, False):
        ours = mine.forward(
            *map(pf.tensor, inputs),
            need_weights=True,
            average_attn_weights=average,
            **{k: pf.tensor(v) for k, v in masks.items()},
        )
        others = theirs(
            *map(torch.tensor, inputs),
            need_weights=True,
            average_attn_weights=average,
            **torch_masks,
        )
        for a, b in zip(ours, others, strict=True):
            np.testing.assert_allclose(
                a.numpy(), b.detach().numpy(), rtol=2e-5, atol=2e-6
            )


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients_agree_with_torch(
    torch: Any, twin: Any, agree: Any, options: Any
) -> None:
    mine, theirs = twin("MultiheadAttention", E, 2, **options)
    plain = theirs.forward
    theirs.forward = lambda *inputs: plain(*inputs)[0]
    agree(mine, theirs, *_inputs(options), rtol=1e-4, atol=1e-5)


def test_causal_attention_is_that_of_a_triangular_mask() -> None:
    mha = nn.MultiheadAttention(E, 4)
    x = pf.tensor(QUERY)
    later = np.triu(np.ones((L, L), bool), 1)
    a, weights = mha.forward(x, need_weights=True, is_causal=True)
    b = mha(x, attn_mask=later)
    np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert not weights.numpy()[:, later].any()
    np.testing.assert_allclose(weights.numpy().sum(-1), 1, rtol=1e-5)


def test_a_call_returns_one_tensor_and_forward_a_pair_on_request() -> None:
    mha = nn.MultiheadAttention(embed_dim=16, num_heads=8)
    x = pf.randn([5, 2, 16])
    assert mha(x).shape == [5, 2, 16]
    output, weights = mha.forward(x, x, x, need_weights=True)
    assert output.shape == [5, 2, 16]
    assert weights.shape == [2, 5, 5]
    assert nn.SelfAttention(16, 4)(x).shape == [5, 2, 16]
    context = pf.randn([7, 2, 16])
    assert nn.CrossAttention(16, 8)(x, context).shape == [5, 2, 16]


def test_one_sequence_is_a_batch_of_one() -> None:
    mha = nn.MultiheadAttention(E, 2)
    alone, weights = mha.forward(pf.tensor(QUERY[:, 0]), need_weights=True)
    batch = mha(pf.tensor(QUERY[:, :1]))
    np.testing.assert_array_equal(alone.numpy(), batch.numpy()[:, 0])
    assert weights.shape == [L, L]


def test_equal_keys_average_their_values_by_hand() -> None:
    mha = nn.MultiheadAttention(2, 1, bias=False)
    eye = np.eye(2)
    mha.load_state_dict(
        {
            "in_proj_weight": np.concatenate([eye, 0 * eye, eye]),
            "out_proj.weight": 2 * eye,
        }
    )
    values = pf.tensor([[[1.0, 0.0]], [[3.0, 4.0]]])
    assert mha(values).numpy().tolist() == [[[4, 4]], [[4, 4]]]


def test_dropout_drops_weights_in_training_only() -> None:
    pf.manual_seed(0)
    mha = nn.MultiheadAttention(E, 2, dropout=0.5)
    x = pf.tensor(QUERY)
    _, weights = mha.forward(x, need_weights=True, average_attn_weights=False)
    dropped = weights.numpy() == 0
    assert 0.25 < dropped.mean() < 0.75
    mha.eval()
    _, whole = mha.forward(x, need_weights=True, average_attn_weights=False)
    np.testing.assert_allclose(
        weights.numpy()[~dropped], 2 * whole.numpy()[~dropped], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.MultiheadAttention(4, 2)(
                pf.ones([5, 1, 4]), attn_mask=np.zeros((5, 5), np.int32)
            ),
            "MultiheadAttention(embed_dim=4, num_heads=2, dropout=0.0, "
            "batch_first=False): attn_mask int32[5, 5]: what do its numbers mean?\n"
            "  rule  a mask is boolean, true where attention is not allowed, or "
            "floating and added to the scores\n"
            "  help  convert it: mask.to(pf.bool_)",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(
                pf.ones([5, 1, 4]), key_padding_mask=np.zeros((1, 5), np.int8)
            ),
            "MultiheadAttention(embed_dim=4, num_heads=2, dropout=0.0, "
            "batch_first=False): key_padding_mask int8[1, 5]: what do its numbers "
            "mean?\n"
            "  rule  a mask is boolean, true where attention is not allowed, or "
            "floating and added to the scores\n"
            "  help  convert it: mask.to(pf.bool_)",
        ),
        (
            lambda: nn.MultiheadAttention(10, 3),
            "MultiheadAttention: embed_dim=10 in num_heads=3 does not divide\n"
            "  rule  embed_dim is a multiple of num_heads",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(pf.ones([5, 1, 4]), pf.ones([6, 2, 4])),
            "MultiheadAttention(embed_dim=4, num_heads=2, dropout=0.0, "
            "batch_first=False): query [5, 1, 4], key [6, 2, 4] and value [6, 2, 4] do "
            "not fit\n"
            "  rule  query [L, N, 4], key [S, N, 4] and value [S, N, 4] have the same "
            "S and N",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(
                pf.ones([5, 1, 4]), attn_mask=pf.ones([5, 4])
            ),
            "MultiheadAttention(embed_dim=4, num_heads=2, dropout=0.0, "
            "batch_first=False): attn_mask float32[5, 4] for 5 queries and 5 keys in 2 "
            "heads of a batch of 1: the sizes differ\n"
            "  rule  attn_mask is [L, S] or [N * heads, L, S]",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message
