"""Layers of Flax, of both of its interfaces, forward and gradient."""

import jax
import jax.numpy as jnp
import pytest
from model_check import check_with_gradient, normal, parameters

pytest.importorskip("flax", reason="pip install -e '.[test-models]'")

from flax import linen, nnx

KEY = jax.random.key(0)


class EncoderBlock(linen.Module):
    """A transformer's encoder block with the norm first."""

    @linen.compact
    def __call__(self, x):
        y = linen.LayerNorm()(x)
        x = x + linen.MultiHeadDotProductAttention(num_heads=2)(y, y)
        y = linen.LayerNorm()(x)
        return x + linen.Dense(x.shape[-1])(linen.gelu(linen.Dense(8)(y)))


class LeNet(linen.Module):
    @linen.compact
    def __call__(self, x):
        x = linen.avg_pool(linen.relu(linen.Conv(2, (3, 3))(x)), (2, 2), (2, 2))
        x = linen.max_pool(linen.relu(linen.Conv(3, (3, 3))(x)), (2, 2), (2, 2))
        return linen.Dense(4)(x.reshape(x.shape[0], -1))


class ResNetBlock(linen.Module):
    @linen.compact
    def __call__(self, x):
        y = linen.Conv(2, (3, 3), use_bias=False)(x)
        y = linen.relu(linen.GroupNorm(num_groups=1)(y))
        y = linen.GroupNorm(num_groups=1)(linen.Conv(2, (3, 3), use_bias=False)(y))
        return linen.relu(x + y)


LINEN = {
    "dense": (linen.Dense(3), (4, 5)),
    "layer norm": (linen.LayerNorm(), (3, 5)),
    "convolution": (linen.Conv(3, (3,), strides=2), (1, 7, 2)),
    "transposed convolution": (linen.ConvTranspose(2, (3,), strides=(2,)), (1, 4, 2)),
    "gru over a sequence": (linen.RNN(linen.GRUCell(4)), (1, 5, 3)),
    "lstm over a sequence": (linen.RNN(linen.OptimizedLSTMCell(3)), (1, 4, 3)),
    "encoder block": (EncoderBlock(), (1, 5, 6)),
    "LeNet-like": (LeNet(), (1, 8, 8, 1)),
    "ResNet block": (ResNetBlock(), (1, 5, 5, 2)),
}


QUICK = {"dense", "convolution", "encoder block"}


@pytest.mark.parametrize("name", parameters(LINEN, QUICK))
def test_linen(name):
    layer, shape = LINEN[name]
    x = normal(2, *shape)
    check_with_gradient(layer.apply, layer.init(KEY, x), x)


class Perceptron(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(5, 7, rngs=rngs)
        self.norm = nnx.LayerNorm(7, rngs=rngs)
        self.second = nnx.Linear(7, 3, rngs=rngs)

    def __call__(self, x):
        return self.second(jnp.tanh(self.norm(self.first(x))))


def convolution(rngs):
    return nnx.Conv(2, 3, (3, 3), padding="VALID", rngs=rngs)


def attention(rngs):
    return nnx.MultiHeadAttention(2, 6, decode=False, rngs=rngs)


NNX = {
    "perceptron": (Perceptron, (4, 5)),
    "convolution": (convolution, (1, 5, 5, 2)),
    "attention": (attention, (1, 4, 6)),
}


@pytest.mark.parametrize("name", parameters(NNX, {"perceptron"}))
def test_nnx(name):
    make, shape = NNX[name]
    graph, params, rest = nnx.split(make(nnx.Rngs(0)), nnx.Param, ...)

    def forward(params, x):
        return nnx.merge(graph, params, rest)(x)

    check_with_gradient(forward, params, normal(3, *shape))


def test_embedding():
    layer = linen.Embed(5, 4)
    tokens = jnp.array([[1, 4, 4]])
    check_with_gradient(layer.apply, layer.init(KEY, tokens), tokens)
