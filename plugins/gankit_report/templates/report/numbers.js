// The numbers at a step: of curves, of tricks, and which findings last.

// The index of the last step that is not above `step`; -1 if there is none.
function newest(steps, step) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function withCommas(number) {
  return number.toLocaleString("en-US");
}

function format(value) {
  if (Math.abs(value) >= 1000) return withCommas(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

class Numbers {
  constructor(data) {
    this.data = data;
    this.cursors = [...document.querySelectorAll(".cursor")];
    this.curves = this.find("[data-series]", "series");
    this.activities = this.find("[data-activity]", "activity");
    this.findings = this.find("[data-finding]", "finding");
  }

  // Elements of each run, with their index in the data.
  find(selector, name) {
    return [...document.querySelectorAll(selector)].map((element) => ({
      element,
      run: this.data.runs[element.dataset.run],
      index: Number(element.dataset[name]),
    }));
  }

  show(step) {
    const { left, right, last } = this.data;
    const x = left + (step / last) * (right - left);
    for (const cursor of this.cursors) cursor.setAttribute("transform", `translate(${x} 0)`);
    for (const { element, run, index } of this.curves) {
      const { steps, values } = run.series[index];
      const at = newest(steps, step);
      setText(element, at < 0 ? "" : format(values[at]));
    }
    for (const { element, run, index } of this.activities) {
      const { steps, texts } = run.activities[index];
      const at = newest(steps, step);
      setText(element, at < 0 ? "nothing yet" : texts[at]);
    }
    for (const { element, run, index } of this.findings) {
      const [since, until] = run.findings[index];
      element.classList.toggle("away", step < since || step > until);
    }
  }
}
