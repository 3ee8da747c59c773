"""`replicate`: the operand, whole on every PE, for algorithms that go over all of it.

Loops that turn and exchange rows of small matrices cost less where nothing is split:
each PE computes all of it, and nothing moves.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from functools import partial
from typing import Any

from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from lowering.element_call import batch_elements

replicate_p = Primitive("replicate")


def replicate(x: Any) -> Any:
    """The same values; partitioning sees to it that no dimension is split."""
    return replicate_p.bind(x)


def _same(x: Any) -> Any:
    return x


def _same_aval(x: Any) -> ShapedArray:
    return ShapedArray(x.shape, x.dtype)


replicate_p.def_impl(_same)
replicate_p.def_abstract_eval(_same_aval)
batching.primitive_batchers[replicate_p] = partial(batch_elements, replicate_p)
mlir.register_lowering(replicate_p, mlir.lower_fun(_same, multiple_results=False))
