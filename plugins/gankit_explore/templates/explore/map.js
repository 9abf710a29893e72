// A plane of seeds: at whole numbers (x, y) lies the seed x + 100 y, and between them lie blends of
// the four around. The plane is closed: beyond 99 comes 0 again.
class SeedMap {
  constructor(place, drawer) {
    Object.assign(this, { place, drawer });
    this.canvas = byId("map");
    this.marker = byId("map-marker");
    this.box = byId("map-box");
    this.snap = byId("map-snap");
    this.at = [0, 0];
    this.before = null; // the place to which the map returns when the mouse leaves it
    this.centre = [0, 0];
    this.listen();
    place.listen((changes) => this.update(changes));
  }

  listen() {
    const { box } = this;
    for (const name of ["pointermove", "pointerdown"]) {
      box.addEventListener(name, (event) => {
        if (event.pointerType === "touch" ? event.buttons : !this.isHeld) this.look(event);
      });
    }
    box.addEventListener("pointerleave", () => this.leave());
    box.addEventListener("click", (event) => this.hold(event));
    box.addEventListener("keydown", (event) => this.press(event));
    this.snap.addEventListener("change", () => this.snap.checked && this.go(this.at));
    byId("map-centre").addEventListener("click", () => this.recentre());
  }

  static seedAt(x, y) {
    return wrap(x) + MAP_ROW * wrap(y);
  }

  // The blend at a point of the plane.
  spotAt(x, y) {
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [right, down] = [x - left, y - top];
    const corners = [[left, top, (1 - right) * (1 - down)], [left + 1, top, right * (1 - down)], [left, top + 1, (1 - right) * down], [left + 1, top + 1, right * down]];
    return Spot.blend(corners.map(([i, j, weight]) => [this.place.spotOf(SeedMap.seedAt(i, j)), weight]));
  }

  point(event, recentres = false) {
    const { left, top, width, height } = this.box.getBoundingClientRect();
    const x = this.centre[0] + ((event.clientX - left) / width - 0.5) * MAP_SIDE * MAP_STEP;
    const y = this.centre[1] + ((event.clientY - top) / height - 0.5) * MAP_SIDE * MAP_STEP;
    this.go([x, y]);
    if (recentres) this.recentre();
  }

  // A mouse shows what lies below it; a finger or a pen chooses.
  look(event) {
    const before = this.before ?? { spot: this.place.spot, at: this.at };
    this.point(event);
    if (event.pointerType === "mouse") this.before = before;
  }

  leave() {
    if (!this.before) return;
    const { spot, at } = this.before;
    this.at = at;
    this.mark();
    this.place.set({ spot });
  }

  // A click keeps the picture while the mouse moves away; the next click lets go.
  hold(event) {
    this.isHeld = !this.isHeld;
    this.marker.classList.toggle("held", this.isHeld);
    this.point(event, this.isHeld);
  }

  press(event) {
    const step = this.snap.checked || event.shiftKey ? 1 : 0.125;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const move = moves[event.key];
    if (event.key === "Enter" && event.target === this.box) this.place.pick(this.place.spot);
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    this.go([this.at[0] + move[0], this.at[1] + move[1]]);
    const edge = (MAP_SIDE * MAP_STEP) / 2 - 0.5;
    if (this.at.some((value, axis) => Math.abs(value - this.centre[axis]) > edge)) this.recentre();
  }

  go([x, y]) {
    const round = this.snap.checked ? Math.round : (value) => Number(value.toFixed(3));
    this.at = [round(x), round(y)];
    this.mark();
    this.place.set({ spot: this.spotAt(...this.at) });
  }

  recentre() {
    this.centre = this.at.map((value) => Math.round(value / MAP_STEP) * MAP_STEP);
    this.mark();
    this.draw();
  }

  mark() {
    const [x, y] = this.at.map((value, axis) => 50 + ((value - this.centre[axis]) / (MAP_SIDE * MAP_STEP)) * 100);
    this.marker.style.left = `${x}%`;
    this.marker.style.top = `${y}%`;
    this.marker.hidden = Math.max(Math.abs(x - 50), Math.abs(y - 50)) > 50;
    setText(byId("map-where"), `x ${wrap(this.at[0]).toFixed(2)}, y ${wrap(this.at[1]).toFixed(2)}`);
  }

  update(changes) {
    if ("spot" in changes) this.before = null;
    if (changes.tool === "map") this.follow();
    else if ("step" in changes || "silence" in changes || "label" in changes) this.draw();
  }

  // Begin where the big picture is.
  follow() {
    const { seed } = this.place.spot;
    if (seed !== null && seed < MAP_ROW * MAP_ROW && SeedMap.seedAt(...this.at) !== seed) {
      this.at = [seed % MAP_ROW, Math.floor(seed / MAP_ROW)];
    }
    this.recentre();
  }

  draw() {
    if (this.place.tool !== "map") return;
    const half = (MAP_SIDE - 1) / 2;
    const cells = Array.from({ length: MAP_SIDE ** 2 }, (_, i) => [i % MAP_SIDE, Math.floor(i / MAP_SIDE)]);
    cells.sort((a, b) => far(a, half) - far(b, half));
    const spots = cells.map(([i, j]) => this.spotAt(this.centre[0] + (i - half) * MAP_STEP, this.centre[1] + (j - half) * MAP_STEP));
    const context = this.canvas.getContext("2d");
    this.canvas.dataset.drawn = 0;
    this.drawer.each("map", SOON, spots, this.place, (image, index) => {
      const [i, j] = cells[index];
      if (this.canvas.width !== image.width * MAP_SIDE) this.canvas.width = image.width * MAP_SIDE;
      if (this.canvas.height !== image.height * MAP_SIDE) this.canvas.height = image.height * MAP_SIDE;
      context.putImageData(image, i * image.width, j * image.height);
      this.canvas.dataset.drawn = index + 1;
    });
  }
}

const MAP_ROW = 100; // seeds
const MAP_SIDE = 9; // pictures
const MAP_STEP = 0.5; // of the plane, from one picture to the next

function wrap(value) {
  return ((value % MAP_ROW) + MAP_ROW) % MAP_ROW;
}

function far([i, j], half) {
  return Math.hypot(i - half, j - half);
}
