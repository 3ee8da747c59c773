"""What the sweep found, each on its own: PyTorch's meaning in corners."""

from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame.nn import functional as F


@pytest.mark.parametrize("dim", [0, -1, (0,)])
@pytest.mark.parametrize("reduce", [pf.sum, pf.mean, pf.max, pf.min])
def test_a_scalar_takes_its_only_dim(reduce: Any, dim: Any) -> None:
    y = reduce(pf.tensor(3.0), dim, keepdim=True)
    assert (y.shape, y.item()) == ([], 3)


def test_softmax_of_a_scalar() -> None:
    x = pf.tensor(3.0)
    assert pf.softmax(x, 0).item() == 1
    assert pf.log_softmax(x, -1).item() == 0


def test_a_scalar_is_transposed_and_squeezed() -> None:
    x = pf.tensor(3.0)
    assert x.transpose(0, -1).item() == 3
    assert x.squeeze(0).item() == 3


def test_a_scalar_has_no_other_dim() -> None:
    with pytest.raises(pf.ShapeError) as error:
        pf.tensor(3.0).sum(1)
    assert str(error.value) == (
        "sum of float32[]: dim=1 is out of range\n"
        "  rule  dim is at least -1 and at most 0"
    )


def test_an_empty_vector_adds_nothing_to_cat() -> None:
    y = pf.cat([pf.zeros([0]), pf.ones([2, 3]), pf.zeros([0])], dim=1)
    assert y.shape == [2, 3]
    assert pf.cat([pf.zeros([0]), pf.zeros([0])]).shape == [0]


def test_powers_of_integers_wrap_and_round_to_zero() -> None:
    base = pf.tensor([0, 1, -1, -1, 2, 3], dtype=pf.int32)
    power = pf.tensor([-1, -5, -2, -3, -1, 21], dtype=pf.int32)
    wrapped = np.array(3**21 % 2**32, np.uint32).view(np.int32)
    assert (base**power).numpy().tolist() == [0, 1, 1, -1, 0, int(wrapped)]


def test_group_norm_of_an_empty_batch() -> None:
    assert F.group_norm(pf.zeros([0, 4, 3]), 2).shape == [0, 4, 3]


def test_halves_are_normalized_in_single_precision() -> None:
    x = np.linspace(-3, 3, 7).astype(np.float16)
    wide = pf.log_softmax(pf.tensor(x, dtype=pf.float32))
    half = pf.log_softmax(pf.tensor(x, dtype=pf.float16))
    assert half.dtype is pf.float16
    assert (half.numpy() == wide.numpy().astype(np.float16)).all()


def test_reductions_in_a_dtype() -> None:
    x = pf.tensor([[100, 100], [1, 2]], dtype=pf.int8)
    assert x.sum(1, dtype=pf.float32).numpy().tolist() == [200, 3]
    assert pf.prod(x, 1, dtype=pf.int16).numpy().tolist() == [10000, 2]
    assert pf.cumsum(x, 1, dtype=pf.int8).numpy().tolist() == [[100, -56], [1, 3]]
    assert pf.softmax(x[1], 0, dtype=pf.float16).dtype is pf.float16


def test_variance_with_pytorchs_older_arguments() -> None:
    x = pf.tensor([[1.0, 3.0], [2.0, 6.0]])
    assert pf.var(x, False).item() == 3.5
    assert pf.var(x, 1, unbiased=False).numpy().tolist() == [1, 4]
    assert pf.std(x, 1, False, True).shape == [2, 1]
    assert pf.var(x, 1, correction=None).numpy().tolist() == [2, 8]


def test_repeat_interleave_with_a_count_for_each() -> None:
    x = pf.tensor([[1, 2], [3, 4]])
    counts = pf.tensor([2, 1], dtype=pf.int32)
    assert pf.repeat_interleave(x, counts, 1).numpy().tolist() == [
        [1, 1, 2],
        [3, 3, 4],
    ]
    with pytest.raises(pf.ArgumentError) as error:
        pf.repeat_interleave(x, counts, 1, output_size=4)
    assert str(error.value) == (
        "repeat_interleave: output_size=4, and the repeats add up to 3\n"
        "  rule  output_size is the sum of the repeats, or None"
    )
    with pytest.raises(pf.ArgumentError) as error:
        pf.repeat_interleave(x, [1, 2, 3], 0)
    assert str(error.value) == (
        "repeat_interleave of float32[2, 2] along dim 0: repeats=[1, 2, 3]\n"
        "  rule  repeats are one integer of 0 or more, or 2 of them"
    )


def test_erfinv_is_as_near_as_single_precision_allows() -> None:
    special = pytest.importorskip("scipy.special")
    x = np.float32(1) - np.logspace(-7, -0.1, 1000).astype(np.float32)
    found = pf.erfinv(pf.tensor(np.concatenate([x, -x]))).numpy()
    exact = special.erfinv(np.concatenate([x, -x]).astype(np.float64))
    assert np.abs(found / exact - 1).max() < 4e-7
    edges = pf.erfinv(pf.tensor([-1.0, 0.0, 1.0, 2.0])).numpy()
    assert edges[:3].tolist() == [-np.inf, 0, np.inf]
    assert np.isnan(edges[3])


def test_logit_between_bounds() -> None:
    x = pf.tensor([0.0, 0.5, 1.0])
    y = pf.logit(x, 0.25)
    y.sum().backward()
    np.testing.assert_allclose(y.numpy(), [-np.log(3), 0, np.log(3)], rtol=1e-6)
    assert x.grad.numpy().tolist() == [0, 4, 0]


def test_scalars_are_indexed_by_their_only_dim() -> None:
    x, at = pf.tensor(3.0), pf.tensor([0], dtype=pf.int32)
    assert pf.index_select(x, 0, at).item() == 3
    assert pf.index_add(x, 0, at, pf.tensor([2.0]), alpha=5).item() == 13
    assert pf.scatter(x, 0, at[0], 7).item() == 7
    assert pf.argmax(x, 0).item() == 0
    assert pf.masked_select(x, x > 0).numpy().tolist() == [3]
    with pytest.raises(pf.ShapeError) as error:
        pf.index_select(x, 0, pf.tensor([0, 0], dtype=pf.int32))
    assert str(error.value).splitlines()[:2] == [
        "index_select of float32[] by int32[2]: the index is no vector",
        "  rule  one index selects of a scalar",
    ]


def test_nonzero_as_indices() -> None:
    x = pf.tensor([[0, 2], [3, 0]])
    assert x[pf.nonzero(x, as_tuple=True)].numpy().tolist() == [2, 3]


def test_booleans_are_scattered_by_or() -> None:
    x, at = pf.zeros([3], dtype=pf.bool_), pf.tensor([0, 0, 2], dtype=pf.int32)
    source = pf.tensor([True, False, False])
    assert pf.scatter_add(x, 0, at, source).numpy().tolist() == [True, False, False]


def test_take_along_dim_counts_from_the_back_too() -> None:
    x = pf.tensor([[1, 2, 3]])
    at = pf.tensor([[-1, 0]], dtype=pf.int32)
    assert pf.take_along_dim(x, at, 1).numpy().tolist() == [[3, 1]]


def test_ranges_of_integers_truncate_their_bounds_first() -> None:
    down = pf.arange(2.1, -2.9, -1.0, dtype=pf.int32)
    assert down.numpy().tolist() == [2, 1, 0, -1, -2]
    assert pf.linspace(4.3, 7.9, 4, dtype=pf.int32).numpy().tolist() == [4, 5, 6, 7]


def test_an_empty_tuple_of_dims_is_all_of_them() -> None:
    x = pf.tensor([[1.0, 2.0], [0.0, 4.0]])
    for reduce in (pf.sum, pf.mean, pf.amax, pf.amin, pf.var, pf.std, pf.logsumexp):
        assert reduce(x, ()).numpy() == reduce(x).numpy()
        assert reduce(x, (), keepdim=True).shape == [1, 1]
    assert pf.norm(x, 2, ()).numpy() == pf.norm(x).numpy()
    assert pf.count_nonzero(x, ()).item() == 3
    for each in (pf.any, pf.all):
        assert each(x, ()).numpy().tolist() == [[True, True], [False, True]]


def test_the_sign_of_nan_is_0() -> None:
    x = pf.tensor([np.nan, -np.inf, -0.0, 3.0])
    assert pf.sign(x).numpy().tolist() == [0, -1, 0, 1]


def test_a_value_may_have_more_dimensions_of_one_than_its_place() -> None:
    x = pf.zeros([2, 3])
    x[:, 1:] = pf.ones([1, 1, 2, 2])
    x[[0, 1], 0] = pf.tensor([[7.0, 8.0]])
    assert x.numpy().tolist() == [[7, 1, 1], [8, 1, 1]]


def test_gradients_in_the_origin() -> None:
    x, y = pf.tensor([0.0, -0.0, 2.0]), pf.tensor([0.0, -0.0, 0.0])
    for op, values, of_x, of_y in [
        (pf.pow, [1, 1, 1], [0, 0, 0], [0, 0, np.log(2)]),
        (pf.atan2, [0, -np.pi, np.pi / 2], [0, 0, 0], [0, 0, -0.5]),
    ]:
        a, b = x.detach().clone(), y.detach().clone()
        for leaf in (a, b):
            leaf.requires_grad = True
        result = op(a, b)
        result.sum().backward()
        found = [t.numpy() for t in (result, a.grad, b.grad)]
        np.testing.assert_allclose(found, [values, of_x, of_y], rtol=1e-6)


def test_products_at_indices_have_gradients() -> None:
    x, weight = pf.tensor([1.0, 0.0, 5.0]), pf.tensor([1.0, 10.0, 100.0])
    source, at = pf.tensor([2.0, 3.0, 4.0, 0.0, 7.0, 6.0]), [0, 0, 1, 2, 2, 1]
    y = pf.scatter(x, 0, pf.tensor(at, dtype=pf.int32), source, reduce="multiply")
    (y * weight).sum().backward()
    assert y.numpy().tolist() == [6, 0, 0]
    assert x.grad.numpy().tolist() == [6, 240, 0]
    assert source.grad.numpy().tolist() == [3, 2, 0, 3500, 0, 0]
