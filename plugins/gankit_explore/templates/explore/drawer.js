// Asks the engine, which works apart from the page, for pictures: one request at a time, the most
// urgent first. A newer request of the same name replaces one that has not begun.
const URGENT = 0;
const SOON = 1;
const IDLE = 2;
const BATCH_MS = 24; // what one request may take, so that an urgent one never waits longer

class Drawer {
  constructor(engine, programs, space, fail) {
    this.engine = engine;
    this.programs = programs;
    this.space = space;
    this.fail = fail; // tells the reader of an error of the engine
    this.waiting = new Map(); // name -> {priority, request, resolve}
    this.turns = new Map(); // name -> number of the newest `each`
    this.isBusy = false;
    this.ms = 8; // of one picture, roughly
  }

  // The most pictures that one request should ask for.
  get batch() {
    return Math.max(1, Math.min(16, Math.floor(BATCH_MS / this.ms)));
  }

  // Pictures of spots at a step of training; null if a newer request came first, or a newer step,
  // or the engine failed.
  ask(name, priority, request) {
    this.waiting.get(name)?.resolve(null);
    const answer = new Promise((resolve) => this.waiting.set(name, { priority, request, resolve }));
    this.work();
    return answer;
  }

  // Call `take(image, index)` for each spot's picture, a batch at a time. False if a newer call
  // of the same name came first, or the engine failed.
  async each(name, priority, spots, { step, silence }, take) {
    const turn = (this.turns.get(name) ?? 0) + 1;
    this.turns.set(name, turn);
    for (let start = 0; start < spots.length; ) {
      const some = spots.slice(start, start + this.batch);
      const drawn = await this.ask(name, priority, { spots: some, step, silence });
      if (!drawn || this.turns.get(name) !== turn) return false;
      drawn.images.forEach((image, index) => take(image, start + index));
      start += some.length;
    }
    return true;
  }

  async work() {
    if (this.isBusy) return;
    this.isBusy = true;
    while (this.waiting.size) {
      const [name, job] = [...this.waiting].reduce((best, other) => (other[1].priority < best[1].priority ? other : best));
      this.waiting.delete(name);
      try {
        job.resolve(await this.draw(job.request));
      } catch (error) {
        this.fail(error);
        job.resolve(null);
      }
    }
    this.isBusy = false;
  }

  // Null if the step has given its place to a newer one.
  async draw({ spots, step, silence, tiles }) {
    if (!this.programs.slots.has(step)) return null;
    const program = await this.programs.load(step);
    const z = this.space.rows(spots);
    const started = performance.now();
    const drawn = await this.engine.draw({ program, z, count: spots.length, silence, tiles });
    this.ms = 0.8 * this.ms + (0.2 * (performance.now() - started)) / spots.length;
    const [height, width] = drawn.size;
    drawn.images = cut(drawn.pixels, height, width, spots.length);
    return drawn;
  }
}

// Pictures (ImageData) of pixels (count x H x W x RGBA).
function cut(pixels, height, width, count) {
  const size = height * width * 4;
  return Array.from({ length: count }, (_, i) => new ImageData(pixels.slice(i * size, (i + 1) * size), width, height));
}

function paint(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// G at each step of training: one program each, which is decoded when it is used first.
class Programs {
  constructor(engine, checkpoints) {
    this.engine = engine;
    this.slots = new Map(); // step -> {index, description, weights, loaded}
    checkpoints.forEach((checkpoint, index) => this.slots.set(checkpoint.step, { index, ...checkpoint }));
  }

  get steps() {
    return [...this.slots.keys()].sort((a, b) => a - b);
  }

  load(step) {
    const slot = this.slots.get(step);
    slot.loaded ??= this.engine.load(slot.index, slot.description, slot.weights()).then(() => slot.index);
    return slot.loaded;
  }

  // Add a step; when there are too many, it takes the place of one in the middle.
  add(step, description, weights) {
    let index = this.slots.size;
    if (index >= MAX_PROGRAMS) {
      const steps = this.steps;
      const crowded = steps.slice(1, -1).reduce((best, _, i) => (gap(steps, i + 1) < gap(steps, best) ? i + 1 : best), 1);
      index = this.slots.get(steps[crowded]).index;
      this.slots.delete(steps[crowded]);
    }
    this.slots.set(step, { index, step, description, weights: () => weights });
  }
}

const MAX_PROGRAMS = 8;

function gap(steps, index) {
  return steps[index + 1] - steps[index - 1];
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
