"""Gradients that a call left behind and that are computed only if somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyflame import node as nodes
from pyflame import staging
from pyflame.node import LateGradients, Leaf
from pyflame.tensors import Tensor


class Late(LateGradients):
    """Holds the inputs of the call. Once asked, the program gives gradients at once."""

    def __init__(
        self, program: Any, values: Sequence[Any], leaves: Sequence[Leaf]
    ) -> None:
        self._program = program
        self._values = values
        self._leaves = leaves

    def compute(self) -> None:
        program = self._program
        results = program.gradients(*self._values)
        staging.counts.evaluations += 1
        program.defers = False
        for leaf, value in zip(self._leaves, results, strict=True):
            if leaf._grad is self:
                leaf._grad = Tensor(nodes.constant(value, nodes.aval_of(value)))
