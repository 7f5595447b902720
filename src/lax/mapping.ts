import type { NDArray } from "../core/array.js";
import { formatAval, normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ArgumentError, ShapeError, TreeError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";
import { leafPaths, sameStructure, unflatten } from "../core/tree.js";
import type { ArraysOf, NextState, Structure } from "../core/types.js";
import { concatenate, expandDims, reshape, rev, slice } from "../primitives/all.js";
import { flattenArrays, requireFunction } from "../transforms/arguments.js";
import { vmap } from "../transforms/vmap.js";
import { scan } from "./scan.js";

type AnyFunction = (...args: never[]) => unknown;

/** Bodies of scans that apply a function: one a function, so that it is staged once. */
const applying = new WeakMap<AnyFunction, (carry: null, x: never) => readonly [null, unknown]>();
function applyingOf(f: AnyFunction): (carry: null, x: never) => readonly [null, unknown] {
  let body = applying.get(f);
  if (!body) {
    body = (_, x) => [null, f(x)];
    Object.defineProperty(body, "name", { value: f.name });
    applying.set(f, body);
  }
  return body;
}
const mapped = new WeakMap<AnyFunction, AnyFunction>();

export interface MapOptions {
  /** So many elements are computed at once, as `vmap` does. */
  readonly batchSize?: number;
}

const mapParams = signature<{ f: AnyFunction; xs: unknown } & MapOptions>("lax.map", 2, ["f", "xs"], {
  byName: ["batchSize"],
  trees: 2,
});

/**
 * Applies a function to each element of the leading axis, one after another, and stacks the results: `vmap` in little memory.
 * @throws ShapeError `scan-length`, ArgumentError `map-batch`.
 * @example
 * lax.map((x) => x.mul(x), np.arange(5)); // [0, 1, 4, 9, 16]
 */
export function map<X extends Structure, Y extends Structure>(
  f: (x: NoInfer<ArraysOf<X>>) => Y,
  xs: X,
  options?: MapOptions,
): NoInfer<ArraysOf<Y>>;
export function map(...given: unknown[]): unknown {
  const { f, xs, batchSize } = mapParams(given);
  requireFunction(f, "lax.map");
  if (batchSize === undefined || batchSize === null) return scan(applyingOf(f), null, xs as never)[1];
  if (typeof batchSize !== "number" || !Number.isInteger(batchSize) || batchSize < 1) {
    throw new ArgumentError({
      code: "map-batch",
      message: `lax.map: batchSize must be a positive whole number, got ${describeValue(batchSize)}`,
    });
  }
  const { leaves, def } = flattenArrays(xs, "lax.map: xs");
  const length = leaves[0]?.shape[0] ?? 0;
  if (leaves.length === 0 || leaves.some((x) => x.shape[0] !== length))
    return scan(applyingOf(f), null, xs as never)[1];
  const batches = Math.floor(length / batchSize);
  const whole = batches * batchSize;
  let many = mapped.get(f);
  if (!many) mapped.set(f, (many = vmap(f)));
  const results: unknown[] = [];
  if (batches > 0) {
    const inBatches = leaves.map((x) => reshape(along(x, 0, 0, whole), [batches, batchSize, ...x.shape.slice(1)]));
    const [, ys] = scan(applyingOf(many), null, unflatten(def, inBatches) as never);
    const flat = flattenArrays(ys, "lax.map: the result");
    results.push(
      unflatten(
        flat.def,
        flat.leaves.map((y) => reshape(y, [whole, ...y.shape.slice(2)])),
      ),
    );
  }
  if (whole < length || batches === 0) {
    const rest = unflatten(
      def,
      leaves.map((x) => along(x, 0, whole, length)),
    );
    if (length === 0) return scan(applyingOf(f), null, rest as never)[1];
    results.push(many(rest as never));
  }
  if (results.length === 1) return results[0];
  const [a, b] = results.map((r) => flattenArrays(r, "lax.map: the result"));
  return unflatten(
    a!.def,
    a!.leaves.map((x, i) => concatenate([x, b!.leaves[i]!], 0)),
  );
}

export interface AssociativeScanOptions {
  readonly reverse?: boolean;
  readonly axis?: number;
}

const associativeParams = signature<{ fn: AnyFunction; elems: unknown } & AssociativeScanOptions>(
  "lax.associativeScan",
  2,
  ["fn", "elems", "reverse", "axis"],
  { trees: 2 },
);

/**
 * All prefixes combined by an associative function, in a logarithmic number of steps: `fn(a, b)` combines whole arrays of
 * elements, one with the next, along the axis.
 * @throws ShapeError `scan-length`, TreeError `tree-mismatch`.
 * @example
 * lax.associativeScan((a, b) => a.add(b), np.arange(5)); // [0, 1, 3, 6, 10]
 */
export function associativeScan<E extends Structure>(
  fn: (a: NoInfer<ArraysOf<E>>, b: NoInfer<ArraysOf<E>>) => NextState<E>,
  elems: E,
  options?: AssociativeScanOptions,
): NoInfer<ArraysOf<E>>;
export function associativeScan(...given: unknown[]): unknown {
  const { fn, elems, reverse = false, axis = 0 } = associativeParams(given);
  requireFunction(fn, "lax.associativeScan");
  const { leaves, def } = flattenArrays(elems, "lax.associativeScan: elems");
  if (leaves.length === 0) {
    throw new TreeError({ code: "scan-length", message: "lax.associativeScan: elems has no arrays" });
  }
  const axes = leaves.map((x) => normalizeAxis(axis, x.ndim, "lax.associativeScan"));
  const length = leaves[0]!.shape[axes[0]!]!;
  if (leaves.some((x, i) => x.shape[axes[i]!] !== length)) {
    throw new ShapeError({
      code: "scan-length",
      message: "lax.associativeScan: the arrays of elems must have one length along the axis",
      details: leafPaths(def, "elems").map((path, i) => [path, formatAval(leaves[i]!.aval)] as const),
    });
  }
  const combine: Combine = (a, b) => {
    const out = flattenArrays(
      fn(unflatten(def, a) as never, unflatten(def, b) as never),
      "lax.associativeScan: the result of fn",
    );
    sameStructure(def, out.def, "lax.associativeScan: the result of fn");
    return out.leaves;
  };
  const flipped = (list: readonly NDArray[]): readonly NDArray[] =>
    reverse ? list.map((x, i) => rev(x, [axes[i]!])) : list;
  return unflatten(def, flipped(prefixes(flipped(leaves), axes, combine)));
}

type Combine = (a: readonly NDArray[], b: readonly NDArray[]) => readonly NDArray[];

/** Pairs are combined, the prefixes of the pairs found, and from those the prefixes that end within a pair. */
function prefixes(elems: readonly NDArray[], axes: readonly number[], combine: Combine): readonly NDArray[] {
  const count = elems[0]!.shape[axes[0]!]!;
  if (count < 2) return elems;
  const every2 = (list: readonly NDArray[], from: number, to: number): NDArray[] =>
    list.map((x, i) => along(x, axes[i]!, from, to, 2));
  const upTo = (list: readonly NDArray[], to: number): NDArray[] => list.map((x, i) => along(x, axes[i]!, 0, to));
  const odd = prefixes(combine(every2(elems, 0, count - 1), every2(elems, 1, count)), axes, combine);
  const pairs = Math.floor(count / 2);
  const later = count % 2 === 0 ? upTo(odd, pairs - 1) : odd;
  const firsts = upTo(elems, 1);
  const even =
    count === 2
      ? firsts
      : combine(later, every2(elems, 2, count)).map((x, i) => concatenate([firsts[i]!, x], axes[i]!));
  return even.map((x, i) => interleave(x, odd[i]!, axes[i]!));
}

/** a0, b0, a1, b1, … along an axis; a may be one longer. */
function interleave(a: NDArray, b: NDArray, axis: number): NDArray {
  const pairs = b.shape[axis]!;
  const inPairs = [along(a, axis, 0, pairs), b].map((x) => expandDims(x, [axis + 1]));
  const shape = a.shape.map((n, k) => (k === axis ? 2 * pairs : n));
  const both = reshape(concatenate(inPairs, axis + 1), shape);
  return a.shape[axis] === pairs ? both : concatenate([both, along(a, axis, pairs, pairs + 1)], axis);
}

/** Elements of an axis. */
const along = (x: NDArray, axis: number, from: number, to: number, stride = 1): NDArray =>
  slice(
    x,
    x.shape.map((_, k) => (k === axis ? from : 0)),
    x.shape.map((n, k) => (k === axis ? to : n)),
    x.shape.map((_, k) => (k === axis ? stride : 1)),
  );
