// Everything on the page follows the slider.
document.documentElement.classList.add("scripted");
let grids = [];
let followers = []; // of the slider: what shows something of its step

// Find what the page holds: when it opens, and again when a part of it was replaced.
function readPage() {
  const data = JSON.parse(document.getElementById("numbers").textContent);
  grids = [...document.querySelectorAll(".grid")].map(
    (figure) => new Grid(figure, data.runs[figure.dataset.run].grids),
  );
  const moments = [...document.querySelectorAll(".moment")].map(
    (element) => new Moments(element, data.runs[element.dataset.run].moments),
  );
  followers = [...grids, new Numbers(data), ...moments];
  const stops = new Set(data.runs.flatMap((run) => run.stops));
  return { data, last: data.last, stops: [...stops].sort((a, b) => a - b) };
}

const page = readPage();
const slider = new Slider(
  page.last,
  Number(document.getElementById("step").defaultValue), // the last step, or that of --checkpoint
  page.stops,
  (step) => followers.forEach((follower) => follower.show(step)),
  () => grids.forEach((grid) => grid.describe()),
);
