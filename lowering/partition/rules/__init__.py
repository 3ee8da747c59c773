"""Partition rules: how one primitive of the core set runs on tiles.

Importing this package registers all of them.
"""

from lowering.partition.rules import (
    chosen_elements,
    collectives,
    convolution,
    creation,
    cumulative,
    dot,
    dynamic,
    elementwise,
    extreme_index,
    gather,
    moves,
    reduction,
    scatter,
    shape,
    sorting,
    windows,
)

__all__ = [
    "chosen_elements",
    "collectives",
    "convolution",
    "creation",
    "cumulative",
    "dot",
    "dynamic",
    "elementwise",
    "extreme_index",
    "gather",
    "moves",
    "reduction",
    "scatter",
    "shape",
    "sorting",
    "windows",
]
