"""cumlogsumexp as a loop over rows, the other dimensions side by side."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering.cases import Case
from lowering.normalise.registry import rewrites


@rewrites("cumlogsumexp")
def _cumlogsumexp(x: Any, *, axis: int, reverse: bool) -> Any:
    rows = jnp.moveaxis(x.astype(jnp.float32), axis, 0)

    def turn(total: Any, row: Any) -> tuple[Any, Any]:
        total = _log_of_sum(total, row)
        return total, total

    start = jnp.full_like(rows[0], -jnp.inf)
    _, walked = lax.scan(turn, start, rows, reverse=reverse)
    return jnp.moveaxis(walked, 0, axis).astype(x.dtype)


def _log_of_sum(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)), without a sum that overflows; as `jnp.logaddexp`.

    The difference is NaN where both are the same infinity, or one is NaN.
    """
    difference = a - b
    far = jnp.maximum(a, b) + jnp.log(1 + jnp.exp(-jnp.abs(difference)))
    return jnp.where(difference == difference, far, a + b)


CASES = [Case("logsumexp", lambda x: lax.cumlogsumexp(x, 1), ("f32[n,m]",))]
