"""`python -m pyflame`: the demo; with arguments, the `pyflame` command."""

import sys

from pyflame.cli import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["demo"]))
