// How one map of a pooling is made, and the way back: where the gradient of each output goes.

import { box, el, number } from "./dom.js";
import { reach } from "./draw.js";
import { Grid } from "./grid.js";
import { decode, geometry, pooled, windowAt } from "./model.js";
import { format, many, term } from "./numbers.js";
import { Pixels, captioned } from "./pixels.js";

const READABLE = 9 * 9;

/** The view of a pooling's map, forward and backward. */
export class PoolingView {
  constructor(data, { channel, go, app }) {
    Object.assign(this, { kind: data.kind, layer: geometry(data), input: decode(data.input), output: decode(data.output) });
    this.pool = { input: this.input, layer: this.layer, kind: data.kind };
    Object.assign(this.pool, { weight: data.weight ?? undefined, bias: data.bias ?? 0 });
    for (const name of ["winners", "divisors"]) if (data[name]) this.pool[name] = decode(data[name]);
    [this.rows, this.columns] = this.output.shape.slice(-2);
    this.in = new Pixels(this.input, { size: 176, label: `Input map ${channel}` });
    this.out = new Pixels(this.output, { size: 128, onMove: go, label: `Output map ${channel}; arrow keys move the window` });
    const [height, width] = this.layer.kernel;
    if (height * width <= READABLE) this.grid = new Grid(height, width, "window");
    this.text = el("p", { class: "equation" });
    this.element = box("computed pooling",
      box("way forward", el("h4", {}, "Forward"), box("row", captioned(this.in, "in"), this.grid?.element, captioned(this.out, "out")), this.text));
    if (data.gradient) this.element.append(this.backward(data.gradient, app));
  }

  backward(gradient, app) {
    this.down = decode(gradient.output);
    this.up = decode(gradient.input);
    this.from = new Pixels(this.down, { size: 128, label: "Gradient of the output map" });
    this.to = new Pixels(this.up, { size: 176, label: "Gradient of the input map" });
    if (this.grid) this.back = new Grid(...this.layer.kernel, "gradient of the window");
    this.backText = el("p", { class: "equation" });
    const target = app.className(gradient.target);
    return box("way backward", el("h4", {}, "Backward"),
      box("row", captioned(this.to, "where it goes"), this.back?.element, captioned(this.from, `gradient of \u201c${target}\u201d`)), this.backText);
  }

  /** Puts the window over the inputs of the output at a place. */
  move(row, column, playing = false) {
    this.place = [row, column, playing];
    const at = windowAt(this.layer, row, column);
    this.now = pooled(this.pool, this.output, row, column);
    const one = { height: 1, width: 1 };
    this.in.frame("window", at);
    this.out.place = [row, column];
    this.out.frame("cursor", { row, column, ...one });
    const { cells, winner } = this.now;
    if (winner >= 0) this.in.frame("winner", { row: cells[winner].row, column: cells[winner].column, ...one });
    if (playing || this.playing) this.out.repaint(playing ? row * this.columns + column + 1 : Infinity);
    this.playing = playing;
    this.grid?.show(cells.map((cell) => cell.value), { scale: reach(this.input), mark: winner, outside: (index) => !cells[index].inside });
    this.text.replaceChildren(...this.forwardWords());
    if (this.up) this.showBack(row, column, at, one);
  }

  forwardWords() {
    const { cells, winner, value, sum, divisor } = this.now;
    const exact = number(value, format(value));
    if (winner >= 0) return [`The largest of ${cells.length} is `, exact, ` at row ${cells[winner].row}, column ${cells[winner].column}: the winner.`];
    const mean = `The sum ${format(sum)} divided by ${format(divisor)} is the mean, `;
    if (this.pool.weight === undefined) return [mean, exact, "."];
    return [`${mean}${format(sum / divisor)}; times the weight ${format(this.pool.weight)} ${term(this.pool.bias)} it is `, exact, "."];
  }

  showBack(row, column, at, one) {
    const { cells, winner, divisor, inside } = this.now;
    const gradient = this.down.data[row * this.columns + column];
    this.from.frame("cursor", { row, column, ...one });
    this.to.frame("window", at);
    if (winner >= 0) this.to.frame("winner", { row: cells[winner].row, column: cells[winner].column, ...one });
    const share = (gradient * (this.pool.weight ?? 1)) / divisor;
    const parts = cells.map((cell, index) => (winner >= 0 ? (index === winner ? gradient : 0) : cell.inside ? share : 0));
    this.back?.show(parts, { scale: reach(this.down), mark: winner, outside: (index) => !cells[index].inside, note: "gets all of it" });
    const where = winner >= 0 ? "all of it goes to the winner, nothing to the others" : `each of ${many(inside, "input")} gets ${format(share)}`;
    this.backText.replaceChildren("The gradient here is ", number(gradient, format(gradient)), `: ${where}.`);
  }

  /** The arithmetic at the present place in one sentence. */
  words() {
    return `${this.text.textContent} ${this.backText?.textContent ?? ""}`;
  }

  repaint() {
    for (const pixels of [this.in, this.out, this.from, this.to]) pixels?.repaint();
    if (this.place) this.move(...this.place);
  }
}
