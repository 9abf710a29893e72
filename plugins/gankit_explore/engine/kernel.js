/* The kernel in plain JavaScript: the functions of kernel.c, for browsers without WebAssembly.
 *
 * Addresses are bytes in one heap, as in WebAssembly. kernel.c describes the arguments.
 */
"use strict";

/** A kernel with a memory of so many bytes. */
function plainKernel(bytes) {
    const memory = { buffer: new ArrayBuffer(bytes) };
    const floats = new Float32Array(memory.buffer);
    const ints = new Int32Array(memory.buffer);
    const sums = new Float64Array(8);

    function convolve(
        output, input, weights, bias, places, taps, tapCount, pixels, pictures,
        inputStride, outputStride, inputs, outputs, slope,
    ) {
        const panel = 4 * tapCount * inputs;
        for (let pair = 0; pair < pixels * pictures; pair += 2) {
            const [from, to] = placeOfPixel(pair);
            const [fromNext, toNext] = placeOfPixel(Math.min(pair + 1, pixels * pictures - 1));
            for (let channel = 0; channel < outputs; channel += 4) {
                const at = (weights >> 2) + (channel >> 2) * panel;
                twoPixels(from, fromNext, at, taps >> 2, tapCount, inputs);
                finish(to + channel, 0, (bias >> 2) + channel, slope);
                finish(toNext + channel, 4, (bias >> 2) + channel, slope);
            }
        }

        function placeOfPixel(index) {
            const picture = Math.floor(index / pixels);
            const place = (places >> 2) + 2 * (index - picture * pixels);
            return [
                (input + picture * inputStride + ints[place]) >> 2,
                (output + picture * outputStride + ints[place + 1]) >> 2,
            ];
        }
    }

    /** The sums of four channels of two pixels. Local variables stay in registers. */
    function twoPixels(from, fromNext, weights, taps, tapCount, inputs) {
        let a = 0;
        let b = 0;
        let c = 0;
        let d = 0;
        let e = 0;
        let f = 0;
        let g = 0;
        let h = 0;
        for (let tap = taps; tap < taps + tapCount; tap++) {
            const offset = ints[tap] >> 2;
            const end = from + offset + inputs;
            for (let i = from + offset, j = fromNext + offset; i < end; i++, j++, weights += 4) {
                const x = floats[i];
                const y = floats[j];
                const w0 = floats[weights];
                const w1 = floats[weights + 1];
                const w2 = floats[weights + 2];
                const w3 = floats[weights + 3];
                a += x * w0;
                b += x * w1;
                c += x * w2;
                d += x * w3;
                e += y * w0;
                f += y * w1;
                g += y * w2;
                h += y * w3;
            }
        }
        sums.set([a, b, c, d, e, f, g, h]);
    }

    function finish(to, first, bias, slope) {
        for (let i = 0; i < 4; i++) {
            const sum = sums[first + i] + floats[bias + i];
            floats[to + i] = sum > 0 ? sum : slope * sum;
        }
    }

    function affine(output, input, pixels, channels, factors, bias) {
        for (let i = 0; i < pixels * channels; i++) {
            const channel = i % channels;
            const factor = floats[(factors >> 2) + channel];
            floats[(output >> 2) + i] = floats[(input >> 2) + i] * factor + floats[(bias >> 2) + channel];
        }
    }

    function leaky_relu(data, count, slope) {
        for (let i = data >> 2; i < (data >> 2) + count; i++) {
            floats[i] = floats[i] > 0 ? floats[i] : slope * floats[i];
        }
    }

    function sigmoid(data, count) {
        for (let i = data >> 2; i < (data >> 2) + count; i++) floats[i] = 1 / (1 + Math.exp(-floats[i]));
    }

    function tanh(data, count) {
        for (let i = data >> 2; i < (data >> 2) + count; i++) floats[i] = Math.tanh(floats[i]);
    }

    function silu(data, count) {
        for (let i = data >> 2; i < (data >> 2) + count; i++) floats[i] /= 1 + Math.exp(-floats[i]);
    }

    function add(output, x, y, pixels, channels, step) {
        for (let i = 0; i < pixels * channels; i++) {
            const other = (y >> 2) + (step ? i : i % channels);
            floats[(output >> 2) + i] = floats[(x >> 2) + i] + floats[other];
        }
    }

    function multiply(output, x, y, pixels, channels, step) {
        for (let i = 0; i < pixels * channels; i++) {
            const other = (y >> 2) + (step ? i : i % channels);
            floats[(output >> 2) + i] = floats[(x >> 2) + i] * floats[other];
        }
    }

    function copy(output, input, pixels, channels, outputStep, inputStep) {
        for (let pixel = 0; pixel < pixels; pixel++) {
            const to = (output + pixel * outputStep) >> 2;
            const from = (input + pixel * inputStep) >> 2;
            for (let i = 0; i < channels; i++) floats[to + i] = floats[from + i];
        }
    }

    function bilinear_row(output, near, far, width, channels) {
        const row = (x) => {
            const place = Math.min(Math.max(x, 0), width - 1) * channels;
            return [(near >> 2) + place, (far >> 2) + place];
        };
        for (let x = 0; x < 2 * width; x++) {
            const [near0, far0] = row(x >> 1);
            const [near1, far1] = row((x >> 1) + (x % 2 ? 1 : -1));
            for (let i = 0; i < channels; i++) {
                const here = 0.75 * floats[near0 + i] + 0.25 * floats[far0 + i];
                const beside = 0.75 * floats[near1 + i] + 0.25 * floats[far1 + i];
                floats[(output >> 2) + x * channels + i] = 0.75 * here + 0.25 * beside;
            }
        }
    }

    return {
        memory, base: 0, panel: 4, convolve, affine, leaky_relu, sigmoid, tanh,
        silu, add, multiply, copy, bilinear_row,
    };
}
