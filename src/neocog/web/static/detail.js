// The chosen map: what layer made it, its arithmetic at one place, and what it sees of the picture.

import { box, button, el, fill, say, sorry } from "./dom.js";
import { ConvolutionView } from "./convolution.js";
import { fullName, inWords } from "./graph.js";
import { fieldOf } from "./model.js";
import { count, sizes } from "./numbers.js";
import { Pixels, captioned } from "./pixels.js";
import { PointwiseView } from "./pointwise.js";
import { PoolingView } from "./pooling.js";
import { latestOnly } from "./state.js";
import { DenseView, JoinView, RadialView } from "./sums.js";
import { Sliding, calm } from "./window.js";
import { Sentence, wordsUnder } from "./words.js";

const VIEWS = {
  convolution: ConvolutionView, max: PoolingView, average: PoolingView, dense: DenseView, radial: RadialView,
  sum: JoinView, difference: JoinView, concat: JoinView, product: JoinView,
};
const PAUSE = 350;

/** The arithmetic of the chosen map as `element`. */
export class Detail {
  constructor(app) {
    Object.assign(this, { app, latest: latestOnly() });
    this.title = el("h2", { id: "arithmetic-title", tabindex: "-1" }, "How it is computed");
    this.facts = box("facts-line");
    this.body = box("body", el("p", { class: "note" }, `Choose a ${app.inputName()}, then a map above: here stands how each of its ${app.network.kind === "text" ? "places" : "pixels"} is computed.`));
    this.element = el("section", { id: "arithmetic", "aria-labelledby": "arithmetic-title" }, this.title, this.facts, this.body);
    app.state.on(["node", "channel", "picture"], () => this.load());
    app.state.on(["theme"], () => this.view?.repaint());
  }

  async load() {
    const newest = this.latest();
    const { picture, node: id, channel } = this.app.state.values;
    const node = this.app.network.nodes.find((each) => each.id === id);
    if (!picture || !node) return;
    try {
      const data = await this.app.transport.get("/api/arithmetic", { picture: picture.picture, node: id, channel });
      if (newest()) this.show(node, channel, data, picture);
    } catch (error) {
      if (newest()) {
        this.head(node, channel);
        fill(this.body, sorry(error));
      }
    }
  }

  head(node, channel) {
    this.sliding?.pause();
    this.title.textContent = `${fullName(node)}, ${node.shape.length > 1 ? "map" : "unit"} ${this.app.unitName(node, channel)}`;
    const whole = node.shape[0] ?? 1;
    const other = (by) => () => this.app.choose(node.id, (channel + by + whole) % whole);
    const facts = [inWords(node), sizes(node.shape), node.params ? sum("parameters", node.arithmetic) ?? `${count(node.params)} parameters` : null,
      node.macs ? `${count(node.macs)} multiply-adds` : null, sum("size", node.formula)].filter(Boolean);
    fill(this.facts, button("\u2039", other(-1), { "aria-label": "Map before" }), button("\u203a", other(1), { "aria-label": "Next map" }),
      el("ul", {}, facts.map((fact) => el("li", {}, fact))));
  }

  show(node, channel, data, picture) {
    this.head(node, channel);
    const go = (row, column) => this.sliding?.go(row, column);
    this.view = new (VIEWS[data.kind] ?? (data.parts ? JoinView : PointwiseView))(data, { app: this.app, node, channel, go });
    Object.assign(this, { node, picture });
    const several = this.view.rows * this.view.columns > 1;
    this.sliding = new Sliding(this.view.rows, this.view.columns, (row, column, playing) => this.move(row, column, playing));
    this.field = this.fieldPicture(picture);
    if (picture.tokens && node.field && this.view.out && this.view.rows === 1 && this.view.columns > 1) {
      this.view.out.element.after(wordsUnder(picture.tokens, node.field, this.view.columns));
    }
    fill(this.body, several ? this.sliding.element : null, box("split", this.view.element, this.field?.element));
    this.sliding.show(this.start(), false);
    if (several && this.app.moving && !calm()) this.sliding.play();
    this.app.moving = false;
  }

  // The place of the largest output says more than the corner.
  start() {
    const data = this.view.output?.data;
    return data ? data.indexOf(data.reduce((best, each) => (each > best ? each : best), -Infinity)) : 0;
  }

  fieldPicture(picture) {
    if (!this.node.field) return null;
    if (picture.tokens) return this.fieldWords(picture);
    if (!picture.shown) return null;
    const map = { shape: [picture.height, picture.width], data: [], low: 0, high: 1 };
    const pixels = new Pixels(map, { picture: picture.shown, size: 176, label: "What this pixel sees of the picture" });
    this.seen = el("span");
    return { pixels, element: box("sees", el("h4", {}, "What it sees"), captioned(pixels, this.seen)) };
  }

  fieldWords(picture) {
    const sentence = new Sentence(picture.tokens, "What this place sees of the text", picture.unknown);
    this.seen = el("p", { class: "equation" });
    return { sentence, element: box("sees", el("h4", {}, "What it sees"), sentence.element, this.seen) };
  }

  move(row, column, playing) {
    this.view.move(row, column, playing);
    this.app.state.set({ place: { node: this.node, row, column } });
    const field = this.field && fieldOf(this.node, row, column, [this.picture.height, this.picture.width]);
    if (field && this.field.sentence) {
      const seen = this.field.sentence.mark(field.seen.column, field.seen.width);
      this.seen.textContent = `${field.whole.width} ${field.whole.width === 1 ? "place" : "places"}: ${seen}`;
    } else if (field) {
      this.field.pixels.frame("field", field.seen);
      this.seen.textContent = inPicture(field);
    }
    if (!playing) this.tell(row, column);
  }

  // Those who listen hear where they have come to rest, not each step on the way.
  tell(row, column) {
    window.clearTimeout(this.telling);
    const place = this.view.rows * this.view.columns > 1 ? `Row ${row}, column ${column}. ` : "";
    this.telling = window.setTimeout(() => say(`${place}${this.view.words()}`), PAUSE);
  }
}

function inPicture({ whole, seen }) {
  const to = (start, size) => (size > 1 ? `${start} to ${start + size - 1}` : `${start}`);
  const words = `rows ${to(seen.row, seen.height)}, columns ${to(seen.column, seen.width)}`;
  const cut = seen.height < whole.height || seen.width < whole.width;
  return `Receptive field ${whole.height} \u00d7 ${whole.width}: ${words}${cut ? "; the rest of it is padding" : ""}`;
}

// The server's sums come in plain characters.
function sum(name, text) {
  return text ? `${name} ${text.replaceAll("*", " \u00d7 ").replace(/(?<=[\d) ])x(?=[\d( ])/g, "\u00d7").replaceAll(" - ", " \u2212 ")}` : null;
}
