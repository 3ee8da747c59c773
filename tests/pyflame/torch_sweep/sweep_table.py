"""The table: every OpInfo that pyflame has an op for."""

from __future__ import annotations

from sweep_entry import Entry
from sweep_table_arrays import ARRAYS
from sweep_table_nn import NN
from sweep_table_pointwise import POINTWISE

_ALL = (*POINTWISE, *ARRAYS, *NN)
ENTRIES: dict[str, Entry] = {entry.name: entry for entry in _ALL}
assert len(ENTRIES) == len(_ALL), "a name stands twice"
