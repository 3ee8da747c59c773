"""Where ops, gradients and modules tell `pf.jit` what a traced function uses.

`running` is tested first wherever something is used, because it costs nothing: it
counts the traces of all threads. What a thread traces is `current()`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from pyflame.errors import GraphError


class Trace(Protocol):
    """What `pf.jit` wants to know while it runs a function to record it."""

    def use(self, tensor: Any) -> None: ...
    def grad_of(self, leaf: Any) -> Any: ...
    def set_grad(self, leaf: Any, grad: Any) -> None: ...
    def random_key(self, seed: int, taken: int) -> tuple[Any, Any]: ...
    def reseeded(self, undo: Callable[[], None]) -> None: ...
    def optimizer_step(self, optimizer: Any, jobs: Sequence[Any]) -> list[Any]: ...
    def scheduler_step(self, scheduler: Any, *args: Any) -> None: ...


class _Local(threading.local):
    trace: Trace | None = None


_local = _Local()
_lock = threading.RLock()  # a trace puts stand-ins into Tensors that threads share

running = 0
module_changes = 0  # how often an attribute of any module was set


def current() -> Trace | None:
    """The trace of this thread, if it is in one."""
    return _local.trace if running else None


def use(tensors: Iterable[Any]) -> None:
    """Tells the trace, if there is one, that these tensors are used as they are now."""
    trace = _local.trace
    if trace is not None:
        for tensor in tensors:
            trace.use(tensor)


class tracing:
    """`with tracing(trace):` this thread reports to the trace."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> None:
        global running
        _lock.acquire()
        running += 1
        _local.trace = self._trace

    def __exit__(self, *_: object) -> None:
        global running
        _local.trace = None
        running -= 1
        _lock.release()


class suspended:
    """`with suspended():` what is done inside is done now, and not recorded."""

    def __enter__(self) -> None:
        self._trace, _local.trace = _local.trace, None

    def __exit__(self, *_: object) -> None:
        _local.trace = self._trace


def no_value(what: str) -> GraphError:
    """The error for reading a value that there is not yet."""
    if current() is None:
        return GraphError(
            f"{what} was made while pf.jit traced a function, and left it",
            rule="what a traced function computes leaves it as a result, as a tensor "
            "assigned to, or as a gradient",
            help="return the tensor from the function",
        )
    return GraphError(
        f"{what} is read inside pf.jit: it has no values while the function is traced",
        rule="pf.jit runs the Python function once, before there are values; later "
        "calls do not run it",
        help="return the tensor and read it outside; choose by value with pf.where",
    )
