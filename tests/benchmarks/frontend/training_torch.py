"""The workloads in eager PyTorch, on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import training_data as data
from torch import nn

Step = Callable[[], Any]


def loaded(model: nn.Module, weights: data.Arrays) -> nn.Module:
    model.load_state_dict({k: torch.tensor(v) for k, v in weights.items()})
    return model


def mlp_model() -> nn.Module:
    layers = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    return loaded(layers, data.mlp_weights())


def cnn_model() -> nn.Module:
    layers = nn.Sequential(
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
    return loaded(layers, data.cnn_weights())


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(data.EMBED)
        self.attention = nn.MultiheadAttention(data.EMBED, data.HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(data.EMBED)
        self.linear1 = nn.Linear(data.EMBED, data.HIDDEN)
        self.linear2 = nn.Linear(data.HIDDEN, data.EMBED)

    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        h = nn.functional.gelu(self.linear1(self.norm2(x)))
        return x + self.linear2(h)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer() for _ in range(data.LAYERS)])

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def mlp() -> tuple[Step, Step]:
    model = mlp_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return training(model, optimizer, nn.CrossEntropyLoss(), data.digits(64, 784))


def cnn() -> tuple[Step, Step]:
    model = cnn_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    batches = data.digits(32, 1, 28, 28)
    return training(model, optimizer, nn.CrossEntropyLoss(), batches)


def block() -> tuple[Step, Step]:
    model = loaded(Block(), data.block_weights())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return training(model, optimizer, nn.MSELoss(), data.sentences())


def training(
    model: nn.Module, optimizer: Any, loss_of: Any, batches: Any
) -> tuple[Step, Step]:

    def step() -> torch.Tensor:
        x, y = map(torch.from_numpy, next(batches))
        y = y if y.is_floating_point() else y.long()
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step, lambda: None


def _mlp_parts() -> tuple[nn.Module, torch.optim.Optimizer, nn.Module, data.Batches]:
    model = mlp_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return model, optimizer, nn.CrossEntropyLoss(), data.digits(64, 784)


def norm() -> tuple[Step, Step]:
    model = nn.Sequential(
        nn.Linear(784, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 10)
    )
    weights = {k: torch.tensor(v) for k, v in data.norm_weights().items()}
    model.load_state_dict(weights, strict=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return training(model, optimizer, nn.CrossEntropyLoss(), data.digits(64, 784))


def read() -> tuple[Step, Step]:
    model, optimizer, loss_of, batches = _mlp_parts()

    def step() -> float:
        x, y = map(torch.from_numpy, next(batches))
        optimizer.zero_grad()
        loss = loss_of(model(x), y.long())
        value = loss.item()
        loss.backward()
        optimizer.step()
        return value

    return step, lambda: None


def rate() -> tuple[Step, Step]:
    model, optimizer, loss_of, batches = _mlp_parts()
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9999)

    def step() -> torch.Tensor:
        x, y = map(torch.from_numpy, next(batches))
        optimizer.zero_grad()
        loss = loss_of(model(x), y.long())
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    return step, lambda: None


def evaluate() -> tuple[Step, Step]:
    model, _, _, batches = _mlp_parts()
    model.eval()

    def step() -> float:
        x, y = map(torch.from_numpy, next(batches))
        with torch.no_grad():
            right = (torch.argmax(model(x), dim=1) == y).sum()
        return right.item()

    return step, lambda: None


def accumulate() -> tuple[Step, Step]:
    model, optimizer, loss_of, batches = _mlp_parts()

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        for _ in range(data.BATCHES):
            x, y = map(torch.from_numpy, next(batches))
            loss = loss_of(model(x), y.long())
            loss.backward()
        optimizer.step()
        return loss

    return step, lambda: None
