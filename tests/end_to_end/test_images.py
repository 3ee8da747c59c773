"""Convolutions, pooling and their gradients on the wafer, beside JAX on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import pyflame as pf
from pyflame import nn
from pyflame.nn import functional

RANDOM = np.random.default_rng(0)
MESHES = [((1, 1), "wse2"), ((2, 2), "wse3")]
convolve = lax.conv_general_dilated


def normal(*shape: int) -> np.ndarray[Any, Any]:
    return RANDOM.standard_normal(shape).astype(np.float32)


def integers(*shape: int) -> np.ndarray[Any, Any]:
    return RANDOM.integers(-9, 9, shape).astype(np.int32)


def convolutions(x: jax.Array, w: jax.Array, i: jax.Array, v: jax.Array) -> list[Any]:
    last = ("NHWC", "HWIO", "NHWC")
    turned = x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0)
    return [
        convolve(x, w, (2, 1), "SAME"),
        convolve(x, w, (1, 1), ((1, 2), (-1, 0)), (2, 3), (1, 2)),
        convolve(x, w[:, :1], (1, 1), "SAME", feature_group_count=4),
        convolve(x, w, (1, 1), "VALID", batch_group_count=2),
        convolve(*turned, (1, 2), "VALID", dimension_numbers=last),
        convolve(x[:, :, 0], w[:, :, 0], (2,), "SAME"),
        convolve(i, v, (1, 1), "SAME"),
        convolve(i.astype(jnp.int8), v.astype(jnp.int8), (1, 1), "VALID"),
    ]


def gradients(x: jax.Array, w: jax.Array) -> Any:
    def loss(x: jax.Array, w: jax.Array) -> jax.Array:
        return jnp.sum(convolve(x, w, (2, 1), "SAME", rhs_dilation=(1, 2)) ** 2)

    return jax.grad(loss, argnums=(0, 1))(x, w)


def largest(x: jax.Array, *window: Any) -> jax.Array:
    return lax.reduce_window(x, np.float32(-np.inf), lax.max, *window)


def pools(x: jax.Array, i: jax.Array) -> list[Any]:
    def loss(x: jax.Array) -> jax.Array:
        squares = largest(x, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        overlapping = largest(x, (1, 1, 3, 3), (1, 1, 2, 1), "SAME")
        wide = largest(x, (1, 1, 5, 3), (1, 1, 3, 3), "SAME")
        return jnp.sum(squares**2) + jnp.sum(overlapping**2) + jnp.sum(wide)

    def smallest(x: jax.Array) -> jax.Array:
        start = np.float32(np.inf)
        return lax.reduce_window(x, start, lax.min, (1, 1, 2, 3), (1, 1, 2, 2), "SAME")

    def compounded(a: jax.Array, b: jax.Array) -> jax.Array:
        return a * b + a + b

    zero, two = np.int32(0), np.float32(2)
    return [
        jax.grad(loss)(x),
        jax.jvp(smallest, (x,), (x * 2,)),
        lax.reduce_window(i, zero, lax.add, (1, 1, 3, 11), (1, 1, 1, 2), "SAME"),
        lax.reduce_window(x, two, lax.mul, (1, 1, 2, 2), (1, 1, 1, 1), "VALID"),
        lax.reduce_window(
            i > 3, True, lax.bitwise_and, (1, 1, 2, 2), (1, 1, 2, 1), "SAME"
        ),
        lax.reduce_window(i, zero, compounded, (1, 1, 2, 2), (1, 1, 1, 1), "SAME"),
    ]


CONVOLVED = (normal(4, 4, 6, 7), normal(4, 4, 3, 3), integers(2, 3, 5, 4))
PROGRAMS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "convolutions": (convolutions, (*CONVOLVED, integers(4, 3, 3, 2))),
    "gradients": (gradients, CONVOLVED[:2]),
    "pools": (pools, (normal(2, 3, 6, 7), integers(2, 3, 5, 4))),
}


def check(function: Any, args: Any, mesh: Any, target: Any, folder: Path) -> None:
    options = pf.CodeGenOptions(output_dir=str(folder), target=target)
    options.fabric_height, options.fabric_width = mesh
    result = pf.compile_to_csl(function, *args, options=options)
    assert result.success, result.error_message
    got = jax.tree.leaves(result.simulate(*args).outputs)
    want = jax.tree.leaves(jax.jit(function)(*args))
    for number, (mine, reference) in enumerate(zip(got, want, strict=True)):
        assert mine.dtype == reference.dtype, number
        np.testing.assert_allclose(
            mine, reference, rtol=2e-5, atol=2e-5, err_msg=f"output {number}"
        )


@pytest.mark.parametrize(("mesh", "target"), MESHES, ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_images(name: str, mesh: Any, target: Any, tmp_path: Path) -> None:
    check(*PROGRAMS[name], mesh, target, tmp_path)


def test_large_windows_of_another_computation_are_refused(tmp_path: Path) -> None:
    def compounded(a: jax.Array, b: jax.Array) -> jax.Array:
        return a * b + a + b

    def function(x: jax.Array) -> jax.Array:
        return lax.reduce_window(x, np.float32(0), compounded, (9, 9), (1, 1), "VALID")

    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    result = pf.compile_to_csl(function, normal(12, 12), options=options)
    assert not result.success
    first, *lines = result.error_message.splitlines()
    assert first == (
        "reduce_window of windows [9, 9] by a computation of its own has no rule"
    )
    assert "return lax.reduce_window(x, np.float32(0), compounded" in lines[0]
    assert lines[1:] == [
        "  rule      such windows have at most 64 elements, not 81",
        "  help      use smaller windows, or lax.add, lax.mul, lax.max or lax.min",
    ]


class _LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3)
        self.last = nn.Linear(6 * 2 * 2, 5)

    def forward(self, x: Any) -> Any:
        x = functional.max_pool2d(pf.relu(self.first(x)), 2)
        x = functional.avg_pool2d(pf.relu(self.second(x)), 2)
        return self.last(x.reshape(x.shape[0], -1))


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.GroupNorm(2, 4)
        self.second = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Any) -> Any:
        return pf.relu(x + self.second(pf.relu(self.norm(self.first(x)))))


MODELS = {"LeNet": (_LeNet, (4, 1, 12, 12)), "residual block": (_Block, (2, 4, 6, 6))}


@pytest.mark.parametrize("name", MODELS)
def test_networks_and_their_gradients(name: str, tmp_path: Path) -> None:
    pf.manual_seed(0)
    make, shape = MODELS[name]
    model = make()
    named = dict(model.named_parameters())

    def loss(parameters: Any, x: Any) -> Any:
        y = nn.functional_call(model, dict(zip(named, parameters, strict=True)), (x,))
        return (y * y).sum()

    def step(x: Any, *parameters: Any) -> Any:
        return jax.value_and_grad(loss)(parameters, x)

    arrays = [parameter.numpy() for parameter in named.values()]
    check(step, (normal(*shape), *arrays), (2, 2), "wse3", tmp_path)
