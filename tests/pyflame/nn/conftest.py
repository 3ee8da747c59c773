"""The same computation in pyflame and in PyTorch: values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pyflame as pf


@pytest.fixture
def torch() -> Any:
    """PyTorch, or a skipped test."""
    return pytest.importorskip("torch")


def _close(mine: Any, theirs: Any, rtol: float, atol: float, what: str) -> None:
    expected = np.asarray(theirs.detach())
    assert mine.shape == list(expected.shape), what
    np.testing.assert_allclose(mine.numpy(), expected, rtol, atol, err_msg=what)


@pytest.fixture
def agree(torch: Any) -> Callable[..., None]:
    """agree(mine, theirs, *arrays): equal values, and equal gradients of a weighted sum
    for every floating input and, of modules, every parameter."""

    def check(
        mine: Any, theirs: Any, *arrays: Any, rtol: float = 2e-5, atol: float = 2e-6
    ) -> None:
        ours = [pf.tensor(a) for a in arrays]
        others = [torch.tensor(a) for a in arrays]
        for other in others:
            other.requires_grad_(other.is_floating_point())
        a, b = mine(*ours), theirs(*others)
        _close(a, b, rtol, atol, "values")
        weights = np.random.default_rng(7).normal(size=a.shape).astype(np.float32)
        pf.autograd.backward((a * weights).sum())
        (b * torch.tensor(weights)).sum().backward()
        for i, (our, other) in enumerate(zip(ours, others, strict=True)):
            if other.grad is not None:
                _close(our.grad, other.grad, rtol, atol, f"gradient of input {i}")
        if isinstance(mine, pf.nn.Module):
            named = dict(theirs.named_parameters())
            assert [name for name, _ in mine.named_parameters()] == list(named)
            for name, parameter in mine.named_parameters():
                expected = named[name].grad
                _close(parameter.grad, expected, rtol, atol, f"gradient of {name}")

    return check


@pytest.fixture
def twin(torch: Any) -> Callable[..., tuple[Any, Any]]:
    """twin(name, ...): the module of that name here and in PyTorch, same weights."""

    def make(name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        mine = getattr(pf.nn, name)(*args, **kwargs)
        theirs = getattr(torch.nn, name)(*args, **kwargs)
        mine.load_state_dict(theirs.state_dict())
        return mine, theirs

    return make
