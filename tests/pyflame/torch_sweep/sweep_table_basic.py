"""Rows for functions, methods and operators of pyflame itself."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from sweep_entry import Call, Entry

import pyflame as pf


def method(name: str) -> Call:
    """The Tensor method of that name."""
    return lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)


def reflected(op: Callable[[Any, Any], Any]) -> Call:
    """An operator with its operands the other way round."""
    return lambda a, b: op(b, a)


def no_out(call: Call) -> Call:
    return call


def arange(start: Any, end: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """PyTorch's dtype rule on top of ours, which is float32 unless told."""
    numbers = [x for x in (start, end, step) if x is not None]
    whole = all(isinstance(x, int) for x in numbers)
    return pf.arange(
        start, end, step, dtype=dtype or (pf.int32 if whole else pf.float32)
    )


def _first(result: Any) -> Any:
    return result[0]


def _filled(function: Call) -> Call:
    def call(*shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        sizes = shape[0] if len(shape) == 1 else shape
        return function(sizes, dtype=dtype or pf.float32, **kwargs)

    return call


BASIC = [
    Entry(name="add", call=pf.add),
    Entry(name="sub", call=pf.sub, refusals={"booleans have no sub": "as PyTorch"}),
    Entry(name="mul", call=pf.mul),
    Entry(name="div.no_rounding_mode", call=pf.div),
    Entry(name="pow", call=operator.pow, shown="**"),
    Entry(name="__radd__", call=reflected(operator.add), shown="+"),
    Entry(name="__rsub__", call=reflected(operator.sub), shown="-"),
    Entry(name="__rmul__", call=reflected(operator.mul), shown="*"),
    Entry(name="__rdiv__", call=reflected(operator.truediv), shown="/"),
    Entry(name="__rpow__", call=reflected(operator.pow), shown="**"),
    Entry(name="__rmatmul__", call=reflected(operator.matmul), shown="@"),
    Entry(name="matmul", call=pf.matmul),
    Entry(name="eq", call=operator.eq, shown="=="),
    Entry(name="ne", call=operator.ne, shown="!="),
    Entry(name="lt", call=operator.lt, shown="<"),
    Entry(name="le", call=operator.le, shown="<="),
    Entry(name="gt", call=operator.gt, shown=">"),
    Entry(name="ge", call=operator.ge, shown=">="),
    Entry(name="maximum", call=pf.maximum),
    Entry(name="minimum", call=pf.minimum),
    Entry(name="max.binary", call=pf.maximum),
    Entry(name="min.binary", call=pf.minimum),
    Entry(name="where", call=lambda x, c, y: pf.where(c, x, y), shown="where"),
    Entry(name="neg", call=pf.neg),
    Entry(name="abs", call=pf.abs),
    Entry(name="sqrt", call=pf.sqrt),
    Entry(name="exp", call=pf.exp),
    Entry(name="log", call=pf.log),
    Entry(name="sin", call=pf.sin),
    Entry(name="cos", call=pf.cos),
    Entry(name="tanh", call=pf.tanh),
    Entry(name="sigmoid", call=pf.sigmoid),
    Entry(name="softmax", call=pf.softmax),
    Entry(name="softmax.with_dtype", call=pf.softmax),
    Entry(name="log_softmax", call=pf.log_softmax),
    Entry(name="log_softmax.with_dtype", call=pf.log_softmax),
    Entry(name="sum", call=pf.sum),
    Entry(name="mean", call=pf.mean),
    Entry(name="amax", call=pf.max, shown="max"),
    Entry(name="amin", call=pf.min, shown="min"),
    Entry(name="max.reduction_no_dim", call=pf.max),
    Entry(name="min.reduction_no_dim", call=pf.min),
    Entry(name="max.reduction_with_dim", call=pf.max, compared=_first),
    Entry(name="min.reduction_with_dim", call=pf.min, compared=_first),
    Entry(name="reshape", call=pf.reshape),
    Entry(name="transpose", call=pf.transpose),
    Entry(name="squeeze", call=pf.squeeze),
    Entry(name="squeeze.multiple", call=pf.squeeze),
    Entry(name="unsqueeze", call=pf.unsqueeze),
    Entry(name="cat", call=pf.cat),
    Entry(name="stack", call=pf.stack),
    Entry(name="__getitem__", call=operator.getitem, shown="[...]"),
    Entry(name="clone", call=method("clone")),
    Entry(name="item", call=method("item")),
    Entry(name="arange", call=arange),
    Entry(name="zeros", call=_filled(pf.zeros)),
    Entry(name="ones", call=_filled(pf.ones)),
    Entry(name="full", call=lambda s, v, dtype=pf.float32: pf.full(s, v, dtype)),
]
