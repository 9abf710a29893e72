"""Measure how fast a page draws: gankit's kernel, plain JavaScript and onnxruntime-web, in turns.

    python docs/measure_engine.py runs/petals-1 [--onnx generator.onnx --ort node_modules/...]

It prints rows of a table for docs/explore.md: milliseconds for one picture in headless Chromium,
each the best and the median of all turns. The yardstick is onnxruntime-web (npm) with one thread:
`--ort` is its folder `dist`, and `--onnx` what `gankit export RUN --format onnx` wrote. Without
them, plain JavaScript is the yardstick. Needs `pip install playwright` and Chromium.
"""

import argparse
import base64
import functools
import http.server
import json
import shutil
import statistics
import tempfile
import threading
from pathlib import Path

from gankit_explore.engine import texts
from gankit_explore.program.lower import lower
from playwright.sync_api import Page, sync_playwright

import gankit

TURNS = 12
PICTURES = 20  # of a turn; the best of them counts, and their median
CODE = """
window.bytes = (text) => {
    const letters = atob(text);
    const numbers = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) numbers[i] = letters.charCodeAt(i);
    return numbers;
};
window.begin = async (name, worker, wasm, description, weights) => {
    const start = performance.now();
    const engine = await createEngine({ worker, wasm: wasm && bytes(wasm) });
    await engine.load(0, JSON.parse(description), bytes(weights).buffer);
    const size = JSON.parse(description).latent_dim;
    const draw = (seed) => engine.draw({ program: 0, z: latentsOf(seed, size), count: 1 });
    await draw(0);
    window[name] = async (seed) => (await draw(seed)).ms;
    return performance.now() - start;
};
window.beginOnnx = async (size) => {
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create("generator.onnx");
    window.onnx = async (seed) => {
        const z = new ort.Tensor("float32", latentsOf(seed, size), [1, size]);
        const begin = performance.now();
        await session.run({ [session.inputNames[0]]: z });
        return performance.now() - begin;
    };
};
window.turn = async (name, count) => {
    const times = [];
    for (let i = 0; i < count; i++) times.push(await window[name](i));
    return times;
};
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *args: object) -> None:
        pass


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("--onnx", type=Path, help="the run's generator as ONNX")
    parser.add_argument("--ort", type=Path, help="the folder dist of onnxruntime-web")
    return parser.parse_args()


def fill(folder: Path, options: argparse.Namespace) -> None:
    """Put the page, and the yardstick's files, into a folder."""
    script = ""
    if options.ort:
        shutil.copytree(options.ort, folder / "ort")
        shutil.copy(options.onnx, folder / "generator.onnx")
        script = '<script src="ort/ort.wasm.min.js"></script>'
    page = f"<!doctype html>{script}<script>{texts()['engine']}{CODE}</script>"
    (folder / "index.html").write_text(page, encoding="utf-8")


def measure(page: Page, options: argparse.Namespace) -> dict[str, list[list[float]]]:
    """For each engine and turn, the milliseconds of each picture."""
    sampler = gankit.load(options.run)
    program = lower(sampler.net, sampler.run.latent_dim)
    weights = program.weights()
    given = [json.dumps(program.describe()), base64.b64encode(weights).decode()]
    kernel = base64.b64encode(bytes(texts()["wasm"])).decode()
    names = {"wasm": kernel, "javascript": None}
    for name, wasm in names.items():
        ready = page.evaluate("(all) => begin(...all)", [name, texts()["worker"], wasm, *given])
        print(f"{name}: first picture after {ready:.0f} ms, {len(weights):,} bytes of weights")
    if options.ort:
        page.evaluate("(size) => beginOnnx(size)", program.latent_dim)
        names["onnx"] = None
    turns: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(TURNS):
        for name, times in turns.items():
            times.append(page.evaluate("(all) => turn(...all)", [name, PICTURES]))
    return turns


def report(turns: dict[str, list[list[float]]]) -> None:
    yardstick = turns["onnx" if "onnx" in turns else "javascript"]
    for name, times in turns.items():
        best = min(min(turn) for turn in times)
        median = statistics.median(statistics.median(turn) for turn in times)
        pairs = zip(times, yardstick, strict=True)
        ratios = sorted(min(other) / min(turn) for turn, other in pairs)
        ratio = statistics.median(ratios)
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        print(f"| {name} | {best:.2f} ms | {median:.2f} ms | {ratio:.2f} ({spread}) |")


def main() -> None:
    options = read_options()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        fill(folder, options)
        handler = functools.partial(Quiet, directory=name)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        report(measure(page, options))
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
