"""Lets the test import its neighbour."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
