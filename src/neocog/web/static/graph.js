// The network as columns: stages that fold, nodes between them. No page, no server.

// With at most this many columns everything is open from the start.
const FEW = 24;

/** The stages that stand open at first: all of them in a small network, none in a large one. */
export function openAtFirst(network) {
  return new Set(network.nodes.length <= FEW ? network.stages.map((stage) => stage.id) : []);
}

/** The network left to right as a tree: {type: "node", node} and {type: "stage", stage, open, node, count, items}. */
export function tree(network, open) {
  const stages = new Map(network.stages.map((stage) => [stage.id, stage]));
  const root = { items: [] };
  const made = new Map();
  for (const node of network.nodes) {
    let place = root;
    for (const stage of pathOf(node.stage, stages)) place = enter(place, stage, made, open);
    place.items.push({ type: "node", key: `n${node.id}`, node });
  }
  measure(root, new Map(network.nodes.map((node) => [node.id, node])));
  return root.items;
}

function pathOf(id, stages) {
  const path = [];
  for (let stage = stages.get(id); stage && !path.includes(stage); stage = stages.get(stage.parent)) path.unshift(stage);
  return path;
}

// A stage whose layers do not stand together, such as one that is called twice, is entered anew at each stretch.
function enter(place, stage, made, open) {
  const last = place.items.at(-1);
  if (last?.type === "stage" && last.stage === stage) return last;
  const call = (made.get(stage.id) ?? 0) + 1;
  made.set(stage.id, call);
  const item = { type: "stage", key: `s${stage.id}.${call}`, stage, open: open.has(stage.id), items: [] };
  place.items.push(item);
  return item;
}

function measure(place, nodes) {
  for (const item of place.items) {
    if (item.type !== "stage") continue;
    measure(item, nodes);
    item.nodes = item.items.flatMap((each) => (each.type === "node" ? [each.node.id] : each.nodes));
    item.node = nodes.get(item.nodes.at(-1));
  }
}

/** By node the key of the column that shows it: its own, or that of the outermost folded stage around it. */
export function shownBy(items, found = new Map()) {
  for (const item of items) {
    if (item.type === "node") found.set(item.node.id, item.key);
    else if (item.open) shownBy(item.items, found);
    else for (const id of item.nodes) found.set(id, item.key);
  }
  return found;
}

/** The stages around a node, outermost first, which have to be open for it to be seen. */
export function around(network, id) {
  const stages = new Map(network.stages.map((stage) => [stage.id, stage]));
  const node = network.nodes.find((each) => each.id === id);
  return node ? pathOf(node.stage, stages).map((stage) => stage.id) : [];
}

/** The nodes that read from a node. */
export function readersOf(network, id) {
  return network.nodes.filter((node) => node.sources.includes(id));
}

/** What the head of a column says below the name: the layer and its numbers. */
export function inWords(node) {
  const kernel = node.kernel ? ` ${[node.kernel].flat().join("\u00d7")}` : "";
  const stride = Math.max(1, ...[node.stride ?? 1].flat());
  const groups = node.groups > 1 ? ` in ${node.groups} groups` : "";
  return `${node.kind}${kernel}${node.kernel && stride > 1 ? `, stride ${stride}` : ""}${groups}`;
}

const FUNCTIONS = { "+": "sum", "-": "difference", "\u00d7": "product", concat: "concatenation" };

/** The network with the name of the stage around it told to each node, as `within`. */
export function located(network) {
  const names = new Map(network.stages.map((stage) => [stage.id, stage.name]));
  return { ...network, nodes: network.nodes.map((node) => ({ ...node, within: names.get(node.stage) })) };
}

/** The dotted name; of a function, which has none, what it does and where. */
export function fullName(node) {
  if (node.name) return node.name;
  return `${FUNCTIONS[node.kind] ?? node.kind}${node.within ? ` in ${node.within}` : ""}`;
}

/** The last part of a dotted name, enough below an open stage; functions have their kind. */
export function shortName(node) {
  if (!node.name) return FUNCTIONS[node.kind] ?? node.kind;
  const parts = node.name.split(".");
  const number = /^\d+$/.test(parts.at(-1)) && !node.within; // a bare number says nothing where no stage stands around it
  return parts.slice(number ? -2 : -1).join(".");
}

/** The node that one looks at first: the first convolution, or the first that computes. */
export function firstToShow(network) {
  return network.nodes.find((node) => node.role === "convolution") ?? network.nodes.find((node) => node.sources.length);
}

/** Whether a node's maps have one place only, so that their numbers say all. */
export function isPoint({ shape }) {
  return shape.slice(1).every((size) => size === 1);
}
