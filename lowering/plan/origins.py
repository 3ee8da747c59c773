"""What all steps say of themselves: the equations and lines they come from."""

from __future__ import annotations

from dataclasses import dataclass

from lowering.errors import Place
from lowering.plan.values import Value, View


@dataclass(frozen=True, slots=True)
class Origin:
    """The equation a step comes from, as text, and the user's line behind it."""

    equation: str
    place: Place | None = None


class Step:
    """Something that a PE does; by default it reads and writes nothing.

    Its cycles, its code bytes and its statements are registered by class, with
    `plan.cycles.step_cycles`, `step_code_bytes` and `emit.registry.step_lines`.
    """

    __slots__ = ()

    @property
    def origins(self) -> list[Origin]:
        """The equations that it computes."""
        raise AssertionError(f"{type(self).__name__} does not say where it is from")

    def reads(self) -> list[Value]:
        """Values whose elements the step reads, in this pass or while in flight."""
        return []

    def writes(self) -> list[Value]:
        """Values that the step changes, all or part of them."""
        return []


class OneEquation(Step):
    """A step that comes from a single equation."""

    __slots__ = ()
    origin: Origin

    @property
    def origins(self) -> list[Origin]:
        return [self.origin]


class OneOperand(OneEquation):
    """A step that makes `out` of the elements of `x`."""

    __slots__ = ()
    out: Value
    x: View

    def reads(self) -> list[Value]:
        return [self.x.value]

    def writes(self) -> list[Value]:
        return [self.out]
