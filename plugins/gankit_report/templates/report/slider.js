// The slider: one step for the whole page, from the mouse, a finger, the keyboard and the address.
const STOPS_PER_SECOND = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2 : 8;
const ADDRESS_DELAY = 250; // ms: browsers refuse addresses that change all the time

class Slider {
  constructor(last, start, stops, show, settled) {
    this.last = last;
    this.stops = stops;
    this.show = show;
    this.settled = settled;
    this.range = document.getElementById("step");
    this.now = document.getElementById("now");
    this.button = document.getElementById("play");
    this.loop = document.getElementById("loop");
    this.step = -1;
    this.listen();
    this.readAddress();
    if (this.step < 0) this.move(start);
  }

  listen() {
    this.range.addEventListener("input", () => this.stopAndMove(Number(this.range.value)));
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    document.addEventListener("keydown", (event) => this.press(event));
    window.addEventListener("hashchange", () => this.readAddress());
    for (const canvas of document.querySelectorAll(".grid canvas")) this.swipe(canvas);
  }

  // Draw at most once a frame, however often the step changes.
  move(step) {
    const wanted = Math.min(this.last, Math.max(0, Math.round(step)));
    if (wanted === this.step) return;
    this.step = wanted;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  // The page was replaced by one of a longer run. A slider at the end stays at the end.
  extend(last, stops) {
    const step = this.step === this.last ? last : this.step;
    this.last = last;
    this.stops = stops;
    this.range.max = last;
    this.step = -1;
    this.move(step);
  }

  draw() {
    this.range.value = this.step;
    setText(this.now, `step ${withCommas(this.step)}`);
    this.show(this.step);
    clearTimeout(this.delay);
    this.delay = setTimeout(() => this.settle(), ADDRESS_DELAY);
  }

  settle() {
    const text = `step ${withCommas(this.step)} of ${withCommas(this.last)}`;
    this.range.setAttribute("aria-valuetext", text);
    this.settled();
    try {
      history.replaceState(null, "", `#step=${this.step}`);
    } catch {
      // Some browsers refuse it for pages in a preview; the slider works all the same.
    }
  }

  readAddress() {
    const match = /^#step=(\d{1,15})$/.exec(location.hash);
    if (match) this.stopAndMove(Number(match[1]));
  }

  stopAndMove(step) {
    this.stop();
    this.move(step);
  }

  // The stop that lies `count` after the present step, or before it.
  stopAt(count) {
    const here = newest(this.stops, this.step);
    const between = this.stops[here] !== this.step;
    const index = count > 0 ? here + count : here + count + (between ? 1 : 0);
    return this.stops[Math.min(this.stops.length - 1, Math.max(0, index))];
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || isControl(event.target)) return;
    const isHere = event.target === this.range || event.target === this.button;
    const moves = {
      ArrowLeft: () => this.stopAndMove(this.stopAt(-1)),
      ArrowRight: () => this.stopAndMove(this.stopAt(1)),
      Home: isHere && (() => this.stopAndMove(0)),
      End: isHere && (() => this.stopAndMove(this.last)),
      PageDown: isHere && (() => this.stopAndMove(this.stopAt(-10))),
      PageUp: isHere && (() => this.stopAndMove(this.stopAt(10))),
      " ": event.target !== this.button && (() => (this.timer ? this.stop() : this.play())),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }

  play() {
    if (this.step >= this.stops.at(-1)) this.move(this.stops[0]);
    this.timer = setInterval(() => this.advance(), 1000 / STOPS_PER_SECOND);
    this.setPlaying(true);
  }

  advance() {
    if (this.step < this.stops.at(-1)) this.move(this.stopAt(1));
    else if (this.loop.checked) this.move(this.stops[0]);
    else this.stop();
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = 0;
    this.setPlaying(false);
  }

  setPlaying(isPlaying) {
    this.button.setAttribute("aria-pressed", String(isPlaying));
    setText(this.button, isPlaying ? "Pause" : "Play");
  }

  // Drag over the pictures: their width is the whole run.
  swipe(canvas) {
    let start = null;
    canvas.addEventListener("pointerdown", (event) => {
      start = { x: event.clientX, step: this.step };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!start) return;
      const share = (event.clientX - start.x) / canvas.clientWidth;
      this.stopAndMove(start.step + share * this.last);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => (start = null));
    }
  }
}

// Whether keys mean something else where the focus is.
function isControl(target) {
  const isSlider = target.id === "step" || target.id === "play";
  return !isSlider && target.closest("a, button, summary, input, select, textarea") !== null;
}
