// The network left to right: a column of maps a layer, stages that open, requests for what is on screen only.

import { box, button, el, fill, sorry } from "./dom.js";
import { around, fullName, inWords, isPoint, openAtFirst, shortName, shownBy, tree } from "./graph.js";
import { rove } from "./keys.js";
import { Links } from "./links.js";
import { mapButtons, pointButtons, repaintMaps, unitButtons } from "./maps.js";
import { decode } from "./model.js";
import { many, sizes } from "./numbers.js";

const FIRST = 12;
const ALL = 16;
const MORE = 24;

/** The network's columns as `element`; selecting a map sets `node` and `channel` of the state. */
export class Columns {
  constructor(app) {
    Object.assign(this, { app, columns: new Map(), open: openAtFirst(app.network) });
    this.strip = el("div", { class: "strip" });
    this.links = new Links(app, this);
    this.inner = box("inner", this.strip, this.links.element);
    this.element = el("div", { class: "network", role: "region", "aria-label": "The network, left to right", tabindex: "-1" }, this.inner);
    rove(this.strip, "button.map, button.unit", ".column");
    this.observer = new IntersectionObserver((seen) => this.seen(seen), { root: this.element, rootMargin: "0px 240px" });
    app.state.on(["picture", "order"], () => this.reload());
    app.state.on(["scale", "theme"], () => this.each((column) => repaintMaps(column, app)));
    app.state.on(["node", "channel"], () => this.select());
    this.render();
  }

  each(act) {
    for (const column of this.columns.values()) act(column);
  }

  render() {
    this.observer.disconnect();
    this.columns.clear();
    this.items = tree(this.app.network, this.open);
    this.shown = shownBy(this.items);
    fill(this.strip, this.items.map((item) => this.item(item)));
    this.each((column) => this.observer.observe(column.element));
    this.select();
  }

  item(item) {
    if (item.type === "node") return this.column(item, this.nodeHead(item.node));
    if (!item.open) return this.column(item, this.stageHead(item));
    return el("section", { class: "stage", "aria-label": `Stage ${item.stage.name}` },
      this.stageHead(item), box("inside", item.items.map((each) => this.item(each))));
  }

  nodeHead(node) {
    return box("head", el("h3", { title: fullName(node) }, shortName(node)),
      el("p", {}, inWords(node)), el("p", {}, sizes(node.shape)));
  }

  stageHead(item) {
    const { stage, open } = item;
    const toggle = button(stage.name.split(".").at(-1), () => this.toggle(stage.id, item.key),
      { "aria-expanded": open, class: "fold", "data-stage": item.key, title: stage.name });
    const words = open ? [] : [el("p", {}, many(item.nodes.length, "layer")), el("p", {}, sizes(item.node.shape))];
    return box("head", el("h3", {}, toggle), words);
  }

  /** Opens or folds a stage and keeps the reader's place there. */
  toggle(id, key) {
    if (!this.open.delete(id)) this.open.add(id);
    const left = this.element.scrollLeft;
    this.render();
    this.element.scrollLeft = left;
    this.strip.querySelector(`[data-stage="${CSS.escape(key)}"]`)?.focus();
  }

  /** Opens all stages, or folds them. */
  openAll(open) {
    this.open = new Set(open ? this.app.network.stages.map((stage) => stage.id) : []);
    this.render();
  }

  column(item, head) {
    const maps = el("div", { class: "maps", role: "group", "aria-label": `Maps of ${fullName(item.node)}` });
    const more = button("", () => this.load(column, MORE), { class: "more", hidden: true });
    const element = el("section", { class: item.type === "stage" ? "column folded" : "column", "data-node": item.node.id, "data-key": item.key },
      head, maps, more);
    const column = { key: item.key, node: item.node, element, maps, more, visible: false, have: [], total: null, busy: false };
    this.columns.set(item.key, column);
    this.rest(column);
    return element;
  }

  // Before the first picture a column says so by its shape alone.
  rest(column) {
    const blanks = Math.min(column.node.shape[0] ?? 1, first(column.node));
    const name = isPoint(column.node) ? "blank unit" : "blank";
    fill(column.maps, Array.from({ length: blanks }, () => el("span", { class: name, "aria-hidden": "true" })));
  }

  seen(entries) {
    for (const entry of entries) {
      const column = this.columns.get(entry.target.dataset.key);
      if (!column) continue;
      column.visible = entry.isIntersecting;
      if (column.visible && column.total === null) this.load(column, first(column.node));
    }
  }

  reload() {
    this.each((column) => {
      Object.assign(column, { have: [], total: null, busy: false, more: column.more });
      if (column.visible) this.load(column, first(column.node));
      else this.rest(column);
    });
    this.links.draw();
  }

  async load(column, count) {
    const picture = this.app.state.get("picture");
    if (!picture || column.busy) return;
    column.busy = true;
    const order = this.app.state.get("order");
    const from = column.have.length;
    try {
      const asked = { picture: picture.picture, node: column.node.id, from, count, order };
      const answer = await this.app.transport.get("/api/maps", asked);
      if (picture !== this.app.state.get("picture") || order !== this.app.state.get("order")) return;
      this.take(column, answer, count);
    } catch (error) {
      if (picture === this.app.state.get("picture")) fill(column.maps, sorry(error));
    } finally {
      if (picture === this.app.state.get("picture")) column.busy = false;
    }
  }

  take(column, answer, count) {
    const focused = column.more === document.activeElement;
    const already = column.have.length;
    column.total = answer.total;
    if (answer.vector && column.node.shape.length <= 1) unitButtons(column, decode(answer.vector), count, this.app);
    else if (isPoint(column.node)) pointButtons(column, answer.maps, this.app);
    else mapButtons(column, answer.maps, this.app);
    const left = column.total - column.have.length;
    column.more.hidden = left <= 0 || answer.maps?.length === 0;
    column.more.textContent = `${left.toLocaleString("en")} more`;
    if (focused) column.maps.children[Math.min(already, column.maps.children.length - 1)]?.focus();
    this.select();
  }

  /** Marks the selected map and draws what goes into it. */
  select() {
    const { node, channel } = this.app.state.values;
    this.each((column) => {
      for (const each of column.maps.querySelectorAll("button")) {
        each.setAttribute("aria-pressed", String(column.node.id === node && Number(each.dataset.channel) === channel));
      }
    });
    if (!this.strip.querySelector('button[tabindex="0"]')) this.strip.querySelector("button.map, button.unit")?.setAttribute("tabindex", "0");
    this.links.draw();
  }

  /** Opens the stages around a node where none of the columns is its own. */
  uncover(id) {
    if (this.columns.get(this.shown.get(id))?.node.id === id) return;
    for (const stage of around(this.app.network, id)) this.open.add(stage);
    this.render();
  }

  /** Brings a node's column into sight. */
  reveal(id) {
    const column = this.columns.get(this.shown.get(id));
    const wide = this.element.getBoundingClientRect();
    const place = column?.element.getBoundingClientRect();
    if (place && (place.left < wide.left || place.right > wide.right)) this.element.scrollLeft += place.left - wide.left - wide.width / 3;
  }
}

// A few more than a dozen are shown at once rather than behind a button.
function first({ shape }) {
  return shape[0] <= ALL ? ALL : FIRST;
}
