// Numbers as a reader sees them: few digits, a true minus, never "NaN" without a word.

const MINUS = "\u2212";

/** The number in four significant digits or so; whole numbers whole, very small and large ones with a power. */
export function format(value) {
  if (value === null || value === undefined) return "\u2013";
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "infinity" : `${MINUS}infinity`;
  const size = Math.abs(value);
  const text = digits(size);
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

function digits(size) {
  if (size === 0) return "0";
  if (Number.isInteger(size) && size < 1e6) return String(size);
  if (size >= 1e5 || size < 1e-4) return size.toExponential(2).replace("-", MINUS).replace("+", "");
  if (size >= 100) return size.toFixed(1);
  if (size >= 1) return size.toFixed(3);
  return size.toFixed(4);
}

/** The number with its sign and a space, to stand in a sum: "+ 0.25", "− 1.5". */
export function term(value) {
  const text = format(Math.abs(value));
  return `${value < 0 ? MINUS : "+"} ${text}`;
}

/** Large counts in steps of a thousand: 61706 is "61.7 thousand", 11689512 "11.7 million". */
export function count(value) {
  if (value === null || value === undefined) return "\u2013";
  for (const [size, name] of [[1e9, "billion"], [1e6, "million"], [1e5, "thousand"]]) {
    if (value >= size) return `${(value / (name === "thousand" ? 1e3 : size)).toPrecision(3)} ${name}`;
  }
  return value.toLocaleString("en");
}

/** A share of one in per cent, with more digits near both ends. */
export function percent(share) {
  const hundredths = share * 100;
  if (hundredths > 0 && hundredths < 0.01) return "< 0.01 %";
  if (hundredths < 100 && hundredths > 99.99) return "> 99.99 %";
  return `${hundredths.toFixed(hundredths >= 10 && hundredths < 99 ? 1 : 2)} %`;
}

/** "1 layer", "2 layers". */
export function many(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** "6 × 28 × 28". */
export function sizes(shape) {
  return shape.join(" \u00d7 ");
}
