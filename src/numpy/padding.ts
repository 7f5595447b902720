import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { broadcastToShape } from "./broadcasting.js";
import { median } from "./quantiles.js";
import { convert, convertOne } from "./promotion.js";
import { linspace } from "./ranges.js";
import { max, min } from "./reductions.js";
import { round } from "./rounding.js";
import { sliceAxis } from "./shape.js";
import { mean } from "./statistics.js";
import { like } from "./ufunc.js";

/** Padding arrays in all of NumPy's ways. */

export type PadMode =
  | "constant"
  | "edge"
  | "linear_ramp"
  | "linearRamp"
  | "maximum"
  | "mean"
  | "median"
  | "minimum"
  | "reflect"
  | "symmetric"
  | "wrap"
  | "empty";

/** One value for all, [before, after] for every axis, or a pair for each axis. */
export type PerSide<T> = T | readonly [T, T] | readonly [T] | readonly (readonly [T, T])[];

export interface PadOptions {
  readonly mode?: PadMode | undefined;
  readonly constantValues?: PerSide<ArrayLike> | undefined;
  readonly endValues?: PerSide<ArrayLike> | undefined;
  /** How many elements at each end mean, median, maximum and minimum look at; by default all. */
  readonly statLength?: PerSide<number> | undefined;
  readonly reflectType?: "even" | "odd" | undefined;
}
interface PadParams extends PadOptions {
  readonly array: ArrayLike;
  readonly padWidth: PerSide<number>;
}
type Pair<T> = readonly [before: T, after: T];
type Pad = (x: NDArray, axis: number, width: Pair<number>) => NDArray;

const padParams = /* @__PURE__ */ signature<PadParams>("pad", 2, ["array", "padWidth", "mode"], {
  byName: ["constantValues", "endValues", "statLength", "reflectType"],
});
/**
 * Adds elements in front of and behind each axis. `padWidth` is one number for all, `[before, after]`, or such a pair for
 * each axis; `mode` says what they are: zeros or `constantValues` by default, "edge", "reflect" (without the edge),
 * "symmetric", "wrap", …
 *
 * @throws ArgumentError `pad-width`, `option-value`, `pad-option`, `pad-empty`, `stat-length`; ShapeError `pad-pairs`.
 * @example
 * np.pad(np.array([1, 2]), [1, 2]); // [0, 1, 2, 0, 0]
 * np.pad(np.array([1, 2, 3]), 2, "reflect"); // [3, 2, 1, 2, 3, 2, 1]
 */
export function pad(
  array: ArrayLike,
  padWidth: PerSide<number>,
  mode?: PadMode | PadOptions,
  options?: PadOptions,
): NDArray;
export function pad(): NDArray {
  const { array, padWidth, mode = "constant", ...rest } = padParams(arguments);
  const x = asArray(array, "pad", "array");
  requireMode(mode, rest);
  if (x.ndim === 0) return x;
  const widths = pairs("padWidth", padWidth, x.ndim);
  if (widths.some(([lo, hi]) => !(Number.isInteger(lo) && lo >= 0 && Number.isInteger(hi) && hi >= 0))) {
    throw new ArgumentError({
      code: "pad-width",
      message: `pad: padWidth must hold whole numbers, at least 0, but is ${JSON.stringify(padWidth)}`,
    });
  }
  if (mode === "constant") return padConstant(x, widths, rest.constantValues ?? 0);
  const padAxis = axisPadding(mode, x, rest);
  return widths.reduce((y, width, axis) => (width[0] === 0 && width[1] === 0 ? y : padAxis(y, axis, width)), x);
}

const optionsOf: Readonly<Record<PadMode, readonly (keyof PadOptions)[]>> = {
  constant: ["constantValues"],
  edge: [],
  empty: [],
  linear_ramp: ["endValues"],
  linearRamp: ["endValues"],
  maximum: ["statLength"],
  mean: ["statLength"],
  median: ["statLength"],
  minimum: ["statLength"],
  reflect: ["reflectType"],
  symmetric: ["reflectType"],
  wrap: [],
};

/** @throws ArgumentError `option-value` for what is no mode, `pad-option` for an option of another mode. */
function requireMode(mode: PadMode, options: PadOptions): void {
  if (!Object.hasOwn(optionsOf, mode)) {
    throw new ArgumentError({
      code: "option-value",
      message: `pad: there is no mode ${describeValue(mode)}`,
      hint: "modes: constant, edge, linear_ramp, maximum, mean, median, minimum, reflect, symmetric, wrap, empty",
    });
  }
  for (const [name, value] of Object.entries(options) as [keyof PadOptions, unknown][]) {
    if (value === undefined || optionsOf[mode].includes(name)) continue;
    throw new ArgumentError({ code: "pad-option", message: `pad: mode ${mode} has no option ${name}` });
  }
}

/** A value for each side of each axis. @throws ShapeError `pad-pairs`. */
function pairs<T>(name: string, value: PerSide<T>, ndim: number): Pair<T>[] {
  const axes = (pair: Pair<T>): Pair<T>[] => Array.from({ length: ndim }, () => pair);
  if (!Array.isArray(value)) return axes([value as T, value as T]);
  const list = value as readonly (T | readonly T[])[];
  if (list.every((v) => Array.isArray(v))) {
    const rows = list as readonly (readonly T[])[];
    if (rows.every((r) => r.length === 2)) {
      if (rows.length === ndim) return rows.map((r) => [r[0]!, r[1]!]);
      if (rows.length === 1) return axes([rows[0]![0]!, rows[0]![1]!]);
    }
  } else if (list.length === 1) return axes([list[0] as T, list[0] as T]);
  else if (list.length === 2) return axes([list[0] as T, list[1] as T]);
  throw new ShapeError({
    code: "pad-pairs",
    message: `pad: ${name} must be one value, [before, after], or a pair for each of ${ndim} axes`,
  });
}

function padConstant(x: NDArray, widths: readonly Pair<number>[], values: PerSide<ArrayLike>): NDArray {
  const scalar = (v: ArrayLike): NDArray => {
    const s = convertOne(v, x.dtype, x.weakType);
    return s.ndim === 0 ? s : p.reshape(s, []);
  };
  if (!Array.isArray(values as unknown)) {
    const given = asArray(values as unknown, "pad", "constantValues");
    if (given.size === 1) {
      return p.pad(
        x,
        scalar(given),
        widths.map(([lo, hi]) => [lo, hi, 0]),
      );
    }
    const table = broadcastToShape("pad", given, [x.ndim, 2]);
    const at = (i: number, side: number): NDArray => p.reshape(p.slice(table, [i, side], [i + 1, side + 1]), []);
    return padSides(x, widths, (i, side) => scalar(at(i, side)));
  }
  const each = pairs<ArrayLike>("constantValues", values, x.ndim);
  return padSides(x, widths, (i, side) => scalar(each[i]![side]!));
}

function padSides(x: NDArray, widths: readonly Pair<number>[], value: (axis: number, side: 0 | 1) => NDArray): NDArray {
  const none = widths.map(() => [0, 0, 0] as const);
  widths.forEach(([lo, hi], axis) => {
    const on = (config: readonly [number, number, number]) => none.map((c, i) => (i === axis ? config : c));
    if (lo > 0) x = p.pad(x, value(axis, 0), on([lo, 0, 0]));
    if (hi > 0) x = p.pad(x, value(axis, 1), on([0, hi, 0]));
  });
  return x;
}

function axisPadding(
  mode: Exclude<PadMode, "constant">,
  x: NDArray,
  { endValues = 0, statLength, reflectType = "even" }: PadOptions,
): Pad {
  const lengths = statLength === undefined ? undefined : pairs("statLength", statLength, x.ndim);
  const stat = (f: (y: NDArray, axis: number) => NDArray): Pad => statistic(f, lengths);
  switch (mode) {
    case "wrap":
      return nonempty(mode, wrapAround);
    case "reflect":
    case "symmetric":
      return nonempty(mode, (y, axis, width) => mirror(y, axis, width, mode === "reflect", reflectType === "odd"));
    case "edge":
      return nonempty(mode, (y, axis, width) =>
        between(y, axis, sliceAxis(y, axis, 0, 1), sliceAxis(y, axis, -1), width),
      );
    case "empty":
      return (y, axis, [lo, hi]) =>
        p.pad(
          y,
          like(y, 0),
          y.shape.map((_, i) => (i === axis ? [lo, hi, 0] : [0, 0, 0])),
        );
    case "linear_ramp":
    case "linearRamp": {
      const ends = pairs("endValues", endValues, x.ndim);
      return nonempty(mode, (y, axis, width) => ramp(y, axis, width, ends[axis]!));
    }
    case "maximum":
      return stat((y, axis) => max(y, axis, { keepdims: true }));
    case "minimum":
      return stat((y, axis) => min(y, axis, { keepdims: true }));
    case "mean":
      return stat((y, axis) => mean(y, axis, { keepdims: true }));
    case "median":
      return stat((y, axis) => median(y, axis, { keepdims: true }));
  }
}

const nonempty =
  (mode: PadMode, f: Pad): Pad =>
  (x, axis, width) => {
    if (x.shape[axis] !== 0) return f(x, axis, width);
    throw new ArgumentError({
      code: "pad-empty",
      message: `pad: mode ${mode} cannot pad the empty axis ${axis}`,
      details: [["array", x.describe()]],
    });
  };

/** `first` repeated in front and `last` behind; both have length 1 along the axis. */
function between(x: NDArray, axis: number, first: NDArray, last: NDArray, [lo, hi]: Pair<number>): NDArray {
  const repeated = (y: NDArray, n: number): NDArray =>
    p.broadcastInDim(
      y,
      y.shape.map((d, i) => (i === axis ? n : d)),
      y.shape.map((_, i) => i),
    );
  const parts = [...(lo > 0 ? [repeated(first, lo)] : []), x, ...(hi > 0 ? [repeated(last, hi)] : [])];
  return p.concatenate(parts, axis);
}

function wrapAround(x: NDArray, axis: number, [lo, hi]: Pair<number>): NDArray {
  const n = x.shape[axis]!;
  const whole = Math.floor(lo / n) + Math.floor(hi / n) + 1;
  const parts = [
    ...(lo % n > 0 ? [sliceAxis(x, axis, n - (lo % n))] : []),
    ...new Array<NDArray>(whole).fill(x),
    ...(hi % n > 0 ? [sliceAxis(x, axis, 0, hi % n)] : []),
  ];
  return parts.length === 1 ? x : p.concatenate(parts, axis);
}

/** Mirrors at the ends (`reflect` leaves the end element itself out), again and again where the padding is longer than the array. */
function mirror(x: NDArray, axis: number, [lo, hi]: Pair<number>, reflect: boolean, odd: boolean): NDArray {
  const n = x.shape[axis]!;
  const offset = reflect && n > 1 ? 1 : 0;
  const extend = (y: NDArray, padding: number, before: boolean): NDArray => {
    let edge = before ? sliceAxis(y, axis, 0, 1) : sliceAxis(y, axis, -1);
    while (padding > 0) {
      const part = Math.min(padding, n - offset);
      padding -= part;
      const length = y.shape[axis]!;
      const source = before
        ? sliceAxis(y, axis, offset, offset + part)
        : sliceAxis(y, axis, length - part - offset, length - offset);
      let mirrored = p.rev(source, [axis]);
      if (odd) {
        const twice = p.mul(edge, like(edge, 2));
        mirrored = p.sub(broadcastToShape("pad", twice, mirrored.shape), mirrored);
        if (n > 1) edge = before ? sliceAxis(mirrored, axis, 0, 1) : sliceAxis(mirrored, axis, -1);
      }
      y = p.concatenate(before ? [mirrored, y] : [y, mirrored], axis);
    }
    return y;
  };
  return extend(extend(x, lo, true), hi, false);
}

function ramp(x: NDArray, axis: number, [lo, hi]: Pair<number>, [start, end]: Pair<ArrayLike>): NDArray {
  const towards = (value: ArrayLike, edge: NDArray, num: number): NDArray =>
    convert(
      linspace(value, p.squeeze(edge, [axis]), num, { endpoint: false, dtype: x.dtype, axis }),
      x.dtype,
      x.weakType,
    );
  const before = towards(start, sliceAxis(x, axis, 0, 1), lo);
  const after = p.rev(towards(end, sliceAxis(x, axis, -1), hi), [axis]);
  return p.concatenate([before, x, after], axis);
}

function statistic(f: (x: NDArray, axis: number) => NDArray, lengths: readonly Pair<number>[] | undefined): Pad {
  return (x, axis, width) => {
    const n = x.shape[axis]!;
    const [first, last] = lengths?.[axis] ?? [n, n];
    if (lengths !== undefined && (first <= 0 || last <= 0))
      throw new ArgumentError({ code: "stat-length", message: "pad: a statLength of 0 gives no value" });
    const of = (part: NDArray): NDArray => {
      const value = f(part, axis);
      return convert(isInteger(x.dtype) ? round(value) : value, x.dtype, x.weakType);
    };
    return between(
      x,
      axis,
      of(sliceAxis(x, axis, 0, Math.min(first, n))),
      of(sliceAxis(x, axis, n - Math.min(last, n))),
      width,
    );
  };
}
