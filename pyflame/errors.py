"""Everything that a user of the frontend can do wrong.

PyFlameError
 ├── ShapeError     shapes, dims or counts that an op cannot take (also a ValueError)
 ├── DTypeError     a dtype that an op or a tensor cannot take (also a TypeError)
 ├── ArgumentError  any other argument that makes no sense (also a ValueError)
 ├── GraphError     a graph that is not what the call needs (also a ValueError)
 ├── SavedFileError a file that `pf.save` did not write (also a ValueError)
 └── RunError       a compiled program was asked for a run that it cannot do

The compiler's own errors are `lowering.errors`; those of the simulator
`pyflame.wse.errors`.
"""

from __future__ import annotations


class PyFlameError(Exception):
    """Root of the frontend's errors.

    Args:
        message: one line: the op, the offending values, and what is wrong with them.
        rule: the rule that was broken.
        help: a way out.
    """

    def __init__(self, message: str, *, rule: str = "", help: str = "") -> None:
        self.message = message
        self.rule = rule
        self.help = help
        super().__init__(message)

    def __str__(self) -> str:
        lines = [self.message]
        if self.rule:
            lines.append(f"  rule  {self.rule}")
        if self.help:
            lines.append(f"  help  {self.help}")
        return "\n".join(lines)


class ShapeError(PyFlameError, ValueError):
    """Shapes, dims or counts that an op cannot take."""


class DTypeError(PyFlameError, TypeError):
    """A dtype that an op or a tensor cannot take."""


class ArgumentError(PyFlameError, ValueError):
    """An argument that makes no sense, whatever the shapes."""


class GraphError(PyFlameError, ValueError):
    """A graph that is not what the call needs."""


class SavedFileError(PyFlameError, ValueError):
    """A file that is damaged, truncated, or that `pf.save` did not write."""


class RunError(PyFlameError, RuntimeError):
    """A compiled program was asked for a run that it cannot do."""
