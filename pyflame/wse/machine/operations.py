"""The vector operations of the machine: element types, forms, and one issued op."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pyflame.wse.machine.memory import F16, F32, I16, I32, U16, U32
from pyflame.wse.machine.sites import Site

DTYPES: dict[str, np.dtype[Any]] = {
    "u16": U16,
    "i16": I16,
    "u32": U32,
    "i32": I32,
    "f16": F16,
    "f32": F32,
}


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One builtin.

    Args:
        name: with its `@`, e.g. `@fmacs`.
        dest: element type of the destination.
        sources: element types of the sources in order.
        lanes: class of its throughput: `<lanes>_lanes` of the costs.
        reduces: with a pointer destination and a scalar first source it accumulates.
        number: place in the table.
    """

    name: str
    dest: str
    sources: tuple[str, ...]
    lanes: str
    reduces: bool
    number: int

    @property
    def dest_dtype(self) -> np.dtype[Any]:
        return DTYPES[self.dest]

    @property
    def source_dtypes(self) -> tuple[np.dtype[Any], ...]:
        return tuple(DTYPES[name] for name in self.sources)


@dataclass(frozen=True, slots=True)
class OpConfig:
    """The trailing struct of an operation, with run-time values.

    Args:
        activate: local task id to activate at the end, or None.
        unblock: (kind, id) to unblock at the end, or None; kind as in `TaskState`.
        on_control: what a control wavelet does, "terminate", "activate" or
            "unblock", or None.
        on_control_target: local task id, or (kind, id), of the latter two.
        index: value of `.index`, None if not given.
        priority: "low", "medium", "high" or None.
        ut_id: microthread asked for (WSE-3), or None.
    """

    asynchronous: bool = False
    activate: int | None = None
    unblock: tuple[str, int] | None = None
    on_control: str | None = None
    on_control_target: Any = None
    index: int | None = None
    priority: str | None = None
    ut_id: int | None = None


PLAIN = OpConfig()
ASYNC = OpConfig(asynchronous=True)


class Operation(NamedTuple):
    """A vector operation about to run.

    Args:
        dest: a descriptor, or a `ScalarPointer`; for `@dfilt` None.
        sources: descriptors or scalar values (int or NumPy float) in order.
        site: the call in the source; None for operations of the machine's own.
    """

    spec: OpSpec
    dest: Any
    sources: tuple[Any, ...]
    config: OpConfig = PLAIN
    site: Site | None = None


# name, dest, sources, lane class, reduces
_ROWS: tuple[tuple[str, str, tuple[str, ...], str, bool], ...] = (
    ("@mov16", "u16", ("u16",), "mov_f16", False),
    ("@mov32", "u32", ("u32",), "mov_f32", False),
    ("@add16", "u16", ("u16", "u16"), "alu_f16", True),
    ("@addc16", "u16", ("u16", "u16"), "convert", False),
    ("@sub16", "u16", ("u16", "u16"), "alu_f16", False),
    ("@and16", "u16", ("u16", "u16"), "alu_f16", False),
    ("@or16", "u16", ("u16", "u16"), "alu_f16", False),
    ("@xor16", "u16", ("u16", "u16"), "alu_f16", False),
    ("@sll16", "u16", ("u16", "u16"), "alu_f16", False),
    ("@slr16", "u16", ("u16", "u16"), "alu_f16", False),
    ("@sar16", "u16", ("u16", "u16"), "alu_f16", False),
    ("@clz", "u16", ("u16",), "alu_f16", False),
    ("@ctz", "u16", ("u16",), "alu_f16", False),
    ("@popcnt", "u16", ("u16",), "alu_f16", False),
    ("@fmovh", "f16", ("f16",), "mov_f16", False),
    ("@fmovs", "f32", ("f32",), "mov_f32", False),
    ("@faddh", "f16", ("f16", "f16"), "alu_f16", True),
    ("@fadds", "f32", ("f32", "f32"), "alu_f32", True),
    ("@faddhs", "f32", ("f32", "f16"), "fmac_mixed", True),
    ("@fsubh", "f16", ("f16", "f16"), "alu_f16", True),
    ("@fsubs", "f32", ("f32", "f32"), "alu_f32", True),
    ("@fmulh", "f16", ("f16", "f16"), "alu_f16", True),
    ("@fmuls", "f32", ("f32", "f32"), "alu_f32", True),
    ("@fmaxh", "f16", ("f16", "f16"), "alu_f16", True),
    ("@fmaxs", "f32", ("f32", "f32"), "alu_f32", True),
    ("@fmach", "f16", ("f16", "f16", "f16"), "fmac_f16", False),
    ("@fmacs", "f32", ("f32", "f32", "f32"), "fmac_f32", False),
    ("@fmachs", "f32", ("f32", "f16", "f16"), "fmac_mixed", False),
    ("@fnegh", "f16", ("f16",), "alu_f16", False),
    ("@fnegs", "f32", ("f32",), "alu_f32", False),
    ("@fabsh", "f16", ("f16",), "alu_f16", False),
    ("@fabss", "f32", ("f32",), "alu_f32", False),
    ("@fh2s", "f32", ("f16",), "convert", False),
    ("@fs2h", "f16", ("f32",), "convert", False),
    ("@fh2xp16", "i16", ("f16",), "convert", False),
    ("@fs2xp16", "i16", ("f32",), "convert", False),
    ("@xp162fh", "f16", ("i16",), "convert", False),
    ("@xp162fs", "f32", ("i16",), "convert", False),
    ("@fnormh", "f16", ("f16",), "convert", False),
    ("@fnorms", "f32", ("f32",), "convert", False),
    ("@fscaleh", "f16", ("f16", "i16"), "convert", False),
    ("@fscales", "f32", ("f32", "i16"), "convert", False),
    ("@dfilt", "u32", ("u32",), "mov_f32", False),
)

OPERATIONS: dict[str, OpSpec] = {
    row[0]: OpSpec(*row, number=number) for number, row in enumerate(_ROWS)
}
