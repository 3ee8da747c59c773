"""Layers of Equinox, forward and gradient."""

import jax
import jax.numpy as jnp
import pytest
from model_check import check_with_gradient, normal, parameters

eqx = pytest.importorskip("equinox", reason="pip install -e '.[test-models]'")
KEY = jax.random.key(0)


class Attention(eqx.Module):
    layer: eqx.nn.MultiheadAttention

    def __call__(self, x):
        return self.layer(x, x, x)


class Recurrent(eqx.Module):
    """A GRU over a sequence."""

    cell: eqx.nn.GRUCell

    def __call__(self, xs):
        def step(state, x):
            state = self.cell(x, state)
            return state, state

        return jax.lax.scan(step, jnp.zeros(self.cell.hidden_size), xs)[1]


def small_cnn():
    first, second = jax.random.split(KEY)
    return eqx.nn.Sequential(
        [
            eqx.nn.Conv2d(1, 2, 3, padding=1, key=first),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.MaxPool2d(2, 2),
            eqx.nn.Lambda(jnp.ravel),
            eqx.nn.Linear(18, 3, key=second),
        ]
    )


def mlp(activation):
    return eqx.nn.MLP(5, 3, 7, 2, activation=activation, key=KEY)


MODELS = {
    "linear": (lambda: eqx.nn.Linear(5, 3, key=KEY), (5,)),
    "mlp, relu": (lambda: mlp(jax.nn.relu), (5,)),
    "mlp, gelu": (lambda: mlp(jax.nn.gelu), (5,)),
    "mlp, silu": (lambda: mlp(jax.nn.silu), (5,)),
    "mlp, softplus": (lambda: mlp(jax.nn.softplus), (5,)),
    "layer norm": (lambda: eqx.nn.LayerNorm(7), (7,)),
    "rms norm": (lambda: eqx.nn.RMSNorm(7), (7,)),
    "group norm": (lambda: eqx.nn.GroupNorm(2, 4), (4, 3)),
    "lstm cell": (lambda: Lstm(eqx.nn.LSTMCell(3, 4, key=KEY)), (3,)),
    "gru over a sequence": (lambda: Recurrent(eqx.nn.GRUCell(3, 4, key=KEY)), (5, 3)),
    "attention": (lambda: Attention(eqx.nn.MultiheadAttention(2, 6, key=KEY)), (5, 6)),
    "convolution": (lambda: eqx.nn.Conv2d(2, 3, 3, key=KEY), (2, 5, 6)),
    "strided convolution": (
        lambda: eqx.nn.Conv1d(2, 3, 3, stride=2, padding=1, key=KEY),
        (2, 7),
    ),
    "transposed convolution": (
        lambda: eqx.nn.ConvTranspose1d(2, 3, 3, stride=2, key=KEY),
        (2, 4),
    ),
    "average pooling": (lambda: Wrapped(eqx.nn.AvgPool2d(2, 2)), (2, 4, 6)),
    "small cnn": (small_cnn, (1, 6, 6)),
}


class Wrapped(eqx.Module):
    """A layer without parameters, after a scale that is one."""

    layer: eqx.Module
    scale: jax.Array = eqx.field(default_factory=lambda: jnp.ones(()))

    def __call__(self, x):
        return self.layer(x * self.scale)


class Lstm(eqx.Module):
    cell: eqx.nn.LSTMCell

    def __call__(self, x):
        start = jnp.zeros(self.cell.hidden_size), jnp.ones(self.cell.hidden_size)
        return jnp.concatenate(self.cell(x, start))


QUICK = {"mlp, gelu", "group norm", "gru over a sequence", "attention", "small cnn"}


@pytest.mark.parametrize("name", parameters(MODELS, QUICK))
def test_forward_and_gradient(name):
    make, shape = MODELS[name]
    params, static = eqx.partition(make(), eqx.is_array)

    def forward(params, x):
        return eqx.combine(params, static)(x)

    target = "wse2" if "mlp" in name else "wse3"
    check_with_gradient(forward, params, normal(1, *shape), target=target)


def test_embedding():
    params, static = eqx.partition(eqx.nn.Embedding(5, 4, key=KEY), eqx.is_array)

    def forward(params, i):
        return jax.vmap(eqx.combine(params, static))(i)

    check_with_gradient(forward, params, jnp.array([1, 4, 4]))
