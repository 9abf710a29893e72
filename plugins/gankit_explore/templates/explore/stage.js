// The big picture, what it is, and how to keep it.
class Stage {
  constructor(place, drawer, page) {
    this.place = place;
    this.drawer = drawer;
    this.page = page;
    this.canvas = byId("picture");
    this.heart = byId("pick");
    this.onSeed = byId("seed");
    this.listen();
    place.listen((changes) => this.update(changes));
    this.draw();
    this.describe();
  }

  listen() {
    const { place } = this;
    this.onSeed.addEventListener("change", () => this.goTo(toSeed(this.onSeed.value)));
    byId("before").addEventListener("click", () => this.go(-1));
    byId("after").addEventListener("click", () => this.go(1));
    byId("random").addEventListener("click", () => place.set({ spot: place.spotOf(randomSeed()) }));
    this.heart.addEventListener("click", () => {
      if (place.pickIndex(place.spot) < 0) place.pick(place.spot);
      else place.unpick(place.spot);
    });
    byId("save").addEventListener("click", () => this.save());
    byId("copy").addEventListener("click", () => this.copy());
    byId("smooth").addEventListener("change", (event) => this.canvas.classList.toggle("sharp", !event.target.checked));
    byId("full").hidden = !document.fullscreenEnabled;
    byId("full").addEventListener("click", () => this.fillScreen());
  }

  async fillScreen() {
    try {
      await byId("frame").requestFullscreen();
    } catch {
      this.say("the browser refused full screen");
    }
  }

  goTo(seed) {
    if (seed === null) this.onSeed.value = this.place.spot.seed ?? ""; // it was not a number
    else this.place.set({ spot: this.place.spotOf(seed) });
  }

  go(count) {
    const seed = this.place.spot.seed ?? this.place.spot.parts[0]?.[0] ?? 0;
    this.place.set({ spot: this.place.spotOf(Math.min(MAX_SEED, Math.max(0, seed + count))) });
  }

  update(changes) {
    if ("spot" in changes || "step" in changes || "silence" in changes) this.draw();
    this.describe();
  }

  async draw() {
    const { spot, step, silence } = this.place;
    const drawn = await this.drawer.ask("stage", URGENT, { spots: [spot], step, silence });
    if (!drawn) return;
    paint(this.canvas, drawn.images[0]);
    this.canvas.dataset.shown = `${spot} ${step}`;
    this.first ??= this.page.began(drawn);
  }

  describe() {
    const { spot, step, silenced } = this.place;
    const isPicked = this.place.pickIndex(spot) >= 0;
    setPressed(this.heart, isPicked, ["Pick", "Picked"]);
    this.heart.disabled = this.place.isFull && !isPicked;
    if (document.activeElement !== this.onSeed) this.onSeed.value = spot.seed ?? "";
    const off = silenced ? `, ${silenced} ${silenced === 1 ? "channel" : "channels"} silenced` : "";
    const text = `${spot.name}${this.page.describeClass(spot)} at step ${withCommas(step)}${off}`;
    setText(byId("what"), text[0].toUpperCase() + text.slice(1));
    setText(byId("command"), this.page.command(spot, step) ?? "");
    byId("exact").hidden = spot.seed === null || silenced > 0;
    byId("between").hidden = spot.seed !== null && silenced === 0;
    clearTimeout(this.delay);
    this.delay = setTimeout(() => this.tell(text), TELL_DELAY);
  }

  // Read aloud, once the picture stays.
  tell(text) {
    this.canvas.setAttribute("aria-label", `picture that G draws: ${text}`);
    setText(byId("live"), text);
  }

  // In place of the picture's name, if that was still to be read.
  say(text) {
    clearTimeout(this.delay);
    setText(byId("live"), text);
  }

  // The picture is drawn again: the one in sight may be that of an earlier spot.
  async save() {
    const { spot, step, silence } = this.place;
    const provenance = this.page.provenance(this.place);
    const size = Number(byId("size").value);
    const name = `${spot.seed === null ? "blend" : `seed-${spot.seed}`}-step-${step}.png`;
    const drawn = await this.drawer.ask(name, URGENT, { spots: [spot], step, silence });
    if (!drawn) return;
    const picture = make("canvas", { class: this.canvas.className });
    paint(picture, drawn.images[0]);
    download(await pngOf(size ? enlarge(picture, size) : picture, provenance), name);
    this.say(`saved ${name}`);
  }

  async copy() {
    const text = byId("command").textContent;
    try {
      await navigator.clipboard.writeText(text);
      this.say("copied");
      setText(byId("copy"), "Copied");
    } catch {
      getSelection().selectAllChildren(byId("command"));
      this.say("the command is selected; copy it with your keyboard");
    }
    setTimeout(() => setText(byId("copy"), "Copy"), 1500);
  }
}

const TELL_DELAY = 500; // ms

function randomSeed() {
  return Math.floor(Math.random() * 1e6);
}
