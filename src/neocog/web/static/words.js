// A text with each token on the colour of its value, and the value itself for those who cannot see the colour.

import { el } from "./dom.js";
import { colourOf, inkOn, palette } from "./draw.js";
import { format } from "./numbers.js";

/** The tokens as one line of text, coloured by `values`. */
export function words(tokens, values, label) {
  const colours = palette();
  const scale = Math.max(...Array.from(values, Math.abs)) || 1;
  return el("p", { class: "words", role: "group", "aria-label": label }, tokens.flatMap((token, index) => {
    const colour = colourOf(values[index] ?? 0, scale, colours);
    const mark = el("span", { title: format(values[index]) }, token, el("span", { class: "hidden" }, ` (${format(values[index])})`));
    mark.style.backgroundColor = `rgb(${colour.join(" ")})`;
    mark.style.color = inkOn(colour);
    return [mark, " "];
  }));
}
