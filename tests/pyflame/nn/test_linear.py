"""Linear, Embedding, Flatten, activations, and initial values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn

X = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("input", [X, X[0], X[0, 0]])
def test_linear_agrees_with_torch(
    twin: Any, agree: Any, bias: bool, input: Any
) -> None:
    agree(*twin("Linear", 4, 5, bias=bias), input)


@pytest.mark.parametrize("padding_idx", [None, 1, -1])
def test_embedding_agrees_with_torch(
    twin: Any, agree: Any, padding_idx: int | None
) -> None:
    index = np.array([[0, 1, 1], [4, 3, 0]])
    agree(*twin("Embedding", 5, 2, padding_idx=padding_idx), index)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ReLU", {}),
        ("GELU", {}),
        ("Sigmoid", {}),
        ("Tanh", {}),
        ("SiLU", {}),
        ("Softmax", {"dim": 1}),
        ("LogSoftmax", {"dim": 0}),
        ("Identity", {}),
        ("Flatten", {}),
        ("Flatten", {"start_dim": 0, "end_dim": 1}),
    ],
)
def test_activations_agree_with_torch(
    twin: Any, agree: Any, name: str, options: dict[str, Any]
) -> None:
    agree(*twin(name, **options), X)


def test_linear_by_hand() -> None:
    layer = nn.Linear(2, 2)
    layer.load_state_dict({"weight": np.array([[1, 2], [3, 4]]), "bias": [10, 20]})
    assert layer(pf.tensor([[1.0, 1.0]])).numpy().tolist() == [[13, 27]]


def test_embedding_by_hand() -> None:
    layer = nn.Embedding(3, 2, padding_idx=-1)
    assert layer.padding_idx == 2
    assert layer.weight.numpy()[2].tolist() == [0, 0]
    rows = layer(np.array([2, 0, 3, -1])).numpy()
    np.testing.assert_array_equal(rows[:2], layer.weight.numpy()[[2, 0]])
    assert np.isnan(rows[2:]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.Linear(0, 3),
            "Linear: in_features=0 is no size\n"
            "  rule  in_features is an integer of 1 or more",
        ),
        (
            lambda: nn.Embedding(3, 2)(pf.ones([2])),
            "Embedding(3, 2): embedding by float32[2]: indices are integers\n"
            "  help  convert first: x.to(pf.int32)",
        ),
        (
            lambda: nn.Embedding(3, 2, 3),
            "Embedding: padding_idx=3 is out of range\n"
            "  rule  padding_idx is at least -3 and at most 2",
        ),
        (
            lambda: nn.Flatten(2, 1)(pf.ones([1, 2, 3])),
            "Flatten(start_dim=2, end_dim=1): flatten of float32[1, 2, 3]: "
            "start_dim=2 comes after end_dim=1\n"
            "  rule  dimensions are joined from start_dim to end_dim",
        ),
        (
            lambda: nn.init.kaiming_uniform_(pf.zeros([3])),
            "kaiming_uniform_ of float32[3]: fans are not defined\n"
            "  rule  a weight has at least two dimensions, none of them 0",
        ),
        (
            lambda: nn.init.kaiming_normal_(pf.zeros([3, 3]), mode="fan"),
            "kaiming_normal_: mode='fan' is not known\n"
            "  rule  mode is fan_in or fan_out",
        ),
        (
            lambda: nn.init.calculate_gain("gelu"),
            "calculate_gain: 'gelu' is no known nonlinearity\n"
            "  rule  one of leaky_relu, linear, conv1d, conv2d, conv3d, "
            "conv_transpose1d, conv_transpose2d, conv_transpose3d, sigmoid, tanh, "
            "relu, selu",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message


# initial values


def test_layers_start_uniform_within_the_bound_of_torch() -> None:
    pf.manual_seed(5)
    layer = nn.Linear(400, 300)
    for values in (layer.weight.numpy(), layer.bias.numpy()):
        assert abs(values).max() <= 1 / 20
        assert abs(values).max() > 0.99 / 20
        assert values.std() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize(
    ("name", "options", "std"),
    [
        ("uniform_", {"a": -1.0, "b": 2.0}, 3 / math.sqrt(12)),
        ("normal_", {"mean": 1.0, "std": 0.5}, 0.5),
        ("xavier_uniform_", {"gain": 2.0}, 2 * math.sqrt(2 / 500)),
        ("xavier_normal_", {}, math.sqrt(2 / 500)),
        ("kaiming_uniform_", {}, math.sqrt(2 / 200)),
        ("kaiming_uniform_", {"a": 1.0, "mode": "fan_out"}, math.sqrt(1 / 300)),
        ("kaiming_normal_", {"nonlinearity": "relu"}, math.sqrt(2 / 200)),
        ("kaiming_normal_", {"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(200)),
        ("trunc_normal_", {}, 0.87962),
        ("trunc_normal_", {"mean": 1.0, "std": 9.0, "a": 0.5, "b": 1.5}, 0.2884),
    ],
)
def test_distributions(name: str, options: dict[str, Any], std: float) -> None:
    pf.manual_seed(1)
    tensor = pf.zeros([300, 200])
    assert getattr(nn.init, name)(tensor, **options) is tensor
    values = tensor.numpy()
    middle = options.get("mean", (options.get("b", 0) - 1) / 2 if "b" in options else 0)
    assert values.std() == pytest.approx(std, rel=0.02)
    assert values.mean() == pytest.approx(middle, abs=0.02 * std + 0.003)


def test_distributions_have_the_deviations_of_torch(torch: Any) -> None:
    torch.manual_seed(0)
    for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_"):
        theirs = getattr(torch.nn.init, name)(torch.zeros(40, 30, 5, 5))
        mine = getattr(nn.init, name)(pf.zeros([40, 30, 5, 5]))
        assert mine.numpy().std() == pytest.approx(theirs.std().item(), rel=0.02)
        assert abs(mine.numpy()).max() == pytest.approx(
            theirs.abs().max().item(), rel=0.02 if "uniform" in name else 0.5
        )


def test_constants() -> None:
    tensor = pf.zeros([2])
    assert nn.init.ones_(tensor).numpy().tolist() == [1, 1]
    assert nn.init.constant_(tensor, 0.5).numpy().tolist() == [0.5, 0.5]
    assert nn.init.zeros_(tensor).numpy().tolist() == [0, 0]
