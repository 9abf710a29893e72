// A wall of seeds without an end: rows come while one scrolls, and rows out of sight are dropped.
class Garden {
  constructor(place, drawer) {
    this.place = place;
    this.drawer = drawer;
    this.box = byId("wall");
    this.space = byId("wall-space");
    const { width, height } = byId("picture");
    this.shape = height / width;
    this.tiles = new Map(); // seed -> {button, canvas, isDrawn}
    this.box.addEventListener("scroll", () => this.arrange());
    this.box.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(() => this.arrange(true)).observe(this.box);
    place.listen((changes) => this.update(changes));
  }

  get isShown() {
    return this.place.tool === "garden" && this.box.clientWidth > 0;
  }

  update(changes) {
    if ("step" in changes || "silence" in changes || "label" in changes) {
      for (const tile of this.tiles.values()) tile.isDrawn = false;
    }
    if ("picks" in changes || "spot" in changes) this.mark();
    if ("tool" in changes) this.arrange(true);
    else if (this.isShown) this.fill();
  }

  // Put the rows that are in sight, and one more on each side, into the page.
  arrange(isNew = false) {
    if (!this.isShown) return;
    this.columns = Math.max(3, Math.floor(this.box.clientWidth / TILE));
    this.width = this.box.clientWidth / this.columns; // of a tile
    this.height = this.width * this.shape;
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - 1);
    const last = Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.height) + 1;
    const seeds = new Set(Array.from({ length: (last - first) * this.columns }, (_, i) => first * this.columns + i));
    for (const [seed, tile] of this.tiles) {
      if (!seeds.has(seed)) {
        if (tile.button === document.activeElement) continue;
        tile.button.remove();
        this.tiles.delete(seed);
      }
    }
    this.rows = Math.max(this.rows ?? 0, last + ROWS_AHEAD);
    this.space.style.height = `${this.rows * this.height}px`;
    for (const seed of seeds) if (!this.tiles.has(seed)) this.add(seed);
    if (isNew) for (const [seed, tile] of this.tiles) this.lay(tile, seed);
    this.mark();
    this.fill();
  }

  add(seed) {
    const { button, canvas } = pictureButton(`seed ${withCommas(seed)}`, { tabindex: seed === this.current() ? "0" : "-1" });
    button.append(make("span", { class: "number", "aria-hidden": "true" }, String(seed)));
    button.addEventListener("click", () => this.choose(this.place.spotOf(seed)));
    const tile = { button, canvas, isDrawn: false };
    this.lay(tile, seed);
    this.tiles.set(seed, tile);
    const after = [...this.tiles.keys()].filter((other) => other > seed).sort((a, b) => a - b)[0];
    this.space.insertBefore(button, after === undefined ? null : this.tiles.get(after).button);
  }

  lay({ button }, seed) {
    button.style.width = `${this.width}px`;
    button.style.height = `${this.height}px`;
    button.style.transform = `translate(${(seed % this.columns) * this.width}px, ${Math.floor(seed / this.columns) * this.height}px)`;
  }

  // The tile that the Tab key reaches.
  current() {
    return this.focus ?? 0;
  }

  choose(spot) {
    this.focus = spot.seed;
    if (this.place.pickIndex(spot) >= 0) this.place.unpick(spot);
    else this.place.pick(spot);
    this.place.set({ spot });
  }

  mark() {
    for (const [seed, { button }] of this.tiles) {
      setPressed(button, this.place.pickIndex(this.place.spotOf(seed)) >= 0);
      button.classList.toggle("current", this.place.spot.seed === seed);
      button.tabIndex = seed === this.current() ? 0 : -1;
    }
    if (!this.tiles.has(this.current()) && this.tiles.size) this.tiles.values().next().value.button.tabIndex = 0;
  }

  press(event) {
    const seed = [...this.tiles].find(([, tile]) => tile.button === document.activeElement)?.[0];
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    if (seed === undefined || !(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const next = seed + moves[event.key];
    if (next < 0) return;
    this.focus = next;
    const top = Math.floor(next / this.columns) * this.height;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + this.height > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + this.height - this.box.clientHeight;
    this.arrange();
    this.tiles.get(next)?.button.focus({ preventScroll: true });
  }

  // Draw what is not drawn, a few tiles at a time, when nothing else waits.
  async fill() {
    if (this.isFilling) return;
    this.isFilling = true;
    for (;;) {
      const tiles = [...this.tiles].filter(([, tile]) => !tile.isDrawn).sort((a, b) => a[0] - b[0]).slice(0, this.drawer.batch);
      if (!tiles.length || !this.isShown) break;
      const { step, silence } = this.place;
      for (const [, tile] of tiles) tile.isDrawn = true;
      const drawn = await this.drawer.ask("garden", IDLE, { spots: tiles.map(([seed]) => this.place.spotOf(seed)), step, silence });
      drawn?.images.forEach((image, index) => {
        paint(tiles[index][1].canvas, image);
        tiles[index][1].button.dataset.step = step;
      });
    }
    this.isFilling = false;
  }
}

const TILE = 84; // px, at least
const ROWS_AHEAD = 8;
