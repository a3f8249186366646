// Elements made in one line. Text goes in as text only, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element: attributes (`class`, `aria-label`, ...), listeners under `on`, then children: nodes, texts or lists. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, { on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("aria-") && typeof value === "boolean") element.setAttribute(name, String(value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button that does one thing. */
export function button(label, act, attributes = {}) {
  return el("button", { type: "button", on: { click: act }, ...attributes }, label);
}

/** An element with its class and children: the commonest case. */
export function box(name, ...children) {
  return el("div", { class: name }, ...children);
}

/** A number for people that keeps the exact one for programs. */
export function number(value, text) {
  return el("data", { value: value ?? "" }, text);
}

/** Puts children in place of those that are there. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A table with a head of texts, rows of cells, and the columns that hold numbers. */
export function table(caption, head, rows, numeric = []) {
  const mark = (index) => (numeric.includes(index) ? { class: "n" } : {});
  const cells = (row) => row.map((cell, index) => (index === 0
    ? el("th", { scope: "row", ...mark(index) }, cell) : el("td", mark(index), cell)));
  return box("scroll", el("table", {}, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, head.map((name, index) => el("th", { scope: "col", ...mark(index) }, name)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, cells(row))))));
}

/** Says one line to those who listen, without moving them. */
export function say(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}

/** A line about what went wrong, where the result would have stood. */
export function sorry(error) {
  return el("p", { class: "sorry", role: "alert" }, error.message);
}
