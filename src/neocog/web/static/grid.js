// A small table of numbers with their colours: a patch, a kernel, their products.

import { el } from "./dom.js";
import { colourOf, greyOf, inkOn, palette } from "./draw.js";

/** A table of `rows` x `columns` numbers as `element`, filled again by `show`. */
export class Grid {
  constructor(rows, columns, caption) {
    this.caption = el("caption", {}, caption);
    this.cells = [];
    const lines = Array.from({ length: rows }, () => el("tr", {}, Array.from({ length: columns }, () => {
      const cell = el("td");
      this.cells.push(cell);
      return cell;
    })));
    this.element = el("table", { class: columns > 7 ? "grid small" : "grid" }, this.caption, el("tbody", {}, lines));
  }

  /** Shows values; `scale` is that of full colour, `grey` [low, high] those of black and white, `mark` a cell's index. */
  show(values, { scale, grey, mark = -1, outside = () => false, note = "largest" } = {}) {
    const colours = palette();
    const full = scale ?? (Math.max(...values.map(Math.abs)) || 1);
    this.cells.forEach((cell, index) => {
      const value = values[index];
      const colour = grey ? greyOf(value, ...grey) : colourOf(value, full, colours);
      cell.textContent = brief(value) + (index === mark ? " \u2605" : "");
      cell.className = `${index === mark ? "winner" : ""}${outside(index) ? " outside" : ""}`;
      cell.title = index === mark ? `${value} (${note})` : outside(index) ? "0 (padding)" : String(value);
      cell.style.backgroundColor = `rgb(${colour.join(" ")})`;
      cell.style.color = inkOn(colour);
    });
  }
}

// Cells have little room: two digits behind the point where that says something, a power where not.
function brief(value) {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size >= 1000 || size < 0.005 ? size.toExponential(0).replace("e-", "e\u2212").replace("e+", "e")
    : size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : size.toFixed(2);
  return value < 0 ? `\u2212${text}` : text;
}
