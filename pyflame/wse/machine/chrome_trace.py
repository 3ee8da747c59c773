"""A recorded run as Chrome trace events, which Perfetto and chrome://tracing show.

One process per PE with a track for its main thread and one for each microthread that
ran. One unit of `ts` and `dur` is one cycle (viewers call it a microsecond).
"""

from __future__ import annotations

from typing import Any

from pyflame.wse.machine.recorder import MAIN_THREAD, Recorder, Slice

_COLORS = {"wait": "terrible", "operation": "good", "task": "thread_state_running"}


def chrome_trace(
    recorder: Recorder, width: int, cycles: int, clock_hz: float
) -> dict[str, Any]:
    """The JSON object; `cycles` is the length of the run."""
    places = sorted({(s.y, s.x) for s in recorder.slices})
    events: list[dict[str, Any]] = []
    for y, x in places:
        events += _names(recorder, x, y, y * width + x + 1)
    order = sorted(recorder.slices, key=lambda s: (s.start, -s.end, _RANK[s.kind]))
    events += [_event(s, s.y * width + s.x + 1) for s in order]
    return {
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": {
            "unit": "1 us in this file is 1 cycle",
            "cycles": cycles,
            "clock_hz": clock_hz,
            "dropped_slices": recorder.dropped,
        },
    }


_RANK = {"task": 0, "operation": 1, "wait": 2}


def _names(recorder: Recorder, x: int, y: int, pid: int) -> list[dict[str, Any]]:
    threads = sorted({s.thread for s in recorder.slices if (s.x, s.y) == (x, y)})
    named = [_metadata(pid, 0, "process_name", {"name": f"PE({x},{y})"})]
    named.append(_metadata(pid, 0, "process_sort_index", {"sort_index": pid}))
    for thread in threads:
        name = "main" if thread == MAIN_THREAD else f"microthread {thread - 1}"
        named.append(_metadata(pid, thread, "thread_name", {"name": name}))
    return named


def _metadata(pid: int, tid: int, name: str, args: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "pid": pid, "tid": tid, "name": name, "args": args}


def _event(slice_: Slice, pid: int) -> dict[str, Any]:
    event: dict[str, Any] = {
        "ph": "X",
        "pid": pid,
        "tid": slice_.thread,
        "ts": slice_.start,
        "dur": slice_.end - slice_.start,
        "name": slice_.name,
        "cat": slice_.kind,
        "cname": _COLORS[slice_.kind],
    }
    if slice_.site is not None:
        event["args"] = {"at": slice_.site.span.location()}
    return event
