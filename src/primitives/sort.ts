import type { NDArray } from "../core/array.js";
import { type HostArray, hostZeros, sameShape, stridesOf } from "../core/aval.js";
import { none } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { areAxes, isCount, requireArgument, requireDType, requireShape } from "./checks.js";
import { definePrimitive, ops, type PrimitiveDefinition } from "./define.js";

export interface SortParams {
  readonly dimension: number;
  /** How many operands, from the first on, are compared. */
  readonly numKeys: number;
  /** The other way round, still stably: NaNs come first. */
  readonly descending?: boolean;
  /** Only so many elements, the first ones in the order, are results. */
  readonly count?: number;
}
export type SortExtent = Pick<SortParams, "descending" | "count">;

/** Sorts stably, ascending: −0 equals 0, and NaNs, all equal, come last. */
export const sortPrimitive: PrimitiveDefinition<SortParams> = definePrimitive<SortParams>({
  name: "sort",
  abstract: (xs, { dimension, numKeys, count }) => {
    const operands = xs.map((x, i) => [`operand ${i}`, x] as const);
    requireArgument(isCount(numKeys, 1) && numKeys <= xs.length, () => ({
      code: "sort-keys",
      message: `sort: the number of keys, ${numKeys}, must lie between 1 and the number of operands, ${xs.length}`,
      operands,
    }));
    requireShape(
      xs.every((x) => sameShape(x.shape, xs[0]!.shape)),
      () => ({ code: "shape-mismatch", message: "sort needs operands of one shape", operands }),
    );
    requireArgument(areAxes([dimension], xs[0]!.shape.length), () => ({
      code: "axis-range",
      message: `sort: axis ${dimension} is no axis of the operands`,
      operands,
      hint: xs[0]!.shape.length === 0 ? "a scalar cannot be sorted" : undefined,
    }));
    requireDType(
      xs.every((x) => x.dtype !== "key"),
      () => ({
        code: "key-arithmetic",
        message: "sort: random keys have no order",
        operands,
        hint: "sort by other operands, and let the random keys follow",
      }),
    );
    requireArgument(count === undefined || (isCount(count) && count <= xs[0]!.shape[dimension]!), () => ({
      code: "sort-count",
      message: `sort: there are no ${count} elements along axis ${dimension} of the operands`,
      operands,
    }));
    return xs.map((x) => ({ ...x, shape: x.shape.map((d, k) => (k === dimension ? (count ?? d) : d)) }));
  },
  evaluate: (xs, params) => {
    const { dimension, numKeys, descending } = params;
    const { shape } = xs[0]!.aval;
    const n = shape[dimension]!;
    const count = params.count ?? n;
    const outs = xs.map((x) => hostZeros({ ...x.aval, shape: shape.map((d, k) => (k === dimension ? count : d)) }));
    const strides = stridesOf(shape);
    const step = strides[dimension]!;
    const keys = xs.slice(0, numKeys);
    const rows = shape.map((d, k) => (k === dimension ? 1 : d));
    forEachRow(rows, strides, (start) => {
      const order = Array.from({ length: n }, (_, i) => start + i * step)
        .sort((i, j) => (descending === true ? compare(keys, j, i) : compare(keys, i, j)))
        .slice(0, count);
      const first = Math.floor(start / (n * step)) * count * step + (start % (n * step));
      xs.forEach((x, k) => order.forEach((from, i) => (outs[k]!.data[first + i * step] = x.data[from]!)));
    });
    return outs;
  },
  jvp: (xs, tangents, { dimension, numKeys, ...extent }) => {
    if (tangents.every(isZero)) {
      const outs = sort(xs, dimension, numKeys, extent);
      return { outs, tangents: outs.map((y) => new Zero(y.aval)) };
    }
    const { outs, follow } = sortWithOrder(xs, dimension, numKeys, extent);
    return { outs, tangents: tangents.map((t, i) => (isZero(t) ? new Zero(outs[i]!.aval) : follow(t))) };
  },
  transpose: none("it is not linear"),
  batch: (size, xs, dims, { dimension, numKeys, ...extent }) => ({
    outs: sort(
      xs.map((x, i) => ops.batchInFront(x, dims[i]!, size)),
      dimension + 1,
      numKeys,
      extent,
    ),
    dims: xs.map(() => 0),
  }),
  lower: { kind: "sort", sort: ({ dimension, ...rest }) => ({ axis: dimension, ...rest }) },
  facts: { cost: 64 },
});

/**
 * Sorts the arrays together along an axis, by the first `numKeys` of them, lexicographically; the others follow. Random keys
 * may be among those.
 */
export function sort(
  xs: readonly NDArray[],
  dimension: number,
  numKeys: number,
  extent: SortExtent = {},
): readonly NDArray[] {
  const isFollower = xs.map((x, i) => i >= numKeys && x.dtype === "key");
  if (!isFollower.includes(true)) return bind(sortPrimitive, xs, { dimension, numKeys, ...extent });
  const { outs, follow } = sortWithOrder(
    xs.filter((_, i) => !isFollower[i]),
    dimension,
    numKeys,
    extent,
  );
  let next = 0;
  return xs.map((x, i) => (isFollower[i] ? follow(x) : outs[next++]!));
}

/** Sorts, and gives the function that brings the elements of another array into the order of the result. */
function sortWithOrder(
  xs: readonly NDArray[],
  dimension: number,
  numKeys: number,
  extent: SortExtent,
): { readonly outs: readonly NDArray[]; readonly follow: (x: NDArray) => NDArray } {
  const { shape } = xs[0]!;
  const sorted = bind(sortPrimitive, [...xs, ops.iota("int32", shape, dimension)], {
    dimension,
    numKeys,
    ...extent,
  });
  const order = ops.expandDims(sorted[xs.length]!, [shape.length]);
  const others = shape.map((_, k) => k).filter((k) => k !== dimension);
  const dnums = {
    offsetDims: [],
    collapsedSliceDims: [dimension],
    startIndexMap: [dimension],
    operandBatchingDims: others,
    startIndicesBatchingDims: others,
  };
  const sizes = shape.map(() => 1);
  return {
    outs: sorted.slice(0, -1),
    follow: (x) => ops.gather(x, order, dnums, sizes, { mode: "promiseInBounds", uniqueIndices: true }),
  };
}

function forEachRow(rows: readonly number[], strides: readonly number[], body: (start: number) => void): void {
  const visit = (axis: number, start: number): void => {
    if (axis === rows.length) return body(start);
    for (let i = 0; i < rows[axis]!; i++) visit(axis + 1, start + i * strides[axis]!);
  };
  visit(0, 0);
}

function compare(keys: readonly HostArray[], i: number, j: number): number {
  for (const { data } of keys) {
    const a = data[i]!;
    const b = data[j]!;
    if (a < b) return -1;
    if (a > b) return 1;
    if (a !== b && Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
  }
  return 0;
}
