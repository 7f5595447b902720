import { NDArray } from "../core/array.js";
import { asShape, normalizeAxes, normalizeAxis, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { valuesNow } from "../core/values-now.js";
import * as p from "../primitives/all.js";
import { broadcastToShape } from "./broadcasting.js";
import { indexVector, takeAlong } from "./gathering.js";
import { remainder } from "./arithmetic.js";
import { convert } from "./promotion.js";
import { count } from "./ranges.js";
import { sliceAxis } from "./shape.js";
import { like } from "./ufunc.js";

/** Repeating, turning and shifting arrays. */

type Axes = number | readonly number[];

export interface AxisOption {
  readonly axis?: Axes | null | undefined;
}
const flipParams = /* @__PURE__ */ signature<AxisOption & { m: ArrayLike }>("flip", 1, ["m", "axis"]);
/**
 * Reverses the order of elements along axes, by default all.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.flip(np.array([[1, 2], [3, 4]]), 1); // [[2, 1], [4, 3]]
 */
export function flip(m: ArrayLike, axis?: Axes | null | AxisOption): NDArray;
export function flip(): NDArray {
  const { m, axis } = flipParams(arguments);
  return flipped("flip", asArray(m, "flip", "m"), axis);
}
function flipped(op: string, x: NDArray, axis: Axes | null | undefined): NDArray {
  const dims = normalizeAxes(axis, x.ndim, op);
  return dims.length === 0 ? x : p.rev(x, dims);
}

const flipudParams = /* @__PURE__ */ signature<{ m: ArrayLike }>("flipud", 1, ["m"]);
/**
 * Reverses the first axis.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * np.flipud(np.array([[1, 2], [3, 4]])); // [[3, 4], [1, 2]]
 */
export function flipud(m: ArrayLike): NDArray;
export function flipud(): NDArray {
  return flipped("flipud", asArray(flipudParams(arguments).m, "flipud", "m"), 0);
}
const fliplrParams = /* @__PURE__ */ signature<{ m: ArrayLike }>("fliplr", 1, ["m"]);
/**
 * Reverses the second axis.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * np.fliplr(np.array([[1, 2], [3, 4]])); // [[2, 1], [4, 3]]
 */
export function fliplr(m: ArrayLike): NDArray;
export function fliplr(): NDArray {
  return flipped("fliplr", asArray(fliplrParams(arguments).m, "fliplr", "m"), 1);
}

export interface Rot90Options {
  readonly k?: number | undefined;
  readonly axes?: readonly [number, number] | undefined;
}
const rot90Params = /* @__PURE__ */ signature<Rot90Options & { m: ArrayLike }>("rot90", 1, ["m", "k", "axes"]);
/**
 * Rotates by k quarter turns in the plane of two axes, from the first towards the second.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.rot90(np.array([[1, 2], [3, 4]])); // [[2, 4], [1, 3]]
 */
export function rot90(
  m: ArrayLike,
  k?: number | Rot90Options,
  axes?: readonly [number, number] | Rot90Options,
): NDArray;
export function rot90(): NDArray {
  const { m, k = 1, axes = [0, 1] } = rot90Params(arguments);
  const x = asArray(m, "rot90", "m");
  const [a, b] = normalizeAxes(axes, x.ndim, "rot90") as [number, number];
  const perm = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  switch (((k % 4) + 4) % 4) {
    case 0:
      return x;
    case 1:
      return p.transpose(p.rev(x, [b]), perm);
    case 2:
      return p.rev(x, [a, b]);
    default:
      return p.rev(p.transpose(x, perm), [b]);
  }
}

type Shifts = number | readonly number[] | NDArray;
const rollParams = /* @__PURE__ */ signature<AxisOption & { a: ArrayLike; shift: Shifts }>("roll", 2, [
  "a",
  "shift",
  "axis",
]);
/**
 * Shifts elements along axes; what falls off one end comes back at the other. Without axis the flattened array is shifted.
 * Shifts may be traced.
 *
 * @throws ArgumentError `roll-shifts`, `axis-range`.
 * @example
 * np.roll(np.array([1, 2, 3]), 1); // [3, 1, 2]
 */
export function roll(a: ArrayLike, shift: Shifts, axis?: Axes | null | AxisOption): NDArray;
export function roll(): NDArray {
  const { a, shift, axis = null } = rollParams(arguments);
  const x = asArray(a, "roll", "a");
  if (axis === null) return p.reshape(rollAxes(p.reshape(x, [x.size]), shift, [0]), x.shape);
  const list = typeof axis === "number" ? [axis] : axis;
  return rollAxes(
    x,
    shift,
    list.map((i) => normalizeAxis(i, x.ndim, "roll")),
  );
}

function rollAxes(x: NDArray, shift: Shifts, axes: readonly number[]): NDArray {
  const shifts = shift instanceof NDArray ? splitShifts(shift) : typeof shift === "number" ? [shift] : shift;
  const n = Math.max(shifts.length, axes.length);
  if ((shifts.length !== n && shifts.length !== 1) || (axes.length !== n && axes.length !== 1)) {
    throw new ArgumentError({
      code: "roll-shifts",
      message: `roll: ${shifts.length} shifts do not fit ${axes.length} axes`,
    });
  }
  for (let i = 0; i < n; i++) x = rollAxis(x, shifts[shifts.length === 1 ? 0 : i]!, axes[axes.length === 1 ? 0 : i]!);
  return x;
}

function splitShifts(shift: NDArray): readonly (number | NDArray)[] {
  if (shift.ndim === 0) return [shift];
  return Array.from({ length: shift.shape[0]! }, (_, i) => p.squeeze(p.slice(shift, [i], [i + 1]), [0]));
}

function rollAxis(x: NDArray, shift: number | NDArray, axis: number): NDArray {
  const n = x.shape[axis]!;
  if (n === 0) return x;
  if (shift instanceof NDArray) {
    const start = remainder(p.neg(convert(shift, "int32")), n);
    const twice = p.concatenate([x, x], axis);
    return p.dynamicSlice(
      twice,
      x.shape.map((_, i) => (i === axis ? start : like(start, 0))),
      x.shape,
    );
  }
  const by = ((shift % n) + n) % n;
  return by === 0 ? x : p.concatenate([sliceAxis(x, axis, n - by), sliceAxis(x, axis, 0, n - by)], axis);
}

const tileParams = /* @__PURE__ */ signature<{ A: ArrayLike; reps: Axes }>("tile", 2, ["A", "reps"]);
/**
 * The array laid out side by side, `reps` times along each axis; the shorter of shape and reps gets ones in front.
 *
 * @throws ShapeError `shape-invalid`.
 * @example
 * np.tile(np.array([1, 2]), [2, 2]); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function tile(A: ArrayLike, reps: Axes): NDArray;
export function tile(): NDArray {
  const { A, reps } = tileParams(arguments);
  return tiled(asArray(A, "tile", "A"), asShape(reps, "tile"));
}

export function tiled(x: NDArray, reps: readonly number[]): NDArray {
  const ndim = Math.max(x.ndim, reps.length);
  const shape = [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape];
  const times = [...new Array<number>(ndim - reps.length).fill(1), ...reps];
  if (times.every((t) => t === 1)) return p.reshape(x, shape);
  const dims = shape.map((_, i) => 2 * i + 1);
  const spread = p.broadcastInDim(
    p.reshape(x, shape),
    shape.flatMap((d, i) => [times[i]!, d]),
    dims,
  );
  return p.reshape(
    spread,
    shape.map((d, i) => d * times[i]!),
  );
}

export interface RepeatOptions {
  readonly axis?: number | null | undefined;
  /** The length of the result along the axis: needed where repeats are traced. */
  readonly totalRepeatLength?: number | null | undefined;
}
type Repeats = number | readonly number[] | NDArray;
const repeatParams = /* @__PURE__ */ signature<RepeatOptions & { a: ArrayLike; repeats: Repeats }>(
  "repeat",
  2,
  ["a", "repeats", "axis"],
  {
    byName: ["totalRepeatLength"],
  },
);
/**
 * Each element repeated, a number of times or one number of times for each; without axis of the flattened array. Where
 * repeats are traced, `totalRepeatLength` says how long the result is.
 *
 * @throws ArgumentError `count-invalid`, `axis-range`, `repeat-length`; ShapeError `repeat-count`.
 * @example
 * np.repeat(np.array([1, 2]), 2); // [1, 1, 2, 2]
 * np.repeat(np.array([1, 2]), [1, 3]); // [1, 2, 2, 2]
 */
export function repeat(
  a: ArrayLike,
  repeats: Repeats,
  axis?: number | null | RepeatOptions,
  options?: RepeatOptions,
): NDArray;
export function repeat(): NDArray {
  const { a, repeats, axis = null, totalRepeatLength } = repeatParams(arguments);
  let x = asArray(a, "repeat", "a");
  if (axis === null || x.ndim === 0) x = p.reshape(x, [x.size]);
  const at = axis === null ? 0 : normalizeAxis(axis, x.ndim, "repeat");
  const total = totalRepeatLength ?? undefined;
  if (typeof repeats === "number" && total === undefined) return repeatEach(x, count("repeat", "repeats", repeats), at);
  const n = x.shape[at]!;
  if (repeats instanceof NDArray && (total !== undefined || repeats.concrete() === undefined)) {
    if (total === undefined) {
      throw new ArgumentError({
        code: "repeat-length",
        message: "repeat: traced repeats do not say how long the result is",
        details: [["repeats", repeats.describe()]],
        hint: "give {totalRepeatLength}",
      });
    }
    return takeAlong(x, blockIndices(convert(repeats, "int32"), n, count("repeat", "totalRepeatLength", total)), at);
  }
  const given =
    typeof repeats === "number"
      ? [repeats]
      : repeats instanceof NDArray
        ? [...(valuesNow("repeat", repeats) as Iterable<number>)]
        : repeats;
  const times = given.length === 1 ? new Array<number>(n).fill(given[0]!) : given;
  if (times.length !== n) {
    throw new ShapeError({
      code: "repeat-count",
      message: `repeat: ${times.length} repeats do not fit an axis of length ${n}`,
      details: [["array", x.describe()]],
    });
  }
  const indices = times.flatMap((t, i) => new Array<number>(count("repeat", "repeats", t)).fill(i));
  if (total !== undefined) {
    const last = indices.at(-1) ?? 0;
    while (indices.length < total) indices.push(last);
    indices.length = total;
  }
  return takeAlong(x, indexVector(indices), at);
}

function repeatEach(x: NDArray, times: number, axis: number): NDArray {
  const spread = [...x.shape.slice(0, axis + 1), times, ...x.shape.slice(axis + 1)];
  const dims = x.shape.map((_, i) => (i <= axis ? i : i + 1));
  return p.reshape(
    p.broadcastInDim(x, spread, dims),
    x.shape.map((d, i) => (i === axis ? d * times : d)),
  );
}

/** For each of `total` places the element that stands there: the last one that starts at or before it. */
function blockIndices(repeats: NDArray, n: number, total: number): NDArray {
  const times = broadcastToShape("repeat", repeats.ndim === 0 ? repeats : p.reshape(repeats, [repeats.size]), [n]);
  const starts = p.sub(p.cumsum(times, 0), times);
  const place = p.iota("int32", [total, n], 0);
  const begun = p.le(p.broadcastInDim(starts, [total, n], [1]), place);
  return p.sub(p.reduceSum(convert(begun, "int32"), [1]), 1);
}

const resizeParams = /* @__PURE__ */ signature<{ a: ArrayLike; newShape: Axes }>("resize", 2, ["a", "newShape"]);
/**
 * An array of a new shape, filled with the elements over and over.
 *
 * @throws ShapeError `shape-invalid`.
 * @example
 * np.resize(np.array([1, 2]), [3]); // [1, 2, 1]
 */
export function resize(a: ArrayLike, newShape: Axes): NDArray;
export function resize(): NDArray {
  const { a, newShape } = resizeParams(arguments);
  const x = asArray(a, "resize", "a");
  const shape = asShape(newShape, "resize");
  const size = sizeOf(shape);
  if (x.size === 0 || size === 0) return p.full(0, { shape, dtype: x.dtype, weakType: x.weakType });
  const repeated = tiled(p.reshape(x, [x.size]), [Math.ceil(size / x.size)]);
  return p.reshape(p.slice(repeated, [0], [size]), shape);
}
