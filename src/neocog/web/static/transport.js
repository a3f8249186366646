// The only place that talks to the server; in a mailed page, the answers written into it.

const KEPT = 300;
// These say how much is asked for, not what: a mailed page has one answer for them all.
const AMOUNTS = new Set(["from", "count", "order", "steps", "full"]);

/** An answer that did not come: one line for the reader. */
export class NoAnswer extends Error {}

/** What answers the page: {mailed, get, post, upload}. */
export function openTransport() {
  const embedded = document.getElementById("embedded");
  return embedded ? mailed(JSON.parse(embedded.textContent)) : served(takeToken());
}

// The token leaves the address bar, so that it is in no bookmark and no picture of the screen.
function takeToken() {
  const address = new URL(window.location.href);
  const token = address.searchParams.get("token");
  if (!token) return window.sessionStorage.getItem("neocog-token") ?? "";
  window.sessionStorage.setItem("neocog-token", token);
  address.searchParams.delete("token");
  window.history.replaceState(null, "", address);
  return token;
}

function served(token) {
  const kept = new Map();
  const get = (path, parameters = {}, { fresh = false } = {}) => {
    const address = path + query(parameters);
    if (!fresh && kept.has(address)) return kept.get(address);
    const answer = ask(token, address, {});
    if (fresh) return answer;
    kept.set(address, answer);
    answer.catch(() => kept.delete(address));
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    return answer;
  };
  const post = (path, body) => ask(token, path, { method: "POST", body: JSON.stringify(body), kind: "application/json" });
  const upload = (path, blob) => ask(token, path, { method: "POST", body: blob, kind: "application/octet-stream" });
  return { mailed: false, get, post, upload };
}

async function ask(token, address, { method = "GET", body, kind }) {
  const headers = { "X-Neocog-Token": token, ...(kind ? { "Content-Type": kind } : {}) };
  let response;
  try {
    response = await fetch(address, { method, body, headers, credentials: "omit", redirect: "error" });
  } catch {
    throw new NoAnswer("No answer from neocog: is it still running? Start `neocog explore` again.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new NoAnswer(answer.error ?? `The server refused this (${response.status}).`);
  return answer;
}

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

function mailed(answers) {
  const known = new Map();
  for (const [key, answer] of Object.entries(answers)) if (!known.has(canonical(key))) known.set(canonical(key), answer);
  const look = async (key) => {
    const found = known.get(canonical(key));
    if (found === undefined) throw new NoAnswer("Not in this mailed page.");
    return found;
  };
  const never = () => Promise.reject(new NoAnswer("Not in this mailed page."));
  return {
    mailed: true,
    get: (path, parameters = {}) => look(`GET ${path}${query(parameters)}`),
    post: (path) => look(`POST ${path}`),
    upload: never,
  };
}

function canonical(key) {
  const [path, parameters = ""] = key.split("?");
  const pairs = [...new URLSearchParams(parameters)];
  const from = pairs.find(([name, value]) => name === "from" && value !== "0");
  const asked = pairs.filter(([name]) => !AMOUNTS.has(name)).concat(from ? [from] : []);
  return `${path}?${asked.map((each) => each.join("=")).sort().join("&")}`;
}
