import { type Aval, stridesOf } from "./aval.js";
import { type DType, isFloat, type TypedArray } from "./dtype.js";

/** Arrays with more elements than this are summarised, showing `edge` elements at both ends of long axes. */
const threshold = 1000;
const edge = 3;
const width = 75;
const precision = 8;

/** Text of an array the way NumPy writes it; the dtype is shown unless it is float32. */
export function formatArray(data: TypedArray, a: Aval): string {
  const prefix = "Array(";
  const tail = [
    ...(data.length === 0 && a.shape.length !== 1 ? [`shape=[${a.shape.join(", ")}]`] : []),
    ...(a.dtype === "float32" ? [] : [`dtype=${a.dtype}`]),
    ...(a.weakType ? ["weakType=true"] : []),
  ];
  return `${prefix}${[formatElements(data, a, prefix.length), ...tail].join(", ")})`;
}

/** Text of an array the way NumPy's `str` has it, without commas. */
export function formatText(data: TypedArray, a: Aval): string {
  if (data.length === 0) return "[]";
  if (a.shape.length === 0) return scalarText(data[0]!, a.dtype);
  const strides = stridesOf(a.shape);
  const summarised = data.length > threshold;
  const format = formatter(shownValues(data, a, summarised), a.dtype, ["False", "True"]);
  const write = (axis: number, at: number): string => {
    const parts = shownIndices(a.shape[axis]!, summarised).map((i) => {
      if (i < 0) return "...";
      const k = at + i * strides[axis]!;
      return axis === a.shape.length - 1 ? format(data[k]!) : write(axis + 1, k);
    });
    const pad = " ".repeat(axis + 1);
    return axis < a.shape.length - 1
      ? `[${parts.join("\n".repeat(a.shape.length - axis - 1) + pad)}]`
      : `[${wrap(parts, pad, "", width - axis - 1)}]`;
  };
  return write(0, 0);
}

function scalarText(v: number, dtype: DType): string {
  if (dtype === "bool") return v === 0 ? "False" : "True";
  if (!isFloat(dtype)) return String(v);
  if (!Number.isFinite(v)) return Number.isNaN(v) ? "nan" : v > 0 ? "inf" : "-inf";
  const single = dtype === "float32";
  const size = Math.abs(v);
  if (v !== 0 && (size < 1e-4 || size >= (single ? 1e8 : 1e16))) return scientific(v, single, false);
  const text = `${Object.is(v, -0) ? "-" : ""}${single ? Number(shortest(v, true)) : v}`;
  return text.includes(".") ? text : `${text}.0`;
}

/** What is shown of an array whose elements cannot be shown. */
export const formatOpaque = (a: Aval, why?: string): string =>
  `Array(shape=[${a.shape.join(", ")}], dtype=${a.dtype}${why === undefined ? "" : `, ${why}`})`;

/** A scalar as templates show it: the shortest decimal of its precision. */
export const formatScalar = (v: number | boolean, dtype: DType): string =>
  typeof v === "number" && dtype === "float32" && Number.isFinite(v) ? String(Number(shortest(v, true))) : String(v);

function formatElements(data: TypedArray, a: Aval, indent: number): string {
  if (data.length === 0) return "[]";
  const strides = stridesOf(a.shape);
  const summarised = data.length > threshold;
  const shown = (n: number): number[] => shownIndices(n, summarised);
  const format = formatter(shownValues(data, a, summarised), a.dtype, ["false", "true"]);

  const write = (axis: number, at: number, depth: number): string => {
    if (axis === a.shape.length) return format(data[at]!);
    const parts = shown(a.shape[axis]!).map((i) =>
      i < 0 ? "..." : write(axis + 1, at + i * strides[axis]!, depth + 1),
    );
    const pad = " ".repeat(depth + 1);
    if (axis < a.shape.length - 1) return `[${parts.join(`,${"\n".repeat(a.shape.length - axis - 1)}${pad}`)}]`;
    return `[${wrap(parts, pad, ",", width)}]`;
  };
  return a.shape.length === 0 ? format(data[0]!).trim() : write(0, 0, indent);
}

/** Indices of an axis that are shown; −1 stands for what is left out. */
function shownIndices(n: number, summarised: boolean): number[] {
  if (!summarised || n <= 2 * edge) return Array.from({ length: n }, (_, i) => i);
  return [...Array.from({ length: edge }, (_, i) => i), -1, ...Array.from({ length: edge }, (_, i) => n - edge + i)];
}

function shownValues(data: TypedArray, a: Aval, summarised: boolean): number[] {
  const strides = stridesOf(a.shape);
  const values: number[] = [];
  const collect = (axis: number, at: number): void => {
    if (axis === a.shape.length) values.push(data[at]!);
    else
      for (const i of shownIndices(a.shape[axis]!, summarised)) if (i >= 0) collect(axis + 1, at + i * strides[axis]!);
  };
  collect(0, 0);
  return values;
}

/** Joins elements with a separator and spaces, in lines of at most `width` columns. */
function wrap(parts: readonly string[], pad: string, separator: string, width: number): string {
  const between = separator.length + 1;
  let text = "";
  let column = pad.length;
  parts.forEach((p, i) => {
    if (i > 0 && column + p.length + between > width) {
      text += `${separator}\n${pad}`;
      column = pad.length;
    } else if (i > 0) {
      text += `${separator} `;
      column += between;
    }
    text += p;
    column += p.length;
  });
  return text;
}

function formatter(
  values: readonly number[],
  dtype: DType,
  [no, yes]: readonly [string, string],
): (v: number) => string {
  if (!isFloat(dtype)) {
    const text = dtype === "bool" ? (v: number): string => (v !== 0 ? yes : no) : String;
    const longest = Math.max(...values.map((v) => text(v).length));
    return (v) => text(v).padStart(longest);
  }
  const single = dtype === "float32";
  const sizes = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs);
  const max = Math.max(...sizes, 0);
  const min = Math.min(...sizes, Infinity);
  const exponential = sizes.length > 0 && (max >= 1e8 || min < 1e-4 || max / min > 1000);
  const raw = (v: number): string => {
    if (Number.isNaN(v)) return "nan";
    if (!Number.isFinite(v)) return v > 0 ? "inf" : "-inf";
    return exponential ? scientific(v, single) : fixed(v, single);
  };
  const texts = values.map(raw);
  // Finite numbers have their points below one another: zeros fill mantissas, spaces fixed numbers.
  const decimals = Math.max(0, ...texts.map((t) => (t.includes(".") ? fraction(t).length : 0)));
  const align = (t: string): string => {
    if (!t.includes(".")) return t;
    const missing = decimals - fraction(t).length;
    return exponential ? t.replace(/(?=e)/, "0".repeat(missing)) : t + " ".repeat(missing);
  };
  const longest = Math.max(...texts.map((t) => align(t).length));
  return (v) => align(raw(v)).padStart(longest);
}

/** The digits between the point and the exponent. */
const fraction = (t: string): string => t.slice(t.indexOf(".") + 1).split("e")[0]!;

/** The shortest decimal that reads back as the same float. */
function shortest(v: number, single: boolean): string {
  if (!single) return v.toExponential();
  for (let p = 0; p < 9; p++) {
    const t = v.toExponential(p);
    if (Math.fround(Number(t)) === v) return t;
  }
  return v.toExponential(8);
}

function fixed(v: number, single: boolean): string {
  const [mantissa, exponent] = shortest(v, single).split("e") as [string, string];
  const digits = Math.max(0, (mantissa.split(".")[1]?.length ?? 0) - Number(exponent));
  const t =
    (Object.is(v, -0) ? "-" : "") +
    (digits > precision ? Number(v.toFixed(precision)) : Number(`${mantissa}e${exponent}`)).toFixed(
      Math.min(digits, precision),
    );
  if (!t.includes(".")) return `${t}.`;
  return t.replace(/0+$/, "");
}

function scientific(v: number, single: boolean, point = true): string {
  let t = v === 0 ? "0e+0" : shortest(v, single);
  if ((t.split("e")[0]!.split(".")[1]?.length ?? 0) > precision) t = v.toExponential(precision);
  const [mantissa, exponent] = t.split("e") as [string, string];
  const sign = exponent[0]!;
  return `${Object.is(v, -0) ? "-" : ""}${mantissa.includes(".") || !point ? mantissa : `${mantissa}.`}e${sign}${exponent.slice(1).padStart(2, "0")}`;
}
