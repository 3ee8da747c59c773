"""Recorded lines in the format of the vendor simulator's log.

What is written is what public viewers of that log read: the size of the fabric,
landings of wavelets, their way through routers, operations in execution and waits for
wavelets. The vendor prints more, which nobody has described.
"""

from __future__ import annotations

import re

from pyflame.wse.machine.recorder import MAIN_THREAD, Recorder, Slice

_NO_WAVELET = re.compile(r"no wavelet of color (\d+)(?: in input queue (\d+))?")


def log_lines(
    recorder: Recorder, dims: tuple[int, int], offsets: tuple[int, int]
) -> list[tuple[int, str]]:
    """Pairs of cycle and line in order of cycles."""
    lines = list(recorder.lines)
    if "inst_trace" in recorder.observe.lines:
        for slice_ in recorder.slices:
            lines += _slice_lines(slice_, offsets)
    head = f"@0 dimX={dims[0]}, dimY={dims[1]}"
    return [(0, head), *sorted(lines, key=lambda line: line[0])]


def _slice_lines(slice_: Slice, offsets: tuple[int, int]) -> list[tuple[int, str]]:
    place = f"P{slice_.x + offsets[0]}.{slice_.y + offsets[1]}"
    if slice_.kind == "wait":
        return _wait_lines(slice_, place)
    if slice_.kind == "operation":
        return [_executes(slice_.start, place, f"T{slice_.thread} {slice_.name}")]
    if slice_.thread == MAIN_THREAD:
        task = _executes(slice_.start, place, f"T0 {slice_.name}")
        return [task, _executes(slice_.end, place, "IDLE")]
    return []


def _executes(cycle: int, place: str, what: str) -> tuple[int, str]:
    return cycle, f"@{cycle} {place}: [EX OP] {what}"


def _wait_lines(slice_: Slice, place: str) -> list[tuple[int, str]]:
    match = _NO_WAVELET.fullmatch(slice_.name)
    if match is None:
        return []
    color, queue = match.group(1), match.group(2) or match.group(1)
    return [
        (
            slice_.start,
            f"@{slice_.start} {place}: T{slice_.thread} Not enough wavelets (0/1) for "
            f"SRC0 with C{color}, IN_Q[{queue}], SIMD-1",
        )
    ]
