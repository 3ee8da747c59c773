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


def sweep(entry: Entry, dtype: torch.dtype, every: int = 1) -> Outcome | None:
    """The outcome of an op; None if PyTorch has it not for the dtype."""
    op = op_infos()[entry.name]
    return run(entry, op, dtype, every) if dtype in op.dtypes else None
