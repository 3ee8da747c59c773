"""Loops and branches, staged again by functions of other values than before.

A function stands for a jaxpr inside the equation. It takes and gives one pytree for
each of the jaxpr's variables: None where nothing is left of one, several arrays where
it becomes several.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jax import lax

from lowering import jaxprs

Function = Callable[..., list[Any]]
FunctionOf = Callable[[jaxprs.ClosedJaxpr], Function]


def staged_flow(
    eqn: jaxprs.JaxprEqn, args: Sequence[Any], function_of: FunctionOf
) -> list[Any]:
    """What the scan, while or cond gives for these pytrees of its operands."""
    return list(_STAGED[eqn.primitive.name](eqn, args, function_of))


def _scan(
    eqn: jaxprs.JaxprEqn, args: Sequence[Any], function_of: FunctionOf
) -> list[Any]:
    consts, carries = eqn.params["num_consts"], eqn.params["num_carry"]
    body = function_of(eqn.params["jaxpr"])

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        results = body(*args[:consts], *carry, *x)
        return results[:carries], results[carries:]

    carry, stacked = lax.scan(
        step,
        [*args[consts : consts + carries]],
        [*args[consts + carries :]],
        length=eqn.params["length"],
        reverse=eqn.params["reverse"],
    )
    return [*carry, *stacked]


def _while(
    eqn: jaxprs.JaxprEqn, args: Sequence[Any], function_of: FunctionOf
) -> Sequence[Any]:
    tested, used = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    test = function_of(eqn.params["cond_jaxpr"])
    body = function_of(eqn.params["body_jaxpr"])
    test_given, body_given = args[:tested], args[tested : tested + used]
    return lax.while_loop(
        lambda carry: test(*test_given, *carry)[0],
        lambda carry: body(*body_given, *carry),
        [*args[tested + used :]],
    )


def _cond(
    eqn: jaxprs.JaxprEqn, args: Sequence[Any], function_of: FunctionOf
) -> Sequence[Any]:
    branches = [function_of(branch) for branch in eqn.params["branches"]]
    return lax.switch(args[0], branches, *args[1:])


_STAGED = {"scan": _scan, "while": _while, "cond": _cond}
