"""Reductions over any dims of any shape are NumPy's, of empty arrays as well.

An empty tuple of dims is PyTorch's: torch_sweep/test_corners.py.
"""

import os
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

import pyflame as pf

some_examples = settings(max_examples=20, deadline=None, derandomize="CI" in os.environ)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


@st.composite
def reductions(draw: Any) -> tuple[tuple[int, ...], Any, bool]:
    """A shape; None, a dim or several of it, from either end; and keepdim."""
    shape = draw(shapes)
    dim = draw(st.none() | _dims(len(shape)))
    return shape, dim, draw(st.booleans())


def _dims(rank: int) -> st.SearchStrategy[Any]:
    if not rank:
        return st.none()
    one = st.integers(-rank, rank - 1)
    several = st.lists(one, min_size=1, unique_by=lambda d: d % rank)
    return one | several.map(tuple)


def counted(shape: tuple[int, ...]) -> np.ndarray:
    return (np.arange(np.prod(shape, dtype=int)) * 5 % 7 - 2).reshape(shape)


@some_examples
@given(reductions(), st.sampled_from(["sum", "prod", "any", "all"]))
def test_reductions_of_integers(case: Any, name: str) -> None:
    shape, dim, keepdim = case
    x = counted(shape).astype(np.int32)
    found = getattr(pf, name)(pf.tensor(x), dim, keepdim)
    expected = getattr(np, name)(x, axis=dim, keepdims=keepdim)
    assert tuple(found.shape) == np.shape(expected)
    np.testing.assert_array_equal(found.numpy(), expected)


@some_examples
@given(reductions(), st.sampled_from(["max", "min"]))
def test_extremes_of_nothing_are_refused(case: Any, name: str) -> None:
    shape, dim, keepdim = case
    x = counted(shape).astype(np.float32)
    axes = range(len(shape)) if dim is None else np.atleast_1d(dim)
    if any(shape[axis] == 0 for axis in axes):
        with pytest.raises(pf.ShapeError, match="there are no elements"):
            getattr(pf, name)(pf.tensor(x), dim, keepdim)
    else:
        found = getattr(pf, name)(pf.tensor(x), dim, keepdim)
        expected = getattr(np, name)(x, axis=dim, keepdims=keepdim)
        np.testing.assert_array_equal(found.numpy(), expected)


@some_examples
@given(reductions())
def test_a_mean_is_the_sum_over_the_count(case: Any) -> None:
    shape, dim, keepdim = case
    x = pf.tensor(counted(shape).astype(np.float32))
    axes = range(len(shape)) if dim is None else np.atleast_1d(dim)
    count = np.prod([shape[int(axis)] for axis in axes], dtype=int)
    mean, total = x.mean(dim, keepdim).numpy(), x.sum(dim, keepdim).numpy()
    if count:
        np.testing.assert_allclose(mean, total / count, rtol=1e-6)
    else:
        assert np.isnan(mean).all()


@some_examples
@given(reductions())
def test_the_gradient_of_a_sum_is_one_everywhere(case: Any) -> None:
    shape, dim, keepdim = case
    x = pf.tensor(counted(shape).astype(np.float32))
    y = x.sum(dim, keepdim)
    y.backward(pf.ones(y.shape))
    np.testing.assert_array_equal(x.grad.numpy(), np.ones(shape))


@settings(some_examples, max_examples=100)
@given(shapes, st.lists(st.integers(-5, 4), min_size=1, max_size=3).map(tuple))
def test_dims_out_of_range_or_twice_are_refused(shape: Any, dim: Any) -> None:
    rank = max(len(shape), 1)
    inside = all(-rank <= d < rank for d in dim)
    if inside and len({d % rank for d in dim}) == len(dim):
        assert pf.zeros(list(shape)).sum(dim).ndim == max(len(shape) - len(dim), 0)
    else:
        with pytest.raises(
            pf.ShapeError, match=r"out of range|names a dimension twice"
        ):
            pf.zeros(list(shape)).sum(dim)
