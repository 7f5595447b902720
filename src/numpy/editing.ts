import { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { valuesNow } from "../core/values-now.js";
import * as p from "../primitives/all.js";
import { broadcastToShape } from "./broadcasting.js";
import { indexVector, takeAlong } from "./gathering.js";
import { convert } from "./promotion.js";

/** Taking slices out of an array and putting others in. */

/** Positions along an axis as users give them. */
export type Positions = number | readonly number[] | NDArray;

/** Positions that must be known now, made non-negative. `end`: the largest one allowed. */
function knownPositions(op: string, obj: Positions, length: number, end: number): number[] {
  const list = typeof obj === "number" ? [obj] : obj instanceof NDArray ? readIndices(op, obj, length) : [...obj];
  return list.map((i) => {
    if (!Number.isInteger(i) || i < -length || i > end) {
      throw new ArgumentError({
        code: "index-range",
        message: `${op}: position ${String(i)} is out of bounds for an axis of length ${length}`,
      });
    }
    return i < 0 ? i + length : i;
  });
}

function readIndices(op: string, obj: NDArray, length: number): number[] {
  const known = valuesNow(op, obj) as Iterable<number> | undefined;
  if (known === undefined) {
    throw new ArgumentError({
      code: "index-traced",
      message: `${op}: which elements are meant must be known, but obj is traced`,
      details: [["obj", obj.describe()]],
      hint: "use np.where with a mask, or a list of numbers",
    });
  }
  const values = [...known];
  if (obj.dtype === "bool") {
    if (values.length !== length)
      throw new ShapeError({
        code: "mask-length",
        message: `${op}: a mask of ${values.length} does not fit an axis of length ${length}`,
      });
    return values.flatMap((v, i) => (v ? [i] : []));
  }
  if (!isInteger(obj.dtype)) {
    throw new ArgumentError({
      code: "index-dtype",
      message: `${op}: positions must be integers or a mask`,
      details: [["obj", obj.describe()]],
    });
  }
  return values;
}

export interface DeleteOptions {
  readonly axis?: number | null | undefined;
  /** No position is given twice: then a traced array of them will do. */
  readonly assumeUniqueIndices?: boolean | undefined;
}
const deleteParams = /* @__PURE__ */ signature<DeleteOptions & { arr: ArrayLike; obj: Positions }>(
  "delete_",
  2,
  ["arr", "obj", "axis"],
  {
    byName: ["assumeUniqueIndices"],
  },
);
/**
 * The array without the slices at some positions of an axis; without axis, of the flattened array. (JAX's `delete`, a
 * reserved word here.)
 *
 * @example
 * np.delete_(np.array([1, 2, 3]), 1); // [1, 3]
 */
export function delete_(
  arr: ArrayLike,
  obj: Positions,
  axis?: number | null | DeleteOptions,
  options?: DeleteOptions,
): NDArray;
export function delete_(): NDArray {
  const { arr, obj, axis = null, assumeUniqueIndices = false } = deleteParams(arguments);
  let x = asArray(arr, "delete_", "arr");
  if (axis === null) x = p.reshape(x, [x.size]);
  const at = axis === null ? 0 : normalizeAxis(axis, x.ndim, "delete_");
  const n = x.shape[at]!;
  if (obj instanceof NDArray && isInteger(obj.dtype) && (assumeUniqueIndices || obj.ndim === 0))
    return deleteUnique(x, obj, at);
  const gone = new Set(knownPositions("delete_", obj, n, n - 1));
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => !gone.has(i));
  return takeAlong(x, indexVector(kept), at);
}

/** Without the slices at distinct positions, which may be traced: place i holds what follows the positions before it. */
function deleteUnique(x: NDArray, positions: NDArray, axis: number): NDArray {
  const n = x.shape[axis]!;
  const flat = p.reshape(positions, [positions.size]);
  const m = flat.size;
  const [sorted] = p.sort([inBounds(flat, n)], 0, 1);
  const skipped = p.sub(sorted!, p.iota("int32", [m], 0));
  const place = p.iota("int32", [n - m, m], 0);
  const passed = p.ge(place, p.broadcastInDim(skipped, [n - m, m], [1]));
  const source = p.add(p.iota("int32", [n - m], 0), p.reduceSum(convert(passed, "int32"), [1]));
  return takeAlong(x, source, axis);
}

/** Positions as int32, negative ones counted from the end, clamped to [0, n]. */
function inBounds(positions: NDArray, n: number): NDArray {
  const at = convert(positions, "int32");
  return p.clamp(0, p.select(p.lt(at, 0), p.add(at, n), at), n);
}

const insertParams = /* @__PURE__ */ signature<{
  arr: ArrayLike;
  obj: Positions;
  values: ArrayLike;
  axis?: number | null;
}>("insert", 3, ["arr", "obj", "values", "axis"]);
/**
 * The array with values put in front of some positions of an axis; without axis, of the flattened array.
 *
 * @example
 * np.insert(np.array([1, 2, 3]), 1, 9); // [1, 9, 2, 3]
 */
export function insert(
  arr: ArrayLike,
  obj: Positions,
  values: ArrayLike,
  axis?: number | null | { readonly axis?: number | null },
): NDArray;
export function insert(): NDArray {
  const { arr, obj, values, axis = null } = insertParams(arguments);
  let x = asArray(arr, "insert", "arr");
  if (axis === null) x = p.reshape(x, [x.size]);
  const at = axis === null ? 0 : normalizeAxis(axis, x.ndim, "insert");
  const n = x.shape[at]!;
  const single = typeof obj === "number" || (obj instanceof NDArray && obj.ndim === 0);
  let v = convert(asArray(values, "insert", "values"), x.dtype);
  // At a single position the first axis of the values is the one that is inserted into.
  if (single && v.ndim > 0) {
    if (v.ndim < x.ndim) v = p.reshape(v, [...new Array<number>(x.ndim - v.ndim).fill(1), ...v.shape]);
    v = p.moveAxis(v, 0, at);
  }
  const listed = typeof obj === "number" ? 1 : obj instanceof NDArray ? obj.size : obj.length;
  const along = v.ndim < x.ndim - at ? 1 : v.shape[at + v.ndim - x.ndim]!;
  const length = listed === 1 ? along : listed;
  const filled = broadcastToShape(
    "insert",
    v,
    x.shape.map((d, i) => (i === at ? length : d)),
  );
  const both = p.concatenate([x, filled], at);
  if (obj instanceof NDArray) return takeAlong(both, insertionOrder(obj, n, length), at);
  const places = knownPositions("insert", obj, n, n);
  return takeAlong(
    both,
    indexVector(mergeOrder(places.length === 1 ? new Array<number>(length).fill(places[0]!) : places, n)),
    at,
  );
}

/** Which row of [array, values] stands at each place: rows of the array (k < n) with those of the values (n + j) before them. */
function mergeOrder(places: readonly number[], n: number): number[] {
  const sorted = places.map((place, j) => [place, j] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const order: number[] = [];
  let next = 0;
  for (let i = 0; i <= n; i++) {
    while (next < sorted.length && sorted[next]![0] === i) order.push(n + sorted[next++]![1]);
    if (i < n) order.push(i);
  }
  return order;
}

/** `mergeOrder` of positions in an array, which may be traced: a stable sort of rows by place, values before the array's row. */
function insertionOrder(obj: NDArray, n: number, length: number): NDArray {
  if (!isInteger(obj.dtype)) {
    throw new ArgumentError({
      code: "index-dtype",
      message: "insert: positions must be integers",
      details: [["obj", obj.describe()]],
    });
  }
  const places = broadcastToShape("insert", obj.ndim === 0 ? obj : p.reshape(obj, [obj.size]), [length]);
  const rank = p.concatenate([p.add(p.mul(p.iota("int32", [n], 0), 2), 1), p.mul(inBounds(places, n), 2)], 0);
  return p.sort([rank, p.iota("int32", [n + length], 0)], 0, 1)[1]!;
}
