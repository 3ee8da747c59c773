"""Whether ops recorded now may be differentiated: a switch of each thread."""

from __future__ import annotations

import threading
from functools import wraps
from typing import Any

from pyflame.errors import ArgumentError


class _Switch(threading.local):
    enabled = True


switch = _Switch()


class GradMode:
    """The switch itself; on by default."""

    @staticmethod
    def is_enabled() -> bool:
        """Whether ops recorded now take part in gradients."""
        return switch.enabled

    @staticmethod
    def set_enabled(enabled: bool) -> None:
        """Turns gradients on or off for what this thread records from now on.

        Raises: ArgumentError, unless `enabled` is a bool.
        """
        if not isinstance(enabled, bool):
            raise ArgumentError(
                f"GradMode.set_enabled: {enabled!r} is no bool",
                rule="gradients are either on (True) or off (False)",
            )
        switch.enabled = enabled


class _Mode:
    """A context manager and decorator that sets the switch and puts it back."""

    _enabled: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(switch.enabled)
        switch.enabled = self._enabled

    def __exit__(self, *_: object) -> None:
        switch.enabled = self._before.pop()

    def __call__(self, function: Any) -> Any:
        """The function, run in this mode."""

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return run


class no_grad(_Mode):
    """`with no_grad():` what is recorded inside takes no part in gradients."""

    _enabled = False


class enable_grad(_Mode):
    """`with enable_grad():` gradients inside a `no_grad` block."""

    _enabled = True
