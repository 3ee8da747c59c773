"""Training that stops, is saved, and goes on elsewhere: no bit is different."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn, optim

X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(8, 2)).astype(np.float32)


class Training:
    """A model with buffers, an optimizer with two groups, and a scheduler."""

    def __init__(self, build: Callable[[Any], Any], schedule: Any, dtype: Any) -> None:
        self.model = nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4, momentum=None), nn.Linear(4, 2)
        ).to(dtype)
        head = self.model[2].parameters()
        rest = [p for p in self.model.parameters() if all(p is not h for h in head)]
        groups = [{"params": rest}, {"params": head, "lr": 0.02, "weight_decay": 0.1}]
        self.optimizer = build(groups)
        self.scheduler = schedule(self.optimizer)
        self.dtype = dtype

    def steps(self, count: int) -> None:
        x, y = pf.tensor(X, dtype=self.dtype), pf.tensor(Y, dtype=self.dtype)
        for _ in range(count):
            self.optimizer.zero_grad()
            loss = nn.functional.mse_loss(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            if isinstance(self.scheduler, optim.ReduceLROnPlateau):
                self.scheduler.step(loss)
            else:
                self.scheduler.step()

    def save(self, path: Path) -> None:
        parts = (self.model, self.optimizer, self.scheduler)
        pf.save([part.state_dict() for part in parts], path)

    def load(self, path: Path) -> None:
        model, optimizer, scheduler = pf.load(path)
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict(optimizer)
        self.scheduler.load_state_dict(scheduler)

    def bits(self) -> dict[str, bytes]:
        state = self.model.state_dict()
        return {name: value.numpy().tobytes() for name, value in state.items()}


@pytest.mark.parametrize(
    ("build", "schedule", "dtype"),
    [
        (
            lambda groups: optim.AdamW(groups, lr=0.01, amsgrad=True),
            lambda o: optim.OneCycleLR(o, [0.1, 0.05], total_steps=20),
            pf.float32,
        ),
        (
            lambda groups: optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True),
            lambda o: optim.ReduceLROnPlateau(o, patience=0, threshold=0.5),
            pf.float32,
        ),
        (
            lambda groups: optim.RMSprop(groups, momentum=0.5, centered=True),
            lambda o: optim.CosineAnnealingLR(o, T_max=5),
            pf.bfloat16,
        ),
    ],
    ids=["AdamW-OneCycleLR", "SGD-ReduceLROnPlateau", "RMSprop-Cosine-bfloat16"],
)
def test_resumed_bit_for_bit(
    build: Any, schedule: Any, dtype: Any, tmp_path: Path
) -> None:
    first = Training(build, schedule, dtype)
    first.steps(6)
    first.save(tmp_path / "state")
    second = Training(build, schedule, dtype)
    second.load(tmp_path / "state")
    assert second.bits() == first.bits()
    first.steps(7)
    second.steps(7)
    assert second.bits() == first.bits()
    assert second.scheduler.state_dict() == first.scheduler.state_dict()
    for mine, other in zip(
        first.optimizer.param_groups, second.optimizer.param_groups, strict=True
    ):
        assert {k: v for k, v in mine.items() if k != "params"} == {
            k: v for k, v in other.items() if k != "params"
        }
