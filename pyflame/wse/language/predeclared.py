"""The names every program starts with: primitive types and directions."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language import types
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
        types.FIFO_DSD,
        *(types.Simple(kind) for kind in types.DSR_KINDS),
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

DIRECTION_NAMES = ("NORTH", "SOUTH", "EAST", "WEST", "RAMP")

PREDECLARED: dict[str, tuple[Type, Any]] = {
    **{name: (types.TYPE, type_) for name, type_ in _TYPES.items()},
    **{name: (types.DIRECTION, name) for name in DIRECTION_NAMES},
}
