"""Broadcasting of any two shapes is NumPy's, gradients included."""

import operator
import os
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

import pyflame as pf

some_examples = settings(max_examples=20, deadline=None, derandomize="CI" in os.environ)

pairs = hnp.mutually_broadcastable_shapes(
    num_shapes=2, max_dims=3, max_side=3, min_side=0
)
any_pair = st.tuples(
    *[hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)] * 2
)
binary = st.sampled_from(
    [
        (operator.add, operator.add),
        (operator.sub, operator.sub),
        (operator.mul, operator.mul),
        (pf.maximum, np.maximum),
        (operator.lt, operator.lt),
        (lambda a, b: pf.where(a > b, a, b), np.maximum),
    ]
)


def counted(shape: tuple[int, ...], start: int = 0) -> np.ndarray:
    """Different integers in an array of the shape."""
    count = int(np.prod(shape))
    return (np.arange(count, dtype=np.int32) * 7 % 11 - start).reshape(shape)


@some_examples
@given(pairs, binary)
def test_operators_broadcast_as_numpy(shapes: Any, ops: Any) -> None:
    a, b = (counted(shape, 3 + i) for i, shape in enumerate(shapes.input_shapes))
    ours, numpys = ops
    found = ours(pf.tensor(a), pf.tensor(b))
    assert tuple(found.shape) == shapes.result_shape
    np.testing.assert_array_equal(found.numpy(), numpys(a, b))


@settings(some_examples, max_examples=200)
@given(any_pair)
def test_shapes_broadcast_or_are_refused_as_in_numpy(shapes: Any) -> None:
    a, b = (pf.zeros(list(shape)) for shape in shapes)
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(pf.ShapeError, match="do not broadcast"):
            a + b
    else:
        assert tuple((a + b).shape) == expected


@some_examples
@given(pairs)
def test_a_gradient_is_summed_over_what_was_broadcast(shapes: Any) -> None:
    values = [counted(s, 3 + i).astype("f") for i, s in enumerate(shapes.input_shapes)]
    a, b = map(pf.tensor, values)
    (a * b).sum().backward()
    whole = [np.broadcast_to(x, shapes.result_shape) for x in values]
    for x, value, other in ((a, values[0], whole[1]), (b, values[1], whole[0])):
        expected = _summed_to(other, value.shape)
        assert tuple(x.grad.shape) == value.shape
        np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-6)


def _summed_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sum over the dimensions that a value of the shape was broadcast along."""
    x = x.sum(tuple(range(x.ndim - len(shape))))
    stretched = [d for d, n in enumerate(shape) if n == 1]
    return x.sum(tuple(stretched), keepdims=True) if stretched else x


@some_examples
@given(pairs)
def test_expand_is_broadcast_to(shapes: Any) -> None:
    a = counted(shapes.input_shapes[0])
    found = pf.tensor(a).expand(list(shapes.result_shape))
    np.testing.assert_array_equal(
        found.numpy(), np.broadcast_to(a, shapes.result_shape)
    )
