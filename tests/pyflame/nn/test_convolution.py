"""Convolution and pooling: PyTorch's values and gradients, known answers, refusals."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame import nn
from pyflame.nn import functional as F
from pyflame.ops import orders

RNG = np.random.default_rng(2)
IMAGES = RNG.normal(size=(2, 4, 9, 8)).astype(np.float32)
LINES = RNG.normal(size=(2, 4, 11)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("Conv2d", (4, 6, 3), {}),
        ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 2)}),
        ("Conv2d", (4, 6, 3), {"padding": 2, "dilation": (2, 3), "bias": False}),
        ("Conv2d", (4, 6, 3), {"groups": 2, "stride": 2}),
        ("Conv2d", (4, 8, 1), {"groups": 4}),
        ("Conv2d", (4, 2, (3, 4)), {"padding": "same", "dilation": (1, 2)}),
        ("Conv2d", (4, 2, 3), {"padding": "valid", "stride": 3}),
        ("Conv1d", (4, 6, 3), {}),
        ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 3, "dilation": 2, "groups": 2}),
        ("Conv1d", (4, 3, (4,)), {"padding": "same", "bias": False}),
    ],
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("batched", [True, False])
def test_convolutions_agree_with_torch(
    twin: Any, agree: Any, name: str, args: Any, options: Any, batched: bool
) -> None:
    input = IMAGES if name == "Conv2d" else LINES
    mine, theirs = twin(name, *args, **options)
    agree(mine, theirs, input if batched else input[0], rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("channels", [1, 8, 9, 12])
def test_few_and_many_channels_agree_with_torch(
    twin: Any, agree: Any, channels: int
) -> None:
    images = RNG.normal(size=(3, channels, 9, 11)).astype(np.float32)
    for options in (
        {},
        {"stride": (2, 3), "padding": (2, 1)},
        {"dilation": (2, 1), "stride": (1, 2)},
        {"stride": 4, "padding": 3, "bias": False},
    ):
        mine, theirs = twin("Conv2d", channels, 5, (3, 4), **options)
        agree(mine, theirs, images, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("channels", [5, 40])
def test_convolution_and_tiles_agree_with_torch(
    torch: Any, agree: Any, monkeypatch: pytest.MonkeyPatch, channels: int
) -> None:
    """Of whole numbers, so that many of a tile are equal: the first one counts."""
    if channels == 40:  # in the order of large images
        monkeypatch.setattr(orders, "MAX_TURNED_ELEMENTS", 0)
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(2, channels, (3, 2), padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d((2, 3)),
    )
    for parameter in theirs.parameters():
        parameter.data = (parameter.data * 4).round()
    layers = nn.Conv2d(2, channels, (3, 2), padding=1), nn.ReLU(), nn.MaxPool2d((2, 3))
    mine = nn.Sequential(*layers)
    mine.load_state_dict(theirs.state_dict())
    images = RNG.integers(-2, 3, size=(4, 2, 9, 11)).astype(np.float32)
    agree(mine, theirs, images)
    agree(mine[2], theirs[2], np.repeat(images, channels // 2, 1)[0])
    images[:, :, 2:4, 3:5] = np.nan  # the last one of a tile wins
    agree(mine[2], theirs[2], np.repeat(images, channels // 2, 1))


def test_convolution_of_few_channels_has_all_derivatives() -> None:
    x = jax.random.normal(jax.random.key(0), (2, 2, 5, 4))
    weight = jax.random.normal(jax.random.key(1), (3, 2, 3, 2))

    def convolved(x: Any, weight: Any) -> Any:
        return jnp.asarray(F.conv2d(x, weight, padding=1))

    def by_jax(x: Any, weight: Any) -> Any:
        return jax.lax.conv_general_dilated(x, weight, (1, 1), [(1, 1)] * 2)

    def derivatives(f: Any) -> Any:
        def loss(a: Any, b: Any) -> Any:
            return jnp.sin(f(a * x, b * weight)).sum()

        tangent = jax.jvp(f, (x, weight), (jnp.cos(x), jnp.cos(weight)))
        gradients = [jax.grad(loss, which)(x, weight) for which in (0, 1, (0, 1))]
        return tangent, gradients, jax.hessian(loss, (0, 1))(1.0, 1.0)

    of_each = jax.vmap(lambda x, weight: convolved(x[None], weight)[0], (0, None))

    def close(a: Any, b: Any) -> None:
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)

    expected = jax.jit(lambda: derivatives(by_jax))()
    jax.tree.map(close, jax.jit(lambda: derivatives(convolved))(), expected)
    jax.tree.map(close, jax.jit(lambda: derivatives(jax.jit(of_each)))(), expected)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("Conv2d", (4, 2, 3), {"padding": (1, 3), "stride": (1, 2)}),
        ("Conv2d", (4, 2, (2, 4)), {"padding": "same", "bias": False}),
        ("Conv1d", (4, 2, 3), {"padding": 4, "dilation": 2, "groups": 2}),
    ],
)
def test_padding_modes_agree_with_torch(
    twin: Any, agree: Any, name: str, args: Any, options: Any, mode: str
) -> None:
    input = IMAGES if name == "Conv2d" else LINES
    mine, theirs = twin(name, *args, **options, padding_mode=mode)
    agree(mine, theirs, input, rtol=1e-4, atol=2e-5)
    assert f"padding_mode='{mode}'" in repr(mine)


def test_pools_with_indices_and_divisors_agree_with_torch(torch: Any) -> None:
    ties = np.round(IMAGES)  # many equal values: the first one counts
    for options in (
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": (2, 3), "dilation": (2, 1), "ceil_mode": True},
    ):
        mine = F.max_pool2d(pf.tensor(ties), **options, return_indices=True)
        theirs = torch.nn.functional.max_pool2d(
            torch.tensor(ties), **options, return_indices=True
        )
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert mine[1].dtype is pf.int32
    least = np.full((1, 1, 4, 4), -np.inf, np.float32)  # as small as the padding
    _, places = F.max_pool2d(pf.tensor(least), 2, padding=1, return_indices=True)
    assert places.numpy().ravel().tolist() == [0, 1, 3, 4, 5, 7, 12, 13, 15]
    by = F.avg_pool2d(pf.tensor(IMAGES), 2, padding=1, divisor_override=3)
    other = torch.nn.functional.avg_pool2d(
        torch.tensor(IMAGES), 2, padding=1, divisor_override=3
    )
    np.testing.assert_allclose(by.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("MaxPool2d", (2,), {}),
        ("MaxPool2d", ((3, 2),), {"stride": (2, 3), "padding": (1, 1)}),
        ("MaxPool2d", (3,), {"stride": 2, "ceil_mode": True}),
        ("MaxPool2d", (2,), {"stride": 3, "padding": 1, "ceil_mode": True}),
        ("MaxPool2d", (2,), {"dilation": (2, 3), "stride": 1, "padding": 1}),
        ("MaxPool2d", (3,), {"dilation": 2, "stride": 3, "ceil_mode": True}),
        ("AvgPool2d", (2,), {}),
        ("AvgPool2d", ((3, 2),), {"stride": (2, 3), "padding": 1}),
        ("AvgPool2d", (3,), {"padding": 1, "count_include_pad": False}),
        ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
        ("AvgPool2d", (2,), {"stride": 3, "padding": 1, "ceil_mode": True}),
        (
            "AvgPool2d",
            (4,),
            {"padding": 2, "ceil_mode": True, "count_include_pad": False},
        ),
        ("AdaptiveAvgPool2d", ((1, 1),), {}),
        ("AdaptiveAvgPool2d", ((3, 4),), {}),
        ("AdaptiveAvgPool2d", ((4, 5),), {}),
        ("AdaptiveAvgPool2d", (11,), {}),
        ("AdaptiveAvgPool2d", ((None, 3),), {}),
    ],
)
@pytest.mark.parametrize("batched", [True, False])
def test_pools_agree_with_torch(
    twin: Any, agree: Any, name: str, args: Any, options: Any, batched: bool
) -> None:
    agree(*twin(name, *args, **options), IMAGES if batched else IMAGES[0])


@pytest.mark.parametrize("dilation", [1, 2])
def test_of_equal_values_the_first_gets_the_gradient(
    twin: Any, agree: Any, dilation: int
) -> None:
    ties = np.ones((1, 1, 6, 6), np.float32)
    agree(*twin("MaxPool2d", 2, dilation=dilation, stride=1), ties)


def test_known_answers() -> None:
    x = pf.tensor(np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4))
    assert F.max_pool2d(x, 2).numpy().ravel().tolist() == [5, 7, 13, 15]
    assert F.avg_pool2d(x, 2).numpy().ravel().tolist() == [2.5, 4.5, 10.5, 12.5]
    padded = F.avg_pool2d(x, 2, padding=1)
    assert padded.numpy()[0, 0, 0].tolist() == [0, 0.75, 0.75]
    assert nn.GlobalAvgPool2d()(x).numpy().tolist() == [[[[7.5]]]]
    ones = F.conv2d(x, pf.ones([1, 1, 3, 3]), padding=1)
    assert ones.numpy()[0, 0, 0].tolist() == [10, 18, 24, 18]
    line = F.conv1d(pf.tensor([[1.0, 2.0, 3.0]]), pf.tensor([[[1.0, -1.0]]]))
    assert line.numpy().tolist() == [[-1, -1]]
    whole = F.max_pool2d(x.to(pf.int32), 2, padding=1)
    assert whole.dtype == pf.int32
    assert whole.numpy().ravel().tolist() == [0, 2, 3, 8, 10, 11, 12, 14, 15]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.Conv1d(1, 1, 3, padding_mode="mirror"),
            "Conv1d: padding_mode='mirror' is not known\n"
            "  rule  padding_mode is one of 'zeros', 'reflect', 'replicate', "
            "'circular'",
        ),
        (
            lambda: nn.Conv1d(1, 1, 3, padding=4, padding_mode="reflect")(
                pf.ones([1, 1, 4])
            ),
            "Conv1d(1, 1, kernel_size=(3,), stride=(1,), padding=4, dilation=(1,), "
            "groups=1, bias=True, padding_mode='reflect'): conv1d of float32[1, 1, 4]: "
            "4 elements of padding_mode='reflect' beside 4\n"
            "  rule  reflected padding is smaller than the input, circular padding not "
            "larger",
        ),
        (
            lambda: nn.AvgPool2d(2, divisor_override=0),
            "AvgPool2d: divisor_override=0 is no size\n"
            "  rule  divisor_override is an integer of 1 or more",
        ),
        (
            lambda: nn.Conv2d(3, 8, 3)(pf.ones([1, 4, 9, 9])),
            "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=0, "
            "dilation=(1, 1), groups=1, bias=True): conv2d of float32[1, 4, 9, 9] and "
            "weight float32[8, 3, 3, 3] in 1 groups: 4 channels instead of 3\n"
            "  rule  the input is [N, C, H, W] with C = groups times the second size "
            "of the weight",
        ),
        (
            lambda: F.conv2d(pf.ones([3, 9]), pf.ones([8, 3, 3, 3])),
            "conv2d of float32[3, 9]: 2 dimensions\n"
            "  rule  the input is [N, C, H, W], or without N",
        ),
        (
            lambda: F.conv1d(pf.ones([1, 1, 4]), pf.ones([1, 1, 3]), dilation=2),
            "conv1d of float32[1, 1, 4]: the kernel reaches over [5], the padded input "
            "has [4]\n"
            "  rule  the kernel with its dilation fits into the padded input",
        ),
        (
            lambda: nn.Conv1d(4, 6, 3, groups=4),
            "Conv1d: out_channels=6 in groups=4 does not divide\n"
            "  rule  out_channels is a multiple of groups",
        ),
        (
            lambda: nn.Conv2d(4, 6, (3, 3, 3)),
            "Conv2d: kernel_size=(3, 3, 3) is not understood\n"
            "  rule  kernel_size is one integer of 1 or more, or 2 of them",
        ),
        (
            lambda: nn.Conv2d(4, 6, 3, stride=2, padding="same"),
            "Conv2d: padding='same' with stride 2\n"
            "  rule  the size stays the same only with stride 1",
        ),
        (
            lambda: nn.Conv1d(4, 6, 3, padding="full"),
            "Conv1d: padding='full' is not understood\n"
            "  rule  one integer of 0 or more",
        ),
        (
            lambda: nn.MaxPool2d(2, padding=2),
            "MaxPool2d: padding=2 with kernel_size=2\n"
            "  rule  padding is at most half the kernel size",
        ),
        (
            lambda: nn.AvgPool2d(3)(pf.ones([1, 1, 2, 2])),
            "AvgPool2d(kernel_size=(3, 3), stride=(3, 3), padding=(0, 0), "
            "ceil_mode=False, count_include_pad=True): avg_pool2d of "
            "float32[1, 1, 2, 2]: a window of [3, 3] with dilation [1, 1] does not "
            "fit\n"
            "  rule  a window is not larger than the padded input",
        ),
        (
            lambda: nn.GlobalAvgPool2d()(pf.ones([2, 2])),
            "GlobalAvgPool2d(): adaptive_avg_pool2d of float32[2, 2]: 2 dimensions\n"
            "  rule  the input is [N, C, H, W] or [C, H, W]",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message
