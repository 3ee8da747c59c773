"""Operations as one line of text, for logs."""

from __future__ import annotations

from typing import Any

from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    Circular,
    Dsr,
    FabIn,
    FabOut,
    Fifo,
    Mem1d,
    Mem4d,
    ScalarPointer,
)
from pyflame.wse.machine.memory_objects import MemoryObjects
from pyflame.wse.machine.operations import Operation


def operation_text(operation: Operation, objects: MemoryObjects) -> str:
    """`@fmacs('y[0]' x 4, 'y[0]' x 4, 'A[0, 2]' x 4 step 8, 1.5)`."""
    operands = (operation.dest, *operation.sources)
    types = (operation.spec.dest_dtype, *operation.spec.source_dtypes)
    texts = [
        operand_text(operand, dtype.itemsize, objects)
        for operand, dtype in zip(operands, types, strict=True)
        if operand is not None
    ]
    return f"{operation.spec.name}({', '.join(texts)})"


def operand_text(operand: Any, size: int, objects: MemoryObjects) -> str:
    match operand:
        case Mem1d():
            start = objects.element(operand.base + operand.offset * size)
            step = "" if operand.stride == 1 else f" step {operand.stride}"
            return f"{start} x {operand.extent}{step}"
        case Circular():
            start = objects.element(operand.base + operand.offset * size)
            return f"{start} x {operand.extent} around {operand.wraparound}"
        case Mem4d():
            start = objects.element(operand.base + operand.offset * size)
            extents = " by ".join(map(str, operand.extents))
            return f"{start} x {extents} steps {', '.join(map(str, operand.strides))}"
        case FabIn():
            return f"{_count(operand.extent)} of color {operand.color}"
        case FabOut():
            what = "control wavelets" if operand.control else "wavelets"
            return f"{_count(operand.extent, what)} on color {operand.color}"
        case Fifo():
            return f"FIFO {operand.number}"
        case Dsr():
            return f"{operand.kind} {operand.number}"
        case ScalarPointer():
            return f"&{objects.element(operand.address)}"
        case _:
            return str(operand)


def _count(extent: int, what: str = "wavelets") -> str:
    return f"endless {what}" if extent == INFINITE_EXTENT else f"{extent} {what}"
