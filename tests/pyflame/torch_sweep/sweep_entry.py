"""A row of the table: an OpInfo of PyTorch and the pyflame call that answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyflame as pf

Call = Callable[..., Any]


class Excluded(Exception):
    """A sample input that says nothing about pyflame; the text says why."""


def same(result: Any) -> Any:
    """A result as it is."""
    return result


def first(result: Any) -> Any:
    """The first of several results."""
    return result[0]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`name` is the OpInfo's, with its variant behind a dot where it has one.

    `call` takes what PyTorch's function takes, with pf tensors, and is `shown` in the
    table; it raises Excluded for samples that say nothing about pyflame. `refusals`
    are the errors that are right to come: a pattern of the text, and why we refuse.
    `absent` are arguments that pyflame has not, and why. `compared` picks what there
    is to compare of PyTorch's result. `open_choice`, where PyTorch's result is one of
    several right ones: of its function, our results and the arguments, what PyTorch
    makes of our choice if that is right, else its own result. `rounding` says why a
    result may leave the tolerances around PyTorch's if it is as near to the exact
    (float64) result as its own. The plain test run takes every `every`-th sample.
    """

    name: str
    call: Call
    shown: str
    refusals: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    compared: Callable[[Any], Any] = same
    open_choice: Callable[..., Any] | None = None
    rounding: str = ""
    every: int = 1

    def refusal(self, message: str) -> str:
        """Why an error with this text is right; nothing, if it is not."""
        for pattern, why in self.refusals.items():
            if re.search(pattern, message):
                return why
        return ""

    def check_present(self, arguments: Mapping[str, Any]) -> None:
        """Raises: Excluded, if an argument is absent here."""
        for name in arguments:
            if name in self.absent:
                raise Excluded(self.absent[name])


def function(name: str, ours: str = "", **more: Any) -> Entry:
    """A row for a function of pyflame, by default of the same name."""
    ours = ours or name.partition(".")[0]
    return Entry(name=name, call=getattr(pf, ours), shown=f"pf.{ours}", **more)


def functions(names: str, **more: Any) -> list[Entry]:
    """Rows for functions that have the same name in PyTorch."""
    return [function(name, **more) for name in names.split()]


def method(name: str, ours: str = "", **more: Any) -> Entry:
    """A row for a method of Tensor, by default of the same name."""
    ours = ours or name

    def call(x: pf.Tensor, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, ours)(*args, **kwargs)

    return Entry(name=name, call=call, shown=f"Tensor.{ours}", **more)


def called(name: str, shown: str, call: Call, **more: Any) -> Entry:
    """A row for anything else: `call` adapts the arguments."""
    return Entry(name=name, call=call, shown=shown, **more)
