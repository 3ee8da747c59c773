"""Activations: PyTorch's values and gradients, at their corners too; inplace."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import pyflame as pf
from pyflame import nn
from pyflame.nn import functional as F

CORNERS = np.array(
    [*np.arange(-7, 7.5, 0.5), 0.1, -0.1, 100, -100, 1e4, -1e4], np.float32
)
MODULES = [
    ("ReLU", {}),
    ("ReLU6", {}),
    # The slopes of GELU far below 0 are what rounding leaves of a difference.
    pytest.param("GELU", {}, marks=pytest.mark.optimized),
    pytest.param("GELU", {"approximate": "tanh"}, marks=pytest.mark.optimized),
    ("SiLU", {}),
    ("Mish", {}),
    ("SELU", {}),
    ("ELU", {}),
    ("ELU", {"alpha": -0.5}),
    ("CELU", {"alpha": 1.5}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": -0.3}),
    ("PReLU", {}),
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -2.0, "max_val": 3.0}),
    ("Hardsigmoid", {}),
    ("Hardswish", {}),
    ("Hardshrink", {}),
    ("Softshrink", {"lambd": 1.0}),
    ("Softplus", {}),
    ("Softplus", {"beta": 2.0, "threshold": 5.0}),
    ("Softsign", {}),
    ("LogSigmoid", {}),
    ("Tanhshrink", {}),
    ("Threshold", {"threshold": 1.0, "value": 7.0}),
    ("Sigmoid", {}),
    ("Tanh", {}),
    ("Softmin", {"dim": 0}),
]
INPLACE = "ReLU ReLU6 SiLU Mish SELU ELU CELU LeakyReLU Hardtanh Hardsigmoid Hardswish"


@pytest.mark.parametrize(("name", "options"), MODULES)
def test_corners_agree_with_torch(
    twin: Any, agree: Any, name: str, options: dict[str, Any]
) -> None:
    agree(*twin(name, **options), CORNERS)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_glu_agrees_with_torch(twin: Any, agree: Any, dim: int) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 2)).astype(np.float32)
    agree(*twin("GLU", dim), x)


@pytest.mark.parametrize("size", [1, 3])
def test_prelu_learns_its_slopes(twin: Any, agree: Any, size: int) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    agree(*twin("PReLU", size, init=0.1), x)


@pytest.mark.optimized  # both ways of writing it are then the same to the last bit
@pytest.mark.parametrize("name", INPLACE.split())
def test_inplace_changes_its_input(name: str) -> None:
    module, plain = getattr(nn, name)(inplace=True), getattr(nn, name)()
    assert "inplace=True" in repr(module)
    assert "inplace" not in repr(plain)
    x = pf.tensor(CORNERS)
    y, expected = x * 2, plain(x * 2).numpy()
    assert module(y) is y
    np.testing.assert_array_equal(y.numpy(), expected)
    y.sum().backward()
    gradient, x.grad = x.grad.numpy(), None
    plain(x * 2).sum().backward()
    np.testing.assert_array_equal(gradient, x.grad.numpy())


def test_inplace_changes_data() -> None:
    x = pf.tensor([-1.0, 2.0])
    nn.ReLU(inplace=True)(x)
    assert x.numpy().tolist() == [0, 2]


def test_inplace_works_in_a_jitted_model() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True))
    x = pf.randn([2, 3])
    compiled = jax.jit(lambda x: model(x))
    np.testing.assert_allclose(compiled(x).numpy(), model(x).numpy(), rtol=1e-6)


def test_threshold_inplace_and_functions_take_inplace() -> None:
    y = pf.tensor([1.0, 2.0, 3.0]) + 0
    assert F.threshold(y, 1.5, 9.0, True) is y
    assert y.numpy().tolist() == [9, 2, 3]
    assert F.relu(y - 5, inplace=True).numpy().tolist() == [4, 0, 0]


@pytest.mark.parametrize("sizes", [(2, 3), [3, -1], (1, 6, -1)])
@pytest.mark.parametrize("dim", [1, -2])
def test_unflatten_agrees_with_torch(
    twin: Any, agree: Any, dim: int, sizes: Any
) -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 6, 2)
    agree(*twin("Unflatten", dim, sizes), x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.GELU("erf"),
            "GELU: approximate='erf' is not known\n"
            "  rule  approximate is 'none' or 'tanh'",
        ),
        (
            lambda: nn.ReLU(inplace=True)(nn.Linear(1, 2).bias),
            "ReLU(inplace=True): relu of float32[2]: it is a leaf that gradients are "
            "kept for\n"
            "  rule  a leaf is changed only under no_grad\n"
            "  help  write `with pf.no_grad():` around it, or x = x + y for a new "
            "tensor",
        ),
        (
            lambda: nn.SiLU(inplace=True)(np.ones(2, np.float32)),
            "SiLU(inplace=True): silu: inplace=True on a value of type ndarray\n"
            "  rule  only a Tensor can stand for another value\n"
            "  help  use inplace=False, or pf.jit, which passes Tensors",
        ),
        (
            lambda: F.hardtanh(pf.ones([3]), 2, 1),
            "hardtanh: min_val=2 is above max_val=1\n"
            "  rule  min_val is at most max_val",
        ),
        (
            lambda: F.celu(pf.ones([3]), 0),
            "celu: alpha=0\n  rule  alpha is not 0: x is divided by it",
        ),
        (
            lambda: nn.Softshrink(-1)(pf.ones([3])),
            "Softshrink(lambd=-1): softshrink: lambd=-1\n  rule  lambd is 0 or more",
        ),
        (
            lambda: nn.GLU()(pf.ones([2, 3])),
            "GLU(dim=-1): glu of float32[2, 3] along dim=-1: 3 elements have no half\n"
            "  rule  the size of the dimension is even",
        ),
        (
            lambda: nn.PReLU(3)(pf.ones([2, 4])),
            "PReLU(num_parameters=3): prelu of float32[2, 4] with weight float32[3]: "
            "the sizes do not fit\n"
            "  rule  weight is [1] or [], or [C] for an input [N, C, ...]",
        ),
        (
            lambda: nn.Unflatten(1, (4, -1))(pf.ones([2, 6])),
            "Unflatten(dim=1, unflattened_size=(4, -1)): unflatten of float32[2, 6] "
            "along dim 1 to [4, -1]: 6 elements do not fit\n"
            "  rule  the sizes multiply to that of the dimension; at most one is -1",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("dtype", [pf.float16, pf.bfloat16])
@pytest.mark.parametrize(
    "function",
    [
        F.sigmoid,
        F.gelu,
        F.elu,
        F.celu,
        F.selu,
        F.softsign,
        lambda x: F.avg_pool2d(x, 4),
    ],
)
def test_halves_are_computed_in_float32_and_rounded_once(
    function: Any, dtype: pf.DType
) -> None:
    start = np.linspace(-9, 4, 128).reshape(2, 8, 8)
    half = pf.tensor(start, dtype=dtype)
    single = pf.tensor(half.to(pf.float32).numpy())
    found, expected = function(half), function(single)
    found.sum().backward()
    expected.sum().backward()
    for ours, wide in ((found, expected), (half.grad, single.grad)):
        assert ours.dtype is dtype
        same = ours.to(pf.float32).numpy(), wide.to(dtype).to(pf.float32).numpy()
        np.testing.assert_array_equal(*same)
