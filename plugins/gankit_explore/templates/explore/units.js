// A layer's channels as tiles. A click silences one, and the difference shows what goes.
class Units {
  constructor(place, drawer, layers) {
    Object.assign(this, { place, drawer, layers });
    this.drawSoon = whenSettled(() => this.draw(), 30);
    this.select = byId("layer");
    this.box = byId("units");
    this.gone = byId("gone");
    this.select.replaceChildren(...layers.map(({ shape: [channels, height, width] }, index) =>
      make("option", { value: index }, `layer ${index + 1}: ${channels} channels of ${height} x ${width}`)));
    this.select.value = String(Math.min(1, layers.length - 1));
    this.select.addEventListener("change", () => this.build());
    byId("units-reset").addEventListener("click", () => place.set({ silence: {} }));
    this.settle = rove(this.box, ".tile", () => Math.max(1, Math.floor(this.box.clientWidth / (this.box.firstChild?.offsetWidth || 1))));
    place.listen((changes) => this.update(changes));
    this.build();
  }

  get layer() {
    return this.layers[this.select.value];
  }

  build() {
    if (!this.layer) return;
    this.tiles = Array.from({ length: this.layer.shape[0] }, (_, channel) =>
      pictureButton(`silence channel ${channel}`, { onclick: () => this.toggle(channel) }));
    this.box.replaceChildren(...this.tiles.map(({ button }) => button));
    this.settle();
    this.update(this.place);
  }

  toggle(channel) {
    const key = this.select.value;
    const channels = this.place.silence[key] ?? [];
    const others = channels.filter((other) => other !== channel);
    const silence = { ...this.place.silence, [key]: others.length < channels.length ? others : [...channels, channel] };
    if (!silence[key].length) delete silence[key];
    this.place.set({ silence });
  }

  update(changes) {
    if ("silence" in changes) {
      const off = this.place.silence[this.select.value] ?? [];
      this.tiles?.forEach(({ button }, channel) => setPressed(button, off.includes(channel)));
      byId("units-reset").disabled = this.place.silenced === 0;
    }
    if ("spot" in changes || "step" in changes || "silence" in changes || "tool" in changes) this.drawSoon();
  }

  // Two pictures: with all channels, whose tiles are shown, and with the silenced ones gone.
  async draw() {
    if (this.place.tool !== "units" || !this.layer) return;
    const { spot, step, silence } = this.place;
    const { tiles } = this;
    const whole = await this.drawer.ask("tiles", SOON, { spots: [spot], step, tiles: Number(this.select.value) });
    if (!whole || tiles !== this.tiles) return;
    const [height, width] = whole.tiles.size;
    cut(whole.tiles.pixels, height, width, whole.tiles.count).forEach((image, channel) => paint(tiles[channel].canvas, image));
    const silenced = await this.drawer.ask("silenced", SOON, { spots: [spot], step, silence });
    if (silenced) this.compare(whole.images[0], silenced.images[0]);
  }

  compare(before, after) {
    const image = new ImageData(before.width, before.height);
    let sum = 0;
    for (let i = 0; i < image.data.length; i++) {
      const difference = after.data[i] - before.data[i];
      sum += i % 4 === 3 ? 0 : Math.abs(difference);
      image.data[i] = i % 4 === 3 ? 255 : 128 + difference;
    }
    paint(this.gone, image);
    const levels = sum / ((image.data.length / 4) * 3);
    setText(byId("gone-size"), `${levels.toFixed(1)} of 255 levels on average`);
  }
}
