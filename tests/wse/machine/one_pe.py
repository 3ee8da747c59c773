"""Programs of one PE that sends to itself: operations, a loop of color 4, its end."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation


def op(name: str, dest: Any, *sources: Any, **config: Any) -> Operation:
    return Operation(OPERATIONS[name], dest, sources, OpConfig(**config))


def asynchronous(name: str, dest: Any, *sources: Any, **config: Any) -> Operation:
    return op(name, dest, *sources, asynchronous=True, **config)


def loop(bench: Any, arch: str, body: Any, **tasks: Any) -> Any:
    """One PE whose color 4 leads back to it; `body` runs at the start, and
    `task9=...` is bound to local id 9."""
    b = bench(arch, 1)
    b.route(0, 0, 4, "RAMP", "RAMP")
    b.at(0).queue("out", 2, 4)
    b.at(0).queue("in", 3, 4)
    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    for name, call in tasks.items():
        b.at(0).task("local", int(name[4:]), call)
    return b


def finished(b: Any, **config: Any) -> Any:
    wafer = b.wafer(**config)
    wafer.run_until_quiet()
    return wafer.pe(0, 0)


def fault(b: Any) -> str:
    with pytest.raises(MachineFault) as caught:
        finished(b)
    return str(caught.value)
