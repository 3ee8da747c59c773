"""Programs with tiles of one size on every mesh, and programs of many equations."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import pyflame as pf

Mesh = tuple[int, int]
SMALL: Mesh = (4, 4)
LARGE: Mesh = (700, 700)  # values cross its lines in the patterns of a whole wafer
WAFERS: dict[str, Mesh] = {"wse2": (994, 750), "wse3": (1170, 755)}


def affine(x: Any, w: Any) -> Any:
    """Element by element."""
    return jax.nn.relu(x * w + 1) / 3


def softmax(x: Any, w: Any) -> Any:
    """Reductions along rows."""
    return jax.nn.softmax(x * w, axis=1)


def statistics(x: Any, w: Any) -> Any:
    """Reductions along columns, and of everything."""
    centred = x - jnp.mean(x, axis=0)
    return jnp.mean(centred * centred, axis=0), jnp.max(w), jnp.sum(x * w)


def relaxation(x: Any, w: Any) -> Any:
    """A loop with exchanges in it, until little changes."""

    def goes_on(state: Any) -> Any:
        return (state[1] > 1e-3) & (state[2] < 50)

    def turn(state: Any) -> Any:
        x, _, count = state
        new = 0.5 * (x + w * jnp.sum(x, axis=1, keepdims=True))
        return new, jnp.max(jnp.abs(new - x)), count + 1

    return lax.while_loop(goes_on, turn, (x, jnp.float32(1), 0))[0]


def gradient(x: Any, w: Any) -> Any:
    """A loss's gradient by its weights."""

    def loss(w: Any) -> Any:
        return jnp.mean(jnp.tanh(x * w) ** 2) + jnp.sum(w * w)

    return jax.grad(loss)(w)


PROGRAMS: dict[str, Callable[..., Any]] = {
    "element by element": affine,
    "softmax of rows": softmax,
    "statistics": statistics,
    "relaxation loop": relaxation,
    "gradient": gradient,
}


@dataclass(frozen=True)
class Compiled:
    """What a compilation gave: bytes and lines of its CSL, and steps of the plan."""

    size_bytes: int
    lines: int
    steps: int


def compiled(name: str, mesh: Mesh, target: str) -> Compiled:
    """A program on a mesh, each PE with a tile of 2x3 of its two operands."""
    rows, cols = mesh
    spec = jax.ShapeDtypeStruct((2 * rows, 3 * cols), "float32")
    result = _compile(PROGRAMS[name], [spec, spec], mesh, target)
    assert result.success, result.error_message
    assert result.cost is not None, "a success has a cost"
    texts = [t for n, t in result.sources.items() if n.endswith(".csl")]
    return Compiled(
        sum(map(len, texts)),
        sum(text.count("\n") for text in texts),
        len(result.cost.steps),
    )


def long_program(count: int) -> Callable[..., Any]:
    """A function of one array whose jaxpr has about `count` equations."""

    def function(x: Any) -> Any:
        for number in range(count // 4):
            x = jnp.tanh(x) * 0.5
            x = x + jnp.sum(x) if number % 10 == 0 else x - 1
            x = jnp.maximum(x, -2)
        return x

    return function


_STEPS: list[Callable[..., Any]] = [
    jnp.tanh,
    lambda x: x * 0.5,
    lambda x: x + jnp.sum(x),
    lambda x: x - 1,
    lambda x: jnp.maximum(x, -2),
]


def varied_program(count: int) -> Callable[..., Any]:
    """The same without anything that repeats."""

    def function(x: Any) -> Any:
        for step in np.random.default_rng(0).integers(0, len(_STEPS), count):
            x = _STEPS[step](x)
        return x

    return function


LONG: dict[str, Callable[[int], Callable[..., Any]]] = {
    "repeated": long_program,
    "varied": varied_program,
}


def compile_long(count: int, kind: str = "repeated") -> pf.CodeGenResult:
    """A long function on 2x2 PEs; what does not fit is refused."""
    spec = jax.ShapeDtypeStruct((8, 8), "float32")
    return _compile(LONG[kind](count), [spec], (2, 2), "wse3")


def _compile(
    function: Callable[..., Any], specs: list[Any], mesh: Mesh, target: str
) -> pf.CodeGenResult:
    with tempfile.TemporaryDirectory() as folder:
        options = pf.CodeGenOptions(output_dir=folder, target=target)
        options.fabric_height, options.fabric_width = mesh
        layout = pf.MeshLayout.grid(*mesh)
        return pf.compile_to_csl(function, *specs, options=options, in_layouts=layout)
