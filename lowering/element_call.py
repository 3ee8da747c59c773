"""`element_call`: a function of scalars, applied to each element of its operands.

A primitive that takes many operations is rewritten to one such call. The call passes
through partitioning like any element-wise primitive, and its function is written down
once, as a function of CSL, however often it is called.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from lowering import jaxprs

element_call_p = Primitive("element_call")


def element_call(name: str, function: Callable[..., Any], *operands: Any) -> Any:
    """`function` of each element; operands of rank 0 serve every element.

    `function` takes scalars of the operands' dtypes and gives one. It may call other
    such functions, and loop or branch with `lax.while_loop` and `lax.cond`. In CSL it
    is called `name`, and its parameters what they are called here.
    """
    scalars = [jax.ShapeDtypeStruct((), jnp.result_type(x)) for x in operands]
    shape = _shape_of(operands)
    spread = [
        jnp.broadcast_to(x, shape) if jnp.shape(x) not in ((), shape) else x
        for x in operands
    ]
    body = jaxprs.trace(function, scalars)
    parameters = tuple(inspect.signature(function).parameters)
    return element_call_p.bind(*spread, name=name, parameters=parameters, jaxpr=body)


def _shape_of(operands: Sequence[Any]) -> tuple[int, ...]:
    return jnp.broadcast_shapes(*map(jnp.shape, operands))


def _evaluate(*operands: Any, jaxpr: jaxprs.ClosedJaxpr, **_: Any) -> Any:
    """What the call means to JAX: each lane of a batch runs the function."""
    shape = _shape_of(operands)
    lanes = [jnp.broadcast_to(x, shape).reshape(-1) for x in operands]
    (result,) = jax.vmap(jaxprs.jaxpr_as_fun(jaxpr))(*lanes)
    return result.reshape(shape)


def _result_aval(*avals: Any, jaxpr: jaxprs.ClosedJaxpr, **_: Any) -> ShapedArray:
    return ShapedArray(_shape_of(avals), jaxpr.out_avals[0].dtype)


def batch_elements(
    primitive: Primitive,
    values: Sequence[Any],
    dims: Sequence[int | None],
    **params: Any,
) -> Any:
    """The rule for `jax.vmap` of an element-wise primitive: the batch goes first, and
    ranks are made equal behind it."""
    rank = max(
        jnp.ndim(x) - (dim is not None) for x, dim in zip(values, dims, strict=True)
    )
    fronted: list[Any] = []
    for value, dim in zip(values, dims, strict=True):
        if dim is None:
            fronted.append(value)
            continue
        front = jnp.moveaxis(value, dim, 0)
        missing = (1,) * (rank + 1 - front.ndim)
        fronted.append(front.reshape((front.shape[0], *missing, *front.shape[1:])))
    shape = _shape_of(fronted)
    spread = [x if jnp.shape(x) == () else jnp.broadcast_to(x, shape) for x in fronted]
    return primitive.bind(*spread, **params), 0


element_call_p.def_impl(_evaluate)
element_call_p.def_abstract_eval(_result_aval)
batching.primitive_batchers[element_call_p] = partial(batch_elements, element_call_p)
mlir.register_lowering(
    element_call_p, mlir.lower_fun(_evaluate, multiple_results=False)
)
