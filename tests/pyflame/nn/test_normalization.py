"""Normalization and dropout: PyTorch's values, gradients, statistics; refusals."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import pyflame as pf
from pyflame import nn, staging
from pyflame.nn import functional as F

RNG = np.random.default_rng(6)
IMAGES = RNG.normal(2, 3, size=(4, 6, 3, 2)).astype(np.float32)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.mark.parametrize(
    ("name", "input", "options"),
    [
        ("BatchNorm2d", IMAGES, {}),
        ("BatchNorm2d", IMAGES, {"momentum": None, "eps": 0.1}),
        ("BatchNorm2d", IMAGES, {"affine": False, "momentum": 0.7}),
        ("BatchNorm2d", IMAGES, {"track_running_stats": False}),
        ("BatchNorm1d", IMAGES[..., 0], {}),
        ("BatchNorm1d", IMAGES[..., 0, 0], {}),
    ],
)
def test_batch_norm_agrees_with_torch(
    twin: Any, agree: Any, name: str, input: Any, options: Any
) -> None:
    mine, theirs = twin(name, 6, **options)
    agree(mine, theirs, input, **CLOSE)
    mine.zero_grad()
    theirs.zero_grad()
    agree(mine, theirs, 2 * input + 1, **CLOSE)
    expected = theirs.state_dict()
    for key, value in mine.state_dict().items():
        np.testing.assert_allclose(value.numpy(), expected[key], rtol=1e-5, atol=1e-6)
    mine.zero_grad()
    theirs.zero_grad()
    agree(mine.eval(), theirs.eval(), input, **CLOSE)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("LayerNorm", ([3, 2],), {}),
        ("LayerNorm", (2,), {"eps": 0.1}),
        ("LayerNorm", ((6, 3, 2),), {"elementwise_affine": False}),
        ("GroupNorm", (2, 6), {}),
        ("GroupNorm", (6, 6), {"eps": 0.1}),
        ("GroupNorm", (1, 6), {"affine": False}),
    ],
)
def test_layer_and_group_norm_agree_with_torch(
    twin: Any, agree: Any, name: str, args: Any, options: Any
) -> None:
    agree(*twin(name, *args, **options), IMAGES, **CLOSE)


def test_batch_norm_by_hand() -> None:
    bn = nn.BatchNorm1d(1, eps=0.0)
    y = bn(pf.tensor([[1.0], [3.0]]))
    assert y.numpy().tolist() == [[-1], [1]]
    assert bn.running_mean.numpy().tolist() == pytest.approx([0.2])
    assert bn.running_var.numpy().tolist() == pytest.approx([0.9 + 0.1 * 2])
    assert bn.num_batches_tracked.item() == 1
    bn.eval()
    assert bn(pf.tensor([[0.2]])).numpy() == pytest.approx(0)


def test_statistics_are_assigned_and_not_computed() -> None:
    bn = nn.BatchNorm2d(6)
    mean, before = bn.running_mean, staging.counts.evaluations
    bn(pf.tensor(IMAGES))
    assert bn.running_mean is mean
    assert not mean.is_evaluated()
    assert staging.counts.evaluations == before
    np.testing.assert_allclose(mean.numpy(), 0.1 * IMAGES.mean((0, 2, 3)), rtol=1e-5)


def test_statistics_get_no_gradient() -> None:
    bn = nn.BatchNorm2d(6)
    bn(pf.tensor(IMAGES)).sum().backward()
    bn.eval()
    bn(pf.tensor(IMAGES)).sum().backward()
    for buffer in (bn.running_mean, bn.running_var):
        assert buffer.grad is None or not buffer.grad.numpy().any()


def test_layer_norm_by_hand() -> None:
    y = F.layer_norm(pf.tensor([[1.0, 3.0], [5.0, 5.0]]), 2, eps=0.0625)
    expected = 1 / np.sqrt(1.0625)
    np.testing.assert_allclose(y.numpy(), [[-expected, expected], [0, 0]], rtol=1e-6)


def test_halves_are_normalized_in_float32() -> None:
    x = pf.tensor(300 + IMAGES).to(pf.float16)
    y = nn.GroupNorm(2, 6).to(pf.float16)(x)
    assert y.dtype == pf.float16
    assert abs(y.numpy().astype(np.float32).std() - 1) < 0.05


# dropout


def test_dropout_keeps_the_expectation() -> None:
    pf.manual_seed(3)
    x = pf.ones([100, 100])
    y = nn.Dropout(0.2)(x).numpy()
    assert set(np.unique(y)) == {0, np.float32(1.25)}
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert nn.Dropout(0.2).eval()(x) is x


def test_masks_differ_from_call_to_call_and_repeat_with_the_seed() -> None:
    drop, x = nn.Dropout(), pf.ones([64])
    pf.manual_seed(3)
    a, b = drop(x).numpy(), drop(x).numpy()
    assert (a != b).any()
    pf.manual_seed(3)
    np.testing.assert_array_equal(drop(x).numpy(), a)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_the_gradient_of_dropout_has_its_mask(p: float) -> None:
    x = pf.tensor(np.ones(50, np.float32))
    y = F.dropout(x, p)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())
    assert (p < 1) == y.numpy().any()


def test_dropout2d_drops_whole_channels() -> None:
    y = nn.Dropout2d(0.5)(pf.ones([8, 8, 3, 3])).numpy()
    per_channel = y.reshape(64, 9)
    assert (per_channel == per_channel[:, :1]).all()
    assert 0 < (per_channel[:, 0] == 0).sum() < 64


def test_inplace_changes_its_input_and_keeps_the_gradient() -> None:
    x = pf.ones([50])
    y = x * 3
    z = nn.Dropout(0.5, inplace=True)(y)
    assert z is y
    assert set(np.unique(y.numpy())) <= {0, 6}
    z.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), z.numpy())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.BatchNorm2d(3)(pf.ones([2, 4, 1, 1])),
            "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, "
            "track_running_stats=True): the input has shape [2, 4, 1, 1]\n"
            "  rule  the input is [N, C, H, W] with C = 3",
        ),
        (
            lambda: F.batch_norm(pf.ones([1, 3]), None, None, training=True),
            "batch_norm of [1, 3]: 1 value per channel has no variance\n"
            "  rule  training needs more than one value per channel\n"
            "  help  use a larger batch, or call eval() first",
        ),
        (
            lambda: jax.jit(nn.BatchNorm1d(3))(pf.ones([2, 3])),
            "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, "
            "track_running_stats=True): batch_norm: running statistics cannot move "
            "inside jax.jit, grad or vmap\n"
            "  rule  a tensor outside of a trace cannot take a value from inside\n"
            "  help  call model.eval(), pass track_running_stats=False, or pass the "
            "buffers in with pf.nn.functional_call(..., mutable=True)",
        ),
        (
            lambda: nn.LayerNorm([4])(pf.ones([2, 3])),
            "LayerNorm((4,), eps=1e-05, elementwise_affine=True): layer_norm of "
            "float32[2, 3] over [4]: the last sizes differ\n"
            "  rule  the input ends with the sizes of normalized_shape",
        ),
        (
            lambda: nn.GroupNorm(4, 6),
            "GroupNorm: num_channels=6 in num_groups=4 does not divide\n"
            "  rule  num_channels is a multiple of num_groups",
        ),
        (
            lambda: nn.Dropout(1.5),
            "Dropout: p=1.5 is no probability\n  rule  p is from 0 to 1",
        ),
        (
            lambda: nn.Dropout(0.5, inplace=True)(nn.Linear(1, 3).bias),
            "Dropout(p=0.5, inplace=True): dropout of float32[3]: it is a leaf that "
            "gradients are kept for\n"
            "  rule  a leaf is changed only under no_grad\n"
            "  help  write `with pf.no_grad():` around it, or x = x + y for a new "
            "tensor",
        ),
        (
            lambda: nn.Dropout2d()(pf.ones([3])),
            "Dropout2d(p=0.5, inplace=False): dropout2d of [3]: 1 dimensions\n"
            "  rule  the input is [N, C, H, W] or [N, C, L]",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message
