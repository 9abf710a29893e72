/* The worker's side: one program for each checkpoint, and answers to messages in their order. */
"use strict";

const programs = new Map();
let makeKernel = plainKernel;

/** Use WebAssembly if the browser has it and permits it; answer which kernel is used. */
async function start({ wasm }) {
    try {
        const module = await WebAssembly.compile(wasm);
        await WebAssembly.instantiate(module, {});
        makeKernel = (bytes) => {
            const { exports } = new WebAssembly.Instance(module, {});
            const base = exports.__heap_base.value;
            const missing = base + bytes - exports.memory.buffer.byteLength;
            if (missing > 0) exports.memory.grow(Math.ceil(missing / 65536));
            return { ...exports, base, panel: 8 };
        };
        return { kind: "wasm" };
    } catch {
        return { kind: "javascript" };
    }
}

function load({ index, description, weights }) {
    programs.delete(index); // so that its memory can be freed first
    programs.set(index, loadProgram(description, weights, makeKernel));
    return {};
}

function draw(request) {
    const begin = performance.now();
    const program = programs.get(request.program);
    if (!program) throw new Error(`there is no program ${request.program}`);
    const result = drawPictures(program, request);
    return { ...result, ms: performance.now() - begin };
}

const TASKS = { start, load, draw };

onmessage = async ({ data }) => {
    try {
        const result = await TASKS[data.task](data);
        const buffers = [result.pixels, result.tiles?.pixels].filter(Boolean).map((x) => x.buffer);
        postMessage({ id: data.id, result }, buffers);
    } catch (error) {
        postMessage({ id: data.id, error: String(error) });
    }
};
