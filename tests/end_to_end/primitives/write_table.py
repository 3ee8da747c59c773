"""Writes the table of docs/primitives.md anew: `write_table.py`.

The compiler itself is asked what it supports: every primitive's program is compiled for
every dtype that JAX has it for.
"""

from __future__ import annotations

from primitive_table import PAGE, with_table


def main() -> None:
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
