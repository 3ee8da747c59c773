"""Partition rules: how one primitive of the core set runs on tiles.

Importing this package registers all of them.
"""

from lowering.partition.rules import (
    convolution,
    creation,
    cumulative,
    dot,
    dynamic,
    elementwise,
    extreme_index,
    reduction,
    shape,
    sorting,
)

__all__ = [
    "convolution",
    "creation",
    "cumulative",
    "dot",
    "dynamic",
    "elementwise",
    "extreme_index",
    "reduction",
    "shape",
    "sorting",
]
