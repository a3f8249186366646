// What kernel, stride, padding and dilation do to sizes: the formula with its numbers, and the windows as a picture.

import { box, button, el, fill, svg } from "./dom.js";
import { geometry, outputFormula, outputSize } from "./model.js";
import { many } from "./numbers.js";
import { Sliding } from "./window.js";

// name, words, smallest, largest
const NUMBERS = [
  ["input", "Input", 1, 64], ["kernel", "Kernel", 1, 16], ["stride", "Stride", 1, 8], ["padding", "Padding", 0, 8], ["dilation", "Dilation", 1, 8],
];

/** The widget as `element`; it can take over the numbers of the chosen layer. */
export class Widget {
  constructor(app) {
    this.app = app;
    this.numbers = { input: 7, kernel: 3, stride: 2, padding: 1, dilation: 1 };
    this.fields = new Map();
    this.formula = el("output", { class: "formula", "aria-live": "polite" });
    this.note = el("p", { class: "note" });
    this.stage = box("stagecraft");
    this.controls = box("wide");
    const own = button("Take the chosen layer's numbers", () => this.takeLayer(), { class: "take" });
    const form = el("form", { class: "knobs", on: { submit: (event) => event.preventDefault() } }, NUMBERS.map((each) => this.knob(...each)), own);
    this.element = el("section", { id: "sizes", "aria-labelledby": "sizes-title" }, el("h2", { id: "sizes-title" }, "Sizes: how a window moves"),
      el("p", { class: "lead" }, "\u230a(input + 2 \u00d7 padding \u2212 extent of the kernel) / stride\u230b + 1 = output"),
      form, this.formula, this.note, this.controls, this.stage);
    this.update();
  }

  knob(name, words, low, high) {
    const field = el("input", { type: "number", min: low, max: high, value: this.numbers[name], id: `knob-${name}`, on: { input: () => this.read() } });
    const range = el("input", { type: "range", min: low, max: high, value: this.numbers[name], tabindex: "-1", "aria-hidden": "true",
      on: { input: () => {
        field.value = range.value;
        this.read();
      } } });
    this.fields.set(name, { field, range, low, high });
    return box("knob", el("label", { for: `knob-${name}` }, words), field, range);
  }

  read() {
    for (const [name, { field, range, low, high }] of this.fields) {
      const value = Number(field.value);
      const good = Number.isInteger(value) && value >= low && value <= high;
      field.setAttribute("aria-invalid", String(!good));
      if (!good) continue;
      this.numbers[name] = value;
      range.value = value;
    }
    this.update();
  }

  takeLayer() {
    const node = this.app.network.nodes.find((each) => each.id === this.app.state.get("node"));
    if (!node?.kernel) {
      this.note.textContent = "The chosen layer has no window: choose a map of a convolution or a pooling first.";
      return;
    }
    const { kernel, stride, padding, dilation } = geometry(node);
    const source = this.app.network.nodes.find((each) => each.id === node.sources[0]);
    const taken = { input: source?.shape.at(-1) ?? 1, kernel: kernel[1], stride: stride[1], padding: padding[1], dilation: dilation[1] };
    for (const [name, { field, high }] of this.fields) {
      field.max = Math.max(high, taken[name]);
      this.fields.get(name).high = Number(field.max);
      this.fields.get(name).range.max = field.max;
      field.value = taken[name];
    }
    this.read();
  }

  update() {
    const { size, left } = outputSize(this.numbers);
    this.formula.textContent = outputFormula(this.numbers);
    this.note.textContent = size === 0 ? "Make the kernel or the dilation smaller, or the input or the padding larger."
      : left ? `${many(left, "last row")} and ${many(left, "last column")} (padding counted) are never seen: the stride steps over them.`
        : "Every input, padding counted, is reached by the windows' steps.";
    this.sliding?.pause();
    fill(this.stage);
    fill(this.controls);
    if (size > 0) this.picture(size);
  }

  picture(size) {
    const { input, padding } = this.numbers;
    const whole = input + 2 * padding;
    const frame = svg("g", { class: "taps" });
    this.out = svg("rect", { class: "mark cursor", width: 1, height: 1 });
    const named = `Input ${input} \u00d7 ${input} with ${padding} of padding around it, and the window on it`;
    const left = svg("svg", { viewBox: `${-padding - 0.1} ${-padding - 0.1} ${whole + 0.2} ${whole + 0.2}`, class: "board", role: "img", "aria-label": named },
      svg("rect", { class: "pad", x: -padding, y: -padding, width: whole, height: whole }), svg("rect", { class: "field-area", width: input, height: input }),
      lines(-padding, whole), frame);
    const right = svg("svg", { viewBox: `-0.1 -0.1 ${size + 0.2} ${size + 0.2}`, class: "board", role: "img", "aria-label": `Output ${size} \u00d7 ${size}` },
      svg("rect", { class: "field-area", width: size, height: size }), lines(0, size), this.out);
    left.style.width = `${Math.min(300, 24 * whole)}px`;
    right.style.width = `${Math.min(300, 24 * size)}px`;
    this.stage.append(el("figure", { class: "shown" }, left, el("figcaption", {}, `input ${input}${padding ? ` + 2 \u00d7 ${padding}` : ""}`)),
      el("figure", { class: "shown" }, right, el("figcaption", {}, `output ${size}`)));
    this.sliding = new Sliding(size, size, (row, column) => this.move(frame, row, column));
    fill(this.controls, this.sliding.element);
    this.sliding.show(0, false);
    this.point(right, size);
  }

  point(board, size) {
    board.addEventListener("pointermove", (event) => {
      const area = board.getBoundingClientRect();
      const at = (where, extent) => Math.min(size - 1, Math.max(0, Math.floor((where / extent) * (size + 0.2) - 0.1)));
      this.sliding.go(at(event.clientY - area.top, area.height), at(event.clientX - area.left, area.width));
    });
  }

  move(frame, row, column) {
    const { kernel, stride, padding, dilation } = this.numbers;
    const [top, left] = [row * stride - padding, column * stride - padding];
    const extent = dilation * (kernel - 1) + 1;
    const taps = Array.from({ length: kernel * kernel }, (_, index) => svg("rect", {
      class: "tap", x: left + (index % kernel) * dilation, y: top + Math.floor(index / kernel) * dilation, width: 1, height: 1,
    }));
    frame.replaceChildren(...taps, svg("rect", { class: "mark window", x: left, y: top, width: extent, height: extent }));
    this.out.setAttribute("x", column);
    this.out.setAttribute("y", row);
  }
}

function lines(start, length) {
  const path = Array.from({ length: length + 1 }, (_, index) => `M${start + index},${start}v${length}M${start},${start + index}h${length}`);
  return svg("path", { class: "rule", d: path.join("") });
}
