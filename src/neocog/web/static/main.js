// Puts the page together: what there is to know of the network first, then the parts that show it.

import { Columns } from "./columns.js";
import { InData, Samples } from "./dataset.js";
import { Detail } from "./detail.js";
import { box, button, el, fill, say, sorry } from "./dom.js";
import { Explanations } from "./explain.js";
import { firstToShow, fullName, isPoint, located } from "./graph.js";
import { Input } from "./input.js";
import { count, percent, sizes } from "./numbers.js";
import { Picture } from "./picture.js";
import { softmax } from "./softmax.js";
import { State } from "./state.js";
import { themeButton } from "./theme.js";
import { openTransport } from "./transport.js";
import { Unit } from "./unit.js";
import { Widget } from "./widget.js";

const SECTIONS = [["network", "Network"], ["arithmetic", "Arithmetic"], ["unit", "Unit"], ["output", "Softmax"], ["explanations", "Why"], ["data", "Data"], ["sizes", "Sizes"]];

/** What the parts share: the network, the state, the transport, and how a choice is made. */
class App {
  constructor(transport, network) {
    Object.assign(this, { transport, network, moving: false });
    const small = network.nodes.every((node) => node.shape.length < 2 || node.shape[0] <= 32 || isPoint(node));
    this.state = new State({ picture: null, node: null, channel: 0, place: null, order: small ? "index" : "strength", scale: "map", theme: "" });
  }

  /** Chooses a map or unit, as the reader does. */
  choose(node, channel) {
    this.moving = true;
    this.columns.uncover(node);
    this.state.set({ node, channel });
    this.columns.reveal(node);
    say(`${this.nodeName(node)}, ${this.unitName(this.node(node), channel)} chosen.`);
  }

  /** Shows a picture that the server took in. */
  show(picture) {
    if (picture.nodes) this.measure(picture.nodes);
    const start = this.state.get("node") === null ? { node: firstToShow(this.network)?.id ?? 0, channel: 0 } : {};
    this.state.set({ picture, ...start });
    const best = picture.prediction?.[0];
    if (best) say(`The network says ${best.class}, ${percent(best.probability)}.`);
  }

  // A text has its own length, and so have its maps.
  measure(nodes) {
    for (const row of nodes) Object.assign(this.node(row.id), row);
    this.columns.render();
  }

  async chooseSample(index) {
    try {
      this.show(await this.transport.post("/api/sample", { index }));
      document.getElementById("picture").scrollIntoView({ block: "nearest" });
    } catch (error) {
      fill(document.getElementById("trouble"), sorry(error));
    }
  }

  node(id) {
    return this.network.nodes.find((each) => each.id === id);
  }

  nodeName(id) {
    const node = this.node(id);
    return node ? fullName(node) : "";
  }

  className(index) {
    return this.network.classes[index] ?? String(index);
  }

  /** The class where the units are the network's answers, the colour of a picture's channel, the number elsewhere. */
  unitName(node, channel) {
    if (node.role === "input" && node.shape[0] === 3 && this.network.kind === "picture") return ["red", "green", "blue"][channel];
    return node.id === this.lastNode() && node.shape.length === 1 ? this.className(channel) : String(channel);
  }

  /** What one input is called. */
  inputName() {
    return this.network.kind ?? "picture";
  }

  hasData() {
    return Boolean(this.network.data ?? this.network.samples);
  }

  lastNode() {
    return this.network.nodes.at(-1).id;
  }

  hint() {
    return { text: "Write a text to begin.", sound: "Open or record a sound to begin." }[this.network.kind] ?? "Drop, paste, draw or open a picture to begin.";
  }
}

function head(app) {
  const { network } = app;
  const facts = [`${count(network.params)} parameters`, network.macs ? `${count(network.macs)} multiply-adds` : null,
    `input ${sizes(network.input)}`, network.year ? `${network.year}` : null, network.paper].filter(Boolean);
  const shown = SECTIONS.filter(([id]) => document.getElementById(id) && !document.getElementById(id).hidden);
  fill(document.getElementById("head"), box("title", el("h1", { title: network.title }, network.name), el("p", { title: network.title }, facts.join(" \u00b7 "))),
    el("nav", { "aria-label": "Sections" }, el("ul", {}, shown.map(([id, name]) => el("li", {}, el("a", { href: `#${id}` }, name))))),
    themeButton((dark) => app.state.set({ theme: dark ? "dark" : "light" })));
  document.title = `${network.name} \u2013 neocog`;
}

function networkSection(app) {
  const select = (name, words, options) => {
    const field = el("select", { on: { change: () => app.state.set({ [name]: field.value }) } },
      options.map(([value, text]) => el("option", { value, selected: app.state.get(name) === value }, text)));
    return el("label", {}, words, field);
  };
  const folds = app.network.stages.length ? [button("Open all", () => app.columns.openAll(true)), button("Fold all", () => app.columns.openAll(false))] : [];
  return el("section", { id: "network", "aria-labelledby": "network-title" }, el("h2", { id: "network-title" }, "The network, left to right"),
    box("controls", app.transport.mailed ? null : select("order", "Order", [["index", "by number"], ["strength", "strongest first"]]),
      select("scale", "Colours", [["map", "each map its own"], ["layer", "one scale a layer"]]), folds,
      el("span", { class: "key" }, el("i", { class: "minus" }), "below 0", el("i", { class: "zero" }), "0", el("i", { class: "plus" }), "above 0")),
    app.network.note ? el("p", { class: "note" }, app.network.note) : null, app.columns.element,
    el("p", { class: "note" }, "Choose a map: lines show what each map before gives to it (dashed takes away). Arrow keys walk, Enter chooses."));
}

async function start() {
  const transport = openTransport();
  const main = document.getElementById("sections");
  const aside = document.getElementById("picture");
  try {
    const [network, methods] = await Promise.all([transport.get("/api/network"), transport.get("/api/methods").catch(() => [])]);
    const app = new App(transport, located(network));
    app.columns = new Columns(app);
    const parts = [networkSection(app), new Detail(app).element, new Unit(app).element, softmax(app), new Explanations(app, methods).element];
    if (app.hasData() && !transport.mailed) parts.push(new InData(app).element);
    fill(main, parts, new Widget(app).element);
    const samples = new Samples(app);
    fill(aside, el("h2", { class: "hidden" }, app.network.kind === "text" ? "Text" : "Picture"), new Picture(app).element, el("div", { id: "trouble" }),
      transport.mailed ? null : [new Input(app).element, samples.element]);
    head(app);
    await begin(app, samples);
  } catch (error) {
    fill(main, sorry(error));
    throw error;
  } finally {
    document.documentElement.dataset.ready = "true";
  }
}

async function begin(app, samples) {
  if (app.transport.mailed) return app.show(await app.transport.post("/api/picture"));
  const [first] = await samples.turn(0);
  return first ? app.chooseSample(first.index) : undefined;
}

start();
