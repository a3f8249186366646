// A drawing pad: mouse, finger, pen, or arrow keys with the space bar.

import { box, button, el } from "./dom.js";
import { clamp } from "./model.js";

const SIZE = 280;
const STEP = 10;
const PEN = 22;
const MOVES = { ArrowUp: [0, -STEP], ArrowDown: [0, STEP], ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0] };

/** The pad as {element}; `use(blob)` takes the finished drawing, `dark` starts with white on black. */
export function pad(use, { dark }) {
  const canvas = el("canvas", { width: SIZE, height: SIZE, class: "pad", tabindex: "0", role: "application",
    "aria-label": "Drawing pad. Arrow keys move the pen, the space bar sets it down or lifts it." });
  const pen = canvas.getContext("2d", { willReadFrequently: false });
  const state = { dark, at: [SIZE / 2, SIZE / 2], down: false };
  const clear = () => {
    pen.fillStyle = state.dark ? "#000" : "#fff";
    pen.fillRect(0, 0, SIZE, SIZE);
  };
  const line = (from, to) => {
    Object.assign(pen, { strokeStyle: state.dark ? "#fff" : "#000", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
  };
  const finish = () => canvas.toBlob((blob) => use(blob), "image/png");
  byHand(canvas, line, finish);
  byKeys(canvas, line, state);
  clear();
  const flip = el("input", { type: "checkbox", checked: dark, on: { change: () => {
    state.dark = flip.checked;
    clear();
  } } });
  return { element: box("pad-tool", canvas, box("controls", button("Look", finish, { class: "primary" }), button("Clear", clear),
    el("label", {}, flip, "white on black"))) };
}

function byHand(canvas, line, finish) {
  let last = null;
  const place = (event) => {
    const area = canvas.getBoundingClientRect();
    return [((event.clientX - area.left) * SIZE) / area.width, ((event.clientY - area.top) * SIZE) / area.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = place(event);
    line(last, next);
    last = next;
  });
  const up = () => {
    if (last) finish();
    last = null;
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", () => { last = null; });
}

function byKeys(canvas, line, state) {
  canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    const from = state.at;
    if (move) state.at = from.map((each, axis) => clamp(each + move[axis], 0, SIZE));
    else state.down = !state.down;
    if (state.down) line(from, state.at);
    canvas.classList.toggle("down", state.down);
  });
}
