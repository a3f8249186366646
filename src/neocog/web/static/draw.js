// Painting of maps and lines. Takes numbers, gives pixels.

import { svg } from "./dom.js";
import { planeOf } from "./model.js";

/** The colours of numbers in the page's present colours: of zero, of the most positive and the most negative. */
export function palette() {
  const style = window.getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim().split(/\s+/).map(Number);
  return { zero: colour("--map-zero"), plus: colour("--map-plus"), minus: colour("--map-minus") };
}

/** The largest absolute value of a map: what its full colour stands for. */
export function reach(map) {
  return Math.max(Math.abs(map.low), Math.abs(map.high)) || 1;
}

/** The colour [r, g, b] of a value whose full colour is at `scale`. */
export function colourOf(value, scale, { zero, plus, minus }) {
  const share = Math.min(Math.abs(value) / scale, 1) || 0;
  const full = value < 0 ? minus : plus;
  return zero.map((from, index) => Math.round(from + (full[index] - from) * share));
}

/** The grey [g, g, g] of a value between low and high, as pictures are shown. */
export function greyOf(value, low, high) {
  const grey = Math.round((255 * (value - low)) / (high - low || 1));
  return [grey, grey, grey];
}

/** The text colour, dark or light, that is read best on a colour [r, g, b]. */
export function inkOn([red, green, blue]) {
  const linear = [red, green, blue].map((each) => ((each / 255 + 0.055) / 1.055) ** 2.4);
  const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return light > 0.18 ? "#0d1117" : "#fdfdfc";
}

/** Paints a map, a pixel a value, in the page's colours or in grey; values from `upTo` on are faint. */
export function paint(canvas, map, { grey = false, scale = reach(map), upTo = Infinity } = {}) {
  const [height, width] = planeOf(map.shape);
  canvas.width = width;
  canvas.height = height;
  const colours = palette();
  const image = new ImageData(width, height);
  for (let index = 0; index < map.data.length; index += 1) {
    const value = map.data[index];
    const colour = grey ? greyOf(value, map.low, map.high) : colourOf(value, scale, colours);
    image.data.set(colour, 4 * index);
    image.data[4 * index + 3] = index < upTo ? 255 : 40;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A line from one point to another that leaves and arrives level; negative parts are dashed. */
export function link(from, to, { share, negative, title }) {
  const bend = Math.max(Math.abs(to.x - from.x) / 2, 12);
  const shape = `M${from.x},${from.y} C${from.x + bend},${from.y} ${to.x - bend},${to.y} ${to.x},${to.y}`;
  const line = svg("path", {
    d: shape, class: negative ? "link minus" : "link plus", "stroke-width": (0.75 + 5 * share).toFixed(2),
    "stroke-opacity": (0.25 + 0.65 * share).toFixed(2),
  });
  if (title) line.append(svg("title", {}, title));
  return line;
}

/** A curve through points [x, y] with a dot at one of them, over axes through zero. */
export function curve(points, dot) {
  const reachX = Math.max(...points.map(([x]) => Math.abs(x)), Math.abs(dot[0])) || 1;
  const reachY = Math.max(...points.map(([, y]) => Math.abs(y)), Math.abs(dot[1])) || 1;
  const at = ([x, y]) => `${(60 + (54 * x) / reachX).toFixed(2)},${(60 - (54 * y) / reachY).toFixed(2)}`;
  const [cx, cy] = at(dot).split(",");
  return svg("svg", { viewBox: "0 0 120 120", class: "curve", "aria-hidden": "true" },
    svg("path", { d: "M0,60H120M60,0V120", class: "axis" }),
    svg("polyline", { points: points.map(at).join(" "), class: "line" }),
    svg("circle", { cx, cy, r: 3.5, class: "dot" }));
}
