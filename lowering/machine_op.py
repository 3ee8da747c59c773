"""`machine_op`: operations of CSL that mean less than JAX's primitives of their names.

JAX defines shifts by any amount and the sine of any number, in all dtypes. CSL has
shifts by less than the width of the word, and <math> a sine of numbers below 16384 pi.
Rewrites bring operands into that range and stage these.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from lowering.element_call import batch_elements

machine_op_p = Primitive("machine_op")

# What each means to JAX, on operands in its range.
MEANINGS: dict[str, Callable[..., Any]] = {
    "sin": lax.sin,  # f32 below 16384 pi in magnitude, or not finite
    "cos": lax.cos,
    "floor": lax.floor,  # f32
    "ceil": lax.ceil,
    "pow": lax.pow,
    "maximum": lax.max,  # 0.0 rather than -0.0, which `max` leaves to the machine
    "divide": lax.div,  # integers, neither by 0 nor by -1
    "remainder": lax.rem,  # u32, not by 0
    "shift_left": lax.shift_left,  # u32 by u32, less than 32
    "shift_right": lax.shift_right_logical,
    "shift_right_signed": lambda x, n: lax.shift_right_arithmetic(
        x, n.astype(jnp.int32)
    ),  # i32 by u32
}


def machine_op(kind: str, *operands: Any) -> Any:
    """The operation on operands of one shape, or of rank 0."""
    return machine_op_p.bind(*operands, kind=kind)


def _evaluate(*operands: Any, kind: str) -> Any:
    shape = jnp.broadcast_shapes(*map(jnp.shape, operands))
    return MEANINGS[kind](*(jnp.broadcast_to(x, shape) for x in operands))


def _result_aval(*avals: Any, kind: str) -> ShapedArray:
    del kind
    shape = jnp.broadcast_shapes(*(aval.shape for aval in avals))
    return ShapedArray(shape, avals[0].dtype)


machine_op_p.def_impl(_evaluate)
machine_op_p.def_abstract_eval(_result_aval)
batching.primitive_batchers[machine_op_p] = partial(batch_elements, machine_op_p)
mlir.register_lowering(machine_op_p, mlir.lower_fun(_evaluate, multiple_results=False))
