"""Models of pf.nn and steps of pf.optim, forward and gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from model_check import check, check_with_gradient, normal, parameters

import pyflame as pf
from pyflame import nn


class ResNetBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = pf.relu(self.first_norm(self.first(x)))
        return pf.relu(self.second_norm(self.second(y)) + x)


class EncoderBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.first_norm, self.second_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.wide, self.narrow = nn.Linear(dim, 8), nn.Linear(8, dim)

    def forward(self, x):
        y = self.first_norm(x)
        x = x + self.attention(y)
        y = self.second_norm(x)
        return x + self.narrow(pf.gelu(self.wide(y)))


def le_net():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(2, 3, 3),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(3, 4),
    )


MODELS = {
    "ResNet block": (lambda: ResNetBlock(2).eval(), (1, 2, 5, 5)),
    "ResNet block, training": (lambda: ResNetBlock(2), (2, 2, 4, 4)),
    "encoder block": (lambda: EncoderBlock(6, 2), (1, 5, 6)),
    "LeNet-like": (le_net, (1, 1, 8, 8)),
    "group norm": (lambda: nn.GroupNorm(2, 4), (2, 4, 3)),
}


def arrays_of(tensors):
    return {name: jnp.asarray(value.numpy()) for name, value in tensors}


QUICK = {"LeNet-like", "group norm"}


@pytest.mark.parametrize("name", parameters(MODELS, QUICK))
def test_forward_and_gradient(name):
    make, shape = MODELS[name]
    pf.manual_seed(0)
    module = make()
    params = arrays_of(module.named_parameters())
    buffers = arrays_of(module.named_buffers())

    def forward(params, buffers, x):
        state = {**params, **buffers}
        out, _ = nn.functional_call(module, state, (x,), mutable=True)
        return jnp.asarray(out)

    check_with_gradient(forward, params, buffers, normal(4, *shape))


def sgd(p, v, g):
    v = 0.9 * v + g
    return p - 0.1 * v, v


def adam(p, m, v, g, step):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    scale = jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return p - 1e-2 * scale * m / (jnp.sqrt(v) + 1e-8), m, v


def test_training_step_of_sgd_with_momentum():
    def step(params, velocity, x, y):
        def loss(params):
            hidden = jnp.tanh(x @ params["w1"] + params["b1"])
            scores = jax.nn.log_softmax(hidden @ params["w2"])
            return -jnp.mean(jnp.take_along_axis(scores, y[:, None], 1))

        value, grads = jax.value_and_grad(loss)(params)
        new = {k: sgd(params[k], velocity[k], grads[k]) for k in params}
        return (
            value,
            {k: p for k, (p, _) in new.items()},
            {k: v for k, (_, v) in new.items()},
        )

    params = {"w1": normal(1, 5, 7), "b1": normal(2, 7), "w2": normal(3, 7, 3)}
    velocity = {k: np.zeros_like(v) for k, v in params.items()}
    check(
        step, params, velocity, normal(4, 6, 5), np.array([0, 2, 1, 1, 0, 2], np.int32)
    )


def test_step_of_adam():
    p, m, v, g = (normal(seed, 5, 3) for seed in range(4))
    check(adam, p, m, v * v, g, np.float32(3))
