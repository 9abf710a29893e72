// The classes of a run with class labels: each is a button with this z in its class.
class Classes {
  constructor(place, drawer) {
    Object.assign(this, { place, drawer });
    this.buttons = [...document.querySelectorAll("#classes .tile")];
    this.drawSoon = whenSettled(() => this.draw());
    this.buttons.forEach((button, label) => button.addEventListener("click", () => place.set({ spot: place.spot.ofClass(label) })));
    rove(byId("classes"), ".tile", () => this.columns);
    place.listen((changes) => this.update(changes));
    this.update(place);
  }

  // How many buttons lie beside each other.
  get columns() {
    const { offsetTop } = this.buttons[0];
    return this.buttons.filter((button) => button.offsetTop === offsetTop).length;
  }

  update(changes) {
    if (!("spot" in changes || "step" in changes || "silence" in changes)) return;
    this.buttons.forEach((button, label) => setPressed(button, this.place.spot.label === label));
    this.drawSoon();
  }

  draw() {
    const spots = this.buttons.map((_, label) => this.place.spot.ofClass(label));
    const canvases = this.buttons.map((button) => button.querySelector("canvas"));
    this.drawer.each("classes", IDLE, spots, this.place, (image, index) => paint(canvases[index], image));
  }
}
