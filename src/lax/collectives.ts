import type { NDArray } from "../core/array.js";
import { aval, normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { isFloat } from "../core/dtype.js";
import { getEngine } from "../core/engine.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";
import { axisSizeOf } from "../core/trace.js";
import { flatten, unflatten } from "../core/tree.js";
import type { ArraysOf } from "../core/types.js";
import * as p from "../primitives/all.js";
import { flattenArrays } from "../transforms/arguments.js";
import { dynamicIndexInDim } from "./dynamic.js";

/**
 * Collectives: inside of a function that is mapped under a name, `vmap(f, {axisName: "i"})`, examples speak to each other.
 * Operands may be any pytree of arrays.
 */

/** The name of a mapped axis, or several names. */
export type AxisName = string | readonly string[];

/** A tree of T's structure with sums in place of its leaves: numbers stay numbers. */
export type SumsOf<T> = T extends NDArray
  ? T
  : T extends number | boolean
    ? number
    : T extends object
      ? { [K in keyof T]: SumsOf<T[K]> }
      : T;

export interface GroupOptions {
  /** Groups of examples that speak to each other alone; not offered under vmap: null. */
  readonly axisIndexGroups?: null;
}

interface Axis {
  readonly axisName: string;
  readonly axisSize: number;
}

/** Axes by their names, in order. @throws ArgumentError `axis-name`, `axis-unbound`. */
function axesOf(axisName: unknown, op: string): Axis[] {
  const names: readonly unknown[] = Array.isArray(axisName) ? axisName : [axisName];
  const axes = names.map((name) => {
    if (typeof name === "string") return { axisName: name, axisSize: axisSizeOf(name, op) };
    throw new ArgumentError({
      code: "axis-name",
      message: `${op}: axisName is the name of a mapped axis or a list of names, not ${describeValue(name)}`,
      hint: "axes of arrays have numbers; sum over those with np.sum",
    });
  });
  if (new Set(names).size !== names.length) {
    throw new ArgumentError({
      code: "axis-duplicate",
      message: `${op}: axes [${names.join(", ")}] name one axis twice`,
    });
  }
  return axes;
}

const sizeOf = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * a.axisSize, 1);

function refuseGroups(groups: unknown, op: string): void {
  if (groups === undefined || groups === null) return;
  throw new ArgumentError({
    code: "axis-index-groups",
    message: `${op}: axisIndexGroups is not offered under vmap`,
    hint: "map over two axes, of which the inner one is a group: reshape the mapped axis before",
  });
}

const map = (x: unknown, op: string, f: (leaf: NDArray) => NDArray): unknown => {
  const { leaves, def } = flattenArrays(x, `${op}: operand `);
  return unflatten(def, leaves.map(f));
};

interface ReduceArguments extends GroupOptions {
  readonly x: unknown;
  readonly axisName: AxisName;
}
const reduceParams = (op: string) =>
  signature<ReduceArguments>(op, 2, ["x", "axisName"], { byName: ["axisIndexGroups"], trees: 1 });

/** Sums of the leaves; a JS number or boolean, equal for all examples, gives a number. */
function sums(x: unknown, axes: readonly Axis[], divided: boolean): unknown {
  const names = axes.map((a) => a.axisName);
  const size = sizeOf(axes);
  const [leaves, def] = flatten(x);
  const sum = (leaf: unknown): unknown => {
    if (typeof leaf === "number" || typeof leaf === "boolean") return divided ? Number(leaf) : Number(leaf) * size;
    const array = leaf as NDArray;
    const y = p.psum(array.dtype === "bool" ? p.convertElementType(array, "int32") : array, names);
    if (!divided) return y;
    const float = isFloat(y.dtype) ? y : p.convertElementType(y, defaultFloat());
    return p.div(float, p.full(size, float.aval));
  };
  flattenArrays(x, "the operand ");
  return unflatten(def, leaves.map(sum));
}

const psumParams = reduceParams("lax.psum");
/**
 * The sum of `x` over all examples along a named axis, which every example gets; along several axes, over all of them.
 * Booleans are counted. What is the same for all examples counts once for each, so that `psum(1, "i")` is the axis's size.
 * @throws ArgumentError `axis-unbound`, `axis-name`.
 * @example
 * const normalized = vmap((x) => x.div(lax.psum(x, "i")), { axisName: "i" })(np.array([1, 2, 3, 4])); // [0.1, 0.2, 0.3, 0.4]
 */
export function psum<T>(x: T, axisName: AxisName, options?: GroupOptions): SumsOf<T>;
export function psum(...given: unknown[]): unknown {
  const { x, axisName, axisIndexGroups } = psumParams(given);
  refuseGroups(axisIndexGroups, "lax.psum");
  const axes = axesOf(axisName, "lax.psum");
  return axes.length === 0 ? x : sums(x, axes, false);
}

const pmeanParams = reduceParams("lax.pmean");
/**
 * The mean of `x` over all examples along named axes.
 * @throws ArgumentError `axis-unbound`, `axis-name`.
 * @example
 * const centered = vmap((x) => x.sub(lax.pmean(x, "i")), { axisName: "i" })(np.array([1, 2, 3])); // [-1, 0, 1]
 */
export function pmean<T>(x: T, axisName: AxisName, options?: GroupOptions): SumsOf<T>;
export function pmean(...given: unknown[]): unknown {
  const { x, axisName, axisIndexGroups } = pmeanParams(given);
  refuseGroups(axisIndexGroups, "lax.pmean");
  return sums(x, axesOf(axisName, "lax.pmean"), true);
}

type Extreme = <T>(x: T, axisName: AxisName, options?: GroupOptions) => ArraysOf<T>;
function extreme(op: string, f: (x: NDArray, axes: readonly string[]) => NDArray): Extreme {
  const params = reduceParams(op);
  return ((...given: unknown[]) => {
    const { x, axisName, axisIndexGroups } = params(given);
    refuseGroups(axisIndexGroups, op);
    const names = axesOf(axisName, op).map((a) => a.axisName);
    return map(x, op, (leaf) => (names.length === 0 ? leaf : f(leaf, names)));
  }) as Extreme;
}
/**
 * The maximum of `x` over all examples along named axes. It has no derivative inside of the mapped function, as in JAX.
 * @throws ArgumentError `axis-unbound`, `axis-name`.
 * @example
 * const relative = vmap((x) => x.sub(lax.pmax(x, "i")), { axisName: "i" })(np.array([1, 2, 3])); // [-2, -1, 0]
 */
export const pmax: Extreme = extreme("lax.pmax", p.pmax);
/**
 * The minimum of `x` over all examples along named axes. It has no derivative inside of the mapped function, as in JAX.
 * @throws ArgumentError `axis-unbound`, `axis-name`.
 * @example
 * const relative = vmap((x) => x.sub(lax.pmin(x, "i")), { axisName: "i" })(np.array([1, 2, 3])); // [0, 1, 2]
 */
export const pmin: Extreme = extreme("lax.pmin", p.pmin);

export interface AllGatherOptions extends GroupOptions {
  /** Where the examples stand in the result; default 0. */
  readonly axis?: number;
  /** They are put one after another along `axis`, which exists already, rather than along a new one. */
  readonly tiled?: boolean;
}
const allGatherParams = signature<{ x: unknown; axisName: AxisName } & AllGatherOptions>(
  "lax.allGather",
  2,
  ["x", "axisName"],
  { byName: ["axisIndexGroups", "axis", "tiled"], trees: 1 },
);
/**
 * The values of all examples, for every example: stacked along a new axis, or put one after another along one (`tiled`).
 * @throws ArgumentError `axis-unbound`, `axis-name`, `axis-range`.
 * @example
 * const all = vmap((x) => lax.allGather(x, "i"), { axisName: "i" })(np.array([1, 2])); // [[1, 2], [1, 2]]
 */
export function allGather<T>(x: T, axisName: AxisName, options?: AllGatherOptions): ArraysOf<T>;
export function allGather(...given: unknown[]): unknown {
  const { x, axisName, axisIndexGroups, axis = 0, tiled = false } = allGatherParams(given);
  refuseGroups(axisIndexGroups, "lax.allGather");
  const axes = axesOf(axisName, "lax.allGather");
  return map(x, "lax.allGather", (leaf) => {
    if (axes.length === 0) return leaf;
    const dim = normalizeAxis(axis, leaf.ndim + (tiled ? 0 : 1), "lax.allGather");
    const gathered = axes.reduceRight((y, a) => p.allGather(y, { ...a, dim }), leaf);
    return p.mergeAxes(gathered, dim, axes.length + (tiled ? 1 : 0));
  });
}

export interface PsumScatterOptions extends GroupOptions {
  /** The axis along which the sum is handed out; default 0. */
  readonly scatterDimension?: number;
  /** Each example gets a run of elements along the axis, which stays, rather than one. */
  readonly tiled?: boolean;
}
const psumScatterParams = signature<{ x: unknown; axisName: AxisName } & PsumScatterOptions>(
  "lax.psumScatter",
  2,
  ["x", "axisName"],
  { byName: ["scatterDimension", "axisIndexGroups", "tiled"], trees: 1 },
);
/**
 * The sum over all examples, of which each gets its own part: example k gets element k along `scatterDimension`, or the k-th
 * run of elements (`tiled`).
 * @throws ArgumentError `axis-unbound`, `axis-name`, `axis-range`, ShapeError `axis-length`.
 * @example
 * const parts = vmap((x) => lax.psumScatter(x, "i"), { axisName: "i" })(np.array([[1, 2], [3, 4]])); // [4, 6]
 */
export function psumScatter<T>(x: T, axisName: AxisName, options?: PsumScatterOptions): ArraysOf<T>;
export function psumScatter(...given: unknown[]): unknown {
  const { x, axisName, axisIndexGroups, scatterDimension = 0, tiled = false } = psumScatterParams(given);
  refuseGroups(axisIndexGroups, "lax.psumScatter");
  const axes = axesOf(axisName, "lax.psumScatter");
  return map(x, "lax.psumScatter", (leaf) => {
    if (axes.length === 0) return leaf;
    const dim = normalizeAxis(scatterDimension, leaf.ndim, "lax.psumScatter");
    const numbers = leaf.dtype === "bool" ? p.convertElementType(leaf, "int32") : leaf;
    return axes.reduce((y, a) => p.psumScatter(y, { ...a, dim }), split(numbers, dim, axes, tiled, "lax.psumScatter"));
  });
}

const allToAllParams = signature<
  { x: unknown; axisName: AxisName; splitAxis: number; concatAxis: number; tiled?: boolean } & GroupOptions
>("lax.allToAll", 4, ["x", "axisName", "splitAxis", "concatAxis"], { byName: ["axisIndexGroups", "tiled"], trees: 1 });
/**
 * Exchanges the mapped axis for one of the operand's: element k along `splitAxis` goes to example k, where what comes from all
 * examples is stacked along `concatAxis`. `tiled`: runs of elements are handed out and put one after another.
 * @throws ArgumentError `axis-unbound`, `axis-name`, `axis-range`, ShapeError `axis-length`.
 * @example
 * const turned = vmap((x) => lax.allToAll(x, "i", 0, 0), { axisName: "i" })(np.array([[1, 2], [3, 4]])); // [[1, 3], [2, 4]]
 */
export function allToAll<T>(
  x: T,
  axisName: AxisName,
  splitAxis: number,
  concatAxis: number,
  options?: GroupOptions & { readonly tiled?: boolean },
): ArraysOf<T>;
export function allToAll(...given: unknown[]): unknown {
  const { x, axisName, axisIndexGroups, splitAxis, concatAxis, tiled = false } = allToAllParams(given);
  refuseGroups(axisIndexGroups, "lax.allToAll");
  const axes = axesOf(axisName, "lax.allToAll");
  return map(x, "lax.allToAll", (leaf) => {
    const from = normalizeAxis(splitAxis, leaf.ndim, "lax.allToAll");
    const to = normalizeAxis(concatAxis, leaf.ndim, "lax.allToAll");
    const parts = split(leaf, from, axes, tiled, "lax.allToAll");
    const exchanged = axes.reduce((y, a, k) => p.allToAll(y, { ...a, dim: from + k }), parts);
    const stacked = p.moveAxis(p.mergeAxes(exchanged, from, axes.length), from, to);
    return tiled ? p.mergeAxes(stacked, to, 2) : stacked;
  });
}

/** Axis `dim` as one axis for each named one, and another one for the rest if it is tiled. @throws ShapeError `axis-length`. */
function split(x: NDArray, dim: number, axes: readonly Axis[], tiled: boolean, op: string): NDArray {
  const size = sizeOf(axes);
  const length = x.shape[dim]!;
  if (tiled ? length % Math.max(size, 1) !== 0 : length !== size) {
    throw new ShapeError({
      code: "axis-length",
      message: `${op}: axis ${dim} of the operand must have ${tiled ? "a multiple of " : ""}the size of the named axis`,
      details: [
        ["operand", `[${x.shape.join(",")}]`],
        ["named axis", `${axes.map((a) => JSON.stringify(a.axisName)).join(", ")} (${size})`],
      ],
      hint: tiled ? "pad the axis" : "with tiled: true a multiple of it will do",
    });
  }
  return p.splitAxis(x, dim, [...axes.map((a) => a.axisSize), ...(tiled ? [length / size] : [])]);
}

const ppermuteParams = signature<{
  x: unknown;
  axisName: AxisName;
  perm: readonly (readonly [from: number, to: number])[];
}>("lax.ppermute", 3, ["x", "axisName", "perm"], { trees: 1 });
/**
 * Sends values between examples: for each pair `[from, to]`, example `to` gets the value of example `from`. Those to whom
 * nothing is sent get zeros.
 * @throws ArgumentError `axis-unbound`, `axis-name`, `permutation` where two moves share a source or a destination.
 * @example
 * const shifted = vmap((x) => lax.ppermute(x, "i", [[0, 1], [1, 2]]), { axisName: "i" })(np.array([5, 6, 7])); // [0, 5, 6]
 */
export function ppermute<T>(
  x: T,
  axisName: AxisName,
  perm: readonly (readonly [from: number, to: number])[],
): ArraysOf<T>;
export function ppermute(...given: unknown[]): unknown {
  const { x, axisName, perm } = ppermuteParams(given);
  return permute(x, axisName, perm, "lax.ppermute");
}

function permute(
  x: unknown,
  axisName: AxisName,
  perm: readonly (readonly [from: number, to: number])[],
  op: string,
): unknown {
  const axes = axesOf(axisName, op);
  const axis = axes[0];
  if (axis === undefined || axes.length > 1) {
    throw new ArgumentError({
      code: "axis-name",
      message: `${op} moves values along one named axis, but ${axes.length} are given`,
      hint: "move them along one axis after the other",
    });
  }
  if (!Array.isArray(perm) || !perm.every((m) => Array.isArray(m) && m.length === 2)) {
    throw new ArgumentError({
      code: "permutation",
      message: `${op}: perm is a list of pairs [from, to], got ${describeValue(perm)}`,
    });
  }
  const place = (k: number): number => (k < 0 ? k + axis.axisSize : k);
  const moves = perm.map(([from, to]) => [place(from), place(to)] as const);
  const destinations = new Map(moves);
  const pieces = moves.filter(([from, to]) => destinations.get(from - 1) !== to - 1).length;
  return map(x, op, (leaf) =>
    pieces > mostPieces ? scatteredMoves(leaf, axis, moves) : p.ppermute(leaf, { ...axis, perm: moves }),
  );
}

/** Runs of moves that are worth a copy of their own. */
const mostPieces = 32;

/** Moves without order: each example looks up its source in a table. */
function scatteredMoves(x: NDArray, axis: Axis, perm: readonly (readonly [from: number, to: number])[]): NDArray {
  p.ppermutePrimitive.abstract([x.aval], { ...axis, perm });
  const sources = new Int32Array(axis.axisSize).fill(-1);
  for (const [from, to] of perm) sources[to] = from;
  const table = getEngine().fromHost({ aval: aval([axis.axisSize], "int32"), data: sources });
  const source = dynamicIndexInDim(table, p.axisIndex(axis), { keepdims: false });
  const moved = dynamicIndexInDim(p.allGather(x, { ...axis, dim: 0 }), p.max(source, 0), { keepdims: false });
  if (perm.length === axis.axisSize) return moved;
  return p.select(p.broadcastInDim(p.ge(source, 0), x.shape, []), moved, p.zerosOf(x.aval));
}

const pshuffleParams = signature<{ x: unknown; axisName: AxisName; perm: readonly number[] }>(
  "lax.pshuffle",
  3,
  ["x", "axisName", "perm"],
  { trees: 1 },
);
/**
 * Reorders values among examples: example k gets the value of example `perm[k]`.
 * @throws ArgumentError `axis-unbound`, `axis-name`, `permutation`.
 * @example
 * const turned = vmap((x) => lax.pshuffle(x, "i", [2, 0, 1]), { axisName: "i" })(np.array([5, 6, 7])); // [7, 5, 6]
 */
export function pshuffle<T>(x: T, axisName: AxisName, perm: readonly number[]): ArraysOf<T>;
export function pshuffle(...given: unknown[]): unknown {
  const { x, axisName, perm } = pshuffleParams(given);
  const sorted = [...perm].sort((a, b) => a - b);
  if (!sorted.every((k, i) => k === i)) {
    throw new ArgumentError({
      code: "permutation",
      message: `lax.pshuffle: [${perm.join(", ")}] is not a permutation`,
      hint: `name each of the ${perm.length} examples once`,
    });
  }
  return permute(
    x,
    axisName,
    perm.map((from, to) => [from, to] as const),
    "lax.pshuffle",
  );
}

const axisIndexParams = signature<{ axisName: AxisName }>("lax.axisIndex", 1, ["axisName"]);
/**
 * Each example's own place along a named axis, as int32; along several axes, its place in their product.
 * @throws ArgumentError `axis-unbound`, `axis-name`.
 * @example
 * const places = vmap((x) => lax.axisIndex("i"), { axisName: "i" })(np.array([5, 6, 7])); // [0, 1, 2]
 */
export function axisIndex(axisName: AxisName): NDArray;
export function axisIndex(...given: unknown[]): NDArray {
  const axes = axesOf(axisIndexParams(given).axisName, "lax.axisIndex");
  const first = axes[0];
  if (first === undefined) return p.full(0, { shape: [], dtype: "int32", weakType: false });
  return axes.slice(1).reduce((y, a) => p.add(p.mul(y, a.axisSize), p.axisIndex(a)), p.axisIndex(first));
}

const axisSizeParams = signature<{ axisName: AxisName }>("lax.axisSize", 1, ["axisName"]);
/**
 * The number of examples along a named axis, or along several.
 * @throws ArgumentError `axis-unbound`, `axis-name`.
 * @example
 * const shares = vmap((x) => x.div(lax.axisSize("i")), { axisName: "i" })(np.array([2, 4])); // [1, 2]
 */
export function axisSize(axisName: AxisName): number;
export function axisSize(...given: unknown[]): number {
  return sizeOf(axesOf(axisSizeParams(given).axisName, "lax.axisSize"));
}
