// The pictures that were picked.
class Tray {
  constructor(place, drawer, page) {
    this.place = place;
    this.page = page;
    this.drawer = drawer;
    this.list = byId("tray");
    byId("some").addEventListener("click", () => this.pickSome());
    byId("none").addEventListener("click", () => place.set({ picks: [] }));
    this.settle = rove(this.list, ".tile");
    place.listen((changes) => this.update(changes));
    this.update({ picks: place.picks });
  }

  // Four pictures, for those who want to begin with a walk.
  pickSome() {
    const spots = Array.from({ length: 4 }, () => this.place.spotOf(randomSeed()));
    this.place.set({ picks: [...this.place.picks, ...spots].slice(0, MAX_PICKS) });
  }

  update(changes) {
    if ("picks" in changes) this.build();
    if ("picks" in changes || "step" in changes || "silence" in changes) this.draw();
    if ("picks" in changes || "spot" in changes) this.mark();
  }

  build() {
    const { picks } = this.place;
    const focused = [...this.list.children].findIndex((item) => item.contains(document.activeElement));
    const items = picks.map((spot) => {
      const name = `${spot.name}${this.page.describeClass(spot)}`;
      const { button, canvas } = pictureButton(`show ${name}`, { onclick: () => this.place.set({ spot }) });
      button.addEventListener("keydown", (event) => ["Delete", "Backspace"].includes(event.key) && this.place.unpick(spot));
      const remove = make("button", { type: "button", class: "remove", tabindex: "-1", "aria-label": `remove ${name}`, onclick: () => this.place.unpick(spot) }, "\u00d7");
      return { canvas, element: make("li", {}, button, remove, make("span", { class: "dim" }, `${spot.seed === null ? "blend" : spot.seed}${this.page.className(spot)}`)) };
    });
    this.canvases = items.map((item) => item.canvas);
    this.list.replaceChildren(...items.map((item) => item.element));
    this.settle();
    if (focused >= 0) (this.list.children[Math.min(focused, picks.length - 1)] ?? byId("tray-box")).querySelector("button")?.focus();
    byId("empty").hidden = picks.length > 0;
    byId("none").hidden = picks.length === 0;
    byId("some").disabled = this.place.isFull;
    setText(byId("count"), picks.length ? `${picks.length}` : "");
    setText(byId("limit"), this.place.isFull ? `A page keeps at most ${MAX_PICKS} pictures. Remove one to pick another.` : "");
  }

  mark() {
    this.place.picks.forEach((spot, index) => {
      const isShown = String(spot) === String(this.place.spot);
      this.list.children[index].firstChild.classList.toggle("current", isShown);
    });
  }

  draw() {
    const { canvases } = this;
    return this.drawer.each("tray", SOON, this.place.picks, this.place, (image, index) => paint(canvases[index], image));
  }
}
