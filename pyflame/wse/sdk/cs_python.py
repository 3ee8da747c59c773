"""`cs_python`: runs a host script with the SDK's packages importable."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

# The folder that holds the namespace package `cerebras`.
PACKAGES = Path(__file__).parent / "packages"


def main(arguments: list[str] | None = None) -> int:
    """Runs `SCRIPT ARGUMENT...` as python would: argv, path and `__main__` are its own.

    Returns the exit status if the script ends by itself; `sys.exit` and exceptions
    of the script pass through.
    """
    line = sys.argv[1:] if arguments is None else arguments
    if not line or line[0].startswith("-"):
        print("usage: cs_python SCRIPT [ARGUMENT ...]", file=sys.stderr)
        return 0 if line[:1] in (["-h"], ["--help"]) else 2
    script = Path(line[0])
    if not script.is_file():
        print(f"cs_python: there is no file '{script}'", file=sys.stderr)
        return 2
    sys.argv = list(line)
    make_importable()
    sys.path.insert(0, str(script.resolve().parent))
    runpy.run_path(str(script), run_name="__main__")
    return 0


def make_importable() -> None:
    """Puts the SDK's packages on the import path, ahead of any installed client."""
    if str(PACKAGES) not in sys.path:
        sys.path.insert(0, str(PACKAGES))


if __name__ == "__main__":
    sys.exit(main())
