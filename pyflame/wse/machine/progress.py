"""How far a long run is, on a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_FIRST_SECONDS = 2.0
_PERIOD_SECONDS = 0.5


class Progress:
    """Shows the cycle of a run that takes long, while `with` it.

    A thread looks now and then, so the run itself pays nothing. Where the stream is
    no terminal nothing happens at all.
    """

    def __init__(self, cycle: Callable[[], int], stream: TextIO | None = None) -> None:
        self._cycle = cycle
        self._stream = stream or sys.stderr
        self._enabled = self._stream.isatty()
        self._thread: threading.Thread | None = None
        self._since: float | None = None
        self._shown = ""

    def __enter__(self) -> None:
        if not self._enabled:
            return
        self._since = time.monotonic()
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._since = None
        if self._shown:
            self._show("")

    def _look(self) -> None:
        while True:
            time.sleep(_PERIOD_SECONDS)
            since = self._since
            if since is None:
                continue
            seconds = time.monotonic() - since
            if seconds >= _FIRST_SECONDS:
                self.tell(seconds)

    def tell(self, seconds: float) -> None:
        """Shows the line once."""
        cycle = self._cycle()
        self._show(f"simulating: cycle {cycle:,} after {seconds:.0f} s")

    def _show(self, text: str) -> None:
        self._stream.write(f"\r{text.ljust(len(self._shown))}")
        if not text:
            self._stream.write("\r")
        self._stream.flush()
        self._shown = text
