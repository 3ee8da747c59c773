"""Models planned for 2x2 PEs, and the bytes that any plan of their steps needs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lowering.lower import lower
from lowering.mesh import Layout
from lowering.plan import Plan
from lowering.plan.liveness import may_replace

sys.path.insert(0, str(Path(__file__).parents[2] / "end_to_end" / "models"))

SIDES = (2, 2)
Model = tuple[Callable[..., Any], tuple[Any, ...]]


def models() -> Iterator[tuple[str, Model]]:
    """Those of tests/end_to_end/models, layers with the gradient of a sum of them."""
    import test_equinox
    import test_flax
    import test_numerics
    from model_check import normal

    for name, (function, args) in test_numerics.PROGRAMS.items():
        yield name, (function, tuple(args))
    for name, (layer, shape) in test_flax.LINEN.items():
        x = normal(2, *shape)
        yield from _both(f"Flax, {name}", layer.apply, layer.init(test_flax.KEY, x), x)
    eqx = test_equinox.eqx
    for name, (make, shape) in test_equinox.MODELS.items():
        params, static = eqx.partition(make(), eqx.is_array)

        def forward(params: Any, x: Any, static: Any = static) -> Any:
            return eqx.combine(params, static)(x)

        yield from _both(f"Equinox, {name}", forward, params, normal(1, *shape))


def _both(
    name: str, function: Callable[..., Any], params: Any, x: Any
) -> Iterator[tuple[str, Model]]:
    def total(params: Any, x: Any) -> Any:
        out = function(params, x)
        weights = np.linspace(0.5, 1.5, out.size, dtype=out.dtype)
        return jnp.sum(out * weights.reshape(out.shape))

    yield name, (function, (params, x))
    yield f"{name}: gradient", (jax.grad(total), (params, x))


def planned(model: Model) -> Plan:
    """The plan for 2x2 PEs, with a grid for every input."""
    function, args = model
    closed = jax.make_jaxpr(function)(*args)
    count = len(closed.in_avals)
    return lower(
        closed,
        in_names=[f"x{number}" for number in range(count)],
        out_names=[f"y{number}" for number in range(len(closed.out_avals))],
        in_layouts=[Layout("grid", *SIDES)] * count,
    ).plan


def needed_bytes(plan: Plan) -> int:
    """The most bytes that stand in memory at once, whatever stands where.

    A result that may replace an operand counts with it as one.
    """
    found = plan.allocation
    lives, steps = found.lives, found.steps
    changes = [0] * (len(steps) + 3)
    for value, life in lives.items():
        changes[life.first + 1] += value.size_bytes
        changes[life.last + 2] -= value.size_bytes
    at_once = list(accumulate(changes))[1 : len(steps) + 2]
    for old, life in lives.items():
        for new, following in lives.items():
            if life.first < life.last == following.first < len(steps) and may_replace(
                steps[life.last], old, new
            ):
                at_once[life.last] -= new.size_bytes
                break
    kept = sum(value.size_bytes for value in found.buffer_of if value not in lives)
    return kept + max(at_once)
