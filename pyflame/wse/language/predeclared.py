"""The names every program starts with: primitive types and directions."""

from __future__ import annotations

import re
from typing import Any

from pyflame.wse.language import types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.source import Span
from pyflame.wse.language.types import Type

_TYPES: dict[str, Type] = {
    str(t): t
    for t in (
        types.BOOL,
        types.VOID,
        types.DIRECTION,
        types.TYPE,
        types.COMPTIME_INT,
        types.COMPTIME_FLOAT,
        types.COMPTIME_STRING,
        types.COMPTIME_STRUCT,
        types.IMPORTED_MODULE,
        *(types.I8, types.I16, types.I32, types.I64),
        *(types.U8, types.U16, types.U32, types.U64),
        *(types.F16, types.BF16, types.CB16, types.F32),
        *(types.MEM1D_DSD, types.MEM4D_DSD, types.FABIN_DSD, types.FABOUT_DSD),
        *(types.FIFO_DSD, types.CIRCBUF_DSD),
        *(types.Simple(kind) for kind in types.REGISTER_KINDS),
        *(
            types.Identifier(name)
            for name in (
                "color",
                "data_task_id",
                "local_task_id",
                "control_task_id",
                "input_queue",
                "output_queue",
                "ut_id",
            )
        ),
    )
}
_TYPES["range"] = types.Simple("range")
# two public sources spell it differently
_TYPES["fifo_handle"] = types.FIFO_DSD

DIRECTION_NAMES = ("NORTH", "SOUTH", "EAST", "WEST", "RAMP")

PREDECLARED: dict[str, tuple[Type, Any]] = {
    **{name: (types.TYPE, type_) for name, type_ in _TYPES.items()},
    **{name: (types.DIRECTION, name) for name in DIRECTION_NAMES},
}

_REFUSED = {
    "f64": "the PE has no arithmetic on 64-bit floats",
    "anyopaque": "it is a feature of 2.x",
    "dsd": "a DSD has a type of its kind: mem1d_dsd, mem4d_dsd, fabin_dsd, ...",
}
_INTEGER = re.compile(r"([iu])(\d{1,9})\Z")


def predeclared(name: str, span: Span) -> tuple[Type, Any] | None:
    """Type and value of a name that every program starts with; None if it has none.

    Integers of any width are a feature of 2.x, where packed structs need them.

    Raises:
        CslError: the name is known to exist, and is not supported.
    """
    known = PREDECLARED.get(name)
    if known is not None:
        return known
    if name in _REFUSED:
        fail(f"type '{name}' is not supported", span, note=_REFUSED[name])
    match = _INTEGER.match(name)
    if match is None:
        return None
    bits = int(match[2])
    if match[2] != str(bits) or not (1 <= bits <= 32 or bits == 64):
        fail(
            f"type '{name}' is not supported",
            span,
            note="integers have 1 to 32 or 64 bits",
        )
    return types.TYPE, types.Int(bits, match[1] == "i")
