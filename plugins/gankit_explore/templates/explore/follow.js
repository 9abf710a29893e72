// A page of `gankit explore`: ask its server for new checkpoints of a run that still trains.
const ASK_EVERY = 4000; // ms

class Follower {
  constructor(place, programs, travel, address) {
    Object.assign(this, { place, programs, travel, address });
    this.line = byId("following");
    this.taken = new Set(programs.steps);
    this.ask();
  }

  async ask() {
    let waits = true;
    try {
      const { steps, is_training: isTraining } = await (await this.fetch("checkpoints")).json();
      for (const step of steps) if (!this.taken.has(step)) await this.take(step);
      if (this.address.awaited !== null) this.place.set({ step: this.programs.steps.at(-1) });
      waits = isTraining;
      setText(this.line, isTraining ? `The run is training. The newest checkpoint is that of step ${withCommas(this.programs.steps.at(-1))}.` : "");
    } catch (error) {
      setText(this.line, `There is no answer from gankit explore (${error.message}). This page keeps what it shows.`);
    }
    setTimeout(() => this.ask(), waits ? ASK_EVERY : 5 * ASK_EVERY);
  }

  async fetch(path) {
    const reply = await fetch(path);
    if (!reply.ok) throw new Error(`error ${reply.status}`);
    return reply;
  }

  // Who looks at the newest step goes on to look at the newest, unless the address names another.
  async take(step) {
    const bytes = await (await this.fetch(`program/${step}`)).arrayBuffer();
    const length = new DataView(bytes).getUint32(0, true);
    const description = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    const { awaited } = this.address;
    const isNewest = awaited === null && this.place.step === this.programs.steps.at(-1);
    this.taken.add(step);
    this.programs.add(step, description, bytes.slice(4 + length));
    this.travel.build();
    const steps = this.programs.steps;
    if (step === awaited) this.place.set({ step });
    else if (isNewest || !steps.includes(this.place.step)) this.place.set({ step: steps.at(-1) });
  }
}
