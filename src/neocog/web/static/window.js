// The sliding window: a position that plays, pauses and steps over rows and columns.

import { box, button, el } from "./dom.js";
import { clamp } from "./model.js";

// Positions a second, slowest to fastest.
const SPEEDS = [1, 2, 4, 8, 16, 32, 64];
const FRAME = 1000 / 32;

/** Whether the reader asked the system for less motion. */
export function calm() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** The position of a window over `rows` x `columns` outputs, with its controls as `element`. */
export class Sliding {
  /** `onMove(row, column, playing)` is told each position. */
  constructor(rows, columns, onMove) {
    Object.assign(this, { rows, columns, onMove, at: 0, timer: null, speed: SPEEDS[3] });
    this.player = button("Play", () => (this.timer ? this.pause() : this.play()), { class: "play" });
    this.place = el("span", { class: "place" });
    this.element = box("controls", this.player,
      button("\u2039 Step", () => this.step(-1), { "aria-label": "One position back" }),
      button("Step \u203a", () => this.step(1), { "aria-label": "One position on" }), this.speedControl(), this.place);
  }

  speedControl() {
    const range = el("input", {
      type: "range", min: 0, max: SPEEDS.length - 1, value: 3, "aria-label": "Speed", "aria-valuetext": `${this.speed} positions a second`,
      on: { input: () => {
        this.speed = SPEEDS[Number(range.value)];
        range.setAttribute("aria-valuetext", `${this.speed} positions a second`);
      } },
    });
    return el("label", { class: "speed" }, "Speed", range);
  }

  /** Goes to an output, as one that the reader chose. */
  go(row, column) {
    this.pause();
    this.show(row * this.columns + column, false);
  }

  /** Goes so many outputs on, in reading order. */
  step(by) {
    this.pause();
    this.show(this.at + by, false);
  }

  show(at, playing) {
    this.at = clamp(at, 0, this.rows * this.columns - 1);
    const row = Math.floor(this.at / this.columns);
    const column = this.at % this.columns;
    this.place.textContent = `row ${row}, column ${column}`;
    this.onMove(row, column, playing);
  }

  /** Plays to the end, from the start where it stands at the end. */
  play() {
    if (this.at >= this.rows * this.columns - 1) this.at = -1;
    this.player.textContent = "Pause";
    const tick = () => {
      if (!this.player.isConnected) return this.pause();
      // More positions a second than frames are shown: several a frame.
      const delay = Math.max(1000 / this.speed, FRAME);
      this.show(this.at + Math.max(1, Math.round((this.speed * delay) / 1000)), true);
      this.timer = this.at >= this.rows * this.columns - 1 ? this.pause() : window.setTimeout(tick, delay);
      return undefined;
    };
    this.timer = window.setTimeout(tick, 0);
  }

  /** Stands still. */
  pause() {
    window.clearTimeout(this.timer);
    const played = this.timer !== null;
    this.timer = null;
    this.player.textContent = "Play";
    if (played) this.onMove(Math.floor(Math.max(this.at, 0) / this.columns), Math.max(this.at, 0) % this.columns, false);
    return null;
  }
}
