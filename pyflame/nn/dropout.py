"""Dropout layers; they pass their input on outside of training."""

from __future__ import annotations

from typing import Any

from pyflame.nn import functional as F
from pyflame.nn.arguments import check_probability
from pyflame.nn.module import Module


class Dropout(Module):
    """In training, each element is 0 with probability `p`, else divided by 1 - p."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        self.p = check_probability(type(self).__name__, p)
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout2d(Dropout):
    """Dropout of whole channels of [N, C, H, W] or [N, C, L]."""

    def forward(self, input: Any) -> Any:
        return F.dropout2d(input, self.p, self.training, self.inplace)
