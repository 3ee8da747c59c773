"""What indexing does beyond the comparison with PyTorch: what is known, and traces."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame import staging


def _x() -> pf.Tensor:
    return pf.arange(12).reshape(3, 4)


def _pending(*indices: float) -> Any:
    return (pf.tensor(list(indices)) + 0).int()


def test_an_index_to_be_computed_gives_nan_out_of_range() -> None:
    assert np.isnan(_x()[_pending(1, 3)].numpy()).tolist() == [[False] * 4, [True] * 4]
    assert _x().int()[_pending(3)].tolist() == [[-(2**31)] * 4]
    assert (_x() < 0)[_pending(-4)].tolist() == [[True] * 4]
    assert np.isnan(_x().index_select(0, _pending(-1)).numpy()).all()
    assert np.isnan(_x().gather(0, _pending(5).reshape(1, 1)).item())


def test_a_known_index_is_checked() -> None:
    known = _pending(0, 3).eval()
    with pytest.raises(pf.ShapeError) as error:
        _x()[known]
    assert str(error.value) == (
        "index of float32[3, 4] by [int32[2]]: 3 is out of range\n"
        "  rule  dimension 0 has size 3"
    )
    with pytest.raises(pf.ShapeError) as error:
        _x().index_select(1, [0, -1])
    assert str(error.value) == (
        "index_select of float32[3, 4] by int32[2]: -1 is out of range\n"
        "  rule  dimension 1 has size 4, and indices count from the front"
    )


def test_one_and_true_are_not_the_same() -> None:
    x = _x()
    assert x[1].shape == [4]
    for wrong in (True, 1.0):
        with pytest.raises(pf.ShapeError, match="is no index"):
            x[wrong]
    assert x.sum(1).shape == [3]
    for wrong in (True, 1.0):
        with pytest.raises(pf.ShapeError, match="is no integer"):
            x.sum(wrong)


def test_numpy_integers_and_bounds() -> None:
    x = _x()
    assert x[np.int64(1)].tolist() == [4, 5, 6, 7]
    assert x[np.int8(0) : np.int16(1), 1].tolist() == [1]
    assert x[: pf.tensor(2.0).int()].shape == [2, 4]
    assert x.sum(np.int32(1)).shape == [3]
    assert x.reshape(np.int64(4), -1).shape == [4, 3]


@pytest.mark.parametrize(
    "index", [jnp.array([2, 0]), np.array([2, 0]), [2, 0], (2, 0), range(2, -1, -2)]
)
def test_kinds_of_index_arrays(index: Any) -> None:
    rows = _x()[list(index)] if isinstance(index, range) else _x()[[*index]]
    assert rows.tolist() == [[8, 9, 10, 11], [0, 1, 2, 3]]
    if not isinstance(index, (tuple, range)):
        assert _x()[index].tolist() == rows.tolist()


def test_inside_jit() -> None:
    def f(x: Any, i: Any) -> Any:
        return x[i], x[:, i[0]], x[[0, 1], 1:], x.gather(0, i[None].expand(1, 2))

    x, i = _x(), pf.tensor(np.array([2, 1]))
    for mine, traced in zip(f(x, i), jax.jit(f)(x, i), strict=True):
        assert mine.tolist() == traced.tolist()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda x: x[x > 0],
            "index by the mask bool[3, 4] inside a JAX transformation\n"
            "  rule  the shape of the result depends on values that are not known "
            "there\n"
            "  help  use pf.where(mask, x, 0) or x.masked_fill(~mask, 0)",
        ),
        (
            lambda x: x.masked_select(x > 0),
            "masked_select by the mask bool[3, 4] inside a JAX transformation\n"
            "  rule  the shape of the result depends on values that are not known "
            "there\n"
            "  help  use pf.where(mask, x, 0) or x.masked_fill(~mask, 0)",
        ),
    ],
)
def test_masks_inside_jit_are_refused(use: Any, message: str) -> None:
    with pytest.raises(pf.ArgumentError) as error:
        jax.jit(use)(_x())
    assert str(error.value) == message


def test_a_known_mask_works_inside_jit() -> None:
    picked = jax.jit(lambda x: x[np.array([True, False, True])])(_x())
    assert picked.tolist() == [[0, 1, 2, 3], [8, 9, 10, 11]]


def test_gradients_of_repeated_indices_add_up() -> None:
    x = pf.tensor(_x().numpy())
    x[[0, 0, 2]].sum().backward()
    assert x.grad.tolist() == [[2] * 4, [0] * 4, [1] * 4]


@pytest.mark.parametrize("dtype", list(pf.DType))
def test_every_dtype(dtype: pf.DType) -> None:
    x = pf.tensor([[0.0, 1.0], [1.0, 0.0]]).to(dtype)
    for y in (
        x[0],
        x[[1, 0]][1],
        x[x == x][:2],
        x.gather(0, [[0, 0]])[0],
        x.sort()[0][0],
    ):
        assert y.dtype is dtype
        assert [float(v) for v in y.tolist()] == [0, 1]
    x[0] = 1
    x[[1]] = x[[0]]
    assert [float(v) for v in x.reshape(-1).tolist()] == [1, 1, 1, 1]


def test_places_of_data_are_no_part_of_the_program() -> None:
    data, total = pf.tensor(np.arange(60, dtype=np.float32).reshape(20, 3)), 0.0
    for i in range(5):
        batch, row = data[4 * i : 4 * i + 4], data[-i - 1]
        total += (batch.sum() + row.mean()).item()
        if i == 0:
            before = staging.counts.traces
    assert total == sum(range(60)) + sum(3 * k + 1 for k in range(15, 20))
    assert staging.counts.traces == before


@pytest.mark.parametrize(
    "key",
    [
        (1,),
        (-1, slice(1, 3)),
        (slice(1, 2), None, 0),
        (Ellipsis, slice(-2, None)),
        (slice(5, 9),),
        (slice(2, 1), 3),
        (None, Ellipsis, 1, None),
        (slice(None, None, -2), slice(0, 2)),
        (slice(None), slice(None)),
    ],
)
def test_moving_keys_as_in_numpy(key: Any) -> None:
    x = pf.tensor(np.arange(12, dtype=np.float32).reshape(3, 4))
    np.testing.assert_array_equal(x[key].numpy(), x.numpy()[key])
    np.testing.assert_array_equal((x + 0)[key].numpy(), x.numpy()[key])
    x[key].sum().backward()
    expected = np.zeros((3, 4))
    expected[key] = 1
    np.testing.assert_array_equal(x.grad.numpy(), expected)


def test_static_places_where_the_program_is_looked_at() -> None:
    x = pf.tensor(np.arange(12, dtype=np.float32).reshape(3, 4))
    text = str(pf.get_graph(x[1, 1:3] * 2).jaxpr)
    assert "dynamic_slice" not in text
    assert "slice[" in text
