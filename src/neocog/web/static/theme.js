// Light and dark: as the system has it, until the reader chooses.

import { button } from "./dom.js";

/** The button that changes over; `changed()` is told after each change, the system's own too. */
export function themeButton(changed) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const own = button("", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    named();
  }, { class: "theme" });
  const named = () => {
    own.textContent = dark() ? "\u2600 Light" : "\u263e Dark";
    own.setAttribute("aria-label", dark() ? "Light colours" : "Dark colours");
    changed(dark());
  };
  system.addEventListener("change", named);
  named();
  return own;
}
