"""The table: every OpInfo that pyflame has an op for, in PyTorch's order of topics."""

from __future__ import annotations

from sweep_entry import Entry
from sweep_table_basic import BASIC
from sweep_table_nn import NN

ENTRIES: dict[str, Entry] = {entry.name: entry for entry in (*BASIC, *NN)}
assert len(ENTRIES) == len(BASIC) + len(NN), "a name stands twice"
