"""PyTorch's OpInfos by the names of our table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from sweep_entry import Entry
from sweep_run import Outcome, run
from torch.testing._internal.common_methods_invocations import op_db


@lru_cache
def op_infos() -> dict[str, Any]:
    """Every OpInfo, by its name and, behind a dot, its variant."""
    named: dict[str, Any] = {}
    for op in op_db:
        variant = op.variant_test_name
        named[f"{op.name}.{variant}" if variant else op.name] = op
    return named


def sweep(
    entry: Entry, dtype: torch.dtype, every: int = 1, start: int = 0
) -> Outcome | None:
    """The outcome of an op; None if PyTorch has it not for the dtype.

    Where PyTorch takes int64 but not int32, its samples are taken as int32 here.
    """
    op = op_infos()[entry.name]
    if dtype is torch.int32 and dtype not in op.dtypes:
        dtype = torch.int64
    return run(entry, op, dtype, every, start) if dtype in op.dtypes else None
