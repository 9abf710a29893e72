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
    if (this.pickIndex(spot) < 0 && !this.isFull) this.set({ picks: [...this.picks, spot] });
  }

  unpick(spot) {
    const index = this.pickIndex(spot);
    if (index >= 0) this.set({ picks: this.picks.filter((_, other) => other !== index) });
  }

  get isFull() {
    return this.picks.length >= MAX_PICKS;
  }

  get silenced() {
    return Object.values(this.silence).reduce((sum, channels) => sum + channels.length, 0);
  }
}

const MAX_PICKS = 24;
const ADDRESS_DELAY = 250; // ms without a change: browsers limit how often an address changes

// The place in the address: `#seed=12&step=1870&tool=walk&picks=3,17`.
class Address {
  constructor(place, lists, follows) {
    this.place = place;
    this.lists = lists; // what is known: {steps: () => [...], tools, layers}
    this.follows = follows; // whether the page's server may have more steps
    this.awaited = null; // a step that the address names, and the page does not have yet
    this.read();
    place.listen((changes) => this.update(changes));
    window.addEventListener("hashchange", () => this.read());
  }

  update(changes) {
    if ("step" in changes) this.awaited = null;
    this.write();
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
    const entries = [[spot.seed === null ? "at" : "seed", spot], ["step", this.awaited ?? step], ["tool", tool]];
    const off = Object.entries(silence).map(([layer, channels]) => `${layer}:${channels.join(".")}`);
    if (picks.length) entries.push(["picks", picks.join(",")]);
    if (off.length) entries.push(["off", off.join(",")]);
    return `#${entries.map(([key, value]) => `${key}=${value}`).join("&")}`;
  }

  read() {
    const entries = new Map(decode(location.hash.slice(1)).split("&").map((entry) => entry.split("=")));
    const changes = {};
    const spot = Spot.parse(entries.get("seed") ?? entries.get("at") ?? "");
    const step = toSeed(entries.get("step") ?? "");
    const picks = (entries.get("picks") ?? "").split(",").map(Spot.parse);
    if (spot) changes.spot = this.place.fit(spot);
    const hasStep = this.lists.steps().includes(step);
    if (hasStep) changes.step = step;
    if (this.lists.tools.includes(entries.get("tool"))) changes.tool = entries.get("tool");
    if (picks.every(Boolean)) changes.picks = picks.slice(0, MAX_PICKS).map((pick) => this.place.fit(pick));
    changes.silence = readSilence(entries.get("off") ?? "", this.lists.layers);
    this.place.set(changes);
    this.awaited = hasStep || !this.follows ? null : step;
  }
}

// Some programs encode commas in addresses.
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone %
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
