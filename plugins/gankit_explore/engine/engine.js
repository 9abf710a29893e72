/* The page's side of the engine: it asks a worker, which draws while the page stays quick. */
"use strict";

/** The engine; texts: {worker: its source, wasm: Uint8Array or null}. See docs/explore.md. */
async function createEngine(texts) {
    const address = URL.createObjectURL(new Blob([texts.worker], { type: "text/javascript" }));
    const worker = new Worker(address);
    const waiting = new Map();
    let last = 0;
    worker.onmessage = ({ data: { id, result, error } }) => {
        const { resolve, reject } = waiting.get(id);
        waiting.delete(id);
        if (error) reject(new Error(error));
        else resolve(result);
    };
    const failed = (event) => {
        for (const { reject } of waiting.values()) reject(new Error(event.message || "no worker"));
        waiting.clear();
    };
    worker.onerror = failed;

    function ask(task, message, transfer = []) {
        return new Promise((resolve, reject) => {
            waiting.set(++last, { resolve, reject });
            worker.postMessage({ id: last, task, ...message }, transfer);
        });
    }

    const { kind } = await ask("start", { wasm: texts.wasm });
    URL.revokeObjectURL(address);
    return {
        kind,
        /** Load the program of checkpoint `index`, in place of an earlier one. */
        load: (index, description, weights) => ask("load", { index, description, weights }),
        /** Draw pictures; {program, z, count, silence, tiles} -> {pixels, size, tiles, ms}. */
        draw: (request) => ask("draw", request),
        /** End the worker and free its memory. */
        close: () => worker.terminate(),
    };
}
