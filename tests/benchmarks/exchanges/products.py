"""Products of matrices: predicted and simulated cycles beside a lower bound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import numpy as np

from lowering.lower import Lowered, lower
from lowering.mesh import Mesh
from lowering.plan.control import LoopStart
from lowering.plan.steps import MoveStep
from lowering.target import TARGETS
from pyflame.codegen.executable import Executable
from pyflame.wse.machine.engine import MachineConfig

Shape = tuple[int, ...]
# Multiply-adds per cycle: of halves into a sum in float32, two.
_RATES = {"float32": 1, "float16": 2}


@dataclass(frozen=True)
class Product:
    """a times b, on rows x cols of PEs, placed by the compiler."""

    what: str
    a: Shape
    b: Shape
    mesh: tuple[int, int] = (4, 4)
    target: str = "wse3"
    dtype: str = "float32"

    @property
    def bound_cycles(self) -> float:
        """What no schedule with tiles of the result on all PEs can be faster than.

        The PE's multiply-adds, or the words of A and B that come up its ramp, and the
        way from the first PE to the last. A vector needs no words of the matrix.
        """
        rows, cols = self.mesh
        costs = TARGETS[self.target].costs
        *batch, m, k = self.a
        n = self.b[-1] if len(self.b) > 1 else 1
        count = batch[0] if batch else 1
        products = count * m * k * n / (rows * cols)
        packed = 2 if self.dtype == "float16" else 1
        words = 0.0
        if not batch and n > 1:
            words = k * (m / rows * (1 - 1 / cols) + n / cols * (1 - 1 / rows)) / packed
        stage = 2 * costs.ramp_cycles + 1
        latency = 0 if batch else costs.hop_cycles * (rows + cols - 2) + stage
        return max(products / _RATES[self.dtype], words) + latency


@dataclass(frozen=True)
class Result:
    how: str
    predicted: int
    simulated: int


@cache
def measured(product: Product) -> Result:
    """Of a program that does nothing else; its values are NumPy's."""
    random = np.random.default_rng(0)
    a, b = (
        random.standard_normal(shape).astype(product.dtype)
        for shape in (product.a, product.b)
    )
    closed = jax.make_jaxpr(lambda a, b: a @ b)(a, b)
    program = lower(
        closed,
        in_names=["a", "b"],
        out_names=["c"],
        mesh=Mesh(*product.mesh),
        target=product.target,
    )
    got, cycles, _ = Executable.of(program).run([a, b], MachineConfig())
    want = a.astype(np.float32) @ b.astype(np.float32)
    assert _is_near(got[0], want), product.what
    return Result(_scheme(program), program.plan.cost.cycles, cycles)


def _is_near(got: Any, want: Any) -> bool:
    tolerance = 2e-2 if got.dtype == np.float16 else 1e-4
    return np.allclose(got.astype(np.float32), want, tolerance, tolerance)


def _scheme(program: Lowered) -> str:
    """What the plan does, in words."""
    kinds = {s.kind for s in program.plan.steps if isinstance(s, MoveStep)}
    words = ["panels gathered"] if any("gather" in kind for kind in kinds) else []
    loops = any(isinstance(step, LoopStart) for step in program.plan.steps)
    if loops and kinds & {"relay_inward", "flood"} and "relay_inward" in kinds:
        words.append("tiles pass in a loop")
    if any("reduce" in kind for kind in kinds):
        words.append("sums over k reduced")
    return ", ".join(words) or "every PE its own"


ROWS = (
    Product("square", (64, 64), (64, 64)),
    Product("square", (128, 128), (128, 128)),
    Product("square, halves", (64, 64), (64, 64), dtype="float16"),
    Product("few rows", (8, 64), (64, 64)),
    Product("long k", (16, 512), (512, 16)),
    Product("matrix and vector", (256, 256), (256,)),
    Product("matrix and vector", (256, 256), (256,), target="wse2"),
    Product("batch of eight", (8, 16, 32), (8, 32, 16)),
)
