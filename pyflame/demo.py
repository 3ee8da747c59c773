"""The demo: a classifier of hand-written digits, from JAX to CSL to a simulated wafer.

Trains 64-32-10 on the CPU, compiles its forward pass for a 4x4 grid of PEs of a WSE-3,
runs the generated program on digits that training has not seen, and compares.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np

import pyflame as pf
from pyflame.data import load_digits

Arrays = dict[str, Any]

HELD_OUT = 320  # digits, the last ones of the set
BATCH = 32  # digits per run of the program
STEPS = 300
LEARNING_RATE = 0.3
MOMENTUM = 0.9
MESH = (4, 4)
TOLERANCE = 1e-4  # largest difference of a logit, relative to the largest logit


def forward(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    """f32[n, 64] pixels -> f32[n, 10] logits."""
    return pf.relu(x @ w1 + b1) @ w2 + b2


def initial_weights() -> Arrays:
    """He's normal distribution for the matrices, zero for the biases."""
    pf.manual_seed(0)
    weights = {
        "w1": pf.randn([64, 32]) * (2 / 64) ** 0.5,
        "b1": pf.zeros([32]),
        "w2": pf.randn([32, 10]) * (2 / 32) ** 0.5,
        "b2": pf.zeros([10]),
    }
    pf.eval(*weights.values())  # all in one compiled call
    return {name: tensor.numpy() for name, tensor in weights.items()}


def loss(weights: Arrays, x: Any, one_hot: Any) -> Any:
    """Mean cross entropy of the logits."""
    log_probabilities = pf.log_softmax(forward(x, **weights), dim=1)
    return -pf.mean(pf.sum(log_probabilities * one_hot, dim=1))


@jax.jit
def train(weights: Arrays, x: Any, one_hot: Any) -> tuple[Arrays, Any]:
    """Gradient descent with momentum on all of the data; gives the losses too."""

    def step(state: tuple[Arrays, Arrays], _: None) -> tuple[Any, Any]:
        weights, velocity = state
        value, gradient = jax.value_and_grad(loss)(weights, x, one_hot)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradient)
        weights = jax.tree.map(lambda w, v: w - LEARNING_RATE * v, weights, velocity)
        return (weights, velocity), value

    start = (weights, jax.tree.map(jax.numpy.zeros_like, weights))
    (trained, _), losses = jax.lax.scan(step, start, None, length=STEPS)
    return trained, losses


def compile_forward(weights: Arrays) -> pf.CodeGenResult:
    """The forward pass for a batch, every input on the grid."""
    options = pf.CodeGenOptions(target="wse3")
    options.fabric_height, options.fabric_width = MESH
    x = np.zeros((BATCH, 64), np.float32)
    return pf.compile_to_csl(
        forward,
        x,
        *weights.values(),
        options=options,
        in_layouts=pf.MeshLayout.grid(*MESH),
    )


def accuracy(logits: Any, labels: Any) -> float:
    return float(np.mean(np.argmax(logits, axis=1) == labels))


def main() -> int:
    """Runs the demo; the exit status is 0 if the wafer and JAX agree."""
    start = time.perf_counter()
    images, labels = load_digits()
    x, held_out = images[:-HELD_OUT], images[-HELD_OUT:]
    one_hot = np.eye(10, dtype=np.float32)[labels[:-HELD_OUT]]
    trained, losses = train(initial_weights(), x, one_hot)
    weights = {name: np.asarray(trained[name]) for name in ("w1", "b1", "w2", "b2")}
    print(f"trained    64-32-10 on {len(x):,} digits in {STEPS} steps")
    print(f"loss       {float(losses[0]):.3f} -> {float(losses[-1]):.4f}")

    result = compile_forward(weights)
    if not result.success:
        print(result.error_message)
        return 1
    _print_program(result)

    batches = np.split(held_out, HELD_OUT // BATCH)
    runs = [result.simulate(batch, *weights.values()) for batch in batches]
    wafer = np.concatenate([run.outputs for run in runs])
    expected = np.asarray(jax.jit(forward)(held_out, **weights))
    agreed = _print_comparison(runs, wafer, expected, labels[-HELD_OUT:])
    print(f"time       {time.perf_counter() - start:.1f} s in all")
    return 0 if agreed else 1


def _print_program(result: pf.CodeGenResult) -> None:
    assert result.cost is not None
    cost, (rows, cols) = result.cost, MESH
    print(f"written    {len(result.generated_files)} files to {result.output_dir}")
    for path in result.generated_files:
        print(f"           {path}")
    print(f"PEs        {rows * cols} ({rows} x {cols}) of a WSE-3")
    print(
        f"memory     {cost.size_bytes:,} of {cost.sram_bytes:,} bytes per PE "
        f"({cost.data_bytes:,} data, {cost.code_bytes:,} code, estimated)"
    )
    print(f"predicted  {cost.cycles:,} cycles per batch of {BATCH}")


def _print_comparison(
    runs: list[pf.SimulationRun], wafer: Any, expected: Any, labels: Any
) -> bool:
    """Prints cycles, differences and accuracies; tells whether they agree."""
    cycles = max(run.cycles for run in runs)
    difference = float(np.max(np.abs(wafer - expected)))
    scale = float(np.max(np.abs(expected)))
    ours, theirs = accuracy(wafer, labels), accuracy(expected, labels)
    same = bool(np.array_equal(wafer.argmax(axis=1), expected.argmax(axis=1)))
    print(
        f"simulated  {cycles:,} cycles per batch at most, {len(runs)} batches of "
        "held-out digits"
    )
    print(f"difference {difference:.1e} at most from JAX (logits up to {scale:.1f})")
    print(f"accuracy   {ours:.2%} on the wafer, {theirs:.2%} in JAX")
    agreed = same and difference <= TOLERANCE * scale
    print(f"verdict    {'the wafer and JAX agree' if agreed else 'THEY DISAGREE'}")
    return agreed
