// The buttons of one column: small maps with their numbers, or the units of a vector with their values.

import { el, fill } from "./dom.js";
import { paint, reach } from "./draw.js";
import { fullName } from "./graph.js";
import { decodeMap, strongestOf } from "./model.js";
import { format } from "./numbers.js";

/** Adds maps to a column as buttons; in the order of their channels once all are there. */
export function mapButtons(column, maps, app) {
  column.have.push(...maps.map((map) => ({ ...map, map: decodeMap(map) })));
  if (column.have.length >= column.total) column.have.sort((a, b) => a.channel - b.channel);
  fill(column.maps, column.have.map((each) => mapButton(column, each, app)));
  repaintMaps(column, app);
}

function mapButton(column, { channel, mean, max, map }, app) {
  const name = fullName(column.node);
  const numbers = `mean ${format(mean)}, largest ${format(max ?? map.high)}`;
  const flat = map.shape.at(-2) === 1 && map.shape.at(-1) > 1;
  return el("button", {
    type: "button", class: flat ? "map flat" : "map", tabindex: "-1", "data-channel": channel, "aria-pressed": "false",
    "aria-label": `${name}, map ${channel}: ${numbers}`, title: `Map ${channel}: ${numbers}`,
    on: { click: () => app.choose(column.node.id, channel) },
  }, el("canvas", { "aria-hidden": "true" }), el("span", { class: "channel", "aria-hidden": "true" }, String(channel)));
}

/** Paints a column's maps in the page's present colours, each on its own scale or all on the column's. */
export function repaintMaps(column, app) {
  if (!column.have.length || !column.have[0].map) return;
  const whole = Math.max(...column.have.map(({ map }) => reach(map)));
  const grey = column.node.role === "input";
  column.have.forEach(({ map }, index) => {
    const canvas = column.maps.children[index]?.querySelector("canvas");
    if (canvas) paint(canvas, map, { grey, ...(app.state.get("scale") === "layer" ? { scale: whole } : {}) });
  });
}

/** Adds `count` units of a vector to a column, the strongest first; all of a short one in their order. */
export function unitButtons(column, vector, count, app) {
  const order = strongestOf(vector.data, column.have.length + count).slice(column.have.length);
  column.total = vector.data.length;
  column.have.push(...order.map((channel) => ({ channel, value: vector.data[channel] })));
  if (column.have.length >= column.total) column.have.sort((a, b) => a.channel - b.channel);
  units(column, reach(vector), app);
}

/** Adds maps of one place each to a column, as units. */
export function pointButtons(column, maps, app) {
  column.have.push(...maps.map(({ channel, mean }) => ({ channel, value: mean })));
  if (column.have.length >= column.total) column.have.sort((a, b) => a.channel - b.channel);
  units(column, Math.max(...column.have.map(({ value }) => Math.abs(value))) || 1, app);
}

function units(column, scale, app) {
  fill(column.maps, column.have.map((each) => unitButton(column, each, scale, app)));
}

function unitButton(column, { channel, value }, scale, app) {
  const name = app.unitName(column.node, channel);
  const bar = el("span", { class: value < 0 ? "bar minus" : "bar plus", "aria-hidden": "true" });
  bar.style.width = `${(100 * Math.abs(value)) / scale}%`;
  return el("button", {
    type: "button", class: "unit", tabindex: "-1", "data-channel": channel, "aria-pressed": "false", title: `${name}: ${format(value)}`,
    "aria-label": `${fullName(column.node)}, unit ${name}: ${format(value)}`,
    on: { click: () => app.choose(column.node.id, channel) },
  }, el("span", { class: "name" }, name), el("span", { class: "figure" }, format(value)), bar);
}
