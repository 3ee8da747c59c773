"""The optimizers beside PyTorch's, over the sample arguments of PyTorch's own tests.

Parameters, and the state under PyTorch's names, after several steps with parameters of
two groups, one of which has options of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import optim

torch = pytest.importorskip("torch")
common_optimizers = pytest.importorskip("torch.testing._internal.common_optimizers")

NAMES = ["SGD", "Adam", "AdamW", "RMSprop"]
INFOS = {
    info.optim_cls.__name__: info
    for info in common_optimizers.optim_db
    if info.optim_cls.__name__ in NAMES
}
SAMPLES = [
    pytest.param(name, sample.kwargs, id=f"{name}-{sample.desc}")
    for name in NAMES
    for sample in INFOS[name].optim_inputs_func(device="cpu", dtype=torch.float32)
]
# Implementations of PyTorch, of which there is one here: unknown arguments.
IMPLEMENTATIONS = ["foreach", "fused", "capturable", "differentiable"]

SHAPES = [(2, 3), (), (4,), (3, 1, 2)]
STEPS = 12


def _arrays(seed: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=s), np.float32) for s in SHAPES]


def _groups(params: list[Any], options: dict[str, Any]) -> list[dict[str, Any]]:
    """The second group has a rate and a decay of its own."""
    own = {"lr": 0.03, "weight_decay": 0.2}
    return [{"params": params[:2]}, {"params": params[2:], **own}]


def _options(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """SGD's rate has no default here."""
    options = {"lr": 1e-3, **kwargs} if name == "SGD" else dict(kwargs)
    return {k: float(v) if k == "lr" else v for k, v in options.items()}


def _pair(name: str, kwargs: dict[str, Any]) -> tuple[list[Any], list[Any], Any, Any]:
    options = _options(name, kwargs)
    ours = [pf.tensor(a) for a in _arrays(0)]
    theirs = [torch.tensor(a, requires_grad=True) for a in _arrays(0)]
    mine = getattr(optim, name)(_groups(ours, options), **options)
    reference = getattr(torch.optim, name)(_groups(theirs, options), **options)
    return ours, theirs, mine, reference


@pytest.mark.parametrize(("name", "kwargs"), SAMPLES)
def test_steps_equal_pytorchs(name: str, kwargs: dict[str, Any]) -> None:
    ours, theirs, mine, reference = _pair(name, kwargs)
    for step in range(1, STEPS + 1):
        grads = _arrays(step)
        if step % 5 == 0:  # the last parameter takes no part
            grads[-1] = None
        for our, their, grad in zip(ours, theirs, grads, strict=True):
            our.grad = None if grad is None else pf.tensor(grad)
            their.grad = None if grad is None else torch.tensor(grad)
        mine.step()
        reference.step()
    for our, their in zip(ours, theirs, strict=True):
        want = their.detach().numpy()
        np.testing.assert_allclose(our.numpy(), want, rtol=4e-6, atol=4e-6)
        state = {k: v for k, v in reference.state[their].items() if v is not None}
        assert mine.state[our].keys() == state.keys() - _not_kept(name)
        for key, value in mine.state[our].items():
            have = np.asarray(value if key == "step" else value.numpy())
            np.testing.assert_allclose(have, state[key], rtol=4e-6, atol=4e-6)


def _not_kept(name: str) -> set[str]:
    """PyTorch counts the steps of RMSprop, which nothing depends on."""
    return {"step"} if name == "RMSprop" else set()


@pytest.mark.parametrize("name", NAMES)
def test_what_pytorch_refuses_is_refused(name: str) -> None:
    refused = 0
    for sample in INFOS[name].optim_error_inputs_func(
        device="cpu", dtype=torch.float32
    ):
        given = sample.optimizer_error_input
        kwargs = dict(given.kwargs)
        if any(key in kwargs for key in IMPLEMENTATIONS):
            continue
        if given.desc.startswith("all optimizer param groups should be with"):
            continue  # names have no meaning here, so some groups may have them
        if isinstance(kwargs.get("betas"), tuple):
            kwargs["betas"] = tuple(map(_ours, kwargs["betas"]))
            if all(0 <= float(beta) < 1 for beta in kwargs["betas"]):
                continue  # a float beside a Tensor is no trouble here
        params = [pf.ones([1])] if given.params is None else _ours(given.params)
        kwargs = {"lr": 0.1} | {k: _ours(v) for k, v in kwargs.items()}
        with pytest.raises(pf.PyFlameError):
            getattr(optim, name)(params, **kwargs)
        refused += 1
    assert refused >= 6


_made: dict[int, Any] = {}


def _ours(value: Any) -> Any:
    """Our tensors for PyTorch's, the same one for the same one."""
    match value:
        case torch.Tensor():
            made = _made.setdefault(id(value), (value, pf.tensor(_numpy(value))))
            return made[1]
        case list():
            return [_ours(item) for item in value]
        case tuple():
            return tuple(_ours(item) for item in value)
        case dict():
            return {key: _ours(item) for key, item in value.items()}
    return value


def _numpy(value: Any) -> Any:
    return value.detach().numpy()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("argument", IMPLEMENTATIONS)
def test_choices_of_an_implementation_are_unknown(name: str, argument: str) -> None:
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{argument}'"):
        getattr(optim, name)([pf.ones([1])], lr=0.1, **{argument: True})
