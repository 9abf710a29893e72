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
  return {
    command(spot, step) {
      if (spot.seed === null) return null;
      return `${data.command} --seeds ${spot.seed}${step === data.newest ? "" : ` --checkpoint ${step}`}`;
    },
    provenance({ spot, step, silenced }) {
      const isSeed = spot.seed !== null && !silenced;
      const exact = isSeed && { command: `${data.command} --seeds ${spot.seed} --checkpoint ${step}`, seed: spot.seed };
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
  const space = new Space(data.latent_dim, data.directions.map((z) => Float32Array.from(z)));
  const programs = new Programs(engine, readCheckpoints(data));
  const drawer = new Drawer(engine, programs, space);
  const place = new Place();
  place.set({ step: programs.steps.at(-1) });
  const tools = new Tools(place);
  const { layers } = data.checkpoints[0].description;
  new Address(place, { steps: () => programs.steps, tools: tools.tabs.map((tab) => tab.dataset.tool), layers });
  new Stage(place, drawer, makePage(data));
  new Tray(place, drawer);
  new Garden(place, drawer).arrange();
  new Walk(place, drawer, space, makePage(data));
  if (data.directions.length) new Sliders(place, drawer, data.directions);
  new Arithmetic(place, drawer);
  new SeedMap(place, drawer);
  new Units(place, drawer, layers);
  const travel = new Travel(place, drawer, programs);
  if (data.follow) new Follower(place, programs, travel);
  setText(byId("engine"), engine.kind === "wasm" ? "WebAssembly" : "JavaScript");
  place.set({ tool: place.tool });
}

function fail(error) {
  byId("failed").hidden = false;
  setText(byId("why"), error?.message ?? String(error));
}

window.addEventListener("unhandledrejection", (event) => fail(event.reason));
main().catch(fail);
