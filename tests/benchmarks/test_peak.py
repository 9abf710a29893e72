"""The peak memory of training, compared with the textbook's loop, each in a new process."""

import sys
from pathlib import Path

import pytest
from comparison import PRECISION_NAMES, measure_against, run_for_number

pytest.importorskip("resource", reason="not on Windows")
FOLDER = Path(__file__).parent
SCRIPT = """
import resource, sys
sys.path.insert(0, {folder!r})
from loops import gankit, textbook
step = {make}
for _ in range(6):
    step()
try:  # Linux, where ru_maxrss may also count memory of the parent process
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
except OSError:  # macOS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak / 1e6)
"""


@pytest.mark.parametrize("precision", PRECISION_NAMES)
@pytest.mark.parametrize(("size", "base", "batch"), [(64, 64, 64), (128, 32, 32)])
def test_peak_memory(benchmark, size, base, batch, precision):
    def measure_peak(make):
        return run_for_number("-c", SCRIPT.format(folder=str(FOLDER), make=make))

    measure_against(
        benchmark,
        lambda: measure_peak(f"gankit({size}, {base}, {batch}, {precision!r})"),
        lambda: measure_peak(f"textbook({size}, {base}, {batch})"),
        rounds=5,
        question="memory",
        what=f"{size} px, base {base}, batch {batch}, {PRECISION_NAMES[precision]}",
        yardstick="the textbook's loop, float32",
        unit="MB",
        python=sys.version.split()[0],
    )
