"""The workloads in PyFlame, as its users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import training_data as data

import pyflame as pf
from pyflame import nn

Step = Callable[[], Any]
Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def mlp_model() -> nn.Module:
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    model.load_state_dict(data.mlp_weights())
    return model


def cnn_model() -> nn.Module:
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    model.load_state_dict(data.cnn_weights())
    return model


class Layer(nn.Module):
    """One layer of a transformer, with the norms first."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(data.EMBED)
        self.attention = nn.MultiheadAttention(data.EMBED, data.HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(data.EMBED)
        self.linear1 = nn.Linear(data.EMBED, data.HIDDEN)
        self.linear2 = nn.Linear(data.HIDDEN, data.EMBED)

    def forward(self, x: Any) -> Any:
        x = x + self.attention(self.norm1(x))
        return x + self.linear2(pf.gelu(self.linear1(self.norm2(x))))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer() for _ in range(data.LAYERS)])

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def block_model() -> nn.Module:
    model = Block()
    model.load_state_dict(data.block_weights())
    return model


def mlp(wrap: Wrap = lambda train: train) -> tuple[Step, Step]:
    model = mlp_model()
    optimizer = pf.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return _training(
        model, optimizer, nn.CrossEntropyLoss(), data.digits(64, 784), wrap
    )


def cnn(wrap: Wrap = lambda train: train) -> tuple[Step, Step]:
    model = cnn_model()
    optimizer = pf.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    batches = data.digits(32, 1, 28, 28)
    return _training(model, optimizer, nn.CrossEntropyLoss(), batches, wrap)


def block(wrap: Wrap = lambda train: train) -> tuple[Step, Step]:
    model = block_model()
    optimizer = pf.optim.Adam(model.parameters(), lr=1e-3)
    return _training(model, optimizer, nn.MSELoss(), data.sentences(), wrap)


def _training(
    model: nn.Module, optimizer: Any, loss_of: Any, batches: Any, wrap: Wrap
) -> tuple[Step, Step]:
    """A training step that returns the loss, and what waits for the last step."""

    def train(x: pf.Tensor, y: pf.Tensor) -> pf.Tensor:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        pf.autograd.backward(loss)
        optimizer.step()
        return loss

    train = wrap(train)

    def step() -> pf.Tensor:
        return train(*map(pf.from_numpy, next(batches)))

    return step, lambda: waited(model)


def waited(model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.__jax_array__().block_until_ready()


def _mlp_parts() -> tuple[nn.Module, pf.optim.Optimizer, nn.Module, data.Batches]:
    model = mlp_model()
    optimizer = pf.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return model, optimizer, nn.CrossEntropyLoss(), data.digits(64, 784)


def norm() -> tuple[Step, Step]:
    """Batch norm, whose running statistics nobody reads."""
    model = nn.Sequential(
        nn.Linear(784, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 10)
    )
    model.load_state_dict(data.norm_weights(), strict=False)
    optimizer = pf.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return _training(
        model, optimizer, nn.CrossEntropyLoss(), data.digits(64, 784), lambda f: f
    )


def read() -> tuple[Step, Step]:
    """The loss is read before backward."""
    model, optimizer, loss_of, batches = _mlp_parts()

    def step() -> float:
        x, y = map(pf.from_numpy, next(batches))
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        value = loss.item()
        pf.autograd.backward(loss)
        optimizer.step()
        return value

    return step, lambda: waited(model)


def rate() -> tuple[Step, Step]:
    """The learning rate changes every step."""
    model, optimizer, loss_of, batches = _mlp_parts()
    scheduler = pf.optim.ExponentialLR(optimizer, gamma=0.9999)

    def step() -> pf.Tensor:
        x, y = map(pf.from_numpy, next(batches))
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        pf.autograd.backward(loss)
        optimizer.step()
        scheduler.step()
        return loss

    return step, lambda: waited(model)


def evaluate() -> tuple[Step, Step]:
    """Counts right answers; there is no optimizer that computes what is pending."""
    model, _, _, batches = _mlp_parts()
    model.eval()

    def step() -> float:
        x, y = map(pf.from_numpy, next(batches))
        with pf.autograd.no_grad():
            right = (pf.argmax(model(x), dim=1) == y).sum()
        return right.item()

    return step, lambda: None


def accumulate() -> tuple[Step, Step]:
    """Gradients of four batches add up before a step."""
    model, optimizer, loss_of, batches = _mlp_parts()

    def step() -> pf.Tensor:
        optimizer.zero_grad()
        for _ in range(data.BATCHES):
            x, y = map(pf.from_numpy, next(batches))
            loss = loss_of(model(x), y)
            pf.autograd.backward(loss)
        optimizer.step()
        return loss

    return step, lambda: waited(model)
