"""Tests of the structure of the code; imports.py reads imports for all of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for imports.py
