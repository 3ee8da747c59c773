"""`jax.vmap` of a loop whose end is in the data: one loop for all of a batch.

What has come to its end stays as it is.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering import jaxprs


def has_batched_test(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether the equation is a loop with one test for each element of a batch."""
    if eqn.primitive.name != "while":
        return False
    return jaxprs.shape_of(eqn.params["cond_jaxpr"].jaxpr.outvars[0]) != ()


def with_one_test(
    eqn: jaxprs.JaxprEqn, args: list[Any], evaluate: jaxprs.EvaluateEquation
) -> list[Any]:
    """What the loop gives, as one whose test is a scalar."""
    tested, used = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    test, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    test_given, body_given = args[:tested], args[tested : tested + used]

    def going_on(carry: list[Any]) -> Any:
        values = [*test_given, *carry]
        return jaxprs.interpret(test.jaxpr, test.consts, values, evaluate)[0]

    def step(state: Any) -> Any:
        goes_on, carry = state
        values = [*body_given, *carry]
        following = jaxprs.interpret(body.jaxpr, body.consts, values, evaluate)
        carry = [
            lax.select(_along(goes_on, old), new, old)
            for new, old in zip(following, carry, strict=True)
        ]
        return going_on(carry), carry

    start = args[tested + used :]
    state = (going_on(start), [jnp.asarray(value) for value in start])
    return list(lax.while_loop(lambda state: jnp.any(state[0]), step, state)[1])


def _along(goes_on: Any, value: Any) -> Any:
    """The tests, for every element of the carried values: the batch comes first."""
    dims = tuple(range(goes_on.ndim))
    return lax.broadcast_in_dim(goes_on, jnp.shape(value), dims)
