"""Checks between the stages, on values: each stage must compute what came before it."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax

from lowering.jaxprs import (
    ClosedJaxpr,
    JaxprEqn,
    bind,
    called_jaxpr,
    interpret,
    jaxpr_as_fun,
    sub_jaxprs,
    trace,
    with_sub_jaxprs,
)
from lowering.partition.partition import Partitioned, evaluate

_RTOL, _ATOL = 1e-4, 1e-5  # f32 sums in another order
_HALF_TOLERANCE = {"float16": 2e-3, "bfloat16": 1.6e-2}  # two units in the last place
_ALGORITHMS = (lax.DotAlgorithmPreset, lax.DotAlgorithm)


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
    _compare(_run(_in_full(before), inputs), _run(after, inputs), "normalise")


def check_partitioned(before: ClosedJaxpr, partitioned: Partitioned) -> None:
    """Raises AssertionError, if the PE program under vmap gives another value."""
    inputs = example_inputs(before)
    _compare(_run(before, inputs), evaluate(partitioned, *inputs), "partition")


def _run(closed: ClosedJaxpr, inputs: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(output) for output in jaxpr_as_fun(closed)(*inputs)]


def _in_full(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program without algorithms of products that ask for less precision, which
    the wafer never does, and some of which JAX does not have on the CPU."""
    if not any(map(_has_algorithm, closed.jaxpr.eqns)):
        return closed

    def run(*args: Any) -> list[Any]:
        return interpret(closed.jaxpr, closed.consts, args, _stage_in_full)

    return trace(run, closed.in_avals)


def _has_algorithm(eqn: JaxprEqn) -> bool:
    if isinstance(eqn.params.get("precision"), _ALGORITHMS):
        return True
    return any(_has_algorithm(e) for sub in sub_jaxprs(eqn) for e in sub.jaxpr.eqns)


def _stage_in_full(eqn: JaxprEqn, args: list[Any]) -> Sequence[Any]:
    called = called_jaxpr(eqn)
    if called is not None:
        return interpret(called.jaxpr, called.consts, args, _stage_in_full)
    if isinstance(eqn.params.get("precision"), _ALGORITHMS):
        return bind(eqn, args, {**eqn.params, "precision": None})
    return bind(eqn, args, with_sub_jaxprs(eqn, _in_full))


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
