/* The loops that draw a generator's pictures, for WebAssembly with vectors of four floats.
 *
 * Maps have their channels last, padded to a multiple of 4. Addresses and offsets are in bytes.
 * Weights come in panels of 8 channels (the last may have 4): (taps, input channels, 8).
 * build.py compiles this file.
 */

typedef float vector __attribute__((vector_size(16), aligned(4)));
typedef int integers __attribute__((vector_size(16)));

#define EXPORT(name) __attribute__((export_name(#name))) void name
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/* Pixels of a tile, so that its sums fit into 16 registers: 4 x 8 channels, or 8 x 4. More were
 * slower in Chromium. CACHE: bytes of the input that a block of pixels reads. */
enum { WIDE = 4, SLIM = 8, MOST = 8, CACHE = 65536 };

typedef struct {
    const int *taps; /* offsets from a pixel's place to the pixels that it reads */
    int tap_count;
    int inputs;  /* channels */
    float slope; /* of negative results: 0 for ReLU, 1 for no activation */
} Layer;

INLINE vector load(const float *at) { return *(const vector *)at; }
INLINE void store(float *at, vector x) { *(vector *)at = x; }
INLINE vector splat(float x) { return (vector){x, x, x, x}; }

INLINE vector largest(vector x, vector y) { return __builtin_wasm_pmax_f32x4(x, y); }
INLINE vector smallest(vector x, vector y) { return __builtin_wasm_pmin_f32x4(x, y); }

INLINE vector leaky(vector x, vector slope) {
    vector zero = splat(0);
    return largest(x, zero) + slope * smallest(x, zero);
}

/* A tile: `pixels` pixels times 4 * `vectors` channels, whose sums stay in registers. */
INLINE void tile(int pixels, int vectors, const Layer *layer, const float *weights,
                 const float *bias, const char *const from[], float *const to[]) {
    vector sums[MOST][2];
    UNROLL for (int p = 0; p < pixels; p++)
        UNROLL for (int v = 0; v < vectors; v++) sums[p][v] = load(bias + 4 * v);
    for (int tap = 0; tap < layer->tap_count; tap++) {
        const float *reads[MOST];
        UNROLL for (int p = 0; p < pixels; p++)
            reads[p] = (const float *)(from[p] + layer->taps[tap]);
        for (int i = 0; i < layer->inputs; i++) {
            vector w[2];
            UNROLL for (int v = 0; v < vectors; v++) w[v] = load(weights + 4 * v);
            weights += 4 * vectors;
            UNROLL for (int p = 0; p < pixels; p++) {
                vector x = splat(reads[p][i]);
                UNROLL for (int v = 0; v < vectors; v++) sums[p][v] += x * w[v];
            }
        }
    }
    vector slope = splat(layer->slope);
    UNROLL for (int p = 0; p < pixels; p++)
        UNROLL for (int v = 0; v < vectors; v++) store(to[p] + 4 * v, leaky(sums[p][v], slope));
}

static __attribute__((noinline)) void wide_tile(const Layer *layer, const float *weights,
        const float *bias, const char *const from[], float *const to[]) {
    tile(WIDE, 2, layer, weights, bias, from, to);
}

static __attribute__((noinline)) void slim_tile(const Layer *layer, const float *weights,
        const float *bias, const char *const from[], float *const to[]) {
    tile(SLIM, 1, layer, weights, bias, from, to);
}

/* One phase of a convolution, for several pictures.
 *
 * places: for each pixel, where it reads and where it writes. A block of pixels is so small that
 * what it reads stays in the cache while all panels of weights pass. In a tile that is not full,
 * the last pixel is computed several times.
 */
EXPORT(convolve)(char *output, const char *input, const float *weights, const float *bias,
                 const int *places, const int *taps, int tap_count, int pixels, int pictures,
                 int input_stride, int output_stride, int inputs, int outputs, float slope) {
    Layer layer = {taps, tap_count, inputs, slope};
    int all = pixels * pictures;
    int block = CACHE / (4 * inputs) + SLIM;
    for (int start = 0; start < all; start += block) {
        int end = start + block < all ? start + block : all;
        for (int channel = 0; channel < outputs; channel += 8) {
            int is_slim = outputs - channel < 8;
            int step = is_slim ? SLIM : WIDE;
            const float *panel = weights + channel * tap_count * inputs;
            int picture = start / pixels, pixel = start % pixels;
            for (int first = start; first < end; first += step) {
                const char *from[MOST];
                float *to[MOST];
                for (int p = 0; p < step; p++) {
                    const int *place = places + 2 * pixel;
                    from[p] = input + picture * input_stride + place[0];
                    to[p] = (float *)(output + picture * output_stride + place[1]) + channel;
                    if (first + p < end - 1 && ++pixel == pixels) {
                        pixel = 0;
                        picture++;
                    }
                }
                (is_slim ? slim_tile : wide_tile)(&layer, panel, bias + channel, from, to);
            }
        }
    }
}

EXPORT(affine)(float *output, const float *input, int pixels, int channels, const float *factors,
               const float *bias) {
    for (int pixel = 0; pixel < pixels; pixel++)
        for (int i = 0; i < channels; i += 4, output += 4, input += 4)
            store(output, load(input) * load(factors + i) + load(bias + i));
}

EXPORT(leaky_relu)(float *data, int count, float slope) {
    for (int i = 0; i < count; i += 4) store(data + i, leaky(load(data + i), splat(slope)));
}

/* e to the x, within 2e-7 of itself; x is held between -87 and 88. */
INLINE vector exponential(vector x) {
    x = smallest(largest(x, splat(-87)), splat(88));
    vector whole = __builtin_elementwise_roundeven(x * splat(1.44269504f));
    vector rest = x - whole * splat(0.693359375f) + whole * splat(2.12194440e-4f);
    vector sum = splat(1.0f / 5040);
    sum = sum * rest + splat(1.0f / 720);
    sum = sum * rest + splat(1.0f / 120);
    sum = sum * rest + splat(1.0f / 24);
    sum = sum * rest + splat(1.0f / 6);
    sum = sum * rest + splat(0.5f);
    sum = sum * rest + splat(1);
    sum = sum * rest + splat(1);
    integers bits = (__builtin_convertvector(whole, integers) + 127) << 23;
    return sum * (vector)bits;
}

INLINE vector logistic(vector x) { return splat(1) / (splat(1) + exponential(-x)); }

EXPORT(sigmoid)(float *data, int count) {
    for (int i = 0; i < count; i += 4) store(data + i, logistic(load(data + i)));
}

EXPORT(silu)(float *data, int count) {
    for (int i = 0; i < count; i += 4) store(data + i, load(data + i) * logistic(load(data + i)));
}

EXPORT(tanh)(float *data, int count) {
    for (int i = 0; i < count; i += 4) {
        vector x = load(data + i);
        store(data + i, splat(2) * logistic(x + x) - splat(1));
    }
}

/* step: 1 if y is a row of pixels as x is, 0 if it is one pixel. */
EXPORT(add)(float *output, const float *x, const float *y, int pixels, int channels, int step) {
    for (int pixel = 0; pixel < pixels; pixel++, y += step * channels)
        for (int i = 0; i < channels; i += 4, output += 4, x += 4)
            store(output, load(x) + load(y + i));
}

EXPORT(multiply)(float *output, const float *x, const float *y, int pixels, int channels,
                 int step) {
    for (int pixel = 0; pixel < pixels; pixel++, y += step * channels)
        for (int i = 0; i < channels; i += 4, output += 4, x += 4)
            store(output, load(x) * load(y + i));
}

/* Some channels of each pixel of a row; the steps lead from pixel to pixel. */
EXPORT(copy)(char *output, const char *input, int pixels, int channels, int output_step,
             int input_step) {
    for (int pixel = 0; pixel < pixels; pixel++, output += output_step, input += input_step)
        for (int i = 0; i < channels; i++) ((float *)output)[i] = ((const float *)input)[i];
}

/* A row of a map that becomes twice as large: 3/4 of the nearer row or pixel, 1/4 of the other. */
EXPORT(bilinear_row)(float *output, const float *near, const float *far, int width, int channels) {
    vector most = splat(0.75f), rest = splat(0.25f);
    for (int x = 0; x < 2 * width; x++) {
        int here = x / 2;
        int beside = here + (x % 2 ? 1 : -1);
        if (beside < 0 || beside == width) beside = here;
        const float *a = near + here * channels, *b = far + here * channels;
        const float *c = near + beside * channels, *d = far + beside * channels;
        for (int i = 0; i < channels; i += 4, output += 4)
            store(output, most * (most * load(a + i) + rest * load(b + i)) +
                              rest * (most * load(c + i) + rest * load(d + i)));
    }
}
