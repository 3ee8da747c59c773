"""The plan becomes CSL text that a person could have written."""

from lowering.emit.program import ENTRY, emit

__all__ = ["ENTRY", "emit"]
