// Layers that weigh or join whole maps and vectors: dense layers, additions, concatenations, products.

import { box, el, number, table } from "./dom.js";
import { decode, decodeMap } from "./model.js";
import { format, many, term } from "./numbers.js";
import { Pixels, captioned } from "./pixels.js";

/** The view of one unit of a dense layer: its strongest products, the rest, the bias, the sum. */
export class DenseView {
  constructor(data, { app, node, channel }) {
    Object.assign(this, { rows: 1, columns: 1 });
    const [output] = decode(data.output).data;
    const sheet = this.sheet(data);
    this.sentence = `${sheet.sentence} ${format(output)}.`;
    const most = Math.max(...sheet.inputs.map((each) => Math.abs(sheet.part(each)))) || 1;
    const rows = sheet.inputs.map((each) => [String(each.index), number(each.value, format(each.value)), number(each.weight, format(each.weight)),
      [meter(sheet.part(each), most), number(sheet.part(each), term(sheet.part(each)))]]);
    if (sheet.others) rows.push([many(sheet.others, "weaker input"), "", "", number(sheet.rest, term(sheet.rest))]);
    if (sheet.bias !== null) rows.push(["bias", "", "", number(sheet.bias, term(sheet.bias))]);
    rows.push([sheet.end, "", "", number(output, format(output))]);
    const made = table(`Unit ${app.unitName(node, channel)}: ${sheet.caption}`, sheet.head, rows, [1, 2, 3]);
    made.querySelector("tbody tr:last-child").classList.add("total");
    this.element = box("computed dense", made, el("p", { class: "equation" }, this.sentence));
  }

  sheet({ inputs, others, rest, bias }) {
    return { caption: "inputs \u00d7 weights, the strongest first", head: ["input", "value", "weight", "product"], part: ({ value, weight }) => value * weight,
      inputs, others, rest, bias: bias ?? 0, end: "sum", sentence: "The products and the bias add up to" };
  }

  move() {}

  words() {
    return this.sentence;
  }

  repaint() {}
}

function meter(value, most) {
  const bar = el("span", { class: value < 0 ? "bar minus" : "bar plus" });
  bar.style.width = `${(100 * Math.abs(value)) / most}%`;
  return el("span", { class: "meter", "aria-hidden": "true" }, bar);
}

/** The view of a radial basis unit: squared distances of its inputs from its code, added up and taken negative. */
export class RadialView extends DenseView {
  sheet({ inputs, others, rest, scale = 1 }) {
    const part = ({ value, weight }) => (value - weight) ** 2;
    return { caption: "inputs against its code, the farthest first", head: ["input", "value", "code", "(value \u2212 code)\u00b2"], part, inputs, others, rest, bias: null,
      end: scale === 1 ? "\u2212 sum" : `\u2212 ${format(scale)} \u00d7 sum`, sentence: "The squared distances from its code add up; taken negative they are" };
  }
}

const SIGNS = { sum: "+", difference: "\u2212", product: "\u00d7", concat: "|" };
const SAID = {
  sum: "Added, pixel by pixel: ", difference: "Taken away, pixel by pixel: ", product: "Multiplied, pixel by pixel: ",
  concat: "Put beside each other: this map is passed on as it is. ",
};

/** The view of maps that are added, multiplied or put beside each other. */
export class JoinView {
  constructor(data, { app, channel, go }) {
    this.kind = data.parts ? "sum" : data.kind;
    this.inputs = (data.parts ?? data.inputs).map(({ node, channel: from, map }) => ({ node, channel: from, map: map.low === undefined ? decode(map) : decodeMap(map) }));
    this.bias = data.bias ? decode(data.bias) : null;
    this.output = decode(data.output);
    [this.rows, this.columns] = this.output.shape.length > 1 ? this.output.shape.slice(-2) : [1, this.output.shape[0] ?? 1];
    this.out = new Pixels(this.output, { size: 160, onMove: go, label: `Output map ${channel}; arrow keys choose a pixel` });
    this.maps = this.inputs.map(({ node, channel: from, map }) => {
      const name = app.nodeName(node);
      return { pixels: new Pixels(map, { size: 128, label: `Map ${from} of ${name}` }), words: `${name}, map ${from}` };
    });
    this.text = el("p", { class: "equation" });
    const signed = this.maps.flatMap(({ pixels, words }, index) => [
      index ? el("span", { class: "sign" }, SIGNS[this.kind]) : null, captioned(pixels, words)]);
    this.element = box("computed", box("row", signed, el("span", { class: "sign" }, "="), captioned(this.out, "out")), this.text);
  }

  /** Shows the numbers at a place. */
  move(row, column) {
    this.out.place = [row, column];
    const at = row * this.columns + column;
    const one = { row, column, height: 1, width: 1 };
    this.out.frame("cursor", one);
    const same = this.inputs.every(({ map }) => map.data.length === this.output.data.length);
    if (same) for (const { pixels } of this.maps) pixels.frame("cursor", one);
    const value = number(this.output.data[at], format(this.output.data[at]));
    const parts = this.terms(at) + (this.bias ? ` ${term(this.bias.data[at])} (bias)` : "");
    this.text.replaceChildren(SAID[this.kind] ?? "", ...(same && this.kind !== "concat" ? [`${parts} = `] : []), value);
  }

  terms(at) {
    const numbers = this.inputs.map(({ map }) => map.data[at]);
    if (this.kind !== "sum") return numbers.map(format).join(` ${SIGNS[this.kind]} `);
    return numbers.map((each, index) => (index ? term(each) : format(each))).join(" ");
  }

  words() {
    return this.text.textContent;
  }

  repaint() {
    this.out.repaint();
    for (const { pixels } of this.maps) pixels.repaint();
  }
}
