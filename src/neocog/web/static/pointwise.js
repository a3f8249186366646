// Layers that turn each number into another at the same place: activations and norms; and those that only pass on.

import { box, el, number } from "./dom.js";
import { curve } from "./draw.js";
import { decode, normed } from "./model.js";
import { format, term } from "./numbers.js";
import { Pixels, captioned } from "./pixels.js";

// As many points of the curve as can be told apart.
const POINTS = 400;

/** The view of an activation, a batch norm, or of any layer with an output: input, what is done, output. */
export class PointwiseView {
  constructor(data, { app, node, channel, go }) {
    Object.assign(this, { data, output: decode(data.output), input: data.input ? decode(data.input) : null });
    [this.rows, this.columns] = planes(this.output);
    const source = app.network.nodes.find((each) => each.id === node.sources[0]);
    const label = `Output ${channel}; arrow keys choose a pixel`;
    this.out = new Pixels(this.output, { size: 176, onMove: go, label, grey: node.role === "input" });
    this.same = this.input && this.input.data.length === this.output.data.length;
    this.drawn = this.same && data.kind !== "lookup"; // a table has no curve
    if (this.input) this.in = new Pixels(this.input, { size: 176, grey: source?.role === "input", label: `Input ${channel}` });
    this.text = el("p", { class: "equation" });
    this.plot = box("plot");
    this.element = box("computed", box("row", this.in ? captioned(this.in, "in") : null, this.drawn ? this.plot : null, captioned(this.out, node.role === "input" ? "the channel" : "out")), this.text);
    if (this.drawn) this.points = sampled(this.input.data, this.output.data);
  }

  /** Shows the numbers at a place. */
  move(row, column) {
    this.place = [row, column];
    const at = row * this.columns + column;
    const [before, after] = [this.same ? this.input.data[at] : null, this.output.data[at]];
    this.out.place = [row, column];
    this.out.frame("cursor", { row, column, height: 1, width: 1 });
    if (this.same) {
      this.in.frame("cursor", { row, column, height: 1, width: 1 });
      if (this.drawn) this.plot.replaceChildren(curve(this.points, [before, after]));
    }
    this.text.replaceChildren(...this.equation(before, after));
  }

  equation(before, after) {
    const result = number(after, format(after));
    if (this.data.kind === "norm") return [...this.normed(before), result];
    if (this.same) return [`${this.data.function ?? "f"}(`, number(before, format(before)), ") = ", result];
    return ["The value here is ", result, "."];
  }

  normed(before) {
    const { mean, variance, epsilon, weight, bias } = this.data;
    const { standard } = normed(this.data, before);
    return [`(`, number(before, format(before)), ` ${term(-mean)}) / \u221a(${format(variance)} + ${format(epsilon)}) = ${format(standard)}; `,
      `${format(standard)} \u00d7 ${format(weight ?? 1)} ${term(bias ?? 0)} = `];
  }

  words() {
    return this.text.textContent;
  }

  repaint() {
    this.in?.repaint();
    this.out.repaint();
    if (this.place) this.move(...this.place);
  }
}

function planes(map) {
  return map.shape.length > 1 ? map.shape.slice(-2) : [1, map.shape[0] ?? 1];
}

function sampled(before, after) {
  const order = Array.from(before.keys()).sort((a, b) => before[a] - before[b]);
  const every = Math.max(1, Math.floor(order.length / POINTS));
  return order.filter((_, index) => index % every === 0 || index === order.length - 1).map((index) => [before[index], after[index]]);
}
