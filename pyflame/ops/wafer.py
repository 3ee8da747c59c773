"""Whether ops are staged for the wafer: some have a way that is quick on a CPU only."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_FOR_WAFER = ContextVar("for_wafer", default=False)


@contextmanager
def staging_for_wafer() -> Generator[None]:
    """Ops that are traced inside take the way that compiles best to CSL.

    What a `jax.jit` inside has traced before keeps the way that it has taken.
    """
    token = _FOR_WAFER.set(True)
    try:
        yield
    finally:
        _FOR_WAFER.reset(token)


def is_for_wafer() -> bool:
    return _FOR_WAFER.get()
