"""A row of the table: an OpInfo of PyTorch and the pyflame call that answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Call = Callable[..., Any]


def same(result: Any) -> Any:
    """A result as it is."""
    return result


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`name` is the OpInfo's, with its variant behind a dot where it has one.

    `call` takes what PyTorch's function takes, with pf tensors; it raises Excluded for
    sample inputs that say nothing about pyflame. `refusals` are the errors that are
    right to come: a pattern of the text, and why we refuse. `compared` picks what
    there is to compare of PyTorch's result. With `sums`, results that sum in another
    order than PyTorch's may leave its tolerances if they are as near to the exact
    (float64) result as PyTorch's own float32. The plain test run takes every
    `every`-th sample.
    """

    name: str
    call: Call
    shown: str = ""
    refusals: Mapping[str, str] = field(default_factory=dict)
    compared: Callable[[Any], Any] = same
    sums: str = ""
    every: int = 1

    def refusal(self, message: str) -> str:
        """Why an error with this text is right; nothing, if it is not."""
        for pattern, why in self.refusals.items():
            if re.search(pattern, message):
                return why
        return ""
