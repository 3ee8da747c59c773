"""Wavelet filters: what a router keeps from its CE.

Forwarding to other directions is not affected. A counter is tested, then stepped:
published code that keeps the first B of every T wavelets needs that order.
"""

from __future__ import annotations

from pyflame.wse.language.image import Filter
from pyflame.wse.machine.wavelet import CONTROL


class WaveletFilter:
    """The filter of one color at one router. `passes` asks, `count` steps."""

    __slots__ = (
        "_counter",
        "_counts_control",
        "_counts_data",
        "_enabled",
        "_fields",
        "_kind",
        "_limit",
        "_maximum",
        "_second_limit",
    )

    def __init__(self, config: Filter) -> None:
        fields = config.fields
        self._kind = config.kind
        self._fields = fields
        self._counter = int(fields.get("init_counter", 0))
        self._counts_data = bool(fields.get("count_data", False))
        self._counts_control = bool(fields.get("count_control", False))
        self._limit = int(fields.get("limit1", 0))
        self._maximum = int(fields.get("max_counter", 0))
        self._second_limit = fields.get("limit2")
        self._enabled = self._kind != "sparse_counter" or "limit1" in fields

    @staticmethod
    def of(config: Filter | None) -> WaveletFilter | None:
        return None if config is None else WaveletFilter(config)

    @property
    def counts(self) -> bool:
        """Whether it has a counter: range filters do not."""
        return self._kind != "range"

    @property
    def counter(self) -> int:
        """Counted wavelets of this period."""
        return self._counter

    @property
    def maximum(self) -> int:
        return self._maximum

    @property
    def limit(self) -> int:
        return self._limit

    def set_counter(self, value: int) -> None:
        self._counter = value

    def set_maximum(self, value: int) -> None:
        """The highest counter with which wavelets pass."""
        self._maximum = value

    def set_limit(self, value: int) -> None:
        """The counter after which it starts again from 0."""
        self._limit = value

    def passes(self, word: int) -> bool:
        """Whether the CE may have this wavelet."""
        if not self._enabled:
            return True
        if self._kind == "range":
            if word & CONTROL:
                return True
            index = word >> 16 & 0xFFFF
            low, high = self._fields.get("min_idx", 0), self._fields.get("max_idx", 0)
            return low <= index <= high
        if self._fields.get("filter_control", False):
            return bool(word & CONTROL) and self._counter == self._maximum
        return self._counter <= self._maximum

    def count(self, word: int) -> None:
        """Steps the counter for a wavelet that has gone through the router."""
        counted = self._counts_control if word & CONTROL else self._counts_data
        if self._kind == "range" or not counted or not self._enabled:
            return
        if self._counter < self._limit:
            self._counter += 1
            return
        self._counter = 0
        if self._kind == "sparse_counter":
            self._next_limit()

    def _next_limit(self) -> None:
        if self._second_limit is None:
            self._enabled = False
            return
        self._limit, self._second_limit = int(self._second_limit), None
