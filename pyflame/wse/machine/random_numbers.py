"""The PE's pseudo-random bits, as `@random16` draws them."""

from __future__ import annotations

INITIAL_STATE = 0xDEAD_BEEF
STEPS_PER_NUMBER = 128

_WIDTH = 23
_TAP = 18  # x^23 + x^18 + 1
_MASK = (1 << _WIDTH) - 1


class RandomNumbers:
    """The documented linear feedback shift register: polynomial x^23 + x^18 + 1,
    initial state 0xdeadbeef on every PE, 128 steps after each use.

    Which bits make a number is not documented: here the low 16 bits of the state
    before it moves on. With them the official program that estimates pi from 200
    points is within its tolerance, as with other choices it is not.
    """

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self.seed(INITIAL_STATE)

    def seed(self, seed: int) -> None:
        """Only the low 23 bits matter; without any the register would stay at 0, so
        they stand for the initial state."""
        self._state = seed & _MASK or INITIAL_STATE & _MASK

    def next_u16(self) -> int:
        number = self._state & 0xFFFF
        self._state = _stepped(self._state, STEPS_PER_NUMBER)
        return number


def _stepped(state: int, steps: int) -> int:
    """The state after shifting left that often. Up to 18 bits depend on the present
    state alone, so they enter at once."""
    while steps > 0:
        count = min(steps, _TAP)
        entering = (state >> (_WIDTH - count) ^ state >> (_TAP - count)) & (
            (1 << count) - 1
        )
        state = (state << count | entering) & _MASK
        steps -= count
    return state
