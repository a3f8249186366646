// One map shown large: its pixels, frames drawn over it, and a cursor that mouse, finger and arrow keys move.

import { el, svg } from "./dom.js";
import { paint } from "./draw.js";
import { clamp, planeOf } from "./model.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** A map {shape, data, low, high} as an element, with named frames. */
export class Pixels {
  /** `onMove(row, column)` makes it a control; `grey` shows it as a picture; `picture` is the address of one behind it. */
  constructor(map, { label, size = 128, grey = false, scale, onMove, picture } = {}) {
    this.map = map;
    this.options = { grey, ...(scale ? { scale } : {}) };
    [this.height, this.width] = planeOf(map.shape);
    this.frames = new Map();
    this.overlay = svg("svg", {
      viewBox: `0 0 ${this.width} ${this.height}`, preserveAspectRatio: "none", class: "frames", "aria-hidden": "true",
    });
    this.canvas = picture ? el("img", { src: picture, alt: "" }) : el("canvas", { "aria-hidden": "true" });
    this.element = el("div", { class: "pixels", role: "img", "aria-label": label }, this.canvas, this.overlay);
    this.sized(size);
    if (onMove) this.listen(onMove);
    this.repaint();
  }

  sized(size) {
    const flat = this.height === 1 && this.width > 4;
    const widest = flat ? Math.max(size, 260) : (size * this.width) / Math.max(this.width, this.height);
    this.element.style.width = `${widest}px`;
    if (flat) this.element.style.height = "28px";
    else this.element.style.aspectRatio = `${this.width} / ${this.height}`;
  }

  /** Paints again: after other colours, or with the values from `upTo` on faint. */
  repaint(upTo = Infinity) {
    if (this.canvas.tagName === "CANVAS") paint(this.canvas, this.map, { ...this.options, upTo });
  }

  /** Draws or moves the frame of a name over rows and columns; its looks are the class `name`. */
  frame(name, { row, column, height, width }) {
    if (!this.frames.has(name)) {
      const pair = [svg("rect", { class: "halo" }), svg("rect", { class: `mark ${name}` })];
      this.overlay.append(...pair);
      this.frames.set(name, pair);
    }
    for (const rect of this.frames.get(name)) {
      for (const [key, value] of Object.entries({ x: column, y: row, width, height })) rect.setAttribute(key, value);
    }
  }

  /** Takes the frame of a name away. */
  unframe(name) {
    for (const rect of this.frames.get(name) ?? []) rect.remove();
    this.frames.delete(name);
  }

  listen(onMove) {
    this.place = [0, 0];
    this.element.setAttribute("role", "application");
    this.element.setAttribute("aria-roledescription", "map of pixels");
    this.element.setAttribute("tabindex", "0");
    this.element.classList.add("control");
    const go = (row, column) => {
      this.place = [clamp(row, 0, this.height - 1), clamp(column, 0, this.width - 1)];
      onMove(...this.place);
    };
    const point = (event) => go(...this.under(event));
    this.element.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" || event.buttons) point(event);
    });
    this.element.addEventListener("pointerdown", point);
    this.element.addEventListener("keydown", (event) => this.key(event, go));
  }

  under(event) {
    const area = this.element.getBoundingClientRect();
    const row = Math.floor(((event.clientY - area.top) / area.height) * this.height);
    return [row, Math.floor(((event.clientX - area.left) / area.width) * this.width)];
  }

  key(event, go) {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 5 : 1;
    go(this.place[0] + far * step[0], this.place[1] + far * step[1]);
  }
}

/** A map with words under it. */
export function captioned(pixels, ...words) {
  return el("figure", { class: "shown" }, pixels.element, el("figcaption", {}, ...words));
}
