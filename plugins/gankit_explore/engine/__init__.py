"""The code that runs a program in a page: C for WebAssembly, JavaScript, and their texts."""

from functools import cache
from pathlib import Path

PAGE = ("latents.js", "engine.js")  # in the page itself
WORKER = ("kernel.js", "program.js", "draw.js", "worker.js")


@cache
def texts() -> dict[str, str | bytes]:
    """The parts of the engine: `engine` and `worker`, JavaScript, and `wasm`, the kernel's bytes.

    `engine` defines `createEngine` and `latentsOf`; `worker` is the text of its worker.
    """
    folder = Path(__file__).parent
    joined = {
        name: "\n".join((folder / part).read_text("utf-8") for part in parts)
        for name, parts in (("engine", PAGE), ("worker", WORKER))
    }
    return {**joined, "wasm": (folder / "kernel.wasm").read_bytes()}
