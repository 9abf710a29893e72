"use strict";
(() => {
  const sections = [...document.querySelectorAll(".stop")];
  const answers = new Map(); // section -> whether the first answer was right
  document.documentElement.classList.add("js");
  for (const section of sections) section.removeAttribute("id"); // so that the page stays in place

  const find = (step, stop) =>
    sections.find((each) => each.dataset.step === step && each.dataset.stop === stop);

  // The section that the address names: #step=500&stop=4. An unknown step is the next one after it.
  function fromAddress() {
    const names = new URLSearchParams(location.hash.slice(1));
    const wanted = Number(names.get("step") || 0);
    const steps = sections.map((each) => each.dataset.step);
    const step = steps.find((each) => Number(each) >= wanted) ?? steps.at(-1);
    return find(step, names.get("stop") || "1") || find(step, "1");
  }

  const addressOf = ({ dataset }) => `#step=${dataset.step}&stop=${dataset.stop}`;

  function mark(elements, isCurrent) {
    for (const element of elements) {
      element.classList.toggle("current", isCurrent(element));
    }
  }

  function show(section) {
    const { step, stop } = section.dataset;
    mark(sections, (each) => each === section);
    mark(document.querySelectorAll("article"), (each) => each.dataset.step === step);
    mark(document.querySelectorAll(".code"), (each) => each.dataset.stop === stop);
    for (const link of document.querySelectorAll(".steps a")) {
      link.hash = `step=${link.dataset.step}&stop=${stop}`;
      setCurrent(link, link.dataset.step === step, "true");
    }
    for (const link of document.querySelectorAll(".stops a")) {
      setCurrent(link, link.hash === addressOf(section), "step");
    }
    const index = sections.indexOf(section);
    document.getElementById("back").disabled = index === 0;
    document.getElementById("next").disabled = index === sections.length - 1;
    for (const box of document.querySelectorAll(".code.current .scroll")) {
      const line = box.querySelector("mark");
      box.scrollTop = line.offsetTop - box.offsetTop - 40;
    }
  }

  function setCurrent(link, isCurrent, value) {
    if (isCurrent) link.setAttribute("aria-current", value);
    else link.removeAttribute("aria-current");
  }

  function go(by) {
    const index = sections.findIndex((each) => each.classList.contains("current"));
    const section = sections[index + by];
    if (!section) return;
    location.hash = addressOf(section);
  }

  function compare(form) {
    const section = form.closest(".stop");
    const given = new FormData(form).values().next().value;
    const output = form.querySelector("output");
    if (given === undefined || given === "") {
      output.textContent = "Give an answer first: a guess is enough.";
      return;
    }
    const { answer, tolerance } = form.dataset;
    const isNumber = form.querySelector("input").type === "number";
    const isRight = isNumber
      ? Math.abs(Number(given) - Number(answer)) <= Number(tolerance)
      : given === answer;
    output.className = isRight ? "right-answer" : "other-answer";
    output.textContent = isRight ? `Right: ${answer}.` : `You said ${given}; it is ${answer}.`;
    section.querySelector(".answer").open = true;
    if (!answers.has(section)) answers.set(section, isRight);
    markAnswered(section);
    const numRight = [...answers.values()].filter(Boolean).length;
    document.getElementById("score").textContent =
      `Right so far: ${numRight} of ${answers.size}.`;
  }

  function markAnswered(section) {
    for (const link of document.querySelectorAll(".stops a")) {
      if (link.hash === addressOf(section)) link.classList.add("answered");
    }
  }

  for (const form of document.querySelectorAll(".question")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      compare(form);
    });
  }
  document.getElementById("back").addEventListener("click", () => go(-1));
  document.getElementById("next").addEventListener("click", () => go(1));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input") || event.target.closest(".scroll");
    if (isTyping || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowRight") go(1);
    if (event.key === "ArrowLeft") go(-1);
  });
  addEventListener("hashchange", () => {
    const section = fromAddress();
    show(section);
    section.querySelector("h2").focus({ preventScroll: true });
    const article = section.closest("article");
    if (article.getBoundingClientRect().top < 0) article.scrollIntoView({ block: "start" });
  });
  show(fromAddress());
})();
