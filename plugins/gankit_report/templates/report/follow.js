// A page of `gankit report --follow`: ask the server for what is new, and show it.
const ASK_EVERY = 3000; // ms
const REPLACED = [".heads", ".facts", ".panels", ".d-view", "#numbers", "[id^=moments-]"];

class Follower {
  constructor() {
    this.line = document.getElementById("following");
    this.version = "";
    this.ask();
  }

  async ask() {
    try {
      const news = await (await this.fetch(`new?${this.version}`)).json();
      if (news.page) await this.take(new DOMParser().parseFromString(news.page, "text/html"));
      if (news.page) this.tell(`This page follows the run. Last news: ${new Date().toLocaleTimeString()}.`);
      this.version = news.version;
    } catch (error) {
      this.tell(`There is no answer from gankit report --follow (${error.message}). This page keeps what it shows.`);
    }
    setTimeout(() => this.ask(), ASK_EVERY);
  }

  async fetch(path) {
    const reply = await fetch(path);
    if (!reply.ok) throw new Error(`error ${reply.status}`);
    return reply;
  }

  // All grids come first, so that the page never shows half of what is new.
  async take(page) {
    const { runs } = JSON.parse(page.getElementById("numbers").textContent);
    for (const [number, run] of runs.entries()) {
      for (const step of run.grids) await this.takeGrid(number, step);
    }
    if (page.querySelectorAll("canvas").length !== document.querySelectorAll("canvas").length) {
      location.reload(); // the first grid of a run
      return;
    }
    for (const selector of REPLACED) replaceParts(selector, page);
    const { last, stops } = readPage();
    slider.extend(last, stops);
  }

  async takeGrid(number, step) {
    const id = `grid-${number}-${step}`;
    if (document.getElementById(id)) return;
    const script = document.createElement("script");
    script.type = "text/plain"; // data, which is never run
    script.id = id;
    script.textContent = await (await this.fetch(`grids/${number}/${step}`)).text();
    document.querySelector("main").append(script);
  }

  tell(text) {
    setText(this.line, text);
  }
}

// Put parts of a new page in the places of the old ones; what was unfolded stays so.
function replaceParts(selector, page) {
  const fresh = [...page.querySelectorAll(selector)];
  for (const [index, old] of [...document.querySelectorAll(selector)].entries()) {
    const part = fresh[index];
    if (!part || part.outerHTML === old.outerHTML) continue;
    const open = new Map([...old.querySelectorAll("details")].map((d) => [nameOf(d), d.open]));
    const focused = old.contains(document.activeElement) && nameOf(document.activeElement.parentElement);
    part.querySelectorAll("details").forEach((d) => (d.open = open.get(nameOf(d)) ?? d.open));
    old.replaceWith(part);
    const again = focused && [...part.querySelectorAll("details")].find((d) => nameOf(d) === focused);
    if (again) again.querySelector("summary").focus();
  }
}

// A part that unfolds, by its heading and its text without numbers, which change.
function nameOf(details) {
  const section = details.closest("section, .moment")?.querySelector("h2, h3")?.textContent;
  return `${section} ${details.querySelector("summary")?.textContent}`.replace(/[\d,.]+/g, "");
}

new Follower();
