// Elements of the page.
function byId(id) {
  return document.getElementById(id);
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setPressed(button, isPressed, labels) {
  button.setAttribute("aria-pressed", String(isPressed));
  if (labels) setText(button, isPressed ? labels[1] : labels[0]);
}

// A button that shows a picture.
function pictureButton(label, attributes = {}) {
  const canvas = make("canvas", { width: 1, height: 1, "aria-hidden": "true" });
  const button = make("button", { type: "button", class: "tile", "aria-label": label, title: label, ...attributes }, canvas);
  return { button, canvas };
}

// Arrow keys move the focus in a group of buttons, as in one control: the Tab key reaches only the
// button that had the focus last, or the first. Call the result when the buttons are new.
function rove(group, selector, columns = () => 1) {
  const list = () => [...group.querySelectorAll(selector)];
  const settle = (current = list()[0]) => {
    for (const button of list()) button.tabIndex = button === current ? 0 : -1;
  };
  group.addEventListener("focusin", (event) => list().includes(event.target) && settle(event.target));
  group.addEventListener("keydown", (event) => {
    const buttons = list();
    const index = buttons.indexOf(document.activeElement);
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() };
    const target = buttons[index + moves[event.key]];
    if (index < 0 || !target) return;
    event.preventDefault();
    event.stopPropagation();
    target.focus();
  });
  settle();
  return settle;
}

// Calls `act` with the time since the last frame (seconds) until it is stopped.
class Player {
  constructor(button, labels, act) {
    this.button = button;
    this.labels = labels;
    this.act = act;
    button.addEventListener("click", () => (this.isPlaying ? this.stop() : this.play()));
  }

  get isPlaying() {
    return Boolean(this.frame);
  }

  play() {
    let last = performance.now();
    const next = (now) => {
      this.frame = requestAnimationFrame(next);
      const seconds = Math.min(0.1, Math.max(0, now - last) / 1000);
      last = now;
      this.act(seconds);
    };
    if (!this.frame) this.frame = requestAnimationFrame(next);
    setPressed(this.button, true, this.labels);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    setPressed(this.button, false, this.labels);
  }
}

// A function that calls `act` once, when it was not called for a while.
function whenSettled(act, wait = 150) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
}

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}
