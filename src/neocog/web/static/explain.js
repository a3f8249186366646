// Explanations beside each other: a row a method, a column a class; each cell asked for when it is seen.

import { box, button, el, fill, number, say, sorry } from "./dom.js";
import { decodeMap } from "./model.js";
import { format, percent } from "./numbers.js";
import { Pixels } from "./pixels.js";
import { words } from "./words.js";

const CLASSES = 3;
const CHOSEN = 4;

/** The grid of explanations as `element`. */
export class Explanations {
  constructor(app, methods) {
    Object.assign(this, { app, methods, chosen: new Set(first(methods)), classes: [], queue: Promise.resolve() });
    this.methodBoxes = el("fieldset", { class: "choices" }, el("legend", {}, "Methods"), methods.map((method) => this.choice(method)));
    this.classBoxes = el("fieldset", { class: "choices" });
    this.grid = box("scroll explanations", el("p", { class: "note" }, `Choose a ${app.inputName()} first.`));
    this.element = el("section", { id: "explanations", "aria-labelledby": "explanations-title" },
      el("h2", { id: "explanations-title" }, "Why this class?"),
      el("p", { class: "lead" }, `Each method says in its own way ${app.network.kind === "text" ? "which words" : "which pixels"} made the score of a class. Where a map has both signs, orange speaks for the class and blue against it. Trust scores say how far to believe it.`),
      this.classBoxes, this.methodBoxes, this.grid);
    this.observer = new IntersectionObserver((seen) => seen.filter((each) => each.isIntersecting).forEach((each) => this.ask(each.target)), { rootMargin: "120px" });
    app.state.on(["picture"], ({ picture }) => this.start(picture));
    app.state.on(["node", "channel"], () => this.units());
  }

  choice(method) {
    const input = el("input", { type: "checkbox", checked: this.chosen.has(method.name), on: { change: () => {
      if (!this.chosen.delete(method.name)) this.chosen.add(method.name);
      this.draw();
    } } });
    return el("label", { title: [method.about, method.paper].filter(Boolean).join(" ") }, input, method.title);
  }

  start(picture) {
    this.classes = (picture.prediction ?? []).slice(0, CLASSES).map((each) => each.index);
    this.chooseClasses(picture);
    this.draw();
  }

  chooseClasses(picture) {
    const likely = (picture.prediction ?? []).slice(0, 6);
    const boxes = likely.map(({ index, class: name, probability }) => el("label", {},
      el("input", { type: "checkbox", checked: this.classes.includes(index), on: { change: (event) => this.toggle(index, event.target.checked) } }),
      `${name} (${percent(probability)})`));
    const others = this.app.network.classes.map((name, index) => [name, index]).filter(([, index]) => !likely.some((each) => each.index === index));
    const select = el("select", { "aria-label": "Another class", on: { change: () => this.toggle(Number(select.value), true) } },
      el("option", { value: "" }, "another class\u2026"), others.map(([name, index]) => el("option", { value: index }, name)));
    fill(this.classBoxes, el("legend", {}, "Classes"), boxes, others.length ? select : null);
  }

  toggle(index, wanted) {
    this.classes = this.classes.filter((each) => each !== index).concat(wanted ? [index] : []);
    this.draw();
  }

  // Methods that explain a unit follow the chosen map.
  units() {
    const own = this.methods.some((method) => this.chosen.has(method.name) && unitOnly(method));
    if (own && this.app.state.get("picture")) this.draw();
  }

  draw() {
    const { picture } = this.app.state.values;
    this.observer.disconnect();
    if (!picture) return;
    const rows = this.methods.filter((method) => this.chosen.has(method.name));
    if (!rows.length || !this.classes.length) return void fill(this.grid, el("p", { class: "note" }, "Choose at least one class and one method."));
    const head = el("tr", {}, el("td"), this.classes.map((index) => el("th", { scope: "col" }, this.app.className(index))));
    const body = rows.map((method) => el("tr", {}, el("th", { scope: "row" }, method.title, el("small", { title: method.paper }, method.about ?? method.paper ?? "")), this.cells(method)));
    fill(this.grid, el("table", { class: "beside" }, el("thead", {}, head), el("tbody", {}, body)));
    for (const cell of this.grid.querySelectorAll("[data-method]")) this.observer.observe(cell);
  }

  cells(method) {
    if (!unitOnly(method)) return this.classes.map((target) => this.cell(method, target));
    return [el("td", { colspan: this.classes.length, "data-method": method.name }, el("p", { class: "note" }, "\u2026"))];
  }

  cell(method, target) {
    return el("td", { "data-method": method.name, "data-target": target }, el("p", { class: "note" }, "\u2026"));
  }

  // One after another: the server computes one at a time, and the first ones are looked at first.
  ask(cell) {
    this.observer.unobserve(cell);
    this.queue = this.queue.then(() => (cell.isConnected ? this.answer(cell, {}) : null));
  }

  async answer(cell, extra) {
    const { picture, node, channel } = this.app.state.values;
    const { method, target } = cell.dataset;
    const needs = this.methods.find((each) => each.name === method).needs ?? [];
    const unit = needs.includes("unit") ? { node, channel } : {};
    try {
      const asked = { picture: picture.picture, method, target, ...unit, ...extra };
      const answer = await this.app.transport.get("/api/explain", asked);
      if (answer.error) throw new Error(answer.error);
      if (cell.isConnected) this.show(cell, answer, picture);
    } catch (error) {
      if (cell.isConnected) fill(cell, sorry(error));
    }
  }

  show(cell, answer, picture) {
    const title = this.methods.find((each) => each.name === answer.method)?.title ?? answer.method;
    const target = cell.dataset.target === undefined ? "the chosen map" : this.app.className(Number(cell.dataset.target));
    const trust = answer.trust ? scores(answer.trust) : this.app.transport.mailed ? null
      : button("Trust\u2026", () => this.trust(cell), { class: "quiet", "aria-label": `Trust scores of ${title} for ${target}` });
    const seconds = answer.seconds === undefined ? null : el("small", {}, `${format(answer.seconds)} s`);
    fill(cell, heat(answer, picture, `${title} for ${target}`), box("under", answer.layer ? el("small", {}, `at ${answer.layer} `) : null, seconds, trust));
  }

  trust(cell) {
    fill(cell.querySelector(".under"), el("small", {}, "measuring\u2026"));
    say("Measuring trust.");
    this.queue = this.queue.then(() => this.answer(cell, { trust: 1 })).then(() => say("Trust measured."));
  }
}

function first(methods) {
  const usual = methods.filter((method) => method.usual && !unitOnly(method));
  const fast = methods.filter((method) => method.fast !== false && !unitOnly(method));
  return (usual.length ? usual : fast).slice(0, CHOSEN).map((method) => method.name);
}

function unitOnly({ needs = [] }) {
  return needs.includes("unit") && !needs.includes("target");
}

function heat(answer, picture, label) {
  const map = decodeMap(answer.heat);
  const numbers = `${label}; values from ${format(map.low)} to ${format(map.high)}`;
  if (picture.tokens) {
    const own = picture.tokens.map((token, at) => at).filter((at) => picture.tokens[at]);
    return words(own.map((at) => picture.tokens[at]), own.map((at) => map.data[at]), numbers);
  }
  if (answer.overlay) return el("img", { src: answer.overlay, alt: numbers, class: "overlay" });
  return new Pixels(map, { size: 160, label: numbers }).element;
}

// name: what the score says, and which way is good
const SAID = {
  randomisation: "How far the map changes when the weights are made random: 1 is best; near 0 it shows the picture, not the network",
  deletion: "Mean probability while the strongest places are taken away: lower than by chance is good",
  insertion: "Mean probability while the strongest places are put in: higher than by chance is good",
};

function scores(trust) {
  const known = Object.entries(SAID).filter(([name]) => typeof trust[name] === "number");
  return el("dl", { class: "trust" }, known.map(([name, about]) => {
    const chance = trust[`${name}_chance`];
    const beside = typeof chance === "number" ? el("small", {}, ` chance ${chance.toFixed(2)}`) : null;
    return el("div", { title: about }, el("dt", {}, name, el("span", { class: "hidden" }, ` (${about})`)),
      el("dd", {}, number(trust[name], trust[name].toFixed(2)), beside));
  }));
}
