// A spot in the latent space: seeds with weights, amounts along the sliders' directions and, with
// class labels, shares of the classes. All tools speak of spots, so each goes on from where another
// ended, and each fits into the address.
class Spot {
  constructor(parts, amounts = {}, shares = {}) {
    this.parts = parts; // [[seed, weight], ...]
    this.amounts = amounts; // {direction: amount}
    this.shares = shares; // {class: share}, of sum 1; empty without class labels
  }

  static ofSeed(seed, shares = {}) {
    return new Spot([[seed, 1]], {}, shares);
  }

  // The sum of [[spot, weight], ...].
  static sum(weighted) {
    const weights = new Map();
    for (const [spot, weight] of weighted) {
      for (const [seed, part] of spot.parts) weights.set(seed, (weights.get(seed) ?? 0) + part * weight);
    }
    const amounts = addUp(weighted.map(([spot, weight]) => [spot.amounts, weight]));
    return new Spot([...weights].filter(([, weight]) => Math.abs(weight) > 1e-6), amounts, Spot.shares(weighted));
  }

  // The shares of the classes in a sum of [[spot, weight], ...]; the weights need not have the sum 1.
  static shares(weighted) {
    const total = weighted.reduce((sum, [, weight]) => sum + weight, 0) || 1;
    const shares = addUp(weighted.map(([spot, weight]) => [spot.shares, weight / total]));
    return Object.fromEntries(Object.entries(shares).filter(([, share]) => Math.abs(share) > 1e-6));
  }

  // The sum, divided so that its numbers spread as widely as those of one seed.
  static blend(weighted) {
    const sum = Spot.sum(weighted);
    const spread = Math.hypot(...sum.parts.map(([, weight]) => weight)) || 1;
    return new Spot(sum.parts.map(([seed, weight]) => [seed, weight / spread]), sum.amounts, sum.shares);
  }

  // The seed, if this is exactly one, of one class; else null.
  get seed() {
    const isSeed = this.parts.length === 1 && this.parts[0][1] === 1 && !this.isMoved;
    return isSeed && (this.label !== null || !this.hasClass) ? this.parts[0][0] : null;
  }

  // The class, if it is exactly one; else null.
  get label() {
    const classes = Object.keys(this.shares);
    return classes.length === 1 ? Number(classes[0]) : null;
  }

  get hasClass() {
    return Object.keys(this.shares).length > 0;
  }

  // The same z, of one class.
  ofClass(label) {
    return new Spot(this.parts, this.amounts, { [label]: 1 });
  }

  get inMiddle() {
    return new Spot(this.parts, {}, this.shares);
  }

  get isMoved() {
    return Object.values(this.amounts).some((amount) => amount !== 0);
  }

  with(direction, amount) {
    const amounts = { ...this.amounts };
    if (amount) amounts[direction] = amount;
    else delete amounts[direction];
    return new Spot(this.parts, amounts, this.shares);
  }

  toString() {
    const parts = this.parts.map(([seed, weight]) => (weight === 1 ? `${seed}` : `${seed}*${short(weight)}`));
    const amounts = Object.entries(this.amounts).map(([key, amount]) => `!${key}:${short(amount)}`);
    const isPure = this.label !== null;
    const shares = Object.entries(this.shares).map(([label, share]) => (isPure ? `@${label}` : `@${label}:${short(share)}`));
    return parts.join("~") + amounts.join("") + shares.join("");
  }

  // The spot of such a text; null if it is none.
  static parse(text) {
    const [place, ...mixed] = text.split("@");
    const [sum, ...moves] = place.split("!");
    const parts = sum.split("~").map((part) => part.split("*")).map(([seed, weight = "1"]) => [toSeed(seed), toNumber(weight)]);
    const amounts = moves.map((move) => move.split(":")).map(([key, amount = ""]) => [toSeed(key), toNumber(amount)]);
    const shares = mixed.map((item) => item.split(":")).map(([label, share = "1"]) => [toSeed(label), toNumber(share)]);
    const isGood = [...parts, ...amounts, ...shares].every(([seed, number]) => seed !== null && number !== null);
    return isGood && parts.length <= MAX_PARTS ? new Spot(parts, Object.fromEntries(amounts), Object.fromEntries(shares)) : null;
  }

  get name() {
    const [first, ...others] = [...this.parts].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    if (!first) return "the middle of the space";
    const seeds = [first, ...others].slice(0, 4).map(([seed]) => withCommas(seed));
    const more = others.length > 3 ? ` and ${others.length - 3} more` : "";
    const base = others.length ? `blend of seeds ${seeds.join(", ")}${more}` : `seed ${seeds[0]}`;
    return this.isMoved ? `${base}, moved by sliders` : base;
  }
}

const MAX_PARTS = 64;
const MAX_SEED = Number.MAX_SAFE_INTEGER;

// z of spots: a sum of the seeds' z and of steps along directions.
class Space {
  constructor(latentDim, directions, numClasses) {
    this.latentDim = latentDim;
    this.numClasses = numClasses;
    this.directions = directions; // [Float32Array, ...]
    this.known = new Map(); // seed -> z
  }

  ofSeed(seed) {
    if (!this.known.has(seed)) {
      if (this.known.size >= 2000) this.known.clear();
      this.known.set(seed, latentsOf(seed, this.latentDim));
    }
    return this.known.get(seed);
  }

  z(spot) {
    const sum = new Float32Array(this.latentDim);
    for (const [seed, weight] of spot.parts) addScaled(sum, this.ofSeed(seed), weight);
    for (const [key, amount] of Object.entries(spot.amounts)) {
      if (this.directions[key]) addScaled(sum, this.directions[key], amount);
    }
    return sum;
  }

  // The inputs of G for several spots, one after the other: z, and the shares of the classes.
  rows(spots) {
    const size = this.latentDim + this.numClasses;
    const rows = new Float32Array(spots.length * size);
    spots.forEach((spot, row) => {
      rows.set(this.z(spot), row * size);
      for (const [label, share] of Object.entries(spot.shares)) rows[row * size + this.latentDim + Number(label)] = share;
    });
    return rows;
  }

  // Spherical interpolation: Gaussian z lie near a sphere, which a straight line would leave.
  slerp(a, b, t) {
    const [first, second] = [this.z(a), this.z(b)];
    const cosine = dot(first, second) / Math.sqrt(dot(first, first) * dot(second, second) || 1);
    const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
    const size = Math.sin(angle);
    const straight = Spot.sum([[a, 1 - t], [b, t]]);
    if (size <= 1e-3) return straight;
    const arc = Spot.sum([[a, Math.sin((1 - t) * angle) / size], [b, Math.sin(t * angle) / size]]);
    return new Spot(arc.parts, arc.amounts, straight.shares);
  }
}

// The sum of [[{key: number}, weight], ...].
function addUp(weighted) {
  const sum = {};
  for (const [numbers, weight] of weighted) {
    for (const [key, number] of Object.entries(numbers)) sum[key] = (sum[key] ?? 0) + number * weight;
  }
  return sum;
}

function addScaled(sum, z, weight) {
  for (let i = 0; i < sum.length; i++) sum[i] += weight * z[i];
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function short(number) {
  return String(Number(number.toPrecision(6)));
}

function toSeed(text) {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return number <= MAX_SEED ? number : null;
}

function toNumber(text) {
  const number = /^-?\d{1,3}(\.\d{1,12})?(e-\d{1,2})?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(number) ? number : null;
}

function withCommas(number) {
  return number.toLocaleString("en-US");
}
