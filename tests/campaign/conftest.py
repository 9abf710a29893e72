"""The campaign of faults: its modules import each other by name, also as programs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for outcome.py, workers.py and so on
