"""Partition rules: how one primitive of the core set runs on tiles.

Importing this package registers all of them.
"""

from lowering.partition.rules import (
    creation,
    dot,
    dynamic,
    elementwise,
    reduction,
    shape,
)

__all__ = ["creation", "dot", "dynamic", "elementwise", "reduction", "shape"]
