// What the chosen unit looks for: the strongest patches in the data, and a picture dreamed for it.

import { box, button, el, fill, say, sorry } from "./dom.js";
import { fullName } from "./graph.js";
import { format } from "./numbers.js";
import { latestOnly } from "./state.js";
import { soFar, walked } from "./walk.js";
import { plain } from "./words.js";

const POLL = 400;

/** The section about the chosen unit as `element`. */
export class Unit {
  constructor(app) {
    Object.assign(this, { app, latest: latestOnly(), job: null });
    this.title = el("h2", { id: "unit-title" }, "What this map looks for");
    this.patches = el("ol", { class: "patches" });
    this.dreamed = box("dreamed");
    const ways = [app.hasData() ? this.patchPart() : null, app.transport.mailed || app.network.kind === "text" ? null : this.dreamPart()].filter(Boolean);
    this.element = el("section", { id: "unit", "aria-labelledby": "unit-title", hidden: !ways.length }, this.title, box("pair", ways));
    app.state.on(["node", "channel"], () => this.changed());
  }

  patchPart() {
    const find = button("Find them", () => this.find(), { class: "find" });
    const [title, about] = this.app.network.kind === "text"
      ? ["N-grams of your data that fire it", "Each the words that the place sees that answered most."]
      : ["Strongest patches in your data", "Each cut out by the receptive field of the place that answered most."];
    return box("part", el("h3", {}, title), el("p", { class: "note" }, about), find, this.patches);
  }

  dreamPart() {
    const steps = el("input", { type: "number", min: 8, max: 256, value: 96, id: "dream-steps" });
    const size = el("input", { type: "number", min: 16, max: 224, value: Math.min(224, Math.max(16, this.app.network.input.at(-1))), id: "dream-size" });
    this.start = button("Dream", () => this.dream(Number(steps.value), Number(size.value)), { class: "primary" });
    this.stop = button("Cancel", () => this.cancel(), { hidden: true });
    this.progress = el("progress", { max: 1, value: 0, hidden: true, "aria-label": "Progress of the dream" });
    return box("part", el("h3", {}, "A dream of it"), el("p", { class: "note" }, "A picture made from noise so that this unit answers as strongly as it can."),
      box("knobs", el("label", { for: "dream-steps" }, "Steps"), steps, el("label", { for: "dream-size" }, "Size"), size, this.start, this.stop), this.progress, this.dreamed);
  }

  changed() {
    const { node, channel } = this.app.state.values;
    const layer = this.app.network.nodes.find((each) => each.id === node);
    if (!layer) return;
    this.title.textContent = `What ${fullName(layer)}, ${layer.shape.length > 1 ? "map" : "unit"} ${this.app.unitName(layer, channel)} looks for`;
    this.latest();
    fill(this.patches);
    fill(this.dreamed);
    if (this.job !== null) this.cancel();
  }

  async find() {
    const newest = this.latest();
    const { node, channel } = this.app.state.values;
    fill(this.patches, el("li", { class: "note" }, "looking through your data\u2026"));
    try {
      const ask = () => this.app.transport.get("/api/strongest", { node, channel, count: 9 }, { fresh: true });
      const { patches } = await walked(ask, (answer) => this.showPatches(answer), newest);
      if (newest()) say(`${patches.length} patches found.`);
    } catch (error) {
      if (newest()) fill(this.patches, el("li", {}, sorry(error)));
    }
  }

  showPatches(answer) {
    const chosen = document.activeElement?.dataset?.sample;
    fill(this.patches, answer.patches.map((each) => this.patch(each)), el("li", { class: "note" }, soFar(answer, this.app.inputName())));
    if (chosen) this.patches.querySelector(`[data-sample="${chosen}"]`)?.focus();
  }

  patch({ sample, label, value, row, column, crop, words: seen }) {
    const words = `${label ?? "no label"}: ${format(value)}`;
    const name = `Sample ${sample}, ${words}, at row ${row}, column ${column}; look into it`;
    const shown = crop ? el("img", { src: crop, alt: "", class: "px" }) : seen ? plain(seen) : "no picture";
    return el("li", { class: seen ? "sentence" : null }, button(shown, () => this.app.chooseSample(sample), { class: "picture", "aria-label": name, "data-sample": sample }),
      el("span", {}, words));
  }

  async dream(steps, size) {
    const { node, channel } = this.app.state.values;
    this.busy(true);
    fill(this.dreamed);
    try {
      const { job } = await this.app.transport.post("/api/dream", { node, channel, steps, size });
      this.job = job;
      await this.follow(job);
    } catch (error) {
      fill(this.dreamed, sorry(error));
    } finally {
      this.job = null;
      this.busy(false);
    }
  }

  async follow(job) {
    for (;;) {
      const { done, step, steps, picture, error, score } = await this.app.transport.get("/api/job", { job }, { fresh: true });
      if (this.job !== job) return;
      this.progress.value = steps ? step / steps : 0;
      if (picture) fill(this.dreamed, el("img", { src: picture, class: "px", alt: `Dream after ${step} of ${steps} steps` }),
        el("p", { class: "note" }, `Step ${step} of ${steps}${typeof score === "number" ? `: the unit answers ${format(score)}` : ""}`));
      if (error) throw new Error(error);
      if (done) return void say("The dream is done.");
      await new Promise((resolve) => { window.setTimeout(resolve, POLL); });
    }
  }

  busy(busy) {
    this.start.disabled = busy;
    this.stop.hidden = !busy;
    this.progress.hidden = !busy;
    this.progress.value = 0;
  }

  cancel() {
    const { job } = this;
    this.job = null;
    this.busy(false);
    if (job !== null) this.app.transport.post("/api/cancel", { job }).catch(() => null);
  }
}
