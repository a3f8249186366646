// Answers that grow while the server walks through the data: shown at once, and again until the walk is over.

import { el } from "./dom.js";
import { many } from "./numbers.js";

const PAUSE = 900;

/** Asks and shows until all samples were looked at, or until this is not `current()` any more; gives the last answer. */
export async function walked(ask, show, current) {
  for (;;) {
    const answer = await ask();
    if (!current()) return answer;
    show(answer);
    if (!(answer.looked < answer.total)) return answer;
    await new Promise((resolve) => { window.setTimeout(resolve, PAUSE); });
    if (!current()) return answer;
  }
}

/** How far the walk is, in words. */
export function soFar({ looked, total, refused }, name = "picture") {
  const left = refused ? `; ${many(refused, "file")} could not be read` : "";
  const words = looked < total ? `${looked.toLocaleString("en")} of ${many(total, name)} looked at so far` : `${many(total, name)} looked at`;
  return el("p", { class: "note" }, `${words}${left}.`);
}
