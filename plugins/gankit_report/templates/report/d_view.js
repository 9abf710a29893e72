// D's own view: the moment nearest to the slider, drawn in the places of the last one.
class Moments {
  constructor(element, steps) {
    this.element = element;
    this.steps = steps;
    this.shown = steps.length - 1;
    this.caption = element.querySelector("[data-moment]");
  }

  show(step) {
    const index = nearest(this.steps, step);
    if (index === this.shown) return;
    this.shown = index;
    this.moments ??= JSON.parse(document.getElementById(`moments-${this.element.dataset.run}`).textContent);
    const moment = this.moments[index];
    setText(this.caption, withCommas(moment.step));
    for (const place of this.element.querySelectorAll("[data-kind]")) {
      [...place.children].forEach((figure, number) => {
        const judged = moment[place.dataset.kind][number];
        figure.hidden = !judged;
        if (!judged) return;
        const image = figure.querySelector("img");
        image.src = judged.uri;
        image.alt = image.alt.replace(/D says .*/, `D says ${judged.score}`);
        setText(figure.querySelector("figcaption"), judged.score);
      });
    }
  }
}

function nearest(steps, step) {
  const before = Math.max(0, newest(steps, step));
  const after = Math.min(before + 1, steps.length - 1);
  return step - steps[before] <= steps[after] - step ? before : after;
}
