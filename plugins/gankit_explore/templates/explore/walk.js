// A walk between the pictures that were picked, and back to the first.
class Walk {
  constructor(place, drawer, space, page) {
    Object.assign(this, { place, drawer, space, page });
    this.slider = byId("walk-at");
    this.speed = byId("walk-speed");
    this.loop = byId("walk-loop");
    this.strip = byId("walk-strip");
    this.player = new Player(byId("walk-play"), ["Play", "Pause"], (seconds) => this.advance(seconds));
    this.listen();
    place.listen((changes) => this.update(changes));
    this.update(place);
  }

  listen() {
    this.slider.addEventListener("input", () => {
      this.player.stop();
      this.show(Number(this.slider.value) / SLIDER_END);
    });
    this.speed.addEventListener("input", () => this.describe());
    this.loop.addEventListener("change", () => this.update(this.place));
    byId("walk-save").addEventListener("click", () => this.saveStrip());
    byId("walk-film").addEventListener("click", () => this.saveFilm());
    byId("walk-directions").addEventListener("click", () => this.saveDirections());
    const canFilm = canRecord();
    byId("walk-film").hidden = !canFilm;
    byId("walk-no-film").hidden = canFilm;
  }

  get points() {
    const { picks } = this.place;
    return this.loop.checked && picks.length > 1 ? [...picks, picks[0]] : picks;
  }

  get seconds() {
    return Number(this.speed.value);
  }

  // The spot at a share (0 to 1) of the walk; it rests a little at each picture.
  at(share) {
    const { points } = this;
    const part = Math.min(points.length - 2, Math.floor(share * (points.length - 1)));
    const t = share * (points.length - 1) - part;
    if (t === 0) return points[part];
    if (t >= 1) return points[part + 1];
    return this.space.slerp(points[part], points[part + 1], ease(t));
  }

  show(share) {
    if (this.points.length < 2) return;
    this.slider.value = share * SLIDER_END;
    this.place.set({ spot: this.at(share) });
  }

  advance(seconds) {
    const length = this.seconds * (this.points.length - 1);
    if (this.points.length < 2 || this.place.tool !== "walk") {
      this.player.stop();
      return;
    }
    const start = Number(this.slider.value) % SLIDER_END; // from the end it begins again
    const share = start / SLIDER_END + seconds / length;
    if (share >= 1 && !this.loop.checked) this.player.stop();
    this.show(share < 1 ? share : this.loop.checked ? share % 1 : 1);
  }

  update(changes) {
    if (!("picks" in changes || "tool" in changes || "step" in changes)) return;
    const isPossible = this.place.picks.length > 1;
    byId("walk-tools").hidden = !isPossible;
    byId("walk-empty").hidden = isPossible;
    this.describe();
    if (isPossible && this.place.tool === "walk") this.drawStrip();
  }

  describe() {
    setText(byId("walk-seconds"), `${this.seconds.toFixed(1)} s`);
  }

  // A row of pictures of the whole walk, each picture that was picked among them.
  get stripSpots() {
    const between = Math.max(1, Math.round((STRIP - 1) / (this.points.length - 1)));
    const count = between * (this.points.length - 1);
    const spots = Array.from({ length: count }, (_, i) => this.at(i / count));
    return this.loop.checked ? spots : [...spots, this.points.at(-1)];
  }

  drawStrip(canvas = this.strip, name = "walk strip") {
    const spots = this.stripSpots;
    const context = canvas.getContext("2d");
    return this.drawer.each(name, SOON, spots, this.place, (image, index) => {
      if (index === 0) {
        canvas.width = image.width * spots.length;
        canvas.height = image.height;
      }
      context.putImageData(image, index * image.width, 0);
      canvas.dataset.drawn = index + 1;
    });
  }

  async saveStrip() {
    const canvas = make("canvas");
    if (!(await this.drawStrip(canvas, "saved strip"))) return;
    download(await pngOf(canvas, this.page.provenance({ ...this.place, spot: NO_SPOT })), "walk.png");
    setText(byId("live"), "saved walk.png");
  }

  async saveFilm() {
    const button = byId("walk-film");
    const points = this.points.length - 1;
    button.disabled = true;
    this.player.stop();
    try {
      const frames = Math.round(this.seconds * points * FILM_FPS);
      const spots = Array.from({ length: frames }, (_, i) => this.at(i / frames));
      const images = [];
      const progress = (share) => setText(button, `Film ${Math.round(100 * share)} %`);
      const isWhole = await this.drawer.each("film", SOON, spots, this.place, (image) => {
        images.push(image);
        progress(images.length / spots.length / 2);
      });
      if (!isWhole) return;
      const film = await record(images, FILM_FPS, (share) => progress(0.5 + share / 2));
      download(film, film.type.startsWith("video/mp4") ? "walk.mp4" : "walk.webm");
      setText(byId("live"), "saved the film");
    } catch (error) {
      byId("walk-no-film").hidden = false;
      setText(byId("live"), `this browser cannot record a film: ${error.message}`);
    } finally {
      button.disabled = false;
      setText(button, "Save film");
    }
  }

  // The file that `gankit sample RUN --directions FILE` makes a film of.
  saveDirections() {
    const points = this.place.picks.map((spot) => ({
      ...(spot.seed === null ? { z: [...this.space.z(spot)].map((number) => Number(number.toFixed(6))) } : { seed: spot.seed }),
      ...(spot.hasClass && { class: this.page.classOf(spot) }),
    }));
    const file = { gankit: "walk", version: 1, latent_dim: this.space.latentDim, points, seconds_per_picture: this.seconds, loop: this.loop.checked };
    download(new Blob([JSON.stringify(file)], { type: "application/json" }), "directions.json");
    setText(byId("live"), "saved directions.json");
  }
}

const SLIDER_END = 1000;
const STRIP = 12; // pictures
const FILM_FPS = 30;

function ease(t) {
  return t * t * (3 - 2 * t);
}

const NO_SPOT = { seed: null }; // a strip is of no single seed
