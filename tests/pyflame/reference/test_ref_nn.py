"""Neural network modules: constructors, shapes, and what they compute."""

import math

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn


def _close(ours: pf.Tensor, expected, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(ours.numpy(), expected, rtol=tolerance, atol=tolerance)


class _Scaled(nn.Module):
    def __init__(self) -> None:
        self.inner = nn.Linear(3, 2)
        self.scale = pf.tensor([2.0, -1.0])

    def forward(self, input: pf.Tensor) -> pf.Tensor:
        return self.inner(input) * self.scale


def test_module_base_class(documented) -> None:
    documented(nn.Module.train, mode=True)
    model = _Scaled()
    assert [p.shape for p in model.parameters()] == [[2], [2, 3], [2]]
    assert model(pf.ones([4, 3])).shape == [4, 2]

    model(pf.ones([4, 3])).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())

    assert model.is_training()
    model.eval()
    assert not model.is_training()
    assert not model.inner.is_training()
    model.train()
    assert model.inner.is_training()
    model.train(False)
    assert not model.is_training()

    state = model.state_dict()
    assert list(state) == ["scale", "inner.weight", "inner.bias"]
    other = _Scaled()
    other.load_state_dict(state)
    x = pf.randn([5, 3])
    np.testing.assert_array_equal(other(x).numpy(), model(x).numpy())


def test_module_without_forward() -> None:
    with pytest.raises(NotImplementedError):
        nn.Module()(pf.ones([1]))


def test_linear_layer(documented) -> None:
    documented(nn.Linear, in_features=..., out_features=..., bias=True)
    layer = nn.Linear(12, 5)
    assert (layer.weight.shape, layer.bias.shape) == ([5, 12], [5])
    x = pf.randn([7, 12])
    assert layer(x).shape == [7, 5]
    _close(layer(x), x.numpy() @ layer.weight.numpy().T + layer.bias.numpy())
    assert nn.Linear(3, 4, bias=False).bias is None


CONVOLUTION = {
    "in_channels": ...,
    "out_channels": ...,
    "kernel_size": ...,
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
}


def test_conv2d(documented) -> None:
    documented(nn.Conv2d, **CONVOLUTION)
    conv = nn.Conv2d(3, 8, kernel_size=(3, 3), padding=(1, 1))
    assert conv.weight.shape == [8, 3, 3, 3]
    assert conv(pf.randn([2, 3, 6, 5])).shape == [2, 8, 6, 5]
    edge = nn.Conv2d(1, 1, 2, bias=False)
    edge.load_state_dict({"weight": pf.tensor([[[[1.0, -1.0], [2.0, 0.5]]]])})
    x = pf.arange(9).reshape([1, 1, 3, 3])
    _close(edge(x), [[[[7.0, 9.5], [14.5, 17.0]]]])
    every = nn.Conv2d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False)
    assert every.weight.shape == [6, 2, 3, 3]
    assert every(pf.randn([1, 4, 9, 9])).shape == [1, 6, 5, 5]


def test_conv1d(documented) -> None:
    documented(nn.Conv1d, **CONVOLUTION)
    conv = nn.Conv1d(4, 6, kernel_size=3, padding=1)
    assert conv(pf.randn([2, 4, 10])).shape == [2, 6, 10]
    smooth = nn.Conv1d(1, 1, 3, stride=2, bias=False)
    smooth.load_state_dict({"weight": pf.tensor([[[1.0, 2.0, 1.0]]])})
    _close(smooth(pf.arange(5).reshape([1, 1, 5])), [[[4.0, 12.0]]])


BATCH = {
    "num_features": ...,
    "eps": 1e-5,
    "momentum": 0.1,
    "affine": True,
    "track_running_stats": True,
}


def test_batch_norm2d(documented) -> None:
    documented(nn.BatchNorm2d, **BATCH)
    norm = nn.BatchNorm2d(3)
    x = pf.randn([4, 3, 5, 5]) * 3 + 2
    y = norm(x).numpy()
    assert y.shape == (4, 3, 5, 5)
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std((0, 2, 3)), 1, atol=1e-3)
    _close(norm.running_mean, 0.1 * x.numpy().mean((0, 2, 3)))


def test_batch_norm1d(documented) -> None:
    documented(nn.BatchNorm1d, **BATCH)
    norm = nn.BatchNorm1d(6)
    assert norm(pf.randn([8, 6])).shape == [8, 6]
    assert norm(pf.randn([8, 6, 3])).shape == [8, 6, 3]
    bare = nn.BatchNorm1d(6, affine=False, track_running_stats=False)
    assert bare.parameters() == []
    assert bare.state_dict() == {}


def test_layer_norm(documented) -> None:
    documented(nn.LayerNorm, normalized_shape=..., eps=1e-5, elementwise_affine=True)
    norm = nn.LayerNorm([16])
    y = norm(pf.randn([2, 3, 16]) * 5 - 1).numpy()
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(-1), 1, atol=1e-3)
    assert nn.LayerNorm(16, elementwise_affine=False).parameters() == []


def test_group_norm(documented) -> None:
    documented(nn.GroupNorm, num_groups=..., num_channels=..., eps=1e-5, affine=True)
    norm = nn.GroupNorm(2, 6)
    y = norm(pf.randn([3, 6, 4, 4]) * 2 + 7).numpy()
    groups = y.reshape(3, 2, -1)
    np.testing.assert_allclose(groups.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(groups.std(-1), 1, atol=1e-3)


IMAGE = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)


def test_max_pool2d(documented) -> None:
    documented(
        nn.MaxPool2d,
        kernel_size=...,
        stride=None,
        padding=0,
        dilation=1,
        ceil_mode=False,
    )
    pool = nn.MaxPool2d(kernel_size=(2, 2), stride=(2, 2))
    _close(pool(pf.tensor(IMAGE)), [[[[5, 7], [13, 15]]]])
    assert nn.MaxPool2d(3, 2)(pf.tensor(IMAGE)).shape == [1, 1, 1, 1]
    wide = nn.MaxPool2d(3, 2, ceil_mode=True)
    _close(wide(pf.tensor(IMAGE)), [[[[10, 11], [14, 15]]]])
    assert nn.MaxPool2d(2, padding=1)(pf.tensor(IMAGE)).shape == [1, 1, 3, 3]
    assert nn.MaxPool2d(2, 1, dilation=2)(pf.tensor(IMAGE)).shape == [1, 1, 2, 2]


def test_avg_pool2d(documented) -> None:
    documented(
        nn.AvgPool2d,
        kernel_size=...,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
    )
    _close(
        nn.AvgPool2d(kernel_size=(2, 2))(pf.tensor(IMAGE)),
        [[[[2.5, 4.5], [10.5, 12.5]]]],
    )
    ones = pf.ones([1, 1, 2, 2])
    _close(nn.AvgPool2d(2, padding=1)(ones), np.full((1, 1, 2, 2), 0.25))
    bare = nn.AvgPool2d(2, padding=1, count_include_pad=False)
    _close(bare(ones), np.ones((1, 1, 2, 2)))


def test_adaptive_avg_pool2d(documented) -> None:
    documented(nn.AdaptiveAvgPool2d, output_size=...)
    x = pf.randn([2, 3, 5, 7])
    _close(nn.AdaptiveAvgPool2d((1, 1))(x)[:, :, 0, 0], x.numpy().mean((2, 3)))
    assert nn.AdaptiveAvgPool2d(4)(x).shape == [2, 3, 4, 4]


def test_global_avg_pool2d(documented) -> None:
    documented(nn.GlobalAvgPool2d)
    x = pf.randn([2, 3, 5, 7])
    y = nn.GlobalAvgPool2d()(x)
    assert y.shape == [2, 3, 1, 1]
    _close(y[:, :, 0, 0], x.numpy().mean((2, 3)))


def test_dropout(documented) -> None:
    documented(nn.Dropout, p=0.5, inplace=False)
    pf.manual_seed(1)
    dropout = nn.Dropout(0.25)
    dropout.train()
    y = dropout(pf.ones([4000])).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.05
    dropout.eval()
    np.testing.assert_array_equal(dropout(pf.ones([40])).numpy(), 1)


def test_dropout2d(documented) -> None:
    documented(nn.Dropout2d, p=0.5, inplace=False)
    pf.manual_seed(2)
    y = nn.Dropout2d(0.2)(pf.ones([20, 10, 2, 2])).numpy().reshape(200, 4)
    assert all(len(set(channel)) == 1 for channel in y)
    assert 0.1 < (y[:, 0] == 0).mean() < 0.3


def test_multihead_attention(documented) -> None:
    documented(
        nn.MultiheadAttention,
        embed_dim=...,
        num_heads=...,
        dropout=0.0,
        bias=True,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=False,
    )
    mha = nn.MultiheadAttention(embed_dim=8, num_heads=2)
    x = pf.randn([5, 3, 8])
    assert mha(x).shape == [5, 3, 8]
    query, key, value = pf.randn([4, 3, 8]), pf.randn([6, 3, 8]), pf.randn([6, 3, 8])
    output, weights = mha.forward(query, key, value, need_weights=True)
    assert (output.shape, weights.shape) == ([4, 3, 8], [3, 4, 6])
    _close(weights.sum(dim=-1), np.ones((3, 4)))
    other = nn.MultiheadAttention(8, 2, kdim=5, vdim=7, batch_first=True)
    result = other(pf.randn([3, 4, 8]), pf.randn([3, 6, 5]), pf.randn([3, 6, 7]))
    assert result.shape == [3, 4, 8]
    extended = nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True)
    _, weights = extended.forward(query, key, value, need_weights=True)
    assert weights.shape == [3, 4, 6 + 2]


def test_self_attention(documented) -> None:
    documented(nn.SelfAttention, embed_dim=..., num_heads=..., dropout=0.0, bias=True)
    attention = nn.SelfAttention(12, 3)
    assert attention(pf.randn([5, 2, 12])).shape == [5, 2, 12]


def test_cross_attention(documented) -> None:
    documented(nn.CrossAttention, embed_dim=..., num_heads=..., dropout=0.0, bias=True)
    attention = nn.CrossAttention(8, 4)
    query, context = pf.randn([5, 2, 8]), pf.randn([9, 2, 8])
    assert attention(query, context).shape == [5, 2, 8]


def test_sequential_container() -> None:
    listed = nn.Sequential([nn.Linear(6, 4), nn.Linear(4, 3), nn.Linear(3, 2)])
    assert listed(pf.randn([5, 6])).shape == [5, 2]
    apart = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    assert apart(pf.randn([5, 6])).numpy().min() >= 0
    grown = nn.Sequential()
    grown.add(nn.Linear(6, 4))
    grown.add(nn.Linear(4, 2))
    assert grown(pf.randn([5, 6])).shape == [5, 2]
    assert list(grown.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_initial_weights_are_those_of_the_fan_in() -> None:
    pf.manual_seed(0)
    weights = nn.Linear(100, 50).weight.numpy()
    assert abs(weights).max() <= 1 / math.sqrt(100)
