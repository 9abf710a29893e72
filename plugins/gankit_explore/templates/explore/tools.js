// The tabs: one tool is shown at a time.
class Tools {
  constructor(place) {
    this.place = place;
    this.tabs = [...document.querySelectorAll("[role=tab]")];
    for (const tab of this.tabs) tab.addEventListener("click", () => place.set({ tool: tab.dataset.tool }));
    byId("tabs").addEventListener("keydown", (event) => this.press(event));
    place.listen((changes) => "tool" in changes && this.update());
    this.update();
  }

  press(event) {
    const index = this.tabs.indexOf(document.activeElement);
    const count = this.tabs.length;
    const targets = { ArrowLeft: (index + count - 1) % count, ArrowRight: (index + 1) % count, Home: 0, End: count - 1 };
    if (!(event.key in targets)) return;
    event.preventDefault();
    event.stopPropagation();
    this.tabs[targets[event.key]].focus();
    this.place.set({ tool: this.tabs[targets[event.key]].dataset.tool });
  }

  update() {
    for (const tab of this.tabs) {
      const isShown = tab.dataset.tool === this.place.tool;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = !isShown;
    }
  }
}
