"""What shape ops undo, and what they are in NumPy."""

import math
import os
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

import pyflame as pf

some_examples = settings(max_examples=15, deadline=None, derandomize="CI" in os.environ)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
matrices = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def counted(shape: Any) -> np.ndarray:
    return np.arange(math.prod(shape), dtype=np.int32).reshape(shape)


@st.composite
def with_dims(draw: Any, count: int = 1) -> tuple[Any, ...]:
    """A shape and dims of it, counted from either end."""
    shape = draw(matrices)
    dims = [draw(st.integers(-len(shape), len(shape) - 1)) for _ in range(count)]
    return (shape, *dims)


@some_examples
@given(shapes, st.data())
def test_reshape_keeps_the_order(shape: Any, data: Any) -> None:
    x = counted(shape)
    sizes = list(data.draw(st.permutations(shape)))
    if sizes and x.size:
        sizes[data.draw(st.integers(0, len(sizes) - 1))] = -1
    y = pf.tensor(x).reshape(sizes)
    np.testing.assert_array_equal(y.numpy(), x.reshape(sizes))
    np.testing.assert_array_equal(y.reshape(list(shape)).numpy(), x)


@some_examples
@given(with_dims(2))
def test_transpose_undoes_itself(case: Any) -> None:
    shape, first, second = case
    x = counted(shape)
    y = pf.tensor(x).transpose(first, second)
    np.testing.assert_array_equal(y.numpy(), np.swapaxes(x, first, second))
    np.testing.assert_array_equal(y.transpose(second, first).numpy(), x)


@some_examples
@given(shapes, st.data())
def test_permute_and_its_inverse(shape: Any, data: Any) -> None:
    x = counted(shape)
    order = data.draw(st.permutations(range(len(shape))))
    y = pf.tensor(x).permute(list(order))
    np.testing.assert_array_equal(y.numpy(), x.transpose(order))
    np.testing.assert_array_equal(y.permute(np.argsort(order).tolist()).numpy(), x)


@some_examples
@given(shapes, st.data())
def test_squeeze_undoes_unsqueeze(shape: Any, data: Any) -> None:
    x = counted(shape)
    dim = data.draw(st.integers(-len(shape) - 1, len(shape)))
    y = pf.tensor(x).unsqueeze(dim)
    np.testing.assert_array_equal(y.numpy(), np.expand_dims(x, dim))
    np.testing.assert_array_equal(y.squeeze(dim).numpy(), x)
    np.testing.assert_array_equal(y.squeeze().numpy(), x.squeeze())


@some_examples
@given(with_dims(), st.integers(1, 5))
def test_cat_undoes_split_and_chunk(case: Any, size: int) -> None:
    shape, dim = case
    x = counted(shape)
    parts = pf.split(pf.tensor(x), size, dim)
    assert [p.shape[dim] for p in parts[:-1]] == [size] * (len(parts) - 1)
    assert 1 <= parts[-1].shape[dim] <= size
    np.testing.assert_array_equal(pf.cat(parts, dim).numpy(), x)
    chunks = pf.chunk(pf.tensor(x), size, dim)
    assert len(chunks) <= size
    np.testing.assert_array_equal(pf.cat(chunks, dim).numpy(), x)


@some_examples
@given(with_dims())
def test_stack_undoes_unbind(case: Any) -> None:
    shape, dim = case
    x = counted(shape)
    parts = pf.unbind(pf.tensor(x), dim)
    place = dim % len(shape)
    np.testing.assert_array_equal(pf.stack(parts, place).numpy(), x)
    one = pf.cat([p.unsqueeze(place) for p in parts], place)
    np.testing.assert_array_equal(one.numpy(), x)


@some_examples
@given(with_dims(), st.integers(1, 3), st.integers(0, 3))
def test_cat_is_numpys(case: Any, count: int, other: int) -> None:
    shape, dim = case
    axis = dim % len(shape)
    sizes = [(*shape[:axis], other + i, *shape[axis + 1 :]) for i in range(count)]
    arrays = [counted(size) + 100 * i for i, size in enumerate(sizes)]
    found = pf.cat([pf.tensor(x) for x in arrays], dim)
    np.testing.assert_array_equal(found.numpy(), np.concatenate(arrays, axis))


@some_examples
@given(with_dims(), st.integers(-5, 5))
def test_roll_back_and_flip_twice(case: Any, shift: int) -> None:
    shape, dim = case
    x = counted(shape)
    rolled = pf.roll(pf.tensor(x), shift, dim)
    np.testing.assert_array_equal(rolled.numpy(), np.roll(x, shift, dim))
    np.testing.assert_array_equal(pf.roll(rolled, -shift, dim).numpy(), x)
    flipped = pf.flip(pf.tensor(x), dim)
    np.testing.assert_array_equal(flipped.numpy(), np.flip(x, dim))
    np.testing.assert_array_equal(pf.flip(flipped, dim).numpy(), x)


@some_examples
@given(with_dims(2))
def test_movedim_is_numpys(case: Any) -> None:
    shape, source, target = case
    x = counted(shape)
    found = pf.movedim(pf.tensor(x), source, target)
    np.testing.assert_array_equal(found.numpy(), np.moveaxis(x, source, target))


@some_examples
@given(with_dims(2), st.integers(-2, 2))
def test_no_shape_op_loses_a_gradient(case: Any, shift: int) -> None:
    shape, first, second = case
    x = pf.tensor(counted(shape).astype(np.float32))
    y = pf.roll(x.transpose(first, second).unsqueeze(0).reshape(-1), shift)
    scale = counted(y.shape).astype(np.float32)
    y.backward(pf.tensor(scale))
    undone = np.roll(scale, -shift).reshape(
        np.swapaxes(counted(shape), first, second).shape
    )
    np.testing.assert_array_equal(x.grad.numpy(), np.swapaxes(undone, first, second))
