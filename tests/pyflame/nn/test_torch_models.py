"""Whole models: PyTorch's weights load by name, and training goes on as there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn, optim

RNG = np.random.default_rng(8)
IMAGES = RNG.normal(size=(6, 3, 8, 8)).astype(np.float32)
CLASSES = RNG.integers(0, 4, size=6)
WORDS = RNG.integers(0, 11, size=(2, 7))


def _convolutional(library: Any) -> Any:
    return library.Sequential(
        library.Conv2d(3, 6, 3, padding=1, bias=False),
        library.BatchNorm2d(6),
        library.ReLU(inplace=True),
        library.MaxPool2d(2),
        library.Conv2d(6, 8, 3, padding="same", groups=2),
        library.GroupNorm(2, 8),
        library.GELU(approximate="tanh"),
        library.AdaptiveAvgPool2d((2, 2)),
        library.Flatten(),
        library.Linear(32, 4),
    )


def _block(library: Any) -> Any:
    """A transformer block, written the same way for both libraries."""

    class Block(library.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = library.Embedding(11, 8, padding_idx=0)
            self.attention = library.MultiheadAttention(8, 2, batch_first=True)
            self.norms = library.ModuleList([library.LayerNorm(8) for _ in range(2)])
            layers = {"up": library.Linear(8, 16), "down": library.Linear(16, 8)}
            self.mlp = library.ModuleDict(layers)
            self.act = library.SiLU()
            self.head = library.Linear(8, 3)

        def forward(self, words: Any) -> Any:
            x = self.embed(words)
            y = self.norms[0](x)
            z, _ = self.attention(y, y, y, need_weights=True)
            x = x + z
            y = self.act(self.mlp["up"](self.norms[1](x)))
            return self.head(x + self.mlp["down"](y))

    return Block()


def _equal_states(mine: Any, theirs: Any, atol: float) -> None:
    expected = theirs.state_dict()
    state = mine.state_dict()
    assert list(state) == list(expected)
    pf.eval(*state.values())
    for name, value in expected.items():
        np.testing.assert_allclose(
            state[name].numpy(), value.numpy(), rtol=1e-4, atol=atol, err_msg=name
        )


@pytest.mark.parametrize("as_arrays", [False, True])
@pytest.mark.parametrize("build", [_convolutional, _block])
def test_state_dicts_of_torch_load_by_name(
    torch: Any, build: Any, as_arrays: bool
) -> None:
    torch.manual_seed(1)
    theirs = build(torch.nn).double()  # as checkpoints may be
    mine = build(nn)
    state = theirs.state_dict()
    if as_arrays:
        state = {name: value.numpy() for name, value in state.items()}
    assert mine.load_state_dict(state) == ([], [])
    assert {t.dtype for t in mine.parameters()} == {pf.float32}
    _equal_states(mine, theirs, 0)
    half = theirs.to(torch.bfloat16).state_dict()
    assert mine.load_state_dict(half) == ([], [])
    _equal_states(mine, theirs.float(), 0)


def test_a_convolutional_net_trains_as_in_torch(torch: Any) -> None:
    torch.manual_seed(2)
    mine, theirs = _convolutional(nn), _convolutional(torch.nn)
    mine.load_state_dict(theirs.state_dict())
    ours = optim.SGD(mine.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    other = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
    other_loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(8):
        ours.zero_grad()
        other.zero_grad()
        loss = loss_fn(mine(pf.tensor(IMAGES)), pf.tensor(CLASSES))
        expected = other_loss(theirs(torch.tensor(IMAGES)), torch.tensor(CLASSES))
        loss.backward()
        expected.backward()
        ours.step()
        other.step()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    _equal_states(mine, theirs, 2e-5)
    mine.eval()
    theirs.eval()
    np.testing.assert_allclose(
        mine(pf.tensor(IMAGES)).numpy(),
        theirs(torch.tensor(IMAGES)).detach().numpy(),
        rtol=1e-3,
        atol=1e-4,
    )


def test_a_transformer_block_trains_as_in_torch(torch: Any) -> None:
    torch.manual_seed(3)
    mine, theirs = _block(nn), _block(torch.nn)
    mine.load_state_dict(theirs.state_dict())
    # The keys' bias has no gradient but rounding, which a small eps would scale up.
    options = {"lr": 0.01, "eps": 1e-3, "amsgrad": True}
    ours = optim.AdamW(mine.parameters(), **options)
    other = torch.optim.AdamW(theirs.parameters(), **options)
    for _ in range(8):
        ours.zero_grad()
        other.zero_grad()
        loss = (mine(pf.tensor(WORDS)) ** 2).mean()
        expected = (theirs(torch.tensor(WORDS)) ** 2).mean()
        loss.backward()
        expected.backward()
        ours.step()
        other.step()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    _equal_states(mine, theirs, 5e-5)


def test_missing_and_extra_keys_word_for_word(torch: Any) -> None:
    mine = _convolutional(nn)
    state = dict(_convolutional(torch.nn).state_dict())
    state["module.0.weight"] = state.pop("0.weight")
    del state["1.running_mean"]
    state["9.bias"] = state["9.bias"][:3]
    before = {name: value.numpy() for name, value in mine.state_dict().items()}
    with pytest.raises(pf.ArgumentError) as caught:
        mine.load_state_dict(state)
    assert str(caught.value) == (
        "load_state_dict of Sequential: missing key '0.weight'; missing key "
        "'1.running_mean'; unexpected key 'module.0.weight'; '9.bias' has shape [3], "
        "not [4]\n"
        "  rule  names and shapes are those of state_dict()\n"
        "  help  strict=False leaves missing tensors as they are and skips others"
    )
    for name, value in mine.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    with pytest.raises(
        pf.ArgumentError, match=r"Sequential: '9\.bias' has shape \[3\]"
    ):
        mine.load_state_dict(state, strict=False)
    del state["9.bias"]
    keys = mine.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["0.weight", "1.running_mean", "9.bias"]
    assert keys.unexpected_keys == ["module.0.weight"]
    assert (mine[9].weight.numpy() == state["9.weight"].numpy()).all()
