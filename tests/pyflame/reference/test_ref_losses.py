"""Loss functions, their reduction modes, and the functional interface."""

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn
from pyflame.nn import functional as F

PREDICTED = np.array([[0.5, -1.0], [2.0, 4.0]], np.float32)
TARGET = np.array([[1.0, -1.0], [0.0, 1.0]], np.float32)
LOGITS = np.array([[2.0, 0.5, -1.0], [0.0, 0.0, 3.0]], np.float32)
CLASSES = np.array([0, 2], np.int32)
LOG_P = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))


def _item(loss: pf.Tensor) -> float:
    assert loss.shape == []
    return loss.item()


def _pair() -> tuple[pf.Tensor, pf.Tensor]:
    return pf.tensor(PREDICTED), pf.tensor(TARGET)


def test_reduction_modes() -> None:
    squares = (PREDICTED - TARGET) ** 2
    for mode, text in ((nn.Reduction.NONE, "none"), (nn.Reduction.MEAN, "mean"),
                       (nn.Reduction.SUM, "sum")):  # fmt: skip
        by_mode = nn.MSELoss(reduction=mode)(*_pair()).numpy()
        by_text = nn.MSELoss(reduction=text)(*_pair()).numpy()
        np.testing.assert_array_equal(by_mode, by_text)
        expected = {"none": squares, "mean": squares.mean(), "sum": squares.sum()}
        np.testing.assert_allclose(by_mode, expected[text], rtol=1e-6)


def test_mse_loss(documented) -> None:
    documented(nn.MSELoss, reduction="mean")
    expected = ((PREDICTED - TARGET) ** 2).mean()
    assert _item(nn.MSELoss()(*_pair())) == pytest.approx(expected)


def test_l1_loss(documented) -> None:
    documented(nn.L1Loss, reduction="mean")
    expected = abs(PREDICTED - TARGET).mean()
    assert _item(nn.L1Loss()(*_pair())) == pytest.approx(expected)


def test_smooth_l1_loss(documented) -> None:
    documented(nn.SmoothL1Loss, reduction="mean", beta=1.0)
    d = abs(PREDICTED - TARGET)
    for beta in (1.0, 2.5):
        expected = np.where(d < beta, d * d / (2 * beta), d - beta / 2).mean()
        loss = nn.SmoothL1Loss(beta=beta)(*_pair())
        assert _item(loss) == pytest.approx(expected)


def test_cross_entropy_loss(documented) -> None:
    documented(
        nn.CrossEntropyLoss, reduction="mean", ignore_index=-100, label_smoothing=0.0
    )
    logits, classes = pf.tensor(LOGITS), pf.tensor(CLASSES)
    picked = -LOG_P[[0, 1], CLASSES]
    loss = nn.CrossEntropyLoss()(logits, classes)
    assert _item(loss) == pytest.approx(picked.mean(), rel=1e-5)
    ignoring = nn.CrossEntropyLoss(ignore_index=2)(logits, classes)
    assert _item(ignoring) == pytest.approx(picked[0], rel=1e-5)


def test_cross_entropy_loss_with_label_smoothing() -> None:
    smooth = 0.9 * -LOG_P[[0, 1], CLASSES] + 0.1 * -LOG_P.mean(1)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    found = loss(pf.tensor(LOGITS), pf.tensor(CLASSES))
    assert _item(found) == pytest.approx(smooth.mean(), rel=1e-5)


PROBABILITIES = np.array([0.9, 0.2, 0.6], np.float32)
BINARY = np.array([1.0, 0.0, 0.0], np.float32)
ENTROPY = -(BINARY * np.log(PROBABILITIES) + (1 - BINARY) * np.log(1 - PROBABILITIES))
BINARY_LOGITS = np.log(PROBABILITIES / (1 - PROBABILITIES))


def test_bce_loss(documented) -> None:
    documented(nn.BCELoss, reduction="mean")
    probabilities = pf.sigmoid(pf.tensor(BINARY_LOGITS))
    loss = nn.BCELoss()(probabilities, pf.tensor(BINARY))
    assert _item(loss) == pytest.approx(ENTROPY.mean(), rel=1e-5)


def test_bce_with_logits_loss(documented) -> None:
    documented(nn.BCEWithLogitsLoss, reduction="mean")
    loss = nn.BCEWithLogitsLoss()(pf.tensor(BINARY_LOGITS), pf.tensor(BINARY))
    assert _item(loss) == pytest.approx(ENTROPY.mean(), rel=1e-5)
    far = nn.BCEWithLogitsLoss()(pf.tensor([500.0]), pf.tensor([0.0]))
    assert _item(far) == 500.0


def test_nll_loss(documented) -> None:
    documented(nn.NLLLoss, reduction="mean", ignore_index=-100)
    log_probabilities = pf.log_softmax(pf.tensor(LOGITS), dim=1)
    loss = nn.NLLLoss()(log_probabilities, pf.tensor(CLASSES))
    assert _item(loss) == pytest.approx(-LOG_P[[0, 1], CLASSES].mean(), rel=1e-5)


def test_kl_div_loss(documented) -> None:
    documented(nn.KLDivLoss, reduction="mean", log_target=False)
    q = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], np.float32)
    expected = (q * (np.log(q) - LOG_P)).mean()
    loss = nn.KLDivLoss()(pf.tensor(LOG_P), pf.tensor(q))
    assert _item(loss) == pytest.approx(expected, rel=1e-5)
    as_logs = nn.KLDivLoss(log_target=True)(pf.tensor(LOG_P), pf.tensor(np.log(q)))
    assert _item(as_logs) == pytest.approx(expected, rel=1e-5)


def test_functional_interface() -> None:
    pred, target = _pair()
    assert F.mse_loss(pred, target).item() == nn.MSELoss()(pred, target).item()
    assert F.l1_loss(pred, target).item() == nn.L1Loss()(pred, target).item()
    logits, classes = pf.tensor(LOGITS), pf.tensor(CLASSES)
    expected = nn.CrossEntropyLoss()(logits, classes).item()
    assert F.cross_entropy(logits, classes).item() == expected
    probabilities, binary = pf.tensor(PROBABILITIES), pf.tensor(BINARY)
    expected = nn.BCELoss()(probabilities, binary).item()
    assert F.bce_loss(probabilities, binary).item() == expected
    raw = pf.tensor(BINARY_LOGITS)
    expected = nn.BCEWithLogitsLoss()(raw, binary).item()
    assert F.bce_with_logits(raw, binary).item() == expected
