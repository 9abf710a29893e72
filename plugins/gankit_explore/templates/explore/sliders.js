// Sliders along directions that change pictures much, each with five pictures of its way.
class Sliders {
  constructor(place, drawer, directions) {
    Object.assign(this, { place, drawer });
    this.drawSoon = whenSettled(() => this.draw());
    this.films = byId("films");
    this.films.checked = !window.matchMedia("(max-width: 40rem)").matches;
    this.rows = directions.map((_, index) => this.listen(index));
    this.films.addEventListener("change", () => this.draw());
    byId("sliders-reset").addEventListener("click", () => place.set({ spot: place.spot.inMiddle }));
    place.listen((changes) => this.update(changes));
    this.update(place);
  }

  listen(index) {
    const row = byId(`direction-${index}`);
    const range = row.querySelector("input");
    const film = row.querySelector(".film");
    range.addEventListener("input", () => this.move(index, Number(range.value)));
    const tiles = FILM_AMOUNTS.map((amount) => {
      const { button, canvas } = pictureButton(`${range.getAttribute("aria-label")} at ${amount}`, { onclick: () => this.move(index, amount) });
      film.append(button);
      return { button, canvas };
    });
    rove(film, ".tile");
    return { range, film, tiles, output: row.querySelector("output") };
  }

  move(index, amount) {
    this.place.set({ spot: this.place.spot.with(index, amount) });
  }

  update(changes) {
    if ("spot" in changes) {
      this.rows.forEach(({ range, output, tiles }, index) => {
        const amount = this.place.spot.amounts[index] ?? 0;
        range.value = amount;
        setText(output, amount.toFixed(1));
        tiles.forEach(({ button }, number) => button.classList.toggle("current", FILM_AMOUNTS[number] === amount));
      });
      byId("sliders-reset").disabled = !this.place.spot.isMoved;
    }
    if ("spot" in changes || "tool" in changes || "step" in changes || "silence" in changes) this.drawSoon();
  }

  draw() {
    const isShown = this.films.checked;
    for (const { film } of this.rows) film.hidden = !isShown;
    if (!isShown || this.place.tool !== "sliders") return;
    const spots = this.rows.flatMap((_, index) => FILM_AMOUNTS.map((amount) => this.place.spot.with(index, amount)));
    const canvases = this.rows.flatMap(({ tiles }) => tiles.map(({ canvas }) => canvas));
    this.drawer.each("films", IDLE, spots, this.place, (image, index) => paint(canvases[index], image));
  }
}

const FILM_AMOUNTS = [-6, -3, 0, 3, 6];
