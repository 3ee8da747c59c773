"""`python -m pyflame`: the demo."""

from pyflame.demo import main

if __name__ == "__main__":
    raise SystemExit(main())
