"""The plan becomes CSL text that a person could have written."""

from lowering.emit import (
    contractions,
    gather,
    products,
    reductions,
    rows,
    scans,
    sorting,
    statements,
)
from lowering.emit.program import ENTRY, emit

STEP_FILES = (
    contractions,
    gather,
    products,
    reductions,
    rows,
    scans,
    sorting,
    statements,
)  # importing them fills the registry of statements

__all__ = ["ENTRY", "STEP_FILES", "emit"]
