import { ConcreteArray, NDArray } from "../core/array.js";
import { asShape, broadcastShapes, normalizeAxis } from "../core/aval.js";
import { signature, variadic } from "../core/calling.js";
import { asDType, type DType, isFloat, isInteger } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { power } from "./arithmetic.js";
import { log10 } from "./elementary.js";
import { inexactElementType, convert, expandTo, resultElementType, toInexact } from "./promotion.js";
import { like } from "./ufunc.js";

/** Sequences of numbers and grids of them. */

/** A whole number that an option must be. @throws ArgumentError `count-invalid`. */
export function count(op: string, name: string, n: unknown): number {
  if (typeof n === "number" && Number.isInteger(n) && n >= 0) return n;
  throw new ArgumentError({
    code: "count-invalid",
    message: `${op}: ${name} must be a whole number, at least 0, but is ${n instanceof NDArray ? n.describe() : describeValue(n)}`,
  });
}

/** A number that must be known now. @throws ArgumentError `number-needed`. */
function known(op: string, name: string, x: unknown): number {
  if (typeof x === "number") return x;
  const scalar = x instanceof ConcreteArray && x.ndim === 0 ? x.storage.scalar : undefined;
  if (scalar !== undefined) return scalar;
  throw new ArgumentError({
    code: "number-needed",
    message: `${op}: ${name} decides a shape, so it must be a number, but is ${x instanceof NDArray ? x.describe() : describeValue(x)}`,
    hint: "use .item() on an array that can be read, or make the argument static",
  });
}

type Scalar = number | NDArray;
export interface ArangeOptions {
  readonly stop?: Scalar | null | undefined;
  readonly step?: Scalar | null | undefined;
  readonly dtype?: DType | null | undefined;
}
const arangeParams = /* @__PURE__ */ signature<ArangeOptions & { start: Scalar; device?: string }>(
  "arange",
  1,
  ["start", "stop", "step", "dtype"],
  {
    byName: ["device"],
  },
);
/**
 * Numbers from start (0 if only one is given) up to stop, which is left out: ⌈(stop − start)/step⌉ of them. int32 if all of
 * start, stop and step are whole, else float32.
 *
 * @throws ArgumentError `number-needed` where a bound is traced; ArgumentError `step-zero`, `range-endless`.
 * @example
 * np.arange(3); // [0, 1, 2]
 * np.arange(0, 1, 0.25); // [0, 0.25, 0.5, 0.75]
 * np.arange(5, 0, -2); // [5, 3, 1]
 */
export function arange(
  start: Scalar,
  stop?: Scalar | null | ArangeOptions,
  step?: Scalar | null | ArangeOptions,
  options?: ArangeOptions,
): NDArray;
export function arange(): NDArray {
  const given = arangeParams(arguments);
  const types = [given.start, given.stop, given.step].filter((v) => v !== undefined && v !== null) as Scalar[];
  const dtype = asDType(given.dtype ?? resultElementType("arange", types).dtype);
  const alone = given.stop === undefined || given.stop === null;
  const start = alone ? 0 : known("arange", "start", given.start);
  const stop = known("arange", "stop", alone ? given.start : given.stop);
  const step = given.step === undefined || given.step === null ? 1 : known("arange", "step", given.step);
  if (step === 0) throw new ArgumentError({ code: "step-zero", message: "arange: step must not be 0" });
  const size = Math.max(0, Math.ceil((stop - start) / step));
  if (!Number.isFinite(size)) {
    throw new ArgumentError({
      code: "range-endless",
      message: `arange: from ${start} to ${stop} in steps of ${step} is no finite range`,
    });
  }
  let x = p.iota(dtype, [size], 0);
  if (step !== 1) x = p.mul(x, like(x, toDTypeValue(step, dtype)));
  return start === 0 ? x : p.add(x, like(x, toDTypeValue(start, dtype)));
}
const toDTypeValue = (v: number, dtype: DType): number => (isFloat(dtype) ? v : Math.trunc(v));

export interface LinspaceOptions {
  readonly num?: number | undefined;
  /** Whether stop is the last number; true by default. */
  readonly endpoint?: boolean | undefined;
  /** Also return the step. */
  readonly retstep?: boolean | undefined;
  readonly dtype?: DType | null | undefined;
  /** Where the new axis stands; by default first. */
  readonly axis?: number | undefined;
}
type LinspaceParams = LinspaceOptions & { start: ArrayLike; stop: ArrayLike; device?: string };
const linspaceParams = /* @__PURE__ */ signature<LinspaceParams>(
  "linspace",
  2,
  ["start", "stop", "num", "endpoint", "retstep", "dtype", "axis"],
  {
    byName: ["device"],
  },
);
/**
 * `num` (50) evenly spaced numbers from start to stop, in floats; with `retstep: true`, `[numbers, step]`. Arrays as bounds
 * broadcast, and the new axis stands in front or at `axis`. Integer dtypes round down.
 *
 * @throws ArgumentError `count-invalid`, `axis-range`; ShapeError `shape-broadcast`.
 * @example
 * np.linspace(0, 1, 5); // [0, 0.25, 0.5, 0.75, 1]
 * np.linspace(0, 1, { num: 4, endpoint: false }); // [0, 0.25, 0.5, 0.75]
 */
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  num: number | undefined | LinspaceOptions,
  options: LinspaceOptions & { readonly retstep: true },
): [samples: NDArray, step: NDArray];
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  num?: number | LinspaceOptions,
  options?: LinspaceOptions,
): NDArray;
export function linspace(): NDArray | [NDArray, NDArray] {
  const given = linspaceParams(arguments);
  const [samples, step] = linspaceOf("linspace", given);
  return given.retstep ? [samples, step] : samples;
}

function linspaceOf(
  op: string,
  { start, stop, num = 50, endpoint = true, dtype, axis = 0 }: LinspaceParams,
): [NDArray, NDArray] {
  count(op, "num", num);
  const to = dtype === undefined || dtype === null ? inexactElementType(op, [start, stop]).dtype : asDType(dtype);
  const compute = toInexact(to);
  const [first, last] = [convert(asArray(start, op, "start"), compute), convert(asArray(stop, op, "stop"), compute)];
  const bounds = broadcastShapes([first.shape, last.shape], op);
  const at = normalizeAxis(axis, bounds.length + 1, op);
  const column = [...bounds.slice(0, at), 1, ...bounds.slice(at)];
  const lo = p.reshape(expandTo(first, bounds), column);
  const hi = p.reshape(expandTo(last, bounds), column);
  const div = endpoint ? num - 1 : num;
  const shape = column.map((d, i) => (i === at ? div : d));
  let delta = like(first, NaN);
  let out: NDArray;
  if (num > 1) {
    delta = p.div(p.sub(expandTo(last, bounds), expandTo(first, bounds)), like(first, div));
    const t = p.div(p.iota(compute, shape, at), like(first, div));
    out = p.add(p.mul(expandTo(lo, shape), p.sub(like(t, 1), t)), p.mul(expandTo(hi, shape), t));
    if (endpoint) out = p.concatenate([out, hi], at);
  } else if (num === 1) {
    if (!endpoint) delta = p.sub(expandTo(last, bounds), expandTo(first, bounds));
    out = lo;
  } else {
    out = p.full(0, { shape: column.map((d, i) => (i === at ? 0 : d)), dtype: compute, weakType: false });
  }
  if (isInteger(to)) out = p.floor(out);
  return [convert(out, to), delta];
}

export interface LogspaceOptions extends Omit<LinspaceOptions, "retstep"> {
  readonly base?: ArrayLike | undefined;
}
const logspaceParams = /* @__PURE__ */ signature<LogspaceOptions & { start: ArrayLike; stop: ArrayLike }>(
  "logspace",
  2,
  ["start", "stop", "num", "endpoint", "base", "dtype", "axis"],
);
/**
 * Powers of `base` (10) whose exponents are evenly spaced from start to stop.
 *
 * @throws as `linspace`.
 * @example
 * np.logspace(0, 2, { num: 3, base: 2 }); // [1, 2, 4]
 */
export function logspace(
  start: ArrayLike,
  stop: ArrayLike,
  num?: number | LogspaceOptions,
  options?: LogspaceOptions,
): NDArray;
export function logspace(): NDArray {
  return logspaceOf("logspace", logspaceParams(arguments));
}

function logspaceOf(
  op: string,
  { base = 10, dtype, ...given }: LogspaceOptions & { start: ArrayLike; stop: ArrayLike },
): NDArray {
  const to =
    dtype === undefined || dtype === null ? inexactElementType(op, [given.start, given.stop]).dtype : asDType(dtype);
  const [exponents] = linspaceOf(op, { ...given, dtype: toInexact(to) });
  return convert(power(base, exponents), to);
}

const geomspaceParams = /* @__PURE__ */ signature<LinspaceOptions & { start: ArrayLike; stop: ArrayLike }>(
  "geomspace",
  2,
  ["start", "stop", "num", "endpoint", "dtype", "axis"],
);
/**
 * Numbers from start to stop, each the same multiple of the one before; NaN unless both have one sign and neither is 0.
 *
 * @throws as `linspace`.
 * @example
 * np.round(np.geomspace(1, 1000, 4)); // [1, 10, 100, 1000]
 */
export function geomspace(
  start: ArrayLike,
  stop: ArrayLike,
  num?: number | LinspaceOptions,
  options?: LinspaceOptions,
): NDArray;
export function geomspace(): NDArray {
  const { start, stop, num, endpoint, dtype, axis = 0 } = geomspaceParams(arguments);
  const to =
    dtype === undefined || dtype === null ? inexactElementType("geomspace", [start, stop]).dtype : asDType(dtype);
  const compute = toInexact(to);
  const [first, last] = [convert(asArray(start), compute), convert(asArray(stop), compute)];
  const sign = p.sign(first);
  const magnitude = (x: NDArray): NDArray => {
    const shape = broadcastShapes([x.shape, sign.shape], "geomspace");
    return log10(p.div(expandTo(x, shape), expandTo(sign, shape)));
  };
  const powers = logspaceOf("geomspace", {
    start: magnitude(first),
    stop: magnitude(last),
    num,
    endpoint,
    dtype: compute,
  });
  const result = p.mul(expandTo(sign, powers.shape), powers);
  return convert(p.moveAxis(result, 0, normalizeAxis(axis, result.ndim, "geomspace")), to);
}

export interface MeshgridOptions {
  readonly indexing?: "xy" | "ij" | undefined;
  /** Leave axes of length 1 where arrays would be repeated. */
  readonly sparse?: boolean | undefined;
  readonly copy?: boolean | undefined;
}
const meshgridParams = /* @__PURE__ */ variadic<MeshgridOptions>("meshgrid", ["indexing", "sparse", "copy"]);
/**
 * Coordinates of a grid from the coordinates along its axes: arrays `[n]`, `[m]` give two of shape `[m, n]`, or with
 * `indexing: "ij"` of `[n, m]`; `sparse` leaves axes of length 1 where values would repeat.
 *
 * @throws ArgumentError `rank`, `option-value`.
 * @example
 * np.meshgrid(np.array([1, 2]), np.array([3, 4, 5])); // [[[1, 2], [1, 2], [1, 2]], [[3, 3], [4, 4], [5, 5]]]
 */
export function meshgrid(...xi: readonly (ArrayLike | MeshgridOptions)[]): NDArray[];
export function meshgrid(): NDArray[] {
  const [values, { indexing = "xy", sparse = false }] = meshgridParams(arguments);
  const xs = values.map((x) => asArray(x, "meshgrid"));
  for (const x of xs) {
    if (x.ndim !== 1)
      throw new ArgumentError({
        code: "rank",
        message: "meshgrid takes arrays of one dimension",
        details: [["operand", x.describe()]],
      });
  }
  if (indexing !== "xy" && indexing !== "ij") {
    throw new ArgumentError({
      code: "option-value",
      message: `meshgrid: indexing is "xy" or "ij", not ${describeValue(indexing)}`,
    });
  }
  const axes = xs.map((_, i) => (indexing === "xy" && xs.length > 1 && i < 2 ? 1 - i : i));
  const full = new Array<number>(xs.length).fill(1);
  xs.forEach((x, i) => (full[axes[i]!] = x.shape[0]!));
  return xs.map((x, i) => {
    const shape = sparse ? full.map((_, a) => (a === axes[i] ? x.shape[0]! : 1)) : full;
    return p.broadcastInDim(x, shape, [axes[i]!]);
  });
}

export interface IndicesOptions {
  readonly dtype?: DType | null | undefined;
  readonly sparse?: boolean | undefined;
}
const indicesParams = /* @__PURE__ */ signature<IndicesOptions & { dimensions: readonly number[] }>("indices", 1, [
  "dimensions",
  "dtype",
  "sparse",
]);
/**
 * The index of each element of a shape, along a new first axis (int32); with `sparse: true` a list of arrays that broadcast.
 *
 * @throws DTypeError `dtype-unsupported`; ShapeError `shape-invalid`.
 * @example
 * np.indices([2, 2]); // [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 */
export function indices(dimensions: readonly number[], options: IndicesOptions & { readonly sparse: true }): NDArray[];
export function indices(
  dimensions: readonly number[],
  dtype?: DType | null | IndicesOptions,
  options?: IndicesOptions,
): NDArray;
export function indices(): NDArray | NDArray[] {
  const { dimensions: given, dtype, sparse = false } = indicesParams(arguments);
  const dimensions = asShape(given, "indices");
  const to = asDType(dtype ?? "int32");
  const shapes = dimensions.map((d, i) => (sparse ? dimensions.map((_, j) => (i === j ? d : 1)) : dimensions));
  const grids = shapes.map((shape, i) => p.iota(to, shape, i));
  if (sparse) return grids;
  if (grids.length === 0) return p.full(0, { shape: [0], dtype: to, weakType: false });
  return p.concatenate(
    grids.map((g) => p.expandDims(g, [0])),
    0,
  );
}

/** One axis of `mgrid` and `ogrid`: from, to (left out), and step. */
export type GridRange = readonly [start: number, stop: number, step?: number];
const gridAxis = (r: GridRange): NDArray => (r[2] === undefined ? arange(r[0], r[1]) : arange(r[0], r[1], r[2]));

/**
 * A dense grid of ranges `[start, stop, step?]`, stacked along a first axis.
 *
 * @example
 * np.mgrid([0, 2], [0, 3]); // [[[0, 0, 0], [1, 1, 1]], [[0, 1, 2], [0, 1, 2]]]
 */
export function mgrid(...ranges: readonly GridRange[]): NDArray {
  const grids = meshgrid(...ranges.map(gridAxis), { indexing: "ij" });
  const dtype = resultElementType("mgrid", grids).dtype;
  return p.concatenate(
    grids.map((g) => p.expandDims(convert(g, dtype), [0])),
    0,
  );
}
/**
 * An open grid of ranges `[start, stop, step?]`: arrays that broadcast to the dense one.
 *
 * @example
 * np.ogrid([0, 2], [0, 3]); // [[[0], [1]], [[0, 1, 2]]]
 */
export function ogrid(...ranges: readonly GridRange[]): NDArray[] {
  return meshgrid(...ranges.map(gridAxis), { indexing: "ij", sparse: true });
}

export interface VanderOptions {
  readonly N?: number | null | undefined;
  readonly increasing?: boolean | undefined;
}
const vanderParams = /* @__PURE__ */ signature<VanderOptions & { x: ArrayLike }>("vander", 1, ["x", "N", "increasing"]);
/**
 * The Vandermonde matrix: columns are powers of x, the highest first unless `increasing`.
 *
 * @throws ArgumentError `rank`, `count-invalid`.
 * @example
 * np.vander(np.array([2, 3]), 3); // [[4, 2, 1], [9, 3, 1]]
 */
export function vander(x: ArrayLike, N?: number | null | VanderOptions, options?: VanderOptions): NDArray;
export function vander(): NDArray {
  const given = vanderParams(arguments);
  const x = asArray(given.x, "vander", "x");
  if (x.ndim !== 1)
    throw new ArgumentError({
      code: "rank",
      message: "vander takes an array of one dimension",
      details: [["x", x.describe()]],
    });
  const n = count("vander", "N", given.N ?? x.shape[0]!);
  const up = p.iota(x.dtype, [1, n], 1);
  return power(p.expandDims(x, [1]), given.increasing ? up : p.sub(like(up, n - 1), up));
}
