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
