"""One harness on one mesh: compiled, simulated and compared with JAX on the CPU."""

from __future__ import annotations

import re
import tempfile
import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from harness_catalogue import arguments, exclusion, harnesses
from same_values import difference, is_as_near

import pyflame as pf

VERDICTS = ("right", "large", "refused", "wrong", "crash", "timeout", "excluded")
# An exception that is none of the compiler's refusals is shown with its class.
_EXCEPTION = re.compile(r"[A-Za-z_.]*(?:Error|Exception|Exhausted|Interrupt)\b.*:")


@dataclass(frozen=True)
class Job:
    """A harness by name; `mesh` is "ROWSxCOLS"."""

    harness: str
    mesh: str
    target: str = "wse3"
    linear_algebra: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a job; `reason` is one line, empty if all is right.

    The verdict "large" is a refusal, too: the values do not fit so few PEs.
    """

    harness: str
    mesh: str
    target: str
    verdict: str
    reason: str = ""
    seconds: float = 0.0
    cycles: int = 0


def outcome_of(job: Job) -> Outcome:
    """Never raises: what comes out is the outcome "crash"."""
    started = time.perf_counter()
    try:
        verdict, reason, cycles = _verdict(job)
    except Exception as error:
        verdict, reason, cycles = "crash", f"{type(error).__name__}: {error}", 0
    seconds = round(time.perf_counter() - started, 2)
    where = job.harness, job.mesh, job.target
    return Outcome(*where, verdict, reason[:600], seconds, cycles)


def _verdict(job: Job) -> tuple[str, str, int]:
    reason = exclusion(harnesses()[job.harness], job.linear_algebra)
    if reason:
        return "excluded", reason, 0
    args, want = _expected(job.harness)
    with tempfile.TemporaryDirectory() as folder:
        result = _compiled(job, args, folder)
    if not result.success:
        return _failure(result.error_message)
    run = result.simulate(*args)
    got, want = (specified(job.harness, x, args) for x in (run.outputs, want))
    text = difference(got, want)
    if text and is_as_near(got, want, lambda: _exact(job.harness, args)):
        text = ""
    return ("wrong" if text else "right"), text, run.cycles


def specified(name: str, results: Any, args: tuple[Any, ...] = ()) -> Any:
    """What JAX promises of a harness's results.

    A sort that is not stable may order equal keys as it likes: its tuples are compared
    in an order of their own. approx_top_k may choose among equals, too: what its
    different indices pick of the operand has to be the same. Above a Cholesky factor
    stands anything. Eigenvectors and singular vectors have any sign (and more where
    values are equal): what they make together is compared, and that they are at right
    angles.
    """
    group = harnesses()[name].group_name
    if group == "approx_top_k":
        return _of_picks(*results, operand=np.asarray(args[0]))
    if group == "sort" and "isstable_False" in name and len(results) > 1:
        columns = [np.asarray(result) for result in results]
        order = np.lexsort([column.astype(np.float64) for column in columns[::-1]])
        return [np.take_along_axis(column, order, -1) for column in columns]
    if group == "cholesky":
        return jax.tree.map(np.tril, results)
    return _INVARIANT[group](*results) if group in _INVARIANT else results


def _of_picks(values: Any, indices: Any, operand: Any) -> list[Any]:
    picked = np.take_along_axis(operand, np.asarray(indices), -1)
    ordered = np.sort(np.asarray(indices), -1)
    different = (np.diff(ordered, axis=-1) != 0).all(-1)
    return [np.sort(np.asarray(values), -1), np.sort(picked, -1), different]


def _of_eigenvectors(vectors: Any, values: Any) -> list[Any]:
    across = np.swapaxes(vectors, -1, -2)
    return [values, vectors * values[..., None, :] @ across, across @ vectors]


def _of_singular_vectors(values: Any, u: Any = None, vt: Any = None) -> list[Any]:
    if u is None:
        return [values]
    count = values.shape[-1]
    product = u[..., :count] * values[..., None, :] @ vt[..., :count, :]
    squares = (np.swapaxes(u, -1, -2) @ u, vt @ np.swapaxes(vt, -1, -2))
    return [values, product, *squares]


_INVARIANT = {"eigh": _of_eigenvectors, "svd": _of_singular_vectors}


def _failure(message: str) -> tuple[str, str, int]:
    first = message.splitlines()[0]
    if _EXCEPTION.match(first):
        return "crash", " ".join(message.split()), 0
    large = "bytes per PE do not fit" in first
    return ("large" if large else "refused"), _short(message), 0


def _short(message: str) -> str:
    """The lines of a refusal that say what was refused, without rules and help."""
    lines = message.splitlines()
    kept = [line for line in lines if not re.match(r"  (rule|help)\s", line)]
    return " ".join(" ".join(kept).split())


@lru_cache(maxsize=1)
def _expected(name: str) -> tuple[tuple[Any, ...], Any]:
    """The arguments of a harness, and JAX's results."""
    harness = harnesses()[name]
    args = arguments(harness)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return args, jax.jit(harness.dyn_fun)(*args)


def _exact(name: str, args: tuple[Any, ...]) -> Any:
    """The harness's results with twice as many bits in its floats, or None."""
    with warnings.catch_warnings(), jax.enable_x64(True):
        warnings.simplefilter("ignore")
        try:
            wide = jax.jit(harnesses()[name].dyn_fun)(*map(_wider, args))
            return specified(name, wide)
        except Exception:  # it may insist on a dtype
            return None


def _wider(x: Any) -> Any:
    wider = {
        "float16": "float32",
        "bfloat16": "float32",
        "float32": "float64",
        "complex64": "complex128",
    }
    name = str(getattr(x, "dtype", ""))
    return x.astype(wider[name]) if name in wider else x


def _compiled(job: Job, args: tuple[Any, ...], folder: str) -> pf.CodeGenResult:
    rows, cols = map(int, job.mesh.split("x"))
    options = pf.CodeGenOptions(output_dir=folder, target=job.target)
    options.fabric_height, options.fabric_width = rows, cols
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pf.compile_to_csl(
            harnesses()[job.harness].dyn_fun,
            *args,
            options=options,
            in_layouts=pf.MeshLayout.grid(rows, cols),
        )
