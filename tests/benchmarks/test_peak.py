"""How much memory training takes at most, beside the textbook's loop. Each in a fresh process."""

import sys
from pathlib import Path

import pytest
from beside import KINDS, numbers_beside, said_by

pytest.importorskip("resource", reason="Windows does not tell")
HERE = Path(__file__).parent
RUN = """
import resource, sys
sys.path.insert(0, {here!r})
from loops import gankit, textbook
step = {make}
for _ in range(6):
    step()
try:  # Linux; ru_maxrss would count what the parent held when it started this process
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
except OSError:  # macOS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak / 1e6)
"""


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("size", "base", "batch"), [(64, 64, 64), (128, 32, 32)])
def test_peak_memory(benchmark, size, base, batch, precision):
    def of(make):
        return lambda: said_by("-c", RUN.format(here=str(HERE), make=make))

    about = {"what": f"{size} px, base {base}, batch {batch}, {KINDS[precision]}", "unit": "MB"}
    about |= {"yardstick": "the textbook's loop, float32", "python": sys.version.split()[0]}
    ways = (
        of(f"gankit({size}, {base}, {batch}, {precision!r})"),
        of(f"textbook({size}, {base}, {batch})"),
    )
    numbers_beside(benchmark, *ways, rounds=5, question="memory", **about)
