"""What looks like a change in place: the Tensor stands for other values afterwards.

Arrays of JAX never change, and no two Tensors share memory. So `x[i] = v`, `x += y`,
`x.mul_(y)`, `x.zero_()` record an op and make this very Tensor, whoever holds it,
stand for the result; gradients flow through it, and shape and dtype stay. Tensors that
were computed from `x` before keep what they had.

PyTorch would show some changes through other Tensors; what could be lost is refused:

- A result that is a view in PyTorch (`x[0]`, `x.reshape(...)`) cannot be changed by a
  method: there the change would reach `x`, here it would not. `row += y` makes a new
  tensor of it, so that `x[0] += y` changes `x`.
- A leaf that gradients are kept for can be changed only under `no_grad`, where it stays
  a leaf; there a change does not take part in gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflame.convert import to_literal
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.grad_mode import GradMode
from pyflame.ops import arrange, elementwise, filled, select, shape
from pyflame.recorded import Recorded, apply, as_tensor
from pyflame.surface import indexing

_VIEWS = (
    arrange.diagonal,
    arrange.expand,
    arrange.matrix_transpose,
    arrange.movedim,
    arrange.narrow,
    arrange.permute,
    arrange.unflatten,
    shape.flatten,
    shape.index,
    shape.reshape,
    shape.squeeze,
    shape.transpose,
    shape.unsqueeze,
)


def in_place(function: Callable[..., Any], name: str) -> Callable[..., Recorded]:
    """The method `name` that makes a Tensor stand for the function of it."""

    def method(x: Recorded, *args: Any, **kwargs: Any) -> Any:
        check_changeable(name, x)
        return change(name, x, function(x, *args, **kwargs))

    method.__name__ = name
    method.__doc__ = f"`{function.__name__}` of this Tensor, which then stands for it."
    return method


def augmented(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The method of an assignment such as `+=`.

    Of a view it gives a new tensor, so that `x[i] += y` goes on to set x[i].
    """

    def method(x: Recorded, other: Any) -> Any:
        if is_view(x):
            return fitted(name, x, function(x, other))
        check_changeable(name, x)
        return change(name, x, function(x, other))

    method.__name__ = name
    method.__doc__ = f"`x {name} y`: {function.__name__}, which x then stands for."
    return method


def is_view(x: Recorded) -> bool:
    """Whether in PyTorch it would be a view of another tensor."""
    return x._node.op in _VIEWS and not x._node.is_source


def check_changeable(name: str, x: Recorded) -> None:
    """Raises: ArgumentError for a view, and for a leaf outside `no_grad`."""
    if is_view(x):
        made_by = x._node.op.__name__ if x._node.op is not None else ""
        raise ArgumentError(
            f"{name} of {x._text()}: it was made by {made_by} of another tensor",
            rule="tensors share no memory, so the other one would not change",
            help="change that one, as in x[0, 1] = v instead of x[0][1] = v; or "
            "write x = x + y, or take x.clone() first",
        )
    if GradMode.is_enabled() and _keeps_gradient(x):
        raise ArgumentError(
            f"{name} of {x._text()}: it is a leaf that gradients are kept for",
            rule="a leaf is changed only under no_grad",
            help="write `with pf.no_grad():` around it, or x = x + y for a new tensor",
        )


def change(name: str, x: Recorded, value: Any) -> Any:
    """Makes `x` stand for the value, cast to the dtype of `x`; returns `x`.

    Raises: ShapeError or DTypeError, as `fitted`.
    """
    result = fitted(name, x, value)
    if not GradMode.is_enabled() and _takes_gradients(x):
        x._assign(result)
    else:
        x._rebind(result._node)
    return x


def fitted(name: str, x: Recorded, value: Any) -> Any:
    """The value in the dtype of `x`.

    Raises: ShapeError, if its shape is another; DTypeError, if a float would become an
    integer, or a number a boolean.
    """
    result = as_tensor(value)
    if result.shape != x.shape:
        raise ShapeError(
            f"{name} of {x._text()}: the result is {result._text()}",
            rule="a tensor keeps its shape when it is changed",
            help="write x = x + y for a new tensor",
        )
    if result.dtype is not x.dtype:
        _check_cast(name, x, result)
        result = apply(elementwise.cast, result, dtype=x.dtype.value)
    return result


def _keeps_gradient(x: Recorded) -> bool:
    return x._leaf is not None or x._node.leaf is not None


def _takes_gradients(x: Recorded) -> bool:
    return _keeps_gradient(x) or (x._node.tracked and x._node.is_source)


def _class_of(x: Recorded) -> int:
    """0 for booleans, 1 for integers, 2 for floats."""
    return 2 if x.dtype.is_floating else int(x.dtype.value != "bool")


def _check_cast(name: str, x: Recorded, result: Recorded) -> None:
    if _class_of(result) > _class_of(x):
        raise DTypeError(
            f"{name} of {x._text()}: the result is {result._text()}",
            rule="a tensor keeps its dtype when it is changed: no float becomes an "
            "integer, no number a boolean",
            help="write x = x + y for a new tensor, or convert the result yourself",
        )


def setitem(x: Recorded, key: Any, value: Any) -> None:
    """x[key] = value: from now on `x` has these values, cast to its dtype, there.

    A Tensor of booleans is computed at once, unless it is the whole key and the value
    is a scalar.

    Raises: ShapeError, DTypeError, ArgumentError: as `x[key]`, and if the value does
    not broadcast to the places; ArgumentError for views, and leaves outside `no_grad`.
    """
    check_changeable("setitem", x)
    change("setitem", x, _with_item(x, key, value))


def _with_item(x: Recorded, key: Any, value: Any) -> Any:
    value = as_tensor(value)
    basic = indexing.basic_key(key)
    if basic is not None:
        return apply(select.set_index, x, value, key=basic)
    if _is_mask(x, key) and not value.shape:
        return apply(select.set_where, x, key, value)
    static, arrays = indexing.parse_key(x, key)
    return apply(select.set_index, x, value, *arrays, key=static)


def _is_mask(x: Recorded, key: Any) -> bool:
    return (
        isinstance(key, Recorded)
        and key.dtype.value == "bool"
        and 0 < key.ndim
        and key.shape == x.shape[: key.ndim]
    )


def fill_(x: Recorded, value: Any) -> Any:
    """All elements become `value`, a number or a scalar Tensor, in the dtype of `x`."""
    check_changeable("fill_", x)
    number = value if isinstance(value, Recorded) else to_literal(value)
    if isinstance(value, Recorded) and value.ndim:
        raise ShapeError(
            f"fill_ of {x._text()} by {value._text()}: this is no scalar",
            rule="all elements become one value",
            help="use x.copy_(other)",
        )
    args = {"shape": tuple(x.shape), "dtype": x.dtype.value}
    return change("fill_", x, apply(filled.full, number, **args))


def zero_(x: Recorded) -> Any:
    """All elements become 0."""
    return fill_(x, 0)


def copy_(x: Recorded, source: Any) -> Any:
    """All elements become those of `source`, which broadcasts, in the dtype of `x`."""
    check_changeable("copy_", x)
    return change("copy_", x, apply(select.set_index, x, source, key=(Ellipsis,)))
