/* Runs a program: maps and weights in the kernel's memory, and one kernel call for each row or map.
 *
 * A map has its channels last, padded to a multiple of 4, and a border of zeros that is as wide as
 * the convolutions that read it need. Maps keep their own memory, so borders stay zero, and all maps
 * of the last pictures can be looked at.
 */
"use strict";

const MOST_SCRATCH = 3e6; // bytes of the maps of the pictures that are drawn at once

const align = (bytes) => Math.ceil(bytes / 16) * 16;
const padded = (channels) => Math.ceil(channels / 4) * 4;

/** draw() for a program; makeKernel(bytes) gives a kernel with that much memory, from `base`. */
function loadProgram(description, buffer, makeKernel) {
    const maps = layOut(description);
    const size = maps.reduce((sum, map) => sum + map.bytes, 0);
    const atOnce = Math.max(1, Math.min(64, Math.floor(MOST_SCRATCH / size)));
    const sizes = description.operations.map((operation) => numbersOf(operation, maps));
    const kernel = makeKernel(atOnce * size + sizes.reduce((sum, bytes) => sum + bytes, 0) + 64);
    const heap = {
        kernel,
        floats: new Float32Array(kernel.memory.buffer),
        ints: new Int32Array(kernel.memory.buffer),
        next: align(kernel.base),
    };
    for (const map of maps) map.at = take(heap, atOnce * map.bytes) + map.corner;
    const operations = description.operations.map((operation, index) =>
        prepare(operation, maps[index + 1], operation.inputs.map((i) => maps[i]), heap, buffer));
    return { description, maps, atOnce, operations, heap };
}

function take(heap, bytes) {
    const at = heap.next;
    heap.next += align(bytes);
    return at;
}

/** Where the numbers of each map lie, relative to its beginning; z is map 0. */
function layOut(description) {
    const shapes = [[description.latent_dim, 1, 1], ...description.operations.map((o) => o.shape)];
    const borders = shapes.map(() => 0);
    for (const operation of description.operations) {
        if (operation.kind !== "convolve") continue;
        const [, height, width] = shapes[operation.inputs[0]];
        const rows = Math.ceil(operation.shape[1] / operation.scale);
        const columns = Math.ceil(operation.shape[2] / operation.scale);
        const beyond = operation.phases.flatMap((phase) => phase.taps.flatMap(([dy, dx]) =>
            [-dy, -dx, rows + dy - height, columns + dx - width]));
        borders[operation.inputs[0]] = Math.max(borders[operation.inputs[0]], ...beyond);
    }
    return shapes.map(([channels, height, width], index) => {
        const border = borders[index];
        const step = 4 * padded(channels);
        const row = step * (width + 2 * border);
        const corner = border * (row + step);
        const bytes = align(row * (height + 2 * border));
        return { channels, height, width, step, row, corner, bytes, at: 0 };
    });
}

/** The bytes of an operation's own numbers. */
function numbersOf(operation, maps) {
    const channels = padded(operation.shape[0]);
    if (operation.kind === "affine") return 2 * align(4 * channels);
    if (operation.kind !== "convolve") return 0;
    const inputs = maps[operation.inputs[0]].channels;
    const [, height, width] = operation.shape;
    const rows = Math.ceil(height / operation.scale) * Math.ceil(width / operation.scale);
    const phases = operation.phases.map(({ taps }) =>
        align(4 * channels * inputs * taps.length) + align(8 * rows) + align(4 * taps.length));
    return align(4 * channels) + phases.reduce((sum, bytes) => sum + bytes, 0);
}

/** A function that computes an operation for `count` pictures. */
function prepare(operation, output, inputs, heap, buffer) {
    const run = PREPARE[operation.kind](operation, output, inputs, heap, buffer);
    const { activation, slope } = operation;
    if (!activation || operation.kind === "convolve" && activation.endsWith("relu")) return run;
    const call = activation === "relu" ? "leaky_relu" : activation;
    return (count) => {
        run(count);
        eachRow(count, output, (at) =>
            heap.kernel[call](at, output.width * output.step / 4, slope));
    };
}

function eachRow(count, map, action) {
    for (let picture = 0; picture < count; picture++) {
        for (let y = 0; y < map.height; y++) action(rowOf(map, picture, y), picture, y);
    }
}

const rowOf = (map, picture, y) => map.at + picture * map.bytes + y * map.row;

/** The float32 numbers at an offset of the buffer. */
const float32 = (buffer, offset, count) => new Float32Array(buffer.slice(offset, offset + 4 * count));

/** All float16 numbers, by their bits. */
const FLOAT16 = Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const part = bits & 1023;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + part / 1024) : 2 ** -24 * part);
});

/** The float16 numbers at an offset of the buffer. */
function float16(buffer, offset, count) {
    const numbers = new Float32Array(count);
    const bits = new Uint16Array(buffer, offset, count);
    for (let i = 0; i < count; i++) numbers[i] = FLOAT16[bits[i]];
    return numbers;
}

function put(heap, numbers) {
    const at = take(heap, 4 * numbers.length);
    const view = numbers instanceof Int32Array ? heap.ints : heap.floats;
    view.set(numbers, at / 4);
    return at;
}

function perChannel(heap, buffer, offset, channels) {
    const numbers = new Float32Array(padded(channels));
    numbers.set(float32(buffer, offset, channels));
    return put(heap, numbers);
}

function prepareConvolve(operation, output, [input], heap, buffer) {
    const channels = output.channels;
    const bias = perChannel(heap, buffer, operation.bias, channels);
    const factors = float32(buffer, operation.factors, channels);
    const { activation } = operation;
    const slope = { relu: 0, leaky_relu: operation.slope }[activation] ?? 1;
    const phases = operation.phases.map((phase, number) => {
        const { taps } = phase;
        const count = taps.length * input.channels * channels;
        const natural = float16(buffer, phase.weights, count);
        const offsets = taps.map(([dy, dx]) => dy * input.row + dx * input.step);
        const places = placesOf(operation, number, input, output);
        return {
            weights: put(heap, packed(natural, factors, taps.length * input.channels, heap.kernel)),
            places: put(heap, places),
            taps: put(heap, Int32Array.from(offsets)),
            tapCount: taps.length,
            pixels: places.length / 2,
        };
    });
    return (count) => {
        for (const phase of phases) {
            heap.kernel.convolve(output.at, input.at, phase.weights, bias, phase.places, phase.taps,
                phase.tapCount, phase.pixels, count, input.bytes, output.bytes, input.channels,
                padded(channels), slope);
        }
    };
}

/** For each pixel of a phase, where it reads and writes, in bytes from the maps' beginnings. */
function placesOf(operation, number, input, output) {
    const { scale } = operation;
    const top = Math.floor(number / scale);
    const left = number % scale;
    const places = [];
    for (let y = top, row = 0; y < output.height; y += scale, row++) {
        for (let x = left, column = 0; x < output.width; x += scale, column++) {
            places.push(row * input.row + column * input.step, y * output.row + x * output.step);
        }
    }
    return Int32Array.from(places);
}

/** Weights (rows, channels) times factors, in panels (rows, 8 or 4) of the padded channels. */
function packed(weights, factors, rows, kernel) {
    const channels = factors.length;
    const all = padded(channels);
    const result = new Float32Array(rows * all);
    let at = 0;
    for (let first = 0; first < all; ) {
        const width = Math.min(kernel.panel, all - first);
        for (let row = 0; row < rows; row++) {
            for (let i = first; i < Math.min(first + width, channels); i++) {
                result[at + row * width + i - first] = weights[row * channels + i] * factors[i];
            }
        }
        at += rows * width;
        first += width;
    }
    return result;
}

function prepareAffine(operation, output, [input], heap, buffer) {
    const factors = perChannel(heap, buffer, operation.factors, output.channels);
    const bias = perChannel(heap, buffer, operation.bias, output.channels);
    return (count) => eachRow(count, output, (at, picture, y) =>
        heap.kernel.affine(at, rowOf(input, picture, y), output.width, output.step / 4, factors, bias));
}

const prepareTwo = (name) => (operation, output, [x, y], heap) => (count) =>
    eachRow(count, output, (at, picture, row) => {
        const isMap = y.height > 1 || y.width > 1 || output.height === 1;
        heap.kernel[name](at, rowOf(x, picture, row), rowOf(y, picture, isMap ? row : 0),
            output.width, output.step / 4, isMap ? 1 : 0);
    });

function prepareConstant(operation, output, inputs, heap, buffer) {
    const { channels, height, width } = output;
    const values = float32(buffer, operation.values, channels * height * width);
    return (count) => eachRow(count, output, (at, picture, y) => {
        for (let x = 0; x < width; x++) {
            const start = (y * width + x) * channels;
            heap.floats.set(values.subarray(start, start + channels), (at + x * output.step) / 4);
        }
    });
}

function prepareUpsample(operation, output, [input], heap) {
    if (operation.mode === "bilinear") {
        return (count) => eachRow(count, output, (at, picture, y) => {
            const other = (y >> 1) + (y % 2 ? 1 : -1);
            const far = Math.min(Math.max(other, 0), input.height - 1);
            heap.kernel.bilinear_row(at, rowOf(input, picture, y >> 1), rowOf(input, picture, far),
                input.width, output.step / 4);
        });
    }
    const { factor } = operation;
    return (count) => eachRow(count, output, (at, picture, y) => {
        const from = rowOf(input, picture, Math.floor(y / factor));
        for (let i = 0; i < factor; i++) {
            heap.kernel.copy(at + i * output.step, from, input.width, output.step / 4,
                factor * output.step, input.step);
        }
    });
}

function preparePool(operation, output, [input], heap) {
    const { factor } = operation;
    return (count) => eachRow(count, output, (at, picture, y) => {
        for (let x = 0; x < output.width; x++) {
            for (let channel = 0; channel < output.channels; channel++) {
                let sum = 0;
                for (let i = 0; i < factor * factor; i++) {
                    const row = rowOf(input, picture, y * factor + Math.floor(i / factor));
                    sum += heap.floats[(row + (x * factor + (i % factor)) * input.step) / 4 + channel];
                }
                heap.floats[(at + x * output.step) / 4 + channel] = sum / (factor * factor);
            }
        }
    });
}

/** A number of a map by its index in PyTorch's order (channels, height, width). */
function placeOf(map, index) {
    const x = index % map.width;
    const y = Math.floor(index / map.width) % map.height;
    const channel = Math.floor(index / map.width / map.height);
    return (y * map.row + x * map.step) / 4 + channel;
}

const prepareReshape = (operation, output, [input], heap) => moveAll(output, input, heap,
    (index) => placeOf(input, index));

/** Each number of the output comes from one of the input; places are found once. */
function moveAll(output, input, heap, source) {
    const size = output.channels * output.height * output.width;
    const from = Int32Array.from({ length: size }, (_, index) => source(index));
    const to = Int32Array.from({ length: size }, (_, index) => placeOf(output, index));
    return (count) => {
        for (let picture = 0; picture < count; picture++) {
            const read = (input.at + picture * input.bytes) / 4;
            const write = (output.at + picture * output.bytes) / 4;
            for (let i = 0; i < size; i++) heap.floats[write + to[i]] = heap.floats[read + from[i]];
        }
    };
}

function prepareShuffle(operation, output, [input], heap) {
    const { factor } = operation;
    return moveAll(output, input, heap, (index) => {
        const x = index % output.width;
        const y = Math.floor(index / output.width) % output.height;
        const channel = Math.floor(index / output.width / output.height);
        const part = (y % factor) * factor + (x % factor);
        const from = (channel * factor * factor + part) * input.height + Math.floor(y / factor);
        return placeOf(input, from * input.width + Math.floor(x / factor));
    });
}

function copyChannels(output, input, count, heap, to, from, channels) {
    eachRow(count, output, (at, picture, y) =>
        heap.kernel.copy(at + 4 * to, rowOf(input, picture, y) + 4 * from, output.width, channels,
            output.step, input.step));
}

const prepareSlice = (operation, output, [input], heap) => (count) =>
    copyChannels(output, input, count, heap, 0, operation.start, output.channels);

const prepareConcatenate = (operation, output, [x, y], heap) => (count) => {
    copyChannels(output, x, count, heap, 0, 0, x.channels);
    copyChannels(output, y, count, heap, x.channels, 0, y.channels);
};

const PREPARE = {
    convolve: prepareConvolve,
    affine: prepareAffine,
    add: prepareTwo("add"),
    multiply: prepareTwo("multiply"),
    constant: prepareConstant,
    upsample: prepareUpsample,
    pool: preparePool,
    reshape: prepareReshape,
    slice: prepareSlice,
    concatenate: prepareConcatenate,
    shuffle: prepareShuffle,
};
