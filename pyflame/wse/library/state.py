"""What the library keeps per PE outside of its memory: a counter and a line."""

from __future__ import annotations

from dataclasses import dataclass

TSC_MASK = (1 << 48) - 1


@dataclass(slots=True)
class TimestampCounter:
    """The 48-bit cycle counter of <time>.

    While it runs it reads `clock - origin`; while it is stopped it reads `stopped`.
    It starts out stopped at 0.
    """

    origin: int | None = None
    stopped: int = 0

    @property
    def running(self) -> bool:
        return self.origin is not None

    def enable(self, clock: int) -> None:
        """Clears the counter and starts it."""
        self.origin = clock

    def start_from_zero_time(self) -> None:
        """Starts a stopped counter as if it had run since the program was loaded."""
        if self.origin is None:
            self.origin = 0

    def disable(self, clock: int) -> None:
        self.stopped = self.read(clock)
        self.origin = None

    def reset(self, clock: int) -> None:
        """Sets the counter to 0, running or not."""
        self.stopped = 0
        if self.origin is not None:
            self.origin = clock

    def read(self, clock: int) -> int:
        if self.origin is None:
            return self.stopped
        return (clock - self.origin) & TSC_MASK


@dataclass(slots=True)
class LineBuffer:
    """The unfinished line of <simprint>. A full buffer counts as a finished line.

    The size is not documented; 512 characters is a choice.
    """

    text: str = ""
    capacity: int = 512

    def add(self, text: str) -> list[str]:
        """The lines that are complete after adding the text, without newlines."""
        *lines, rest = (self.text + text).split("\n")
        while len(rest) >= self.capacity:
            lines.append(rest[: self.capacity])
            rest = rest[self.capacity :]
        self.text = rest
        return lines
