"""Rows for reductions, products, shapes, indexing, creation and conversion."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from sweep_entry import Call, called, first, function, functions, method
from sweep_equals import any_order, any_sorted, any_top

import pyflame as pf


def _arange(start: Any, end: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """PyTorch's dtype rule on top of ours, which is float32 unless told."""
    numbers = [x for x in (start, end, step) if x is not None]
    whole = all(isinstance(x, int) for x in numbers)
    dtype = dtype or (pf.int32 if whole else pf.float32)
    return pf.arange(start, end, step, dtype=dtype)


def _filled(make: Call) -> Call:
    def call(*shape: Any, dtype: Any = None) -> Any:
        sizes = shape[0] if len(shape) == 1 else shape
        return make(sizes, dtype=dtype or pf.float32)

    return call


def _typed(make: Call) -> Call:
    """PyTorch's default dtype is ours, but a sample may say None."""
    return lambda *args, dtype=None, **kwargs: make(
        *args, dtype=dtype or pf.float32, **kwargs
    )


def _meshgrid(tensors: Sequence[Any], indexing: str = "ij") -> Any:
    return pf.meshgrid(*tensors, indexing=indexing)


_SUMS = "sums of products, in another order"

REDUCTIONS = [
    *functions("sum mean prod any all count_nonzero argmax argmin amax amin"),
    function("max.reduction_no_dim"),
    function("min.reduction_no_dim"),
    function("max.reduction_with_dim", compared=first),
    function("min.reduction_with_dim", compared=first),
    *functions("var var.unbiased std std.unbiased norm norm.fro norm.inf"),
    *functions("logsumexp cumsum cumprod"),
]
PRODUCTS = [
    *functions("matmul mm bmm mv dot outer", rounding=_SUMS),
    called(
        "einsum",
        "pf.einsum",
        lambda operands, equation: pf.einsum(equation, *operands),
        rounding=_SUMS,
    ),
]
SHAPES = [
    *functions("reshape flatten ravel unflatten transpose t permute movedim"),
    *functions("squeeze squeeze.multiple unsqueeze expand broadcast_to"),
    *functions("repeat tile repeat_interleave flip roll narrow select unbind"),
    *functions("split split.list_args chunk cat stack vstack hstack"),
    *functions("diagonal diag tril triu"),
    called("meshgrid.variadic_tensors", "pf.meshgrid", pf.meshgrid),
    called("meshgrid.list_of_tensors", "pf.meshgrid", _meshgrid),
    method("expand_as"),
    method("reshape_as"),
    method("view"),
    method("view_as"),
    called("T", "Tensor.T", lambda x: x.T),
    called("mT", "Tensor.mT", lambda x: x.mT),
]
INDEXING = [
    called("__getitem__", "x[...]", operator.getitem),
    *functions("masked_fill masked_select nonzero gather scatter scatter_add"),
    *functions("index_select index_add take_along_dim"),
    function("argsort", open_choice=any_order),
    function("sort", open_choice=any_sorted),
    function("topk", open_choice=any_top),
]
CREATION = [
    called("arange", "pf.arange", _arange),
    called("zeros", "pf.zeros", _filled(pf.zeros)),
    called("ones", "pf.ones", _filled(pf.ones)),
    called("full", "pf.full", lambda s, v, dtype=pf.float32: pf.full(s, v, dtype)),
    called("linspace", "pf.linspace", _typed(pf.linspace)),
    called("eye", "pf.eye", _typed(pf.eye), every=9),
    *functions("zeros_like ones_like full_like clone"),
]
CONVERSION = [
    *[method(name) for name in "bfloat16 bool char float half int short".split()],
    method("contiguous"),
    method("item"),
]
ARRAYS = [*REDUCTIONS, *PRODUCTS, *SHAPES, *INDEXING, *CREATION, *CONVERSION]
