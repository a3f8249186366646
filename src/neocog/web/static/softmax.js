// The last step with its arithmetic: from scores to probabilities.

import { box, el, fill, number, sorry, table } from "./dom.js";
import { format, percent } from "./numbers.js";
import { latestOnly } from "./state.js";

const FIRST = 12;

/** The softmax of the present picture, as `element`. */
export function softmax(app) {
  const body = box("body", el("p", { class: "note" }, "Choose a picture: here stands how its scores become probabilities."));
  const latest = latestOnly();
  app.state.on(["picture"], async () => {
    const newest = latest();
    const { picture } = app.state.values;
    try {
      const answer = await app.transport.get("/api/softmax", { picture: picture.picture });
      if (newest()) fill(body, arithmetic(answer, app));
    } catch (error) {
      if (newest()) fill(body, sorry(error));
    }
  });
  return el("section", { id: "output", "aria-labelledby": "output-title" },
    el("h2", { id: "output-title" }, "From scores to probabilities"), body);
}

function arithmetic({ rows, sum, shift }, app) {
  const likely = [...rows].sort((a, b) => b.logit - a.logit);
  const lines = likely.map((row) => line(row, { sum, shift }, app));
  const first = table("Softmax: every score, less the largest, as a power of e, divided by the sum of all",
    ["class", "score z", "z \u2212 largest", "e to that power", `\u00f7 ${format(sum)}`, ""], lines.slice(0, FIRST), [1, 2, 3, 4]);
  const left = rows.length - FIRST;
  const exact = el("p", { class: "equation" }, "largest score ", number(shift, format(shift)), ", sum of the powers ", number(sum, format(sum)));
  if (left <= 0) return [exact, first];
  const body = first.querySelector("tbody");
  const more = el("button", { type: "button", class: "more", on: { click: () => {
    body.append(...lines.slice(FIRST).map((cells) => el("tr", {}, cells.map((cell, index) => el(index ? "td" : "th", index ? { class: "n" } : { scope: "row" }, cell)))));
    more.remove();
  } } }, `${left.toLocaleString("en")} more classes`);
  return [exact, first, more];
}

function line({ class: name, index, logit, exp, probability }, { shift }, app) {
  const bar = el("span", { class: "bar" });
  bar.style.width = `${100 * probability}%`;
  const pick = el("button", { type: "button", class: "quiet", title: "Show what makes this score", on: { click: () => app.choose(app.lastNode(), index) } }, name);
  return [pick, number(logit, format(logit)), number(logit - shift, format(logit - shift)), number(exp, format(exp)),
    number(probability, percent(probability)), el("span", { class: "meter", "aria-hidden": "true" }, bar)];
}
