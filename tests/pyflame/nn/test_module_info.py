"""Every module beside PyTorch's, over the sample inputs of PyTorch's own tests.

Values, gradients of inputs and parameters, and buffers after the call, in training and
in inference; no sample is left out. Those of a module are computed in one evaluation,
because compiling is what takes the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pyflame as pf

torch = pytest.importorskip("torch")
common_modules = pytest.importorskip("torch.testing._internal.common_modules")

INFOS = {info.module_cls.__name__: info for info in common_modules.module_db}
OURS = {
    name: cls
    for name, cls in vars(pf.nn).items()
    if isinstance(cls, type) and issubclass(cls, pf.nn.Module)
}
BOTH = sorted(OURS.keys() & INFOS.keys())

# Modules that PyTorch's table has no samples of, and where they are tested.
WITHOUT_SAMPLES = {
    "CrossAttention": "not PyTorch's: test_attention",
    "Dropout": "random: test_normalization",
    "Dropout2d": "random: test_normalization",
    "Flatten": "test_linear",
    "GlobalAvgPool2d": "not PyTorch's: test_convolution",
    "Hardsigmoid": "test_activation",
    "Identity": "test_linear",
    "Module": "base class: test_module",
    "ModuleDict": "test_module",
    "ModuleList": "test_module",
    "ParameterList": "test_module",
    "SelfAttention": "not PyTorch's: test_attention",
    "Sequential": "test_module",
    "Unflatten": "test_activation",
}

# What we return on request only, PyTorch always.
FORWARD = {"MultiheadAttention": {"need_weights": True}}
RTOL, ATOL = 1e-4, 1e-5
# The scores of these samples go up to a hundred, and are rounded in another order.
LARGE_ATOL = {"MultiheadAttention": 5e-5}


def _as_ours(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return pf.tensor(value.detach().numpy())
    return value


def _pairs(mine: Any, theirs: Any, what: str) -> Iterator[tuple[Any, Any, str]]:
    """Our tensors with PyTorch's, output by output."""
    if isinstance(theirs, tuple):
        assert isinstance(mine, tuple), what
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            yield from _pairs(a, b, f"{what} {i}")
    else:
        yield mine, theirs, what


def _weights(index: int, shape: Any) -> np.ndarray[Any, Any]:
    return np.asarray(np.random.default_rng(index).normal(size=shape), np.float32)


def _backward(outputs: list[tuple[Any, Any, str]]) -> None:
    """Gradients of a weighted sum of the floating outputs, on both sides."""
    mine: Any = 0.0
    theirs: Any = 0.0
    for i, (a, b, _) in enumerate(outputs):
        if b.requires_grad:
            weights = _weights(i, tuple(b.shape))
            mine = mine + (a * pf.tensor(weights)).sum()
            theirs = theirs + (b * torch.tensor(weights)).sum()
    if isinstance(theirs, torch.Tensor):
        theirs.backward()
        mine.backward()


def _sample(name: str, sample: Any, training: bool) -> list[tuple[Any, Any, str]]:
    """Our tensors, not computed yet, with what they should be."""
    made, given = sample.constructor_input, sample.forward_input
    theirs = INFOS[name].module_cls(*made.args, **made.kwargs)
    mine = OURS[name](
        *map(_as_ours, made.args), **{k: _as_ours(v) for k, v in made.kwargs.items()}
    )
    keys = mine.load_state_dict(theirs.state_dict())
    assert keys == ([], [])
    theirs.train(training)
    mine.train(training)
    text = f"{mine!r} {sample.desc} {training=}"
    inputs = [_as_ours(x) for x in given.args]
    named = {k: _as_ours(v) for k, v in given.kwargs.items()}
    ours = mine(*inputs, **named, **FORWARD.get(name, {}))
    pairs = list(_pairs(ours, theirs(*given.args, **given.kwargs), f"{text}: output"))
    _backward(pairs)
    for key, value in zip([*inputs, *named.values()], _values(given), strict=True):
        if isinstance(value, torch.Tensor) and value.is_leaf and value.grad is not None:
            pairs.append((key.grad, value.grad, f"{text}: gradient of an input"))
    parameters = dict(mine.named_parameters())
    for key, value in theirs.named_parameters():
        if value.grad is not None:
            gradient = parameters[key].grad
            pairs.append((gradient, value.grad, f"{text}: gradient of {key}"))
    buffers = dict(mine.named_buffers())
    for key, value in theirs.named_buffers():
        pairs.append((buffers[key], value, f"{text}: {key}"))
    return pairs


def _values(given: Any) -> list[Any]:
    return [*given.args, *given.kwargs.values()]


def _samples(name: str, training: bool) -> list[Any]:
    info = INFOS[name]
    torch.manual_seed(3)
    return list(
        info.module_inputs_func(
            info,
            device="cpu",
            dtype=torch.float32,
            requires_grad=True,
            training=training,
        )
    )


@pytest.mark.filterwarnings("ignore::UserWarning:torch")
@pytest.mark.parametrize("name", BOTH)
def test_values_and_gradients_equal_pytorchs(name: str) -> None:
    for training in (True, False):
        pairs = [
            pair
            for sample in _samples(name, training)
            for pair in _sample(name, sample, training)
        ]
        assert pairs
        pf.eval(*[mine for mine, _, _ in pairs])
        for mine, theirs, what in pairs:
            expected = theirs.detach().numpy()
            assert mine.shape == list(expected.shape), what
            atol = LARGE_ATOL.get(name, ATOL)
            np.testing.assert_allclose(mine.numpy(), expected, RTOL, atol, err_msg=what)


def test_no_module_is_left_out() -> None:
    assert sorted(OURS) == sorted([*BOTH, *WITHOUT_SAMPLES])
