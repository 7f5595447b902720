import { NDArray } from "../core/array.js";
import { normalizeAxis, sameShape } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { asDType, type DType } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { putAlongAxis } from "./indexing.js";

/** Sorting along an axis: NaN comes last, −0 equals 0. */

export interface SortOptions {
  /** The axis to sort along; null flattens the array. */
  readonly axis?: number | null | undefined;
  readonly descending?: boolean | undefined;
  /** Whether equal elements keep their order; sorts are always stable here, but for descending ones this shows. */
  readonly stable?: boolean | undefined;
  readonly kind?: null | undefined;
  readonly order?: null | undefined;
}
type SortParams = SortOptions & { readonly a: ArrayLike };
const byName = ["kind", "order", "stable", "descending"] as const;

/** The array, flattened for axis null, and the axis to sort along. */
function along(op: string, a: ArrayLike, axis: number | null): readonly [x: NDArray, axis: number] {
  const x = asArray(a, op, "a");
  return axis === null ? [p.reshape(x, [x.size]), 0] : [x, normalizeAxis(axis, x.ndim, op)];
}

function refuseKind(op: string, kind: unknown, order: unknown): void {
  if ((kind ?? null) === null && (order ?? null) === null) return;
  throw new ArgumentError({
    code: "option-absent",
    message: `${op}: kind and order are not offered`,
    hint: "every sort is stable",
  });
}

const sortParams = /* @__PURE__ */ signature<SortParams>("sort", 1, ["a", "axis"], { byName });
/**
 * The elements sorted along an axis, by default the last, ascending unless `descending`; NaN comes last (descending: first). The derivative goes
 * where the elements came from, among equal ones in their order.
 *
 * @throws ArgumentError `axis-range`, `option-absent` for kind and order.
 * @example
 * np.sort(np.array([3, NaN, 1])); // [1, 3, NaN]
 * np.sort(np.array([[3, 1], [2, 4]]), { axis: 0, descending: true }); // [[3, 4], [2, 1]]
 */
export function sort(a: ArrayLike, axis?: number | null | SortOptions, options?: SortOptions): NDArray;
export function sort(): NDArray {
  const { a, axis = -1, descending = false, kind, order } = sortParams(arguments);
  refuseKind("sort", kind, order);
  const [x, k] = along("sort", a, axis);
  const sorted = p.sort([x], k, 1)[0]!;
  return descending ? p.rev(sorted, [k]) : sorted;
}

export interface ArgsortOptions extends SortOptions {
  readonly dtype?: DType | null | undefined;
}
const argsortParams = /* @__PURE__ */ signature<ArgsortOptions & { a: ArrayLike }>("argsort", 1, ["a", "axis"], {
  byName: [...byName, "dtype"],
});
/**
 * The indices (int32) that sort an array along an axis, by default the last; equal elements keep their order.
 *
 * @throws ArgumentError `axis-range`, `option-absent` for kind and order.
 * @example
 * np.argsort(np.array([3, 1, 2])); // [1, 2, 0]
 */
export function argsort(a: ArrayLike, axis?: number | null | ArgsortOptions, options?: ArgsortOptions): NDArray;
export function argsort(): NDArray {
  const { a, axis = -1, descending = false, stable = true, kind, order, dtype } = argsortParams(arguments);
  refuseKind("argsort", kind, order);
  const [given, k] = along("argsort", a, axis);
  const [x, index] = [p.stopGradient(given), p.iota(asDType(dtype ?? "int32"), given.shape, k)];
  const sorted = p.sort([x, index], k, 1, descending && stable ? { descending } : {})[1]!;
  return descending && !stable ? p.rev(sorted, [k]) : sorted;
}

const lexsortParams = /* @__PURE__ */ signature<{ keys: readonly ArrayLike[] | NDArray; axis?: number }>("lexsort", 1, [
  "keys",
  "axis",
]);
/**
 * The indices that sort by the last key, equal ones by the key before it, and so on.
 *
 * @throws ArgumentError `lexsort-keys`, `axis-range`; ShapeError `shape-mismatch`, `rank`.
 * @example
 * np.lexsort([np.array([2, 1, 3]), np.array([1, 1, 0])]); // [2, 1, 0]
 */
export function lexsort(keys: readonly ArrayLike[] | NDArray, axis?: number | { readonly axis?: number }): NDArray;
export function lexsort(): NDArray {
  const { keys, axis = -1 } = lexsortParams(arguments);
  const list = (keys instanceof NDArray ? rows(keys) : keys).map((x) => p.stopGradient(asArray(x, "lexsort", "a key")));
  const first = list[0];
  if (first === undefined) throw new ArgumentError({ code: "lexsort-keys", message: "lexsort needs at least one key" });
  if (list.some((x) => !sameShape(x.shape, first.shape))) {
    throw new ShapeError({
      code: "shape-mismatch",
      message: "lexsort needs keys of one shape",
      details: list.map((x, i) => [`key ${i}`, x.describe()] as const),
    });
  }
  if (first.ndim === 0) return p.full(0, { shape: [], dtype: "int32", weakType: false });
  const k = normalizeAxis(axis, first.ndim, "lexsort");
  return p.sort([...list.reverse(), p.iota("int32", first.shape, k)], k, list.length).at(-1)!;
}

function rows(x: NDArray): NDArray[] {
  if (x.ndim === 0)
    throw new ShapeError({
      code: "rank",
      message: "lexsort needs a list of keys, or an array whose rows are keys",
      details: [["keys", x.describe()]],
    });
  const sizes = new Array<number>(x.shape[0]!).fill(1);
  return p.split(x, sizes, 0).map((part) => p.squeeze(part, [0]));
}

type PartitionParams = { readonly a: ArrayLike; readonly kth: number; readonly axis?: number };
const partitionNames = ["a", "kth", "axis"] as const;

/** The `count` largest elements along the last axis, largest first, with their indices; NaN counts as largest, ties by index. */
function largest(x: NDArray, count: number): readonly [values: NDArray, indices: NDArray] {
  return outermost(x, { descending: true, count });
}

/** The `count` least elements along the last axis, least first, with their indices; ties by index. */
function least(x: NDArray, count: number): readonly [values: NDArray, indices: NDArray] {
  return outermost(x, { count });
}
const outermost = (x: NDArray, extent: p.SortExtent): readonly [NDArray, NDArray] =>
  p.sort([x, p.iota("int32", x.shape, x.ndim - 1)], x.ndim - 1, 1, extent) as unknown as [NDArray, NDArray];

/** Checks the arguments, and hands the array over with the axis at the end. */
function partitioned(
  { a, kth, axis = -1 }: PartitionParams,
  op: string,
  f: (x: NDArray, kth: number) => NDArray,
): NDArray {
  const x = asArray(a, op, "a");
  if (x.dtype === "bool") {
    throw new DTypeError({
      code: "number-needed",
      message: `${op} takes numbers, not booleans`,
      details: [["a", x.describe()]],
      hint: 'sort them, or convert with .astype("int32")',
    });
  }
  const d = normalizeAxis(axis, x.ndim, op);
  const n = x.shape[d]!;
  if (!Number.isInteger(kth) || kth < -n || kth >= n) {
    throw new ArgumentError({
      code: "kth-range",
      message: `${op}: kth ${String(kth)} is out of bounds for axis ${d} of length ${n}`,
      details: [["a", x.describe()]],
    });
  }
  const swap = x.shape.map((_, i) => (i === d ? x.ndim - 1 : i === x.ndim - 1 ? d : i));
  return p.transpose(f(p.transpose(x, swap), kth < 0 ? kth + n : kth), swap);
}

const partitionParams = /* @__PURE__ */ signature<PartitionParams>("partition", 2, partitionNames);
/**
 * The elements in an order in which the one at `kth` stands where sorting puts it, no larger ones before it, no lesser ones after.
 *
 * @throws ArgumentError `kth-range`, `axis-range`; DTypeError `number-needed` for booleans.
 * @example
 * np.partition(np.array([4, 1, 3, 2]), 1).slice(1); // 2
 */
export function partition(a: ArrayLike, kth: number, axis?: number | { readonly axis?: number }): NDArray;
export function partition(): NDArray {
  return partitioned(partitionParams(arguments), "partition", (x, kth) =>
    p.concatenate([least(x, kth + 1)[0], largest(x, x.shape[x.ndim - 1]! - kth - 1)[0]], x.ndim - 1),
  );
}

const argpartitionParams = /* @__PURE__ */ signature<PartitionParams>("argpartition", 2, partitionNames);
/** The indices that `partition` would take: those of the least elements, then the others in their order. */
export function argpartition(a: ArrayLike, kth: number, axis?: number | { readonly axis?: number }): NDArray;
export function argpartition(): NDArray {
  return partitioned(argpartitionParams(arguments), "argpartition", (x, kth) => {
    const k = x.ndim - 1;
    const bottom = least(p.stopGradient(x), kth + 1)[1];
    const index = p.iota("int32", x.shape, k);
    const taken = putAlongAxis(p.full(0, index.aval), bottom, 1, k);
    const rest = p.sort([taken, index], k, 1, { count: x.shape[k]! - kth - 1 })[1]!;
    return p.concatenate([bottom, rest], k);
  });
}
