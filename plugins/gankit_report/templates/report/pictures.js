// Grids: WebP in base64, decoded when they are shown, and kept while there is room for them.
const MOST_PIXELS = 60e6; // of all decoded grids: about 240 MB

const decoded = new Map(); // id of an element -> a promise of its picture, the newest use last
let decodedPixels = 0;

function decode(id) {
  if (decoded.has(id)) {
    const known = decoded.get(id);
    decoded.delete(id);
    decoded.set(id, known);
    return known;
  }
  const letters = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  const picture = createImageBitmap(new Blob([bytes], { type: "image/webp" }));
  decoded.set(id, picture);
  picture.then(
    (bitmap) => {
      decodedPixels += bitmap.width * bitmap.height;
      forgetOldest();
    },
    () => {}, // a damaged picture: the one before it stays
  );
  return picture;
}

function forgetOldest() {
  for (const [id, promise] of decoded) {
    if (decodedPixels <= MOST_PIXELS || decoded.size <= 2) return;
    decoded.delete(id);
    promise.then(
      (bitmap) => {
        decodedPixels -= bitmap.width * bitmap.height;
        bitmap.close();
      },
      () => {},
    );
  }
}

// A grid of one run: `show(step)` draws the newest grid up to a step.
class Grid {
  constructor(figure, steps) {
    this.number = figure.dataset.run;
    this.steps = steps;
    this.canvas = figure.querySelector("canvas");
    this.caption = figure.querySelector("[data-grid]");
    this.shown = -1;
  }

  show(step) {
    const index = Math.max(0, newest(this.steps, step));
    if (index === this.shown || !this.canvas) return;
    this.shown = index;
    decode(this.id(index)).then(
      (bitmap) => {
        if (this.shown !== index) return; // the slider is elsewhere by now
        this.canvas.getContext("2d").drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
        this.canvas.parentElement.classList.add("drawn");
        this.canvas.dataset.step = this.steps[index];
        this.caption.textContent = withCommas(this.steps[index]);
      },
      () => {},
    );
    for (const near of [index + 1, index - 1]) {
      if (near >= 0 && near < this.steps.length) decode(this.id(near)).catch(() => {});
    }
  }

  describe() {
    if (this.canvas && this.shown >= 0) {
      const step = withCommas(this.steps[this.shown]);
      this.canvas.setAttribute("aria-label", `pictures that G draws at step ${step}`);
    }
  }

  id(index) {
    return `grid-${this.number}-${this.steps[index]}`;
  }
}
