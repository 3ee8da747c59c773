"""The workloads in plain JAX: one function of arrays under jax.jit per step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import training_data as data

Step = Callable[[], Any]
Params = dict[str, jax.Array]


def mlp_logits(p: Params, x: jax.Array) -> jax.Array:
    hidden = jax.nn.relu(x @ p["0.weight"].T + p["0.bias"])
    return hidden @ p["2.weight"].T + p["2.bias"]


def cnn_logits(p: Params, x: jax.Array) -> jax.Array:
    x = _pool(jax.nn.relu(_conv(x, p["0.weight"], p["0.bias"], 2)))
    x = _pool(jax.nn.relu(_conv(x, p["3.weight"], p["3.bias"], 0)))
    x = x.reshape(x.shape[0], -1)
    x = jax.nn.relu(x @ p["7.weight"].T + p["7.bias"])
    x = jax.nn.relu(x @ p["9.weight"].T + p["9.bias"])
    return x @ p["11.weight"].T + p["11.bias"]


def _conv(x: jax.Array, w: jax.Array, b: jax.Array, padding: int) -> jax.Array:
    y = jax.lax.conv_general_dilated(x, w, (1, 1), [(padding, padding)] * 2)
    return y + b[:, None, None]


def _pool(x: jax.Array) -> jax.Array:
    window = (1, 1, 2, 2)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")


def block_output(p: Params, x: jax.Array) -> jax.Array:
    for i in range(data.LAYERS):
        q = {k.removeprefix(f"layers.{i}."): v for k, v in p.items()}
        x = x + _attention(q, _norm(x, q["norm1.weight"], q["norm1.bias"]))
        h = _norm(x, q["norm2.weight"], q["norm2.bias"])
        h = h @ q["linear1.weight"].T + q["linear1.bias"]
        h = jax.nn.gelu(h, approximate=False)
        x = x + h @ q["linear2.weight"].T + q["linear2.bias"]
    return x


def _norm(x: jax.Array, scale: jax.Array, shift: jax.Array) -> jax.Array:
    mean = x.mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * scale + shift


def _attention(p: Params, x: jax.Array) -> jax.Array:
    n, s, e = x.shape
    qkv = x @ p["attention.in_proj_weight"].T + p["attention.in_proj_bias"]
    q, k, v = jnp.moveaxis(qkv.reshape(n, s, 3, data.HEADS, -1), 2, 0)
    scores = jnp.einsum("nqhd,nkhd->nhqk", q, k) * q.shape[-1] ** -0.5
    mixed = jnp.einsum("nhqk,nkhd->nqhd", jax.nn.softmax(scores, -1), v)
    out = mixed.reshape(n, s, e) @ p["attention.out_proj.weight"].T
    return out + p["attention.out_proj.bias"]


def cross_entropy(logits: jax.Array, y: jax.Array) -> jax.Array:
    rows = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(rows, y[:, None], 1).mean()


def mse(output: jax.Array, y: jax.Array) -> jax.Array:
    return ((output - y) ** 2).mean()


def sgd(p: Params, v: Params, g: Params, lr: Any) -> tuple[Params, Params]:
    v = jax.tree.map(lambda v, g: 0.9 * v + g, v, g)
    return jax.tree.map(lambda p, v: p - lr * v, p, v), v


def mlp() -> tuple[Step, Step]:
    return _sgd_step(mlp_logits, data.mlp_weights(), data.digits(64, 784))


def cnn() -> tuple[Step, Step]:
    return _sgd_step(cnn_logits, data.cnn_weights(), data.digits(32, 1, 28, 28))


def read() -> tuple[Step, Step]:
    return _sgd_step(mlp_logits, data.mlp_weights(), data.digits(64, 784), float)


def rate() -> tuple[Step, Step]:
    return _sgd_step(mlp_logits, data.mlp_weights(), data.digits(64, 784), decay=0.9999)


def _sgd_step(
    logits: Any, weights: Any, batches: Any, read: Any = lambda x: x, decay: float = 1
) -> tuple[Step, Step]:
    p = jax.tree.map(jnp.asarray, weights)
    v = jax.tree.map(jnp.zeros_like, p)
    lr = 0.01

    @jax.jit
    def update(p: Params, v: Params, x: Any, y: Any, lr: Any) -> Any:
        loss, g = jax.value_and_grad(lambda p: cross_entropy(logits(p, x), y))(p)
        return loss, *sgd(p, v, g, lr)

    def step() -> Any:
        nonlocal p, v, lr
        loss, p, v = update(p, v, *next(batches), lr)
        lr *= decay
        return read(loss)

    return step, lambda: jax.block_until_ready(p)


def norm() -> tuple[Step, Step]:
    p = jax.tree.map(jnp.asarray, data.norm_weights())
    p |= {"1.weight": jnp.ones(256), "1.bias": jnp.zeros(256)}
    v = jax.tree.map(jnp.zeros_like, p)
    stats = jnp.zeros(256), jnp.ones(256)
    batches = data.digits(64, 784)

    def loss_of(p: Params, stats: Any, x: Any, y: Any) -> Any:
        h = x @ p["0.weight"].T + p["0.bias"]
        mean, var = h.mean(0), h.var(0)
        seen = mean, var * (len(x) / (len(x) - 1))
        stats = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, stats, seen)
        h = (h - mean) * jax.lax.rsqrt(var + 1e-5) * p["1.weight"] + p["1.bias"]
        logits = jax.nn.relu(h) @ p["3.weight"].T + p["3.bias"]
        return cross_entropy(logits, y), stats

    @jax.jit
    def update(p: Params, v: Params, stats: Any, x: Any, y: Any, lr: Any) -> Any:
        grad = jax.value_and_grad(loss_of, has_aux=True)
        (loss, stats), g = grad(p, stats, x, y)
        return loss, *sgd(p, v, g, lr), stats

    def step() -> jax.Array:
        nonlocal p, v, stats
        loss, p, v, stats = update(p, v, stats, *next(batches), 0.01)
        return loss

    return step, lambda: jax.block_until_ready(p)


def evaluate() -> tuple[Step, Step]:
    p = jax.tree.map(jnp.asarray, data.mlp_weights())
    batches = data.digits(64, 784)

    @jax.jit
    def right(p: Params, x: Any, y: Any) -> jax.Array:
        return (jnp.argmax(mlp_logits(p, x), 1) == y).sum()

    return lambda: right(p, *next(batches)).item(), lambda: None


def accumulate() -> tuple[Step, Step]:
    p = jax.tree.map(jnp.asarray, data.mlp_weights())
    v = jax.tree.map(jnp.zeros_like, p)
    batches = data.digits(64, 784)

    @jax.jit
    def add(p: Params, g: Params, x: Any, y: Any) -> Any:
        grad = jax.value_and_grad(lambda p: cross_entropy(mlp_logits(p, x), y))
        loss, more = grad(p)
        return loss, jax.tree.map(jnp.add, g, more)

    update = jax.jit(sgd)

    def step() -> jax.Array:
        nonlocal p, v
        g = jax.tree.map(jnp.zeros_like, p)
        for _ in range(data.BATCHES):
            loss, g = add(p, g, *next(batches))
        p, v = update(p, v, g, 0.01)
        return loss

    return step, lambda: jax.block_until_ready(p)


def block() -> tuple[Step, Step]:
    p = jax.tree.map(jnp.asarray, data.block_weights())
    m = s = jax.tree.map(jnp.zeros_like, p)
    count = 0
    batches = data.sentences()

    @jax.jit
    def update(p: Params, m: Params, s: Params, x: Any, y: Any, count: Any) -> Any:
        loss, g = jax.value_and_grad(lambda p: mse(block_output(p, x), y))(p)
        m = jax.tree.map(lambda m, g: m + 0.1 * (g - m), m, g)
        s = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, s, g)
        rate = 1e-3 / (1 - 0.9**count)
        root = jnp.sqrt(1 - 0.999**count)
        p = jax.tree.map(
            lambda p, m, s: p - rate * m / (jnp.sqrt(s) / root + 1e-8), p, m, s
        )
        return loss, p, m, s

    def step() -> jax.Array:
        nonlocal p, m, s, count
        count += 1
        loss, p, m, s = update(p, m, s, *next(batches), float(count))
        return loss

    return step, lambda: jax.block_until_ready(p)
