// The page's arithmetic, run by `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

const from = process.env.NEOCOG_STATIC;
const { convolved, decode, decodeMap, fieldOf, geometry, normed, outputFormula, outputSize, patchAt, pooled, strongestOf, windowAt } = await import(`${from}/model.js`);
const { count, format, percent, term } = await import(`${from}/numbers.js`);
const { around, fullName, located, openAtFirst, readersOf, shownBy, tree } = await import(`${from}/graph.js`);

const served = (shape, values) => ({ shape, data: Buffer.from(Float32Array.from(values).buffer).toString("base64") });
const plane = (shape, values) => decode(served(shape, values));

test("served arrays come back as they were, one number as a map of one", () => {
  const map = plane([2, 2], [1, -2.5, 0, 3]);
  assert.deepEqual([...map.data], [1, -2.5, 0, 3]);
  assert.deepEqual([map.low, map.high], [-2.5, 3]);
  assert.deepEqual(decode(1.5).shape, [1, 1]);
});

test("served maps go from low to high", () => {
  const map = decodeMap({ shape: [1, 3], low: -1, high: 1, data: Buffer.from([0, 255, 51]).toString("base64") });
  assert.deepEqual([...map.data].map((each) => Math.round(1000 * each) / 1000), [-1, 1, -0.6]);
});

test("a convolution's sum is the products, the rest and the bias, with padding of zeros", () => {
  const layer = geometry({ kernel: [2, 2], stride: [1, 1], padding: [1, 1], dilation: [1, 1] });
  const input = { channel: 4, map: plane([2, 2], [1, 2, 3, 4]), weights: plane([2, 2], [10, 20, 30, 40]) };
  const output = plane([3, 3], [0, 0, 0, 0, 300.5, 0, 0, 0, 0]);
  const made = convolved({ inputs: [input], rest: plane([3, 3], new Array(9).fill(0.25)), bias: 0.25, layer }, output, 1, 1);
  assert.deepEqual([made.parts[0].sum, made.rest, made.total, made.output], [300, 0.25, 300.5, 300.5]);
  const corner = convolved({ inputs: [input], rest: null, bias: 0, layer }, output, 0, 0);
  assert.equal(corner.total, 40);
  assert.deepEqual(corner.parts[0].patch.map((cell) => cell.inside), [false, false, false, true]);
});

test("strides, dilation and a given origin place the window", () => {
  const layer = geometry({ kernel: [3, 3], stride: [2, 2], padding: [5, 5], dilation: [2, 2], origin: [-1, 0] });
  assert.deepEqual(windowAt(layer, 1, 2), { row: 1, column: 4, height: 5, width: 5 });
  const map = plane([5, 9], Array.from({ length: 45 }, (_, index) => index));
  assert.deepEqual(patchAt(map, layer, 1, 2).map((cell) => cell.value).slice(0, 4), [13, 15, 17, 31]);
});

test("a sequence is one row", () => {
  const layer = geometry({ kernel: [3], stride: [2], padding: [1], dilation: [1] });
  const map = plane([1, 4], [1, 2, 3, 4]);
  assert.deepEqual(patchAt(map, layer, 0, 0).map((cell) => cell.value), [0, 1, 2]);
  assert.deepEqual(patchAt(map, layer, 0, 1).map((cell) => cell.value), [2, 3, 4]);
});

test("the winner is the served one, the first of equals where none is served; means divide by what is told", () => {
  const layer = geometry({ kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] });
  const input = plane([2, 2], [7, 1, 7, 2]);
  const output = plane([1, 1], [7]);
  assert.equal(pooled({ input, layer, kind: "max", winners: plane([1, 1], [2]) }, output, 0, 0).winner, 2);
  assert.equal(pooled({ input, layer, kind: "max" }, output, 0, 0).winner, 0);
  const mean = pooled({ input, layer, kind: "average", divisors: plane([1, 1], [4]) }, output, 0, 0);
  assert.deepEqual([mean.sum, mean.divisor, mean.winner], [17, 4, -1]);
});

test("a norm standardises, weighs and shifts", () => {
  const { standard, result } = normed({ mean: 2, variance: 3.75, epsilon: 0.25, weight: 3, bias: -1 }, 6);
  assert.deepEqual([standard, result], [2, 5]);
});

test("output sizes and their formula", () => {
  const of = (input, kernel, stride, padding, dilation) => outputSize({ input, kernel, stride, padding, dilation });
  assert.equal(of(224, 7, 2, 3, 1).size, 112);
  assert.equal(of(7, 3, 1, 0, 2).size, 3);
  assert.deepEqual([of(8, 3, 2, 0, 1).size, of(8, 3, 2, 0, 1).left], [3, 1]);
  assert.equal(of(2, 3, 1, 0, 1).size, 0);
  assert.equal(outputFormula({ input: 32, kernel: 5, stride: 1, padding: 0, dilation: 1 }), "\u230a(32 + 2 \u00d7 0 \u2212 5) / 1\u230b + 1 = 28");
  assert.match(outputFormula({ input: 2, kernel: 3, stride: 1, padding: 0, dilation: 1 }), /larger than the input/);
});

test("receptive fields are clipped to the picture", () => {
  const node = { field: { size: [7, 7], jump: [2, 2], start: [-3, -3] } };
  assert.deepEqual(fieldOf(node, 0, 1, [32, 32]), { whole: { row: -3, column: -1, height: 7, width: 7 }, seen: { row: 0, column: 0, height: 4, width: 6 } });
  assert.equal(fieldOf({ field: null }, 0, 0, [32, 32]), null);
  assert.equal(fieldOf({ field: { size: [3], jump: [2], start: [0] } }, 0, 4, [1, 20]).seen.column, 8);
});

test("the strongest are found by magnitude", () => {
  assert.deepEqual(strongestOf(Float32Array.of(1, -3, 2), 2), [1, 2]);
});

test("numbers are written for people", () => {
  assert.deepEqual([0, 28, -0.5, 1.23456, 1e-7, NaN, Infinity, -0.00001, null].map(format),
    ["0", "28", "\u22120.5000", "1.235", "1.00e\u22127", "not a number", "infinity", "\u22121.00e\u22125", "\u2013"]);
  assert.deepEqual([term(0.25), term(-2)], ["+ 0.2500", "\u2212 2"]);
  assert.deepEqual([percent(0), percent(0.123), percent(0.99999), percent(1), percent(1e-6)], ["0.00 %", "12.3 %", "> 99.99 %", "100.00 %", "< 0.01 %"]);
  assert.deepEqual([count(61706), count(11_689_512)], ["61,706", "11.7 million"]);
});

const nodes = [
  { id: 0, sources: [], stage: null }, { id: 1, sources: [0], stage: "a" }, { id: 2, sources: [1], stage: "a.0" }, { id: 3, sources: [2, 1], stage: null },
];
const network = { nodes, stages: [{ id: "a", name: "a", parent: null }, { id: "a.0", name: "a.0", parent: "a" }] };

test("stages fold and open, and every node is shown by one column", () => {
  const folded = tree(network, new Set());
  assert.deepEqual(folded.map((item) => item.type), ["node", "stage", "node"]);
  assert.equal(folded[1].node.id, 2);
  assert.equal(shownBy(folded).get(1), shownBy(folded).get(2));
  const open = shownBy(tree(network, new Set(["a"])));
  assert.notEqual(open.get(1), open.get(2));
  assert.deepEqual(around(network, 2), ["a", "a.0"]);
  assert.deepEqual(readersOf(network, 1).map((node) => node.id), [2, 3]);
  assert.equal(openAtFirst(network).size, 2);
});

test("functions have a name that says where they are", () => {
  assert.equal(fullName({ name: "conv1", kind: "Conv2d" }), "conv1");
  assert.equal(fullName(located({ stages: [{ id: 3, name: "layer1.0" }], nodes: [{ name: "", kind: "+", stage: 3 }] }).nodes[0]), "sum in layer1.0");
  assert.equal(fullName({ name: "", kind: "mean", stage: null }), "mean");
});
