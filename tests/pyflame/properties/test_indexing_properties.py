"""Indexing by integers, slices, masks and arrays is NumPy's; its gradient counts."""

import os
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

import pyflame as pf

some_examples = settings(max_examples=25, deadline=None, derandomize="CI" in os.environ)
shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def counted(shape: Any) -> np.ndarray:
    return np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)


@st.composite
def basic(draw: Any) -> tuple[Any, Any]:
    shape = draw(shapes)
    index = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    return shape, draw(index)


@st.composite
def by_arrays(draw: Any) -> tuple[Any, Any]:
    shape = draw(shapes)
    result = hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3)
    return shape, draw(hnp.integer_array_indices(shape, result_shape=result))


@some_examples
@given(basic())
def test_basic_indices(case: Any) -> None:
    shape, key = case
    x = counted(shape)
    np.testing.assert_array_equal(pf.tensor(x)[key].numpy(), x[key])


@some_examples
@given(by_arrays())
def test_arrays_of_integers(case: Any) -> None:
    shape, key = case
    x = counted(shape)
    tensors = tuple(pf.tensor(k, dtype=pf.int32) for k in key)
    np.testing.assert_array_equal(pf.tensor(x)[tensors].numpy(), x[key])
    np.testing.assert_array_equal(pf.tensor(x)[key].numpy(), x[key])


@some_examples
@given(shapes, st.data())
def test_masks(shape: Any, data: Any) -> None:
    x = counted(shape)
    rank = data.draw(st.integers(1, len(shape)))
    mask = data.draw(hnp.arrays(np.bool_, shape[:rank]))
    np.testing.assert_array_equal(pf.tensor(x)[pf.tensor(mask)].numpy(), x[mask])


@some_examples
@given(st.one_of(basic(), by_arrays()))
def test_the_gradient_counts_how_often_an_element_is_taken(case: Any) -> None:
    shape, key = case
    x = pf.tensor(counted(shape))
    x[key].sum().backward()
    taken = np.zeros(shape)
    np.add.at(taken, key, 1)
    np.testing.assert_array_equal(x.grad.numpy(), taken)


@some_examples
@given(basic(), st.integers(-3, 3))
def test_assignment(case: Any, value: int) -> None:
    shape, key = case
    x = counted(shape)
    y = pf.tensor(x).clone()
    y[key] = value
    x[key] = value
    np.testing.assert_array_equal(y.numpy(), x)
