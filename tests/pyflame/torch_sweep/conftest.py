"""The sweep's own modules, importable by name; skipped where PyTorch is missing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
