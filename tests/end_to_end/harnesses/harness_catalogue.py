"""JAX's own test harnesses: which there are, and which say nothing about the wafer."""

from __future__ import annotations

import zlib
from collections import defaultdict
from functools import lru_cache
from typing import Any

import numpy as np
from jax._src.internal_test_util import test_harnesses

# Groups that XLA's CPU backend leaves to LAPACK.
LINEAR_ALGEBRA = frozenset(
    "cholesky custom_linear_solve eig eigh lu qr svd triangular_solve "
    "tridiagonal_solve".split()
)
_WIDE = frozenset({"float64", "int64", "uint64", "complex128"})


@lru_cache
def harnesses() -> dict[str, Any]:
    """Every harness by its full name, in JAX's order."""
    return {h.fullname: h for h in test_harnesses.all_harnesses}


def dtype_of(harness: Any) -> str:
    """The name of the dtype that a harness is about."""
    return np.dtype(harness.dtype).name


def exclusion(harness: Any, linear_algebra: bool) -> str:
    """Why a harness says nothing about the wafer, as far as its labels tell."""
    if dtype_of(harness) in _WIDE:
        return "64-bit numbers"
    if not harness.filter("cpu"):
        return "JAX has it not on the CPU"
    if harness.group_name in LINEAR_ALGEBRA and not linear_algebra:
        return "linear algebra of LAPACK"
    return ""


def arguments(harness: Any) -> tuple[Any, ...]:
    """The harness's own arguments, the same in every run."""
    seed = zlib.crc32(harness.fullname.encode())
    return tuple(harness.dyn_args_maker(np.random.RandomState(seed)))


def chosen(groups: list[str], dtypes: list[str], sample: int) -> list[str]:
    """Names of harnesses; of each group and dtype `sample`, spread evenly (0: all)."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, harness in harnesses().items():
        key = harness.group_name, dtype_of(harness)
        if (not groups or key[0] in groups) and (not dtypes or key[1] in dtypes):
            found[key].append(name)
    return [name for names in found.values() for name in _spread(names, sample)]


def _spread(names: list[str], count: int) -> list[str]:
    if not count or count >= len(names):
        return names
    return [names[(2 * i + 1) * len(names) // (2 * count)] for i in range(count)]
