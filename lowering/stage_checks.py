"""Checks between the stages, on values: each stage must compute what came before it."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lowering.jaxprs import ClosedJaxpr, jaxpr_as_fun
from lowering.partition.partition import Partitioned, evaluate

_RTOL, _ATOL = 1e-4, 1e-5  # f32 sums in another order
_HALF_TOLERANCE = {"float16": 2e-3, "bfloat16": 1.6e-2}  # two units in the last place


def example_inputs(closed: ClosedJaxpr) -> list[np.ndarray[Any, Any]]:
    """Fixed random arrays of the program's input types."""
    random = np.random.default_rng(0)
    return [
        np.asarray(random.standard_normal(aval.shape)).astype(aval.dtype)
        for aval in closed.in_avals
    ]


def check_normalised(before: ClosedJaxpr, after: ClosedJaxpr) -> None:
    """Raises AssertionError, if normalising changed a value."""
    inputs = example_inputs(before)
    _compare(_run(before, inputs), _run(after, inputs), "normalise")


def check_partitioned(before: ClosedJaxpr, partitioned: Partitioned) -> None:
    """Raises AssertionError, if the PE program under vmap gives another value."""
    inputs = example_inputs(before)
    _compare(_run(before, inputs), evaluate(partitioned, *inputs), "partition")


def _run(closed: ClosedJaxpr, inputs: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(output) for output in jaxpr_as_fun(closed)(*inputs)]


def _compare(
    expected: Sequence[np.ndarray[Any, Any]],
    got: Sequence[np.ndarray[Any, Any]],
    stage: str,
) -> None:
    for number, (want, have) in enumerate(zip(expected, got, strict=True)):
        assert want.dtype == have.dtype, f"{stage} changed the dtype of output {number}"
        tolerance = _HALF_TOLERANCE.get(str(want.dtype))
        if tolerance is not None:
            want, have = want.astype(np.float32), have.astype(np.float32)
        np.testing.assert_allclose(
            have,
            want,
            tolerance or _RTOL,
            tolerance or _ATOL,
            err_msg=f"{stage} changed output {number}",
        )
