"""The data and first weights of the benchmarks, the same for every library."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Batches = Iterator[Any]  # pairs of NumPy arrays, over and over

BATCHES = 4

EMBED, HEADS, HIDDEN, LAYERS, SEQUENCE, BLOCK_BATCH = 128, 4, 512, 2, 64, 8


def digits(batch: int, *shape: int) -> Batches:
    """Noise as images, and classes 0 to 9."""
    generator = np.random.default_rng(0)
    images = generator.normal(size=(BATCHES, batch, *shape)).astype(np.float32)
    classes = generator.integers(0, 10, size=(BATCHES, batch)).astype(np.int32)
    return cycle(zip(images, classes, strict=True))


def sentences() -> Batches:
    """Embedded words [batch, sequence, embed], and what they should become."""
    generator = np.random.default_rng(1)
    shape = (BATCHES, 2, BLOCK_BATCH, SEQUENCE, EMBED)
    return cycle(generator.normal(size=shape).astype(np.float32))


def _weights(shapes: dict[str, tuple[int, ...]]) -> Arrays:
    """Normal numbers scaled by fan-in; biases are 0, the scales of norms 1."""
    generator = np.random.default_rng(2)

    def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if "norm" in name and name.endswith("weight"):
            return np.ones(shape, np.float32)
        if len(shape) == 1:
            return np.zeros(shape, np.float32)
        scale = np.prod(shape[1:]) ** -0.5
        return (generator.normal(size=shape) * scale).astype(np.float32)

    return {name: weight(name, shape) for name, shape in shapes.items()}


def mlp_weights() -> Arrays:
    return _weights(
        {
            "0.weight": (256, 784),
            "0.bias": (256,),
            "2.weight": (10, 256),
            "2.bias": (10,),
        }
    )


def norm_weights() -> Arrays:
    return _weights(
        {
            "0.weight": (256, 784),
            "0.bias": (256,),
            "3.weight": (10, 256),
            "3.bias": (10,),
        }
    )


def cnn_weights() -> Arrays:
    return _weights(
        {
            "0.weight": (6, 1, 5, 5),
            "0.bias": (6,),
            "3.weight": (16, 6, 5, 5),
            "3.bias": (16,),
            "7.weight": (120, 400),
            "7.bias": (120,),
            "9.weight": (84, 120),
            "9.bias": (84,),
            "11.weight": (10, 84),
            "11.bias": (10,),
        }
    )


def block_weights() -> Arrays:
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(LAYERS):
        shapes |= {
            f"layers.{i}.norm1.weight": (EMBED,),
            f"layers.{i}.norm1.bias": (EMBED,),
            f"layers.{i}.attention.in_proj_weight": (3 * EMBED, EMBED),
            f"layers.{i}.attention.in_proj_bias": (3 * EMBED,),
            f"layers.{i}.attention.out_proj.weight": (EMBED, EMBED),
            f"layers.{i}.attention.out_proj.bias": (EMBED,),
            f"layers.{i}.norm2.weight": (EMBED,),
            f"layers.{i}.norm2.bias": (EMBED,),
            f"layers.{i}.linear1.weight": (HIDDEN, EMBED),
            f"layers.{i}.linear1.bias": (HIDDEN,),
            f"layers.{i}.linear2.weight": (EMBED, HIDDEN),
            f"layers.{i}.linear2.bias": (EMBED,),
        }
    return _weights(shapes)
