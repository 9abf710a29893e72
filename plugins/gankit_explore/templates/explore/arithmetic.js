// A - B + C, with pictures that were picked.
class Arithmetic {
  constructor(place, drawer, page) {
    Object.assign(this, { place, drawer, page });
    this.selects = ["a", "b", "c"].map((letter) => byId(`sum-${letter}`));
    this.chosen = []; // the picks that were chosen as A, B and C
    this.canvases = ["a", "b", "c", "result"].map((letter) => byId(`sum-${letter}-picture`));
    for (const select of this.selects) select.addEventListener("change", () => this.choose());
    byId("sum-show").addEventListener("click", () => place.set({ spot: this.spots[3] }));
    byId("sum-pick").addEventListener("click", () => place.pick(this.spots[3]));
    place.listen((changes) => this.update(changes));
    this.update(place);
  }

  get terms() {
    return this.selects.map((select) => this.place.picks[select.value]);
  }

  get spots() {
    const [a, b, c] = this.terms;
    return [a, b, c, Spot.blend([[a, 1], [b, -1], [c, 1]])];
  }

  choose() {
    this.chosen = this.terms;
    this.place.set({ spot: this.spots[3] });
    this.draw();
  }

  update(changes) {
    if ("picks" in changes) this.build();
    if ("picks" in changes || "tool" in changes || "step" in changes || "silence" in changes) this.draw();
  }

  // A choice stays the same picture while others are picked and removed.
  build() {
    const { picks } = this.place;
    const names = picks.map((spot, index) => `${index + 1}: ${spot.name}${this.page.describeClass(spot)}`);
    this.selects.forEach((select, number) => {
      const index = this.place.pickIndex(this.chosen[number]);
      select.replaceChildren(...names.map((name, index) => make("option", { value: index }, name)));
      select.value = String(index < 0 ? Math.min(number, picks.length - 1) : index);
    });
    if (this.chosen.length) this.chosen = this.terms;
    byId("sum-pick").disabled = this.place.isFull;
    byId("sum-tools").hidden = picks.length < 3;
    byId("sum-empty").hidden = picks.length >= 3;
  }

  draw() {
    if (this.place.tool !== "arithmetic" || this.place.picks.length < 3) return;
    this.drawer.each("sum", SOON, this.spots, this.place, (image, index) => paint(this.canvases[index], image));
  }
}
