/* z of a seed, as gankit and PyTorch draw it.
 *
 * gankit hashes "SEED/0/z" with blake2b, and seeds PyTorch's generator with the hash. That generator
 * is mt19937, and its normal numbers come in pairs (Box and Muller): 16 at once from numbers of 24
 * bits, or, if there are fewer than 16, two by two from numbers of 53 bits.
 */
"use strict";

/** z (latent_dim) of a seed from 0 to 2**53 - 1, as a Float32Array. */
function latentsOf(seed, latentDim) {
    const draw = mersenneTwister(torchSeed(`${seed}/0/z`));
    return latentDim < 16 ? fewNormals(draw, latentDim) : manyNormals(draw, latentDim);
}

function fewNormals(draw, count) {
    const uniform = () => {
        const high = draw();
        return ((high & 0x1fffff) * 2 ** 32 + draw()) / 2 ** 53;
    };
    const z = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
        const angle = 2 * Math.PI * uniform();
        const radius = Math.sqrt(-2 * Math.log1p(-uniform()));
        z[i] = radius * Math.cos(angle);
        if (i + 1 < count) z[i + 1] = radius * Math.sin(angle);
    }
    return z;
}

function manyNormals(draw, count) {
    const uniform = () => (draw() & 0xffffff) / 2 ** 24;
    const z = Float32Array.from({ length: count }, uniform);
    let start = 0;
    for (; start + 16 <= count; start += 16) pairUp(z, start);
    if (start < count) { // the last 16 are drawn again
        for (let i = count - 16; i < count; i++) z[i] = uniform();
        pairUp(z, count - 16);
    }
    return z;
}

/** 16 uniform numbers become normal: numbers i and i + 8 are a pair. */
function pairUp(z, start) {
    for (let i = start; i < start + 8; i++) {
        const radius = Math.sqrt(-2 * Math.log(1 - z[i]));
        const angle = 2 * Math.PI * z[i + 8];
        z[i] = radius * Math.cos(angle);
        z[i + 8] = radius * Math.sin(angle);
    }
}

/** mt19937 (Matsumoto and Nishimura 1998) seeded with 32 bits; each call gives 32 bits. */
function mersenneTwister(seed) {
    const state = new Uint32Array(624);
    state[0] = seed;
    for (let i = 1; i < 624; i++) {
        const before = state[i - 1] ^ (state[i - 1] >>> 30);
        state[i] = Math.imul(1812433253, before) + i;
    }
    let next = 624;
    const renew = () => {
        for (let i = 0; i < 624; i++) {
            const mixed = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
            state[i] = state[(i + 397) % 624] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
        }
        next = 0;
    };
    return () => {
        if (next === 624) renew();
        let bits = state[next++];
        bits ^= bits >>> 11;
        bits ^= (bits << 7) & 0x9d2c5680;
        bits ^= (bits << 15) & 0xefc60000;
        return (bits ^ (bits >>> 18)) >>> 0;
    };
}

/** The 32 bits of the seed that PyTorch's generator uses: half the hash of 8 bytes, mod 2**32. */
function torchSeed(text) {
    return Number((blake2b64(text) >> 1n) & 0xffffffffn);
}

/** blake2b (RFC 7693) with a digest of 8 bytes, of an ASCII text of up to 128 characters. */
function blake2b64(text) {
    const iv = [
        0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
        0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
    ];
    const block = new Uint8Array(128);
    for (let i = 0; i < text.length; i++) block[i] = text.charCodeAt(i);
    const words = Array.from(new BigUint64Array(block.buffer));
    const first = iv[0] ^ 0x01010008n; // no key, 8 bytes
    const v = [first, ...iv.slice(1), ...iv];
    v[12] ^= BigInt(text.length);
    v[14] ^= 0xffffffffffffffffn; // this block is the last
    for (let round = 0; round < 12; round++) blakeRound(v, words, SIGMA[round % 10]);
    return first ^ v[0] ^ v[8];
}

function blakeRound(v, words, order) {
    const turn = (x, bits) => BigInt.asUintN(64, (x >> bits) | (x << (64n - bits)));
    const mix = (a, b, c, d, x, y) => {
        v[a] = BigInt.asUintN(64, v[a] + v[b] + x);
        v[d] = turn(v[d] ^ v[a], 32n);
        v[c] = BigInt.asUintN(64, v[c] + v[d]);
        v[b] = turn(v[b] ^ v[c], 24n);
        v[a] = BigInt.asUintN(64, v[a] + v[b] + y);
        v[d] = turn(v[d] ^ v[a], 16n);
        v[c] = BigInt.asUintN(64, v[c] + v[d]);
        v[b] = turn(v[b] ^ v[c], 63n);
    };
    for (let i = 0; i < 8; i++) {
        const shift = i < 4 ? 0 : 1; // four columns, then four diagonals
        const [b, c, d] = [1, 2, 3].map((row) => 4 * row + ((i + row * shift) % 4));
        mix(i % 4, b, c, d, words[order[2 * i]], words[order[2 * i + 1]]);
    }
}

const SIGMA = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
