// How one map of a convolution is made: window times kernel, summed over the input maps, the bias, what follows.

import { box, button, el, number } from "./dom.js";
import { reach } from "./draw.js";
import { fullName, readersOf } from "./graph.js";
import { Grid } from "./grid.js";
import { convolved, decode, geometry, windowAt } from "./model.js";
import { format, many, term } from "./numbers.js";
import { Pixels, captioned } from "./pixels.js";

const FIRST = 4;
// Larger kernels are shown as pictures alone: their tables could not be read.
const READABLE = 13 * 13;

/** The view of a convolution's map: `element`, `rows`, `columns`, `move`, `words`, `repaint`. */
export class ConvolutionView {
  constructor(data, { app, node, channel, go }) {
    Object.assign(this, { app, node, channel, output: decode(data.output), layer: geometry(data), chosen: 0 });
    this.inputs = data.inputs.map(({ channel: from, map, weights }) => ({ channel: from, map: decode(map), weights: decode(weights) }));
    this.sum = { inputs: this.inputs, rest: data.rest ? decode(data.rest) : null, bias: data.bias ?? 0, layer: this.layer };
    this.others = data.others;
    [this.rows, this.columns] = this.output.shape.slice(-2);
    this.source = app.network.nodes.find((each) => each.id === node.sources[0]);
    this.grey = this.source?.role === "input";
    this.out = new Pixels(this.output, { size: 160, onMove: go, label: `Output map ${channel}; arrow keys move the window` });
    this.after = box("after");
    this.element = box("computed", this.addition(), box("result", captioned(this.out, `= map ${channel}: `, (this.value = el("output"))), this.after), this.tables());
    this.follow();
  }

  addition() {
    this.strongest = Math.max(...this.inputs.map(({ weights }) => reach(weights)));
    this.lines = this.inputs.map((input, index) => this.line(input, index));
    this.restName = el("span");
    this.showLines(FIRST);
    const all = button(`show all ${this.lines.length}`, () => {
      this.showLines(this.lines.length);
      all.parentElement.remove();
      this.move(...this.place);
    }, { class: "more" });
    const plain = (name, words) => el("li", { class: `plain ${name}`, hidden: name === "rest" && this.left === 0 }, el("span", {}, words), (this[name] = el("output")));
    return box("addition", el("h4", {}, "Inputs \u00d7 kernels, added up"),
      el("ol", {}, this.lines.map((line) => line.element), this.lines.length > FIRST ? el("li", { class: "plain" }, all) : null,
        plain("rest", this.restName), plain("bias", "bias"), plain("total", "sum")));
  }

  // The lines that are not shown are in the rest, so that what is seen adds up.
  showLines(number) {
    this.shown = Math.min(number, this.lines.length);
    this.lines.forEach((line, index) => { line.element.hidden = index >= this.shown; });
    const left = this.others + this.lines.length - this.shown;
    this.restName.textContent = many(left, "weaker map");
    if (this.rest) this.rest.parentElement.hidden = left === 0;
    this.left = left;
  }

  line(input, index) {
    const map = new Pixels(input.map, { size: 84, grey: this.grey, label: `Input ${this.nameOf(input)}` });
    const kernel = new Pixels(input.weights, { size: 56, scale: this.strongest, label: `Kernel for ${this.nameOf(input)}, weights from ${format(input.weights.low)} to ${format(input.weights.high)}` });
    const sum = el("output");
    const pick = button(this.nameOf(input), () => this.choose(index), { "aria-pressed": index === 0, title: "Show its numbers" });
    const element = el("li", {}, map.element, el("span", { class: "sign" }, "\u00d7"), kernel.element, pick, sum);
    return { element, map, kernel, sum, pick };
  }

  nameOf({ channel }) {
    return this.grey ? this.app.unitName(this.source, channel) : `map ${channel}`;
  }

  choose(index) {
    this.chosen = index;
    this.lines.forEach((line, each) => line.pick.setAttribute("aria-pressed", String(each === index)));
    this.move(...this.place);
  }

  tables() {
    const [height, width] = this.layer.kernel;
    if (height * width > READABLE) return el("p", { class: "note" }, `A kernel of ${height} \u00d7 ${width} weights: too many to read as a table.`);
    this.grids = ["window", "kernel", "products"].map((name) => new Grid(height, width, name));
    const [patch, kernel, products] = this.grids.map((grid) => grid.element);
    this.title = el("h4");
    this.equation = el("p", { class: "equation" });
    return box("tables", this.title,
      box("row", patch, el("span", { class: "sign" }, "\u00d7"), kernel, el("span", { class: "sign" }, "="), products), this.equation);
  }

  /** Puts the window over the inputs of the output at a place. */
  move(row, column, playing = false) {
    this.place = [row, column, playing];
    const at = windowAt(this.layer, row, column);
    const { parts, rest, bias, total, output } = convolved(this.sum, this.output, row, column);
    this.now = { parts, rest, bias, total, output };
    this.lines.forEach((line, index) => {
      line.map.frame("window", at);
      line.sum.replaceChildren(number(parts[index].sum, term(parts[index].sum)));
    });
    const weaker = parts.slice(this.shown).reduce((sum, part) => sum + part.sum, rest);
    this.rest.replaceChildren(number(weaker, term(weaker)));
    this.bias.replaceChildren(number(bias, term(bias)));
    this.total.replaceChildren(number(output, format(output)));
    this.value.replaceChildren(number(output, format(output)));
    this.total.dataset.computed = total;
    this.out.place = [row, column];
    this.out.frame("cursor", { row, column, height: 1, width: 1 });
    if (playing !== this.playing || playing) this.out.repaint(playing ? row * this.columns + column + 1 : Infinity);
    this.playing = playing;
    this.showTables(parts[this.chosen]);
    this.showAfter(row, column);
  }

  showTables(part) {
    if (!this.grids) return;
    const [patch, kernel, products] = this.grids;
    const input = this.inputs[this.chosen];
    const outside = (index) => !part.patch[index].inside;
    const values = part.patch.map((cell) => cell.value);
    patch.show(values, this.grey ? { grey: [input.map.low, input.map.high], outside } : { scale: reach(input.map), outside });
    kernel.show(Array.from(input.weights.data), { scale: this.strongest });
    products.show(part.products, { scale: reach(input.map) * this.strongest });
    this.title.textContent = `Under the window in ${this.nameOf(part)}`;
    this.equation.replaceChildren(`The ${part.products.length} products add up to `, number(part.sum, format(part.sum)), ".");
  }

  // What the sum goes through next: norms and activations, as long as nothing else reads it.
  async follow() {
    this.behind = [];
    for (let node = this.node; this.behind.length < 2; ) {
      const readers = readersOf(this.app.network, node.id);
      if (readers.length !== 1 || !["norm", "activation"].includes(readers[0].role)) break;
      [node] = readers;
      const asked = { picture: this.app.state.get("picture").picture, node: node.id, channel: this.channel };
      const data = await this.app.transport.get("/api/arithmetic", asked).catch(() => null);
      if (!data?.output) break;
      this.addAfter(node, decode(data.output));
    }
  }

  addAfter(node, map) {
    const pixels = new Pixels(map, { size: 96, label: `After ${fullName(node)}` });
    const value = el("output");
    const link = button(node.kind, () => this.app.choose(node.id, this.channel), { class: "quiet", title: "Show how" });
    this.after.append(captioned(pixels, "\u2192 ", link, " ", value));
    this.behind.push({ pixels, value, map });
    if (this.place) this.showAfter(...this.place);
  }

  showAfter(row, column) {
    for (const { pixels, value, map } of this.behind ?? []) {
      const here = map.data[row * this.columns + column];
      value.replaceChildren(number(here, format(here)));
      pixels.frame("cursor", { row, column, height: 1, width: 1 });
    }
  }

  /** The arithmetic at the present place in one sentence. */
  words() {
    const { parts, rest, bias, output } = this.now;
    const said = parts.slice(0, FIRST).map((part) => `${this.nameOf(part)} gives ${format(part.sum)}`).join(", ");
    const left = parts.slice(FIRST).reduce((sum, part) => sum + part.sum, rest);
    return `${said}${left ? `, the others ${format(left)}` : ""}, the bias ${format(bias)}: together ${format(output)}.`;
  }

  repaint() {
    for (const line of this.lines) {
      line.map.repaint();
      line.kernel.repaint();
    }
    for (const { pixels } of this.behind) pixels.repaint();
    this.out.repaint();
    if (this.place) this.showTables(this.now.parts[this.chosen]);
  }
}
