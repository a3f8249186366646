// Arrow keys: one stop of the tab key for many buttons, and the arrows to walk among them.

const ARROWS = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]);

/** Lets arrow keys walk over the buttons of `selector` in columns of `group`: up and down inside, left and right across. */
export function rove(container, selector, group) {
  container.addEventListener("focusin", (event) => {
    if (event.target.matches(selector)) only(container, selector, event.target);
  });
  container.addEventListener("keydown", (event) => {
    if (!ARROWS.has(event.key) || !event.target.matches(selector)) return;
    const next = neighbour(container, selector, group, event);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

function only(container, selector, chosen) {
  for (const each of container.querySelectorAll(selector)) each.setAttribute("tabindex", each === chosen ? "0" : "-1");
}

function neighbour(container, selector, group, { key, target }) {
  const own = [...target.closest(group).querySelectorAll(selector)];
  const at = own.indexOf(target);
  if (key === "Home") return own[0];
  if (key === "End") return own.at(-1);
  if (key === "ArrowUp" || key === "ArrowDown") return own[at + (key === "ArrowUp" ? -1 : 1)];
  const groups = [...container.querySelectorAll(group)].filter((each) => each.querySelector(selector));
  const next = groups[groups.indexOf(target.closest(group)) + (key === "ArrowLeft" ? -1 : 1)];
  return next && nearest([...next.querySelectorAll(selector)], target);
}

function nearest(buttons, target) {
  const middle = (each) => each.getBoundingClientRect().top + each.getBoundingClientRect().height / 2;
  const wanted = middle(target);
  return buttons.reduce((best, each) => (Math.abs(middle(each) - wanted) < Math.abs(middle(best) - wanted) ? each : best));
}
