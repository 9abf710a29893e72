// Puts the page together.
const opened = performance.now();

function readCheckpoints(data) {
  return data.checkpoints.map(({ step, description }) => ({
    step,
    description,
    weights: () => bytesOf(byId(`weights-${step}`).textContent).buffer,
  }));
}

function makePage(data) {
  const words = ({ seed, label }) => `${data.command} --seeds ${seed}${label === null ? "" : ` --class ${data.class_words[label]}`}`;
  return {
    command(spot, step) {
      if (spot.seed === null) return null;
      return `${words(spot)}${step === data.newest ? "" : ` --checkpoint ${step}`}`;
    },
    // The class by its name, or the shares of all classes, for files.
    classOf({ shares, label }) {
      if (label !== null) return data.class_keys[label];
      return data.class_keys.map((_, index) => Number(short(shares[index] ?? 0)));
    },
    // ` red`, for narrow places.
    className: ({ label }) => (label === null ? "" : ` ${data.class_names[label]}`),
    // `, class red`, or the shares of several; empty without class labels.
    describeClass({ shares, label }) {
      if (label !== null) return `, class ${data.class_names[label]}`;
      const parts = Object.entries(shares).filter(([, share]) => Math.abs(share) > 0.005);
      parts.sort((a, b) => Math.round(100 * b[1]) - Math.round(100 * a[1]));
      return parts.length ? `, ${parts.map(([index, share]) => `${Math.round(100 * share)} % ${data.class_names[index]}`).join(" and ")}` : "";
    },
    provenance({ spot, step, silenced }) {
      const isSeed = spot.seed !== null && !silenced;
      const exact = isSeed && { command: `${words(spot)} --checkpoint ${step}`, seed: spot.seed };
      return { version: data.version, run: data.run, step, ...exact };
    },
    began({ ms }) {
      document.documentElement.dataset.first = Math.round(performance.now() - opened);
      document.documentElement.dataset.ms = ms;
      return true;
    },
  };
}

async function main() {
  const data = JSON.parse(byId("data").textContent);
  const wasm = byId("wasm") ? bytesOf(byId("wasm").textContent) : null;
  const engine = await createEngine({ worker: byId("worker").textContent, wasm });
  document.documentElement.classList.add("scripted");
  document.documentElement.dataset.engine = engine.kind;
  const space = new Space(data.latent_dim, data.directions.map((z) => Float32Array.from(z)), data.class_names.length);
  const programs = new Programs(engine, readCheckpoints(data));
  const drawer = new Drawer(engine, programs, space, fail);
  const place = new Place(data.class_names.length);
  place.set({ step: programs.steps.at(-1) });
  const tools = new Tools(place);
  const { layers } = data.checkpoints[0].description;
  const address = new Address(place, { steps: () => programs.steps, tools: tools.tabs.map((tab) => tab.dataset.tool), layers }, data.follow);
  const page = makePage(data);
  new Stage(place, drawer, page);
  if (data.class_names.length) new Classes(place, drawer);
  new Tray(place, drawer, page);
  new Garden(place, drawer).arrange();
  new Walk(place, drawer, space, page);
  if (data.directions.length) new Sliders(place, drawer, data.directions);
  new Arithmetic(place, drawer, page);
  new SeedMap(place, drawer);
  new Units(place, drawer, layers);
  const travel = new Travel(place, drawer, programs);
  if (data.follow) new Follower(place, programs, travel, address);
  setText(byId("engine"), engine.kind === "wasm" ? "WebAssembly" : "JavaScript");
  place.set({ tool: place.tool });
}

function fail(error) {
  byId("failed").hidden = false;
  setText(byId("why"), error?.message ?? String(error));
}

main().catch(fail);
