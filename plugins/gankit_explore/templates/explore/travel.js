// The same z at each step of training that the page has.
class Travel {
  constructor(place, drawer, programs) {
    Object.assign(this, { place, drawer, programs });
    this.range = byId("time");
    this.film = byId("time-film");
    this.waited = 0;
    this.drawSoon = whenSettled(() => this.draw());
    this.player = new Player(byId("time-play"), ["Play", "Pause"], (seconds) => this.advance(seconds));
    this.range.addEventListener("input", () => {
      this.player.stop();
      this.go(Number(this.range.value));
    });
    this.settle = rove(this.film, ".tile");
    this.build();
    place.listen((changes) => this.update(changes));
  }

  // The steps have changed.
  build() {
    this.steps = this.programs.steps;
    this.range.max = this.steps.length - 1;
    byId("travel").hidden = this.steps.length < 2;
    this.tiles = this.steps.map((step) => pictureButton(`step ${withCommas(step)}`, { onclick: () => this.place.set({ step }) }));
    this.film.replaceChildren(...this.tiles.map(({ button }) => button));
    this.settle();
    this.update(this.place);
  }

  go(index) {
    this.place.set({ step: this.steps[index] });
  }

  advance(seconds) {
    this.waited += seconds;
    if (this.waited < 1 / STEPS_PER_SECOND) return;
    this.waited = 0;
    this.drawSoon = whenSettled(() => this.draw());
    this.go((this.steps.indexOf(this.place.step) + 1) % this.steps.length);
  }

  update(changes) {
    if ("step" in changes) {
      const index = this.steps.indexOf(this.place.step);
      this.range.value = index;
      this.range.setAttribute("aria-valuetext", `step ${this.place.step} of ${this.steps.at(-1)}`);
      setText(byId("time-step"), `step ${withCommas(this.place.step)}`);
      this.tiles.forEach(({ button }, number) => button.classList.toggle("current", number === index));
    }
    if ("spot" in changes || "silence" in changes) this.drawSoon();
  }

  // The pictures below the slider: one for each step, each of another program.
  async draw() {
    if (this.steps.length < 2) return;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const { tiles, steps } = this;
    for (const [index, step] of steps.entries()) {
      const drawn = await this.drawer.ask("time", IDLE, { spots: [this.place.spot], step, silence: this.place.silence });
      if (!drawn || turn !== this.turn) return;
      paint(tiles[index].canvas, drawn.images[0]);
    }
  }
}

const STEPS_PER_SECOND = 2;
