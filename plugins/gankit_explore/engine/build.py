"""Compiles kernel.c to kernel.wasm: `python -m gankit_explore.engine.build`.

It needs a compiler, which gankit itself does not: `pip install ziglang==0.17.1`. Another version
may give other bytes, which compute the same.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
VERSION = "0.17.1"  # of ziglang
FLAGS = [
    *("-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-O3"),
    *("-ffreestanding", "-fno-builtin", "-nostdlib"),
    *("-Wl,--no-entry", "-Wl,--export=__heap_base", "-Wl,--strip-all", "-Wl,-z,stack-size=16384"),
]


def build(target: Path) -> None:
    """Compile the kernel into a file. CalledProcessError if the compiler fails or is missing."""
    source = str(FOLDER / "kernel.c")
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(target), source]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    build(FOLDER / "kernel.wasm")
