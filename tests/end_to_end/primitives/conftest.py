"""What makes and checks the table of primitives, importable by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
