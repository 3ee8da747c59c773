"""How long recording one op takes, without computing it."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from statistics import median
from typing import Any

import pyflame as pf

ROUNDS, OPS = 25, 400


def calls() -> dict[str, Callable[[], Any]]:
    x, y = pf.randn([8, 8]), pf.randn([8, 8])
    pf.eval(x, y)
    return {
        "x + y": lambda: x + y,
        "x * 2.0": lambda: x * 2.0,
        "x @ y": lambda: x @ y,
        "pf.relu(x)": lambda: pf.relu(x),
        "x.sum(dim=1)": lambda: x.sum(dim=1),
        "pf.softmax(x, dim=1)": lambda: pf.softmax(x, dim=1),
        "x.reshape([4, 16])": lambda: x.reshape([4, 16]),
        "x[0, 1:3]": lambda: x[0, 1:3],
    }


def measured() -> dict[str, float]:
    """Microseconds per op: the median of rounds."""
    return {
        name: median(timeit.repeat(call, number=OPS, repeat=ROUNDS)) / OPS * 1e6
        for name, call in calls().items()
    }
