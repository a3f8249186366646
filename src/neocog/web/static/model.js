// The arithmetic of layers on plain arrays. Knows neither page nor server, so it runs and is tested anywhere.

/** The numbers of a served array, {shape, data}, with data in base64 of little-endian float32; of one number alone. */
export function decode(array) {
  if (typeof array === "number") return { shape: [1, 1], data: Float32Array.of(array), low: array, high: array };
  const bytes = bytesOf(array.data);
  const view = new DataView(bytes.buffer);
  const data = new Float32Array(bytes.length / 4);
  for (let index = 0; index < data.length; index += 1) data[index] = view.getFloat32(4 * index, true);
  return { shape: array.shape, data, ...extremes(data) };
}

/** The numbers of a served map, {shape, low, high, data}, with data in base64 of bytes from low (0) to high (255). */
export function decodeMap(map) {
  const bytes = bytesOf(map.data);
  const step = (map.high - map.low) / 255;
  return { shape: map.shape, data: Float32Array.from(bytes, (byte) => map.low + byte * step), low: map.low, high: map.high };
}

function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

function extremes(data) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low: data.length ? low : 0, high: data.length ? high : 0 };
}

/** Rows and columns of a map: vectors are one column, sequences one row. */
export function planeOf(shape) {
  if (shape.length === 0) return [1, 1];
  return shape.length === 1 ? [1, shape[0]] : shape.slice(-2);
}

/** A size along two axes: 3 is [3, 3]; of a sequence [3] is [1, 3] and, for steps, [1, 3] too. */
export function pair(value, single = 1) {
  if (value === null || value === undefined) return [single, single];
  if (!Array.isArray(value)) return [value, value];
  return value.length === 1 ? [single, value[0]] : value.slice(0, 2);
}

/** The window's geometry of a served layer, along rows and columns; `origin`, where given, is its first corner. */
export function geometry({ kernel, stride, padding, dilation, origin }) {
  const before = origin ? pair(origin, 0).map((each) => -each) : pair(padding ?? 0, 0);
  return { kernel: pair(kernel), stride: pair(stride ?? 1), padding: before, dilation: pair(dilation ?? 1) };
}

/** The top left corner and the extent of the window over the input that makes one output; may leave the input. */
export function windowAt({ kernel, stride, padding, dilation }, row, column) {
  return {
    row: row * stride[0] - padding[0],
    column: column * stride[1] - padding[1],
    height: dilation[0] * (kernel[0] - 1) + 1,
    width: dilation[1] * (kernel[1] - 1) + 1,
  };
}

/** The inputs under a window, one cell a weight: {value, row, column, inside, index}; zeros outside. */
export function patchAt(map, layer, row, column) {
  const [height, width] = planeOf(map.shape);
  const corner = windowAt(layer, row, column);
  const cells = [];
  for (let y = 0; y < layer.kernel[0]; y += 1) {
    for (let x = 0; x < layer.kernel[1]; x += 1) {
      const at = [corner.row + y * layer.dilation[0], corner.column + x * layer.dilation[1]];
      const inside = at[0] >= 0 && at[0] < height && at[1] >= 0 && at[1] < width;
      const index = inside ? at[0] * width + at[1] : -1;
      cells.push({ value: inside ? map.data[index] : 0, row: at[0], column: at[1], inside, index });
    }
  }
  return cells;
}

/** One output of a convolution: by input map the patch, its products and their sum, then rest, bias and total. */
export function convolved({ inputs, rest, bias, layer }, output, row, column) {
  const place = row * planeOf(output.shape)[1] + column;
  const parts = inputs.map((input) => {
    const patch = patchAt(input.map, layer, row, column);
    const products = patch.map((cell, index) => cell.value * input.weights.data[index]);
    return { channel: input.channel, patch, products, sum: products.reduce((sum, each) => sum + each, 0) };
  });
  const others = rest ? rest.data[place] : 0;
  const total = parts.reduce((sum, part) => sum + part.sum, 0) + others + bias;
  return { parts, rest: others, bias, total, output: output.data[place] };
}

/** One output of a pooling: the window's cells, the winner among them (maximum) or the share of each (average). */
export function pooled({ input, layer, kind, winners, divisors }, output, row, column) {
  const place = row * planeOf(output.shape)[1] + column;
  const cells = patchAt(input, layer, row, column);
  const value = output.data[place];
  const winner = kind !== "max" ? -1 : winners ? Math.round(winners.data[place]) : strongest(cells);
  const inside = cells.filter((cell) => cell.inside);
  const sum = inside.reduce((total, cell) => total + cell.value, 0);
  const divisor = divisors ? divisors.data[place] : inside.length;
  return { cells, value, sum, divisor, inside: inside.length, winner: cells.findIndex((cell) => cell.inside && cell.index === winner) };
}

function strongest(cells) {
  const inside = cells.filter((cell) => cell.inside);
  return inside.reduce((best, cell) => (cell.value > best.value ? cell : best), inside[0]).index;
}

/** One output of a batch norm: the standardised value and the result. */
export function normed({ mean, variance, epsilon, weight, bias }, value) {
  const standard = (value - mean) / Math.sqrt(variance + epsilon);
  return { standard, result: standard * (weight ?? 1) + (bias ?? 0) };
}

/** The size of what a window leaves: floor((n + 2p - d(k - 1) - 1) / s) + 1, with the inputs that it never sees. */
export function outputSize({ input, kernel, stride, padding, dilation }) {
  const extent = dilation * (kernel - 1) + 1;
  const room = input + 2 * padding - extent;
  if (room < 0) return { extent, size: 0, room, left: 0 };
  return { extent, size: Math.floor(room / stride) + 1, room, left: room % stride };
}

/** The formula of `outputSize` with the numbers in it. */
export function outputFormula({ input, kernel, stride, padding, dilation }) {
  const { size, room } = outputSize({ input, kernel, stride, padding, dilation });
  const extent = dilation === 1 ? `${kernel}` : `(${dilation} \u00d7 (${kernel} \u2212 1) + 1)`;
  const inner = `\u230a(${input} + 2 \u00d7 ${padding} \u2212 ${extent}) / ${stride}\u230b + 1`;
  return room < 0 ? `${inner}: the window is larger than the input` : `${inner} = ${size}`;
}

/** The input rows and columns that a unit sees, whole and clipped to the picture; null where no one field holds. */
export function fieldOf(node, row, column, picture) {
  const axes = axesOf(node.field);
  if (!axes) return null;
  const [down, across] = axes.length === 1 ? [{ size: 1, jump: 1, start: 0 }, axes[0]] : axes;
  const whole = span(down, axes.length === 1 ? 0 : row, across, column);
  const top = clamp(whole.row, 0, picture[0]);
  const left = clamp(whole.column, 0, picture[1]);
  const bottom = clamp(whole.row + whole.height, 0, picture[0]);
  const right = clamp(whole.column + whole.width, 0, picture[1]);
  return { whole, seen: { row: top, column: left, height: bottom - top, width: right - left } };
}

function span(down, row, across, column) {
  return {
    row: down.start + row * down.jump, column: across.start + column * across.jump, height: down.size, width: across.size,
  };
}

function axesOf(field) {
  if (!field) return null;
  if (Array.isArray(field)) return field.length ? field : null;
  if (!Array.isArray(field.size)) return [field, field];
  return field.size.map((size, axis) => ({ size, jump: field.jump[axis], start: field.start[axis] }));
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** The places of the largest absolute values, at most `most`, largest first. */
export function strongestOf(data, most) {
  return Array.from(data.keys()).sort((a, b) => Math.abs(data[b]) - Math.abs(data[a])).slice(0, most);
}
