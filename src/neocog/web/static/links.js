// Lines over the columns: what each input map gives to the selected one, and branches that pass over columns.

import { fill, svg } from "./dom.js";
import { link } from "./draw.js";
import { format } from "./numbers.js";
import { latestOnly } from "./state.js";

/** The lines as `element`, an SVG behind the columns. */
export class Links {
  constructor(app, columns) {
    Object.assign(this, { app, columns, sources: [], latest: latestOnly(), pending: false });
    this.branches = svg("g", { class: "branches" });
    this.lines = svg("g", { class: "lines" });
    this.element = svg("svg", { class: "links", "aria-hidden": "true" }, this.branches, this.lines);
    new ResizeObserver(() => this.soon()).observe(columns.strip);
    app.state.on(["node", "channel", "picture"], () => this.load());
  }

  /** Asks for the contributions to the selected map. */
  async load() {
    const newest = this.latest();
    const { picture, node, channel } = this.app.state.values;
    this.sources = [];
    if (!picture || node === null) return this.draw();
    try {
      const answer = await this.app.transport.get("/api/links", { picture: picture.picture, node, channel });
      if (newest()) this.sources = answer.sources;
    } catch {
      // The lines are an extra: the sum below says the same, and says what went wrong.
    }
    return newest() ? this.draw() : undefined;
  }

  draw() {
    this.soon();
  }

  soon() {
    if (this.pending) return;
    this.pending = true;
    window.requestAnimationFrame(() => {
      this.pending = false;
      this.now();
    });
  }

  now() {
    const origin = this.columns.inner.getBoundingClientRect();
    const size = [this.columns.strip.scrollWidth, this.columns.strip.scrollHeight];
    this.element.setAttribute("width", size[0]);
    this.element.setAttribute("height", size[1]);
    const edge = (element, side) => {
      const area = element.getBoundingClientRect();
      return { x: area[side] - origin.left, y: (area.top + area.bottom) / 2 - origin.top };
    };
    fill(this.lines, this.drawn(edge));
    fill(this.branches, this.passing(origin));
  }

  drawn(edge) {
    const { node, channel } = this.app.state.values;
    const target = this.button(node, channel);
    if (!target || !this.sources.length) return [];
    const most = Math.max(...this.sources.map(({ weight }) => Math.abs(weight))) || 1;
    const lines = this.sources.map((source) => {
      const from = this.button(source.node, source.channel);
      if (!from || from === target) return null;
      const title = `map ${source.channel} gives ${format(source.weight)}`;
      return link(edge(from, "right"), edge(target, "left"), { share: Math.abs(source.weight) / most, negative: source.weight < 0, title });
    });
    return lines.reverse();
  }

  button(node, channel) {
    const column = this.columns.columns.get(this.columns.shown.get(node));
    if (!column || column.node.id !== node) return null;
    return column.maps.querySelector(`[data-channel="${channel}"]`);
  }

  // A source that is not the column before is drawn as an arc over the heads between.
  passing(origin) {
    const keys = [...this.columns.columns.keys()];
    const place = (key) => this.columns.columns.get(key).element.getBoundingClientRect();
    const arcs = new Map();
    for (const node of this.app.network.nodes) {
      const to = this.columns.shown.get(node.id);
      for (const source of node.sources) {
        const from = this.columns.shown.get(source);
        if (from === undefined || from === to || keys.indexOf(to) - keys.indexOf(from) < 2) continue;
        arcs.set(`${from}>${to}`, [place(from), place(to)]);
      }
    }
    return [...arcs.values()].map(([from, to]) => arc(from, to, origin));
  }
}

function arc(from, to, origin) {
  const start = from.left + from.width / 2 - origin.left;
  const end = to.left + to.width / 2 - origin.left;
  const base = to.top - origin.top;
  const height = Math.min(18, 6 + (end - start) / 80);
  return svg("path", { class: "branch", d: `M${start},${base} C${start},${base - height} ${end},${base - height} ${end},${base}` });
}
