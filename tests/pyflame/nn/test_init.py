"""Initial values: distributions (Kolmogorov-Smirnov), structure, PyTorch's defaults."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import pyflame as pf
from pyflame import nn
from pyflame.nn import init

SHAPE = [120, 100]  # fan_out, fan_in
BOUND = math.sqrt(6 / 220)
UNIFORM = stats.uniform
DISTRIBUTIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "uniform": (lambda t: init.uniform_(t, -1, 3), UNIFORM(-1, 4)),
    "normal": (lambda t: init.normal_(t, 2, 0.5), stats.norm(2, 0.5)),
    "trunc_normal": (
        lambda t: init.trunc_normal_(t, 0.5, 1.0, -1, 1),
        stats.truncnorm(-1.5, 0.5, 0.5, 1.0),
    ),
    "trunc_normal_far": (
        lambda t: init.trunc_normal_(t, 0.0, 0.02, -2, 2),
        stats.norm(0, 0.02),
    ),
    "xavier_uniform": (
        lambda t: init.xavier_uniform_(t, 0.5),
        UNIFORM(-BOUND / 2, BOUND),
    ),
    "xavier_normal": (
        lambda t: init.xavier_normal_(t, 3.0),
        stats.norm(0, 3 * math.sqrt(2 / 220)),
    ),
    "kaiming_uniform": (
        lambda t: init.kaiming_uniform_(t, math.sqrt(5)),
        UNIFORM(-0.1, 0.2),
    ),
    "kaiming_normal": (
        lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
        stats.norm(0, math.sqrt(2 / 120)),
    ),
    "embedding": (lambda t: nn.Embedding(120, 100).weight, stats.norm(0, 1)),
    "linear": (lambda t: nn.Linear(100, 120).weight, UNIFORM(-0.1, 0.2)),
    "linear_bias": (lambda t: nn.Linear(4, 9000).bias, UNIFORM(-0.5, 1)),
    "conv": (
        lambda t: nn.Conv2d(8, 64, 5, groups=2).weight,
        UNIFORM(-0.1, 0.2),
    ),
    "attention": (
        lambda t: nn.MultiheadAttention(60, 2).in_proj_weight,
        UNIFORM(-math.sqrt(6 / 240), 2 * math.sqrt(6 / 240)),
    ),
    "attention_bias_k": (
        lambda t: nn.MultiheadAttention(2000, 1, add_bias_kv=True).bias_k,
        stats.norm(0, math.sqrt(2 / 4000)),
    ),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions(name: str) -> None:
    pf.manual_seed(11)
    fill, expected = DISTRIBUTIONS[name]
    values = fill(pf.zeros(SHAPE)).numpy().ravel().astype(np.float64)
    assert stats.kstest(values, expected.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.05


@pytest.mark.parametrize("shape", [[30, 20], [20, 30], [6, 3, 2, 2], [5, 5]])
def test_orthogonal(shape: list[int]) -> None:
    tensor = pf.zeros(shape)
    assert init.orthogonal_(tensor, gain=2.0) is tensor
    matrix = tensor.numpy().reshape(shape[0], -1) / 2
    small = matrix @ matrix.T if shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-5)


def test_orthogonal_matrices_prefer_no_sign() -> None:
    pf.manual_seed(2)
    corners = [init.orthogonal_(pf.zeros([2, 2]))[0, 0].item() for _ in range(40)]
    assert 8 < sum(corner > 0 for corner in corners) < 32


@pytest.mark.parametrize(
    ("shape", "groups"), [((4, 3, 3), 1), ((6, 2, 3, 2), 3), ((4, 4, 1, 2, 3), 2)]
)
def test_dirac_is_that_of_torch(torch: Any, shape: Any, groups: int) -> None:
    theirs = torch.nn.init.dirac_(torch.ones(shape), groups)
    mine = init.dirac_(pf.ones(list(shape)), groups)
    np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_eye_and_sparse() -> None:
    np.testing.assert_array_equal(init.eye_(pf.ones([2, 3])).numpy(), np.eye(2, 3))
    pf.manual_seed(0)
    values = init.sparse_(pf.ones([101, 40]), 0.2, std=2.0).numpy()
    assert ((values == 0).sum(0) == 21).all()
    assert values[values != 0].std() == pytest.approx(2, rel=0.05)
    assert len({tuple(column == 0) for column in values.T}) > 30


def test_gains_are_those_of_torch(torch: Any) -> None:
    for name in ("linear", "conv3d", "conv_transpose2d", "sigmoid", "tanh", "relu"):
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert init.calculate_gain("selu") == torch.nn.init.calculate_gain("selu")
    for slope in (None, 0, 0.3):
        theirs = torch.nn.init.calculate_gain("leaky_relu", slope)
        assert init.calculate_gain("leaky_relu", slope) == theirs


def test_constants_of_layers_are_those_of_torch(torch: Any) -> None:
    for name, args in (
        ("BatchNorm2d", (3,)),
        ("LayerNorm", (4,)),
        ("GroupNorm", (2, 4)),
        ("PReLU", (3, 0.5)),
    ):
        theirs = getattr(torch.nn, name)(*args).state_dict()
        mine = getattr(nn, name)(*args).state_dict()
        assert list(mine) == list(theirs)
        for key, value in theirs.items():
            np.testing.assert_array_equal(mine[key].numpy(), value.numpy())
    attention = nn.MultiheadAttention(4, 2)
    for bias in (attention.in_proj_bias, attention.out_proj.bias):
        assert not bias.numpy().any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: init.orthogonal_(pf.zeros([3])),
            "orthogonal_ of float32[3]: 1 dimensions\n"
            "  rule  the tensor has 2 or more dimensions",
        ),
        (
            lambda: init.eye_(pf.zeros([3, 1, 1])),
            "eye_ of float32[3, 1, 1]: 3 dimensions\n"
            "  rule  the tensor has 2 dimensions",
        ),
        (
            lambda: init.dirac_(pf.zeros([3, 3])),
            "dirac_ of float32[3, 3]: 2 dimensions\n"
            "  rule  the tensor has 3 to 5 dimensions",
        ),
        (
            lambda: init.dirac_(pf.zeros([3, 3, 1]), 2),
            "dirac_: 3 outputs in groups=2 do not divide\n"
            "  rule  the first size is a multiple of groups",
        ),
        (
            lambda: init.sparse_(pf.zeros([3, 3]), 2),
            "sparse_: sparsity=2 is no share\n  rule  sparsity is from 0 to 1",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message
