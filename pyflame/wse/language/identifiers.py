"""Which numbers colors, task ids, queues and microthreads have."""

from __future__ import annotations

from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.source import Span

COLORS = (0, 23)
# numbers beyond the routable ones: params of published programs default to color 32,
# and set another one before they use it
ANY_COLORS = (0, 63)
CONTROL_TASK_IDS = (0, 63)
LOCAL_TASK_IDS = {"wse2": (0, 30), "wse3": (8, 30)}
INPUT_QUEUES = (0, 7)
OUTPUT_QUEUES = {"wse2": (0, 5), "wse3": (0, 7)}
UT_IDS = (0, 7)
# the documents give no totals; these hold every published program
DSR_IDS = (0, 15)


def id_bounds(name: str, arch: str) -> tuple[int, int]:
    """Smallest and largest number of an identifier type."""
    match name:
        case "color":
            return ANY_COLORS
        case "local_task_id":
            return LOCAL_TASK_IDS[arch]
        case "data_task_id":
            return COLORS if arch == "wse2" else INPUT_QUEUES
        case "control_task_id":
            return CONTROL_TASK_IDS
        case "input_queue":
            return INPUT_QUEUES
        case "output_queue":
            return OUTPUT_QUEUES[arch]
        case _:
            return UT_IDS


def check_id(name: str, value: int, arch: str, span: Span) -> None:
    """Raises CslError if an identifier type has no such number."""
    low, high = id_bounds(name, arch)
    if not low <= value <= high:
        what = name.replace("_", " ")
        fail(f"{what} {value} is out of range ({low} to {high})", span)
