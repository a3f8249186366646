// The chosen picture, what the network says of it, and the frame of what the chosen pixel sees.

import { box, el, fill, number } from "./dom.js";
import { fieldOf } from "./model.js";
import { format, percent } from "./numbers.js";
import { Pixels } from "./pixels.js";
import { Sentence } from "./words.js";

const FIRST = 5;

/** The picture with its prediction, as `element`. */
export class Picture {
  constructor(app) {
    this.app = app;
    this.shown = box("frame", el("p", { class: "note" }, app.hint()));
    this.answer = box("answer");
    this.element = box("present", this.shown, this.answer);
    app.state.on(["picture"], ({ picture }) => this.show(picture));
    app.state.on(["place"], ({ place }) => this.frame(place));
  }

  show(picture) {
    this.picture = picture;
    this.pixels = null;
    this.sentence = null;
    if (picture.tokens) {
      this.sentence = new Sentence(picture.tokens, "The text as the network reads it", picture.unknown);
      fill(this.shown, this.sentence.element);
    } else if (picture.shown) {
      const map = { shape: [picture.height, picture.width], data: [], low: 0, high: 1 };
      this.pixels = new Pixels(map, { picture: picture.shown, size: 224, label: `The picture, ${picture.height} by ${picture.width} pixels, as the network sees it` });
      fill(this.shown, this.pixels.element);
    }
    fill(this.answer, this.verdict(picture), el("ol", { class: "likely" }, (picture.prediction ?? []).slice(0, FIRST).map((each) => likely(each))));
  }

  verdict({ prediction, label }) {
    const best = prediction?.[0];
    if (!best) return null;
    const truth = label === null || label === undefined ? null
      : el("span", { class: label === best.class ? "right" : "wrong" }, label === best.class ? "\u2713 right" : `\u2717 it is ${label}`);
    return el("p", { class: "says" }, el("strong", {}, best.class), " ", truth);
  }

  frame({ node, row, column }) {
    if (!this.pixels && !this.sentence) return;
    const field = fieldOf(node, row, column, [this.picture.height, this.picture.width]);
    if (this.sentence) {
      if (field) this.sentence.mark(field.seen.column, field.seen.width);
      else this.sentence.unmark();
      return;
    }
    if (field) this.pixels.frame("field", field.seen);
    else this.pixels.unframe("field");
  }
}

function likely({ class: name, probability, logit }) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" });
  bar.style.width = `${100 * probability}%`;
  return el("li", { title: `score ${format(logit)}` }, el("span", { class: "name" }, name), el("span", { class: "figure" }, number(probability, percent(probability))), bar);
}
