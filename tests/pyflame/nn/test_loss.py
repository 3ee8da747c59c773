"""Losses: known answers, PyTorch's values and gradients, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame.nn import functional as F

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 5)).astype(np.float32)
Y = RNG.normal(size=(4, 5)).astype(np.float32)
P = RNG.uniform(0.05, 0.95, size=(4, 5)).astype(np.float32)
Q = RNG.uniform(0, 1, size=(4, 5)).astype(np.float32)
CLASSES = np.array([1, 0, -100, 4], np.int64)
LOG_P = np.log(P / P.sum(1, keepdims=True))
DISTRIBUTION = Q / Q.sum(1, keepdims=True)
IMAGES = RNG.normal(size=(2, 5, 3, 2)).astype(np.float32)
PIXELS = RNG.integers(0, 5, size=(2, 3, 2))
MASKED = np.where([False, False, True, True, False], -np.inf, X).astype(np.float32)
REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("name", "options", "input", "target"),
    [
        ("MSELoss", {}, X, Y),
        ("L1Loss", {}, X, Y),
        ("SmoothL1Loss", {}, X, Y),
        ("SmoothL1Loss", {"beta": 0.3}, X, Y),
        ("SmoothL1Loss", {"beta": 0.0}, X, Y),
        ("BCELoss", {}, P, Q),
        ("BCEWithLogitsLoss", {}, 5 * X, Q),
        ("KLDivLoss", {}, LOG_P, DISTRIBUTION),
        ("KLDivLoss", {"log_target": True}, LOG_P, np.log(DISTRIBUTION)),
        ("CrossEntropyLoss", {}, X, CLASSES),
        ("CrossEntropyLoss", {}, MASKED, CLASSES),
        ("CrossEntropyLoss", {"ignore_index": 4}, X, abs(CLASSES) % 5),
        ("CrossEntropyLoss", {"label_smoothing": 0.1}, X, CLASSES),
        ("CrossEntropyLoss", {"label_smoothing": 1.0}, X, CLASSES),
        ("CrossEntropyLoss", {}, X, DISTRIBUTION),
        ("CrossEntropyLoss", {"label_smoothing": 0.2}, X, DISTRIBUTION),
        ("CrossEntropyLoss", {"label_smoothing": 0.2}, IMAGES, PIXELS),
        ("CrossEntropyLoss", {}, X[0], np.int64(3)),
        ("CrossEntropyLoss", {}, X[0], DISTRIBUTION[0]),
        ("NLLLoss", {}, LOG_P, CLASSES),
        ("NLLLoss", {"ignore_index": 1}, LOG_P, abs(CLASSES) % 5),
        ("NLLLoss", {}, IMAGES, PIXELS),
        ("NLLLoss", {}, X[0], np.int64(3)),
    ],
)
def test_losses_agree_with_torch(
    torch: Any,
    agree: Any,
    name: str,
    options: dict[str, Any],
    reduction: str,
    input: Any,
    target: Any,
) -> None:
    agree(
        getattr(pf.nn, name)(reduction=reduction, **options),
        getattr(torch.nn, name)(reduction=reduction, **options),
        input,
        target,
    )


W5 = np.array([0.5, 2.0, 0.0, 1.0, 3.0], np.float32)
WEIGHTED = [
    ("CrossEntropyLoss", {"weight": W5}, X, CLASSES),
    ("CrossEntropyLoss", {"weight": W5, "label_smoothing": 0.3}, X, CLASSES),
    ("CrossEntropyLoss", {"weight": W5, "label_smoothing": 0.3}, X, DISTRIBUTION),
    ("CrossEntropyLoss", {"weight": W5, "ignore_index": 4}, IMAGES, PIXELS),
    ("CrossEntropyLoss", {"weight": W5}, X[0], np.int64(3)),
    ("NLLLoss", {"weight": W5, "ignore_index": 0}, IMAGES, PIXELS),
    ("NLLLoss", {"weight": W5}, X[0], np.int64(1)),
    ("BCELoss", {"weight": W5}, P, Q),
    ("BCELoss", {"weight": P}, P, Q),
    ("BCEWithLogitsLoss", {"weight": W5}, 5 * X, Q),
    ("BCEWithLogitsLoss", {"pos_weight": W5}, 5 * X, Q),
    ("BCEWithLogitsLoss", {"pos_weight": W5[:1]}, 50 * X, Q),
    ("BCEWithLogitsLoss", {"pos_weight": W5, "weight": P[:, :1]}, X, Q),
    ("HuberLoss", {"delta": 0.4}, X, Y),
]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "options", "input", "target"), WEIGHTED)
def test_weighted_losses_agree_with_torch(
    torch: Any,
    agree: Any,
    name: str,
    options: dict[str, Any],
    reduction: str,
    input: Any,
    target: Any,
) -> None:
    arrays = {k: v for k, v in options.items() if isinstance(v, np.ndarray)}
    there = options | {k: torch.tensor(v) for k, v in arrays.items()}
    mine = getattr(pf.nn, name)(reduction=reduction, **options)
    theirs = getattr(torch.nn, name)(reduction=reduction, **there)
    agree(mine, theirs, input, target)
    assert list(mine.state_dict()) == list(theirs.state_dict())


def test_every_target_ignored_is_nan_as_in_torch(torch: Any) -> None:
    x, none = X[:2], np.array([-100, -100])
    for name in ("cross_entropy", "nll_loss"):
        assert math.isnan(getattr(F, name)(x, none).item())
        assert math.isnan(
            getattr(torch.nn.functional, name)(torch.tensor(x), torch.tensor(none))
        )


def test_batchmean_is_the_kl_divergence_itself(torch: Any, agree: Any) -> None:
    mine = pf.nn.KLDivLoss(reduction="batchmean")
    theirs = torch.nn.KLDivLoss(reduction="batchmean")
    agree(mine, theirs, LOG_P, DISTRIBUTION)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_certain_probabilities_agree_with_torch(
    torch: Any, agree: Any, value: float, target: float
) -> None:
    one = np.array([value], np.float32), np.array([target], np.float32)
    input, other = pf.tensor(one[0]), torch.tensor(one[0], requires_grad=True)
    pf.autograd.backward(F.bce_loss(input, pf.tensor(one[1])))
    torch.nn.functional.binary_cross_entropy(other, torch.tensor(one[1])).backward()
    np.testing.assert_allclose(input.grad.numpy(), other.grad.numpy(), rtol=1e-5)


def test_known_answers() -> None:
    a, b = pf.tensor([1.0, 2.0, 6.0]), pf.tensor([1.0, 4.0, 2.0])
    assert F.mse_loss(a, b).item() == pytest.approx(20 / 3)
    assert F.mse_loss(a, b, "sum").item() == 20
    assert F.l1_loss(a, b, pf.nn.Reduction.NONE).numpy().tolist() == [0, 2, 4]
    assert F.smooth_l1_loss(a, b, "none", 4.0).numpy().tolist() == [0, 0.5, 2]
    half = pf.tensor([0.5])
    assert F.bce_loss(half, pf.tensor([1.0])).item() == pytest.approx(math.log(2))
    logits = pf.tensor([[0.0, 0.0]])
    assert F.cross_entropy(logits, pf.tensor(np.array([1]))).item() == pytest.approx(
        math.log(2)
    )
    huge = F.bce_with_logits(pf.tensor([-1e4, 1e4]), pf.tensor([0.0, 1.0]))
    assert huge.item() == 0
    certain = F.bce_loss(pf.tensor([0.0]), pf.tensor([1.0]))
    assert certain.item() == 100


def test_a_class_out_of_range_gives_nan_and_an_ignored_one_nothing() -> None:
    losses = F.nll_loss(pf.ones([3, 2]), pf.tensor(np.array([0, 2, -100])), "none")
    np.testing.assert_array_equal(losses.numpy(), [-1, np.nan, 0])
    assert math.isnan(F.cross_entropy(pf.ones([1, 2]), np.array([-1])).item())


def test_broadcasting_losses_warn_as_torch_does() -> None:
    with pytest.warns(UserWarning, match="differ in shape and broadcast"):
        loss = F.mse_loss(pf.ones([3, 1]), pf.zeros([3]))
    assert loss.item() == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: pf.nn.CrossEntropyLoss(pf.ones([3])),
            "CrossEntropyLoss: a reduction of type Tensor\n"
            "  rule  a reduction is one of 'none', 'mean', 'sum'\n"
            "  help  weights go by name, where a loss has them: weight=...",
        ),
        (
            lambda: F.cross_entropy(X, CLASSES, weight=pf.ones([4])),
            "cross_entropy of float32[4, 5] with weight float32[4]: there are 5 "
            "classes\n"
            "  rule  weight is [C], one for each class",
        ),
        (
            lambda: F.cross_entropy(X, DISTRIBUTION, ignore_index=2),
            "cross_entropy of float32[4, 5] and target float32[4, 5] with "
            "ignore_index=2: probabilities name no class to ignore\n"
            "  rule  ignore_index goes with classes\n"
            "  help  give the ignored rows the target 0 everywhere",
        ),
        (
            lambda: F.bce_with_logits(X, Q, pos_weight=pf.ones([4])),
            "bce_with_logits of float32[4, 5] with pos_weight float32[4]: the shapes "
            "do not fit\n"
            "  rule  pos_weight broadcasts to the shape of the input",
        ),
        (
            lambda: F.bce_loss(P, Q, weight=pf.ones([2, 4, 5])),
            "bce_loss of float32[4, 5] with weight float32[2, 4, 5]: the shapes do not "
            "fit\n"
            "  rule  weight broadcasts to the shape of the input",
        ),
        (
            lambda: F.huber_loss(X, Y, delta=0),
            "huber_loss: delta=0\n  rule  delta is above 0",
        ),
        (
            lambda: pf.nn.MSELoss("avg"),
            "MSELoss: 'avg' is no reduction\n"
            "  rule  a reduction is one of 'none', 'mean', 'sum'",
        ),
        (
            lambda: pf.nn.BCELoss()(pf.ones([3]), pf.ones([3, 1])),
            "BCELoss(reduction='mean'): bce_loss of float32[3] and target "
            "float32[3, 1]: the shapes differ\n"
            "  rule  input and target have the same shape",
        ),
        (
            lambda: F.cross_entropy(pf.ones([3, 2]), np.array([0, 1])),
            "cross_entropy of float32[3, 2] and target int32[2]: the shapes do not "
            "match\n"
            "  rule  [N, C, ...] goes with classes [N, ...], and [C] with one class []",
        ),
        (
            lambda: F.nll_loss(pf.ones([3, 2]), pf.ones([3])),
            "nll_loss of float32[3, 2] and target float32[3]: classes are integers\n"
            "  help  convert first: target.to(pf.int32)",
        ),
        (
            lambda: F.smooth_l1_loss(pf.ones([1]), pf.ones([1]), beta=-1),
            "smooth_l1_loss: beta=-1 is negative\n  rule  beta is 0 or more",
        ),
        (
            lambda: F.cross_entropy(pf.ones([1, 2]), np.array([0]), label_smoothing=2),
            "cross_entropy: label_smoothing=2 is out of range\n"
            "  rule  label_smoothing is from 0 to 1",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message
