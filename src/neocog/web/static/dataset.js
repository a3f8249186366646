// The reader's data: pictures to choose from, the nearest to this one, and who is taken for whom.

import { box, button, el, fill, number, say, sorry } from "./dom.js";
import { format, many, percent } from "./numbers.js";
import { latestOnly } from "./state.js";
import { soFar, walked } from "./walk.js";

const PAGE = 24;

/** The pictures of DATA, a page at a time, as `element`. */
export class Samples {
  constructor(app) {
    Object.assign(this, { app, from: 0 });
    this.list = el("ul", { class: "thumbs" });
    this.where = el("span", { class: "place" });
    this.back = button("\u2039", () => this.turn(-PAGE), { "aria-label": `${app.network.kind === "text" ? "Texts" : "Pictures"} before` });
    this.on = button("\u203a", () => this.turn(PAGE), { "aria-label": `Next ${app.inputName()}s` });
    this.element = box("samples", el("h3", {}, "From your data"), this.list, box("controls", this.back, this.on, this.where));
  }

  async turn(by) {
    this.from = Math.max(0, this.from + by);
    try {
      const { total, samples } = await this.app.transport.get("/api/samples", { from: this.from, count: PAGE });
      this.element.hidden = total === 0;
      fill(this.list, samples.map((each) => thumb(this.app, each, each.label ?? `sample ${each.index}`)));
      this.where.textContent = `${this.from + 1} to ${this.from + samples.length} of ${total.toLocaleString("en")}`;
      this.back.disabled = this.from === 0;
      this.on.disabled = this.from + samples.length >= total;
      return samples;
    } catch (error) {
      fill(this.list, el("li", {}, sorry(error)));
      return [];
    }
  }
}

function thumb(app, { index, sample, thumbnail, text }, ...words) {
  const at = index ?? sample;
  const image = thumbnail ? el("img", { src: thumbnail, alt: "", class: "px" }) : el("span", { class: text ? "quote" : "none" }, text ?? "cannot be read");
  return el("li", { class: text ? "sentence" : null }, button([image, el("span", {}, ...words)], () => app.chooseSample(at), { class: "picture", title: `Sample ${at}`, "data-sample": at }));
}

/** The nearest pictures in feature space and the confusion table, as `element`. */
export class InData {
  constructor(app) {
    Object.assign(this, { app, latest: latestOnly() });
    this.near = el("ul", { class: "thumbs wide" });
    this.matrix = box("matrixbox");
    this.cell = box("cell");
    const nearest = button("Find the nearest", () => this.neighbours(), { class: "find" });
    const count = button("Test on the data", () => this.confusion(count), { class: "find" });
    this.element = el("section", { id: "data", "aria-labelledby": "data-title" }, el("h2", { id: "data-title" }, "In your data"),
      el("h3", {}, `Nearest to this ${app.inputName()}`), el("p", { class: "note" }, "By the features in front of the last layer."), nearest, this.near,
      el("h3", {}, "Who is taken for whom"), el("p", { class: "note" }, "Rows are the truth, columns the network's answer. Choose a cell to see what is in it."), count, this.matrix, this.cell);
    app.state.on(["picture"], () => fill(this.near));
  }

  async neighbours() {
    const newest = this.latest();
    const { picture } = this.app.state.values;
    if (!picture) return;
    fill(this.near, el("li", { class: "note" }, "comparing\u2026"));
    try {
      const found = await this.app.transport.get("/api/neighbours", { picture: picture.picture, count: 6 }, { fresh: true });
      if (!newest()) return;
      fill(this.near, found.map((each) => thumb(this.app, each, `${each.label ?? "no label"}, at ${format(each.distance)}`)));
      say(`${found.length} neighbours found.`);
    } catch (error) {
      if (newest()) fill(this.near, el("li", {}, sorry(error)));
    }
  }

  async confusion(asking) {
    fill(this.matrix, el("p", { class: "note" }, "testing\u2026"));
    asking.disabled = true;
    try {
      const { accuracy } = await walked(() => this.app.transport.get("/api/confusion", {}, { fresh: true }), (answer) => this.showTable(answer), () => true);
      asking.remove();
      if (accuracy !== null) say(`${percent(accuracy)} of the ${this.app.inputName()}s are right.`);
    } catch (error) {
      fill(this.matrix, sorry(error));
    }
  }

  showTable(answer) {
    const at = document.activeElement?.dataset?.cell;
    fill(this.matrix, this.table(answer), soFar(answer, this.app.inputName()));
    if (at) this.matrix.querySelector(`[data-cell="${at}"]`)?.focus();
  }

  table({ classes, indices = classes.map((_, index) => index), matrix, accuracy }) {
    const all = matrix.map((row) => row.reduce((sum, each) => sum + each, 0));
    const head = el("tr", {}, el("td"), classes.map((name) => el("th", { scope: "col" }, el("span", {}, name))));
    const body = matrix.map((row, truth) => el("tr", {}, el("th", { scope: "row" }, classes[truth]),
      row.map((found, predicted) => el("td", {}, this.count({ found, truth, predicted, classes, indices, share: found / (all[truth] || 1) })))));
    return [el("p", { class: "equation" }, accuracy === null ? "None yet." : [number(accuracy, percent(accuracy)), ` of ${many(all.reduce((sum, each) => sum + each, 0), this.app.inputName())} are right.`]),
      box("scroll", el("table", { class: "matrix" }, el("thead", {}, head), el("tbody", {}, body)))];
  }

  count({ found, truth, predicted, classes, indices, share }) {
    if (!found) return el("span", { class: "none" }, "0");
    const all = many(found, this.app.inputName());
    const words = truth === predicted ? `${all} of ${classes[truth]}, right` : `${all} of ${classes[truth]} taken for ${classes[predicted]}`;
    const cell = button(String(found), () => this.pictures(indices[truth], indices[predicted], words), { "data-cell": `${truth}.${predicted}`, class: truth === predicted ? "r" : "w", "aria-label": words, title: words });
    cell.style.setProperty("--v", (0.15 + 0.75 * share).toFixed(3));
    return cell;
  }

  async pictures(truth, predicted, words) {
    const heading = el("h4", { tabindex: "-1" }, words);
    const list = el("ul", { class: "thumbs wide" });
    fill(this.cell, heading, list);
    try {
      const { samples } = await this.app.transport.get("/api/cell", { truth, predicted });
      fill(list, samples.map((each) => thumb(this.app, each, percent(each.probability))));
      heading.focus();
    } catch (error) {
      fill(list, el("li", {}, sorry(error)));
    }
  }
}
