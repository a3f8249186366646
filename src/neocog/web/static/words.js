// A text with each token on the colour of its value, or with the tokens marked that something sees.

import { el } from "./dom.js";
import { colourOf, inkOn, palette } from "./draw.js";
import { format } from "./numbers.js";

const PADDING = "\u00b7";

/** The tokens as one line of text, coloured by `values`; empty tokens are padding. */
export function words(tokens, values, label) {
  const colours = palette();
  const scale = Math.max(...Array.from(values, Math.abs)) || 1;
  return line(tokens, label, (token, index) => {
    if (!token) return padding();
    const colour = colourOf(values[index] ?? 0, scale, colours);
    const mark = el("span", { title: format(values[index]) }, token, el("span", { class: "hidden" }, ` (${format(values[index])})`));
    mark.style.backgroundColor = `rgb(${colour.join(" ")})`;
    mark.style.color = inkOn(colour);
    return mark;
  });
}

/** A text as the network reads it, as `element`; `mark(from, count)` marks the tokens that something sees. */
export class Sentence {
  constructor(tokens, label, unknown = []) {
    this.tokens = tokens;
    this.parts = tokens.map((token, index) => {
      if (!token) return padding();
      return unknown.includes(index) ? el("span", { class: "unknown", title: "The model does not know this word" }, token) : el("span", {}, token);
    });
    this.element = line(tokens, label, (_, index) => this.parts[index]);
  }

  /** Marks a run of tokens and returns it in words. */
  mark(from, count) {
    this.parts.forEach((part, index) => part.classList.toggle("seen", index >= from && index < from + count));
    return this.tokens.slice(Math.max(from, 0), from + count).map((token) => token || PADDING).join(" ");
  }

  unmark() {
    this.mark(0, 0);
  }
}

/** Words of the data in one line, padding as a dot. */
export function plain(tokens) {
  return tokens.map((token) => token || PADDING).join(" ");
}

/** Words below a strip of `columns` places: by place the word that its window begins with, all that it sees as its title. */
export function wordsUnder(tokens, { size, jump, start }, columns) {
  return el("div", { class: "under-words", "aria-hidden": "true" }, Array.from({ length: columns }, (_, at) => {
    const from = start[0] + at * jump[0];
    const seen = Array.from({ length: size[0] }, (__, index) => tokens[from + index] ?? "");
    return el("span", { title: plain(seen) }, seen[0] || PADDING);
  }));
}

function padding() {
  return el("span", { class: "padding", title: "Padding" }, PADDING);
}

function line(tokens, label, each) {
  return el("p", { class: "words", role: "group", "aria-label": label }, tokens.flatMap((token, index) => [each(token, index), " "]));
}
