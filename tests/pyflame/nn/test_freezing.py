"""Freezing: what gets no gradient, and stays so whatever is assigned to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn, optim


def _pair() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def test_frozen_parameters_are_not_trained_and_others_are() -> None:
    model = _pair()
    model[0].requires_grad_(False)
    flags = [p.requires_grad for p in model.parameters()]
    assert flags == [False, False, True, True]
    before = [p.numpy() for p in model.parameters()]
    optimizer = optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(pf.ones([5, 3])).sum().backward()
        optimizer.step()
    assert model[0].weight.grad is None
    changed = [
        (p.numpy() != old).any()
        for p, old in zip(model.parameters(), before, strict=True)
    ]
    assert changed == [False, False, True, True]


def test_gradients_equal_those_of_torch_with_the_same_frozen(torch: Any) -> None:
    mine = _pair()
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)
    )
    mine.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    for name in ("0.bias", "2.weight"):
        mine.get_parameter(name).requires_grad = False
        theirs.get_parameter(name).requires_grad = False
    mine(pf.tensor(x)).sum().backward()
    theirs(torch.tensor(x)).sum().backward()
    for name, parameter in theirs.named_parameters():
        own = mine.get_parameter(name).grad
        assert (own is None) == (parameter.grad is None), name
        if own is not None:
            np.testing.assert_allclose(own.numpy(), parameter.grad, rtol=1e-5)


def test_what_is_assigned_stays_frozen() -> None:
    layer = nn.Linear(2, 2).requires_grad_(False)
    layer.load_state_dict({"weight": np.ones((2, 2)), "bias": np.zeros(2)})
    nn.init.zeros_(layer.bias)
    layer.half().float()
    x = pf.ones([1, 2])
    layer(x).sum().backward()
    assert x.grad.numpy().tolist() == [[2, 2]]
    assert layer.weight.grad is None
    layer.requires_grad_()
    layer(x).sum().backward()
    assert layer.weight.grad.numpy().tolist() == [[1, 1], [1, 1]]


def test_parameters_and_tables_may_begin_frozen() -> None:
    assert not nn.Parameter(pf.ones([2]), requires_grad=False).requires_grad
    table = np.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert layer(np.array([2])).numpy().tolist() == [[4, 5]]
    free = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
    free(np.array([0, 1])).sum().backward()
    assert free.weight.grad.numpy().tolist() == [[0, 0], [1, 1], [0, 0]]


def test_a_detached_tensor_can_take_gradients() -> None:
    x = pf.ones([2])
    y = (x * 2).detach().requires_grad_()
    (y * 3).sum().backward()
    assert y.grad.numpy().tolist() == [3, 3]
    assert x.grad is None
    with pf.autograd.no_grad():
        z = x * 2
    assert not z.requires_grad
    z.requires_grad = True
    (z * z).sum().backward()
    assert z.grad.numpy().tolist() == [4, 4]


def test_nothing_frozen_gives_no_gradient() -> None:
    model = _pair().requires_grad_(False)
    x = pf.ones([1, 3]).requires_grad_(False)
    with pytest.raises(pf.PyFlameError, match="backward of float32"):
        model(x).sum().backward()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: (pf.ones([2]) * 2).requires_grad_(False),
            "requires_grad=False of float32[2]: it is the result of an op\n"
            "  rule  only leaves are frozen\n"
            "  help  use detach() for the same values without gradients",
        ),
        (
            lambda: pf.tensor([1], dtype=pf.int32).requires_grad_(),
            "requires_grad=True of int32[1]\n"
            "  rule  only floating tensors have gradients",
        ),
        (
            lambda: pf.ones([1]).requires_grad_(1),  # pyright: ignore
            "requires_grad=1 of float32[1]\n  rule  requires_grad is True or False",
        ),
        (
            lambda: nn.Embedding.from_pretrained([1.0, 2.0]),
            "Embedding.from_pretrained of float32[2]\n"
            "  rule  embeddings is [num_embeddings, embedding_dim]",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as caught:
        call()
    assert str(caught.value) == message
