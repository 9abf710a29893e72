/* Draws pictures with a loaded program, and turns maps into pixels. */
"use strict";

/** {pixels (count x H x W x RGBA), size, tiles?} of z (count * latent_dim). */
function drawPictures(program, { z, count, silence = {}, tiles }) {
    const { description, maps, atOnce } = program;
    const [, height, width] = description.shape;
    const pixels = new Uint8ClampedArray(4 * count * height * width);
    const result = { pixels, size: [height, width] };
    const layers = description.layers;
    const silent = Object.entries(silence).map(([layer, off]) => [layers[layer].value, off]);
    for (let first = 0; first < count; first += atOnce) {
        const number = Math.min(atOnce, count - first);
        putLatents(program, z.subarray(first * description.latent_dim), number);
        program.operations.forEach((run, index) => {
            run(number);
            for (const [value, off] of silent) {
                if (value === index + 1) silenceChannels(program, maps[value], number, off);
            }
        });
        toPixels(program, pixels.subarray(4 * first * height * width), number);
        if (first === 0 && tiles !== undefined) {
            result.tiles = tilesOf(program, maps[layers[tiles].value]);
        }
    }
    return result;
}

function putLatents({ maps, heap, description }, z, count) {
    const size = description.latent_dim;
    for (let i = 0; i < count; i++) {
        heap.floats.set(z.subarray(i * size, (i + 1) * size), rowOf(maps[0], i, 0) / 4);
    }
}

function silenceChannels({ heap }, map, count, channels) {
    eachRow(count, map, (at) => {
        for (let x = 0; x < map.width; x++) {
            for (const channel of channels) heap.floats[(at + x * map.step) / 4 + channel] = 0;
        }
    });
}

function toPixels({ maps, heap }, pixels, count) {
    const map = maps[maps.length - 1];
    const [green, blue] = map.channels === 1 ? [0, 0] : [1, 2];
    const isTransparent = map.channels === 4; // its colours are premultiplied: times alpha
    let to = 0;
    eachRow(count, map, (at) => {
        for (let x = 0; x < map.width; x++) {
            const from = (at + x * map.step) / 4;
            const alpha = isTransparent ? Math.round((heap.floats[from + 3] + 1) * 127.5) : 255;
            const scale = 127.5 * 255 / Math.max(alpha, 1);
            pixels[to] = (heap.floats[from] + 1) * scale;
            pixels[to + 1] = (heap.floats[from + green] + 1) * scale;
            pixels[to + 2] = (heap.floats[from + blue] + 1) * scale;
            pixels[to + 3] = alpha;
            to += 4;
        }
    });
}

/** Each channel of the first picture's map as a grey picture; black and white are the same in all.
 *
 * Black is the map's smallest number, and white one that only 1 in 200 of its numbers exceed.
 */
function tilesOf({ heap }, map) {
    const { channels, height, width } = map;
    const values = new Float32Array(channels * height * width);
    for (let i = 0; i < values.length; i++) values[i] = heap.floats[map.at / 4 + placeOf(map, i)];
    const sorted = values.slice().sort();
    const black = sorted[0];
    const white = Math.max(sorted[Math.floor(sorted.length * 0.995)], black + 1e-6);
    const pixels = new Uint8ClampedArray(4 * values.length);
    values.forEach((value, i) => {
        const grey = 255 * (value - black) / (white - black);
        pixels.set([grey, grey, grey, 255], 4 * i);
    });
    return { pixels, size: [height, width], count: channels };
}
