// A spot in the latent space: seeds with weights, and amounts along the sliders' directions. All
// tools speak of spots, so each goes on from where another ended, and each fits into the address.
class Spot {
  constructor(parts, amounts = {}) {
    this.parts = parts; // [[seed, weight], ...]
    this.amounts = amounts; // {direction: amount}
  }

  static ofSeed(seed) {
    return new Spot([[seed, 1]]);
  }

  // The sum of [[spot, weight], ...].
  static sum(weighted) {
    const weights = new Map();
    const amounts = {};
    for (const [spot, weight] of weighted) {
      for (const [seed, part] of spot.parts) weights.set(seed, (weights.get(seed) ?? 0) + part * weight);
      for (const [key, amount] of Object.entries(spot.amounts)) {
        amounts[key] = (amounts[key] ?? 0) + amount * weight;
      }
    }
    return new Spot([...weights].filter(([, weight]) => Math.abs(weight) > 1e-6), amounts);
  }

  // The sum, divided so that its numbers spread as widely as those of one seed.
  static blend(weighted) {
    const sum = Spot.sum(weighted);
    const spread = Math.hypot(...sum.parts.map(([, weight]) => weight)) || 1;
    return new Spot(sum.parts.map(([seed, weight]) => [seed, weight / spread]), sum.amounts);
  }

  // The seed, if this is exactly one; else null.
  get seed() {
    return this.parts.length === 1 && this.parts[0][1] === 1 && !this.isMoved ? this.parts[0][0] : null;
  }

  get isMoved() {
    return Object.values(this.amounts).some((amount) => amount !== 0);
  }

  with(direction, amount) {
    const amounts = { ...this.amounts };
    if (amount) amounts[direction] = amount;
    else delete amounts[direction];
    return new Spot(this.parts, amounts);
  }

  toString() {
    const parts = this.parts.map(([seed, weight]) => (weight === 1 ? `${seed}` : `${seed}*${short(weight)}`));
    const amounts = Object.entries(this.amounts).map(([key, amount]) => `!${key}:${short(amount)}`);
    return parts.join("~") + amounts.join("");
  }

  // The spot of such a text; null if it is none.
  static parse(text) {
    const [sum, ...moves] = text.split("!");
    const parts = sum.split("~").map((part) => part.split("*")).map(([seed, weight = "1"]) => [toSeed(seed), toNumber(weight)]);
    const amounts = moves.map((move) => move.split(":")).map(([key, amount = ""]) => [toSeed(key), toNumber(amount)]);
    const isGood = [...parts, ...amounts].every(([seed, number]) => seed !== null && number !== null);
    return isGood && parts.length <= MAX_PARTS ? new Spot(parts, Object.fromEntries(amounts)) : null;
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
  constructor(latentDim, directions) {
    this.latentDim = latentDim;
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

  // z of several spots, one after the other.
  rows(spots) {
    const rows = new Float32Array(spots.length * this.latentDim);
    spots.forEach((spot, row) => rows.set(this.z(spot), row * this.latentDim));
    return rows;
  }

  // Spherical interpolation: Gaussian z lie near a sphere, which a straight line would leave.
  slerp(a, b, t) {
    const [first, second] = [this.z(a), this.z(b)];
    const cosine = dot(first, second) / Math.sqrt(dot(first, first) * dot(second, second) || 1);
    const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
    const size = Math.sin(angle);
    if (size <= 1e-3) return Spot.sum([[a, 1 - t], [b, t]]);
    return Spot.sum([[a, Math.sin((1 - t) * angle) / size], [b, Math.sin(t * angle) / size]]);
  }
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
