// What the page shows now. Tools change it through `set`, and listen to what others change.
class Place {
  constructor(numClasses) {
    this.numClasses = numClasses;
    this.label = 0; // the class of new pictures
    this.spot = this.spotOf(0);
    this.step = 0; // of training
    this.silence = {}; // layer -> [channels]
    this.picks = []; // spots
    this.tool = "garden";
    this.listeners = [];
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  // The spot of a seed, in the class that is chosen.
  spotOf(seed) {
    return Spot.ofSeed(seed, this.numClasses ? { [this.label]: 1 } : {});
  }

  // A spot of an address, which may name no class, or ones that this run does not have.
  fit(spot) {
    const isGood = Object.keys(spot.shares).every((label) => label < this.numClasses);
    if (isGood && spot.hasClass === this.numClasses > 0) return spot;
    return new Spot(spot.parts, spot.amounts, this.spotOf(0).shares);
  }

  // A picture of one class makes this the class of new pictures, too.
  set(changes) {
    const label = changes.spot?.label ?? this.label;
    if (label !== this.label) changes = { ...changes, label };
    Object.assign(this, changes);
    for (const listener of this.listeners) listener(changes);
  }

  pickIndex(spot) {
    const name = String(spot);
    return this.picks.findIndex((pick) => String(pick) === name);
  }

  pick(spot) {
    if (this.pickIndex(spot) < 0 && this.picks.length < MAX_PICKS) this.set({ picks: [...this.picks, spot] });
  }

  unpick(spot) {
    const index = this.pickIndex(spot);
    if (index >= 0) this.set({ picks: this.picks.filter((_, other) => other !== index) });
  }

  get silenced() {
    return Object.values(this.silence).reduce((sum, channels) => sum + channels.length, 0);
  }
}

const MAX_PICKS = 24;
const ADDRESS_DELAY = 250; // ms without a change: browsers limit how often an address changes

// The place in the address: `#seed=12&step=500&tool=walk&picks=3,17`.
class Address {
  constructor(place, lists) {
    this.place = place;
    this.lists = lists; // what is known: {steps: () => [...], tools, layers}
    this.read();
    place.listen(() => this.write());
    window.addEventListener("hashchange", () => this.read());
  }

  write() {
    clearTimeout(this.delay);
    this.delay = setTimeout(() => {
      try {
        history.replaceState(null, "", this.text());
      } catch {
        // Some browsers refuse it for pages in a preview; the tools work all the same.
      }
    }, ADDRESS_DELAY);
  }

  text() {
    const { spot, step, silence, picks, tool } = this.place;
    const entries = [[spot.seed === null ? "at" : "seed", spot], ["step", step], ["tool", tool]];
    const off = Object.entries(silence).map(([layer, channels]) => `${layer}:${channels.join(".")}`);
    if (picks.length) entries.push(["picks", picks.join(",")]);
    if (off.length) entries.push(["off", off.join(",")]);
    return `#${entries.map(([key, value]) => `${key}=${value}`).join("&")}`;
  }

  read() {
    const entries = new Map(location.hash.slice(1).split("&").map((entry) => entry.split("=")));
    const changes = {};
    const spot = Spot.parse(entries.get("seed") ?? entries.get("at") ?? "");
    const step = Number(entries.get("step") ?? NaN);
    const picks = (entries.get("picks") ?? "").split(",").map(Spot.parse);
    if (spot) changes.spot = this.place.fit(spot);
    if (this.lists.steps().includes(step)) changes.step = step;
    if (this.lists.tools.includes(entries.get("tool"))) changes.tool = entries.get("tool");
    if (picks.every(Boolean)) changes.picks = picks.slice(0, MAX_PICKS).map((pick) => this.place.fit(pick));
    changes.silence = readSilence(entries.get("off") ?? "", this.lists.layers);
    this.place.set(changes);
  }
}

// `4:5.7,6:0` is {4: [5, 7], 6: [0]}: the channels of each layer.
function readSilence(text, layers) {
  const silence = {};
  for (const entry of text.split(",").slice(0, 64)) {
    const [layer, channels = ""] = entry.split(":");
    const numbers = channels.split(".").map(toSeed);
    const count = layers[layer]?.shape[0] ?? 0;
    if (numbers.every((number) => number !== null && number < count)) silence[layer] = numbers;
  }
  return silence;
}
