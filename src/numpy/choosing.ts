import { NDArray } from "../core/array.js";
import { broadcastShapes, normalizeAxis } from "../core/aval.js";
import { signature, variadic } from "../core/calling.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { valuesNow } from "../core/values-now.js";
import * as p from "../primitives/all.js";
import { remainder } from "./arithmetic.js";
import { indexVector, takeAlong } from "./gathering.js";
import { clip, truth } from "./logic.js";
import { convert, convertAll, convertOne, expandTo, resultElementType } from "./promotion.js";
import { moveaxis } from "./shape.js";
import { argsort } from "./sorting.js";
import { requireInteger } from "./ufunc.js";

/** Elements chosen by integers or by masks. */

/** The elements of an array that is known now. @throws ArgumentError `values-needed`. */
function valuesOf(op: string, x: NDArray, name: string, hint: string): Iterable<number | bigint> {
  const values = valuesNow(op, x);
  if (values !== undefined) return values;
  throw new ArgumentError({
    code: "values-needed",
    message: `${op} must read ${name}, which is not known here`,
    details: [[name, x.describe()]],
    hint,
  });
}

export interface ChooseOptions {
  /** What indices out of bounds do: throw, where values are known, wrap around, or be clipped. */
  readonly mode?: "raise" | "wrap" | "clip" | undefined;
}
const chooseParams = /* @__PURE__ */ signature<
  ChooseOptions & { a: ArrayLike; choices: readonly ArrayLike[] | NDArray }
>("choose", 2, ["a", "choices", "out", "mode"]);
/**
 * For each integer i of an array, the element of `choices[i]` in the same place. Mode "raise", the default, reads the integers.
 *
 * @example
 * np.choose(np.array([0, 1], "int32"), [np.array([1, 2]), np.array([3, 4])]); // [1, 4]
 */
export function choose(a: ArrayLike, choices: readonly ArrayLike[] | NDArray, options?: ChooseOptions): NDArray;
export function choose(): NDArray {
  const { a, choices, mode = "raise" } = chooseParams(arguments);
  const index = asArray(a, "choose", "a");
  requireInteger("choose", index);
  const given =
    choices instanceof NDArray
      ? p.split(choices, new Array<number>(choices.shape[0] ?? 0).fill(1), 0).map((c) => p.squeeze(c, [0]))
      : choices;
  const count = given.length;
  if (count === 0) throw new ArgumentError({ code: "choose-choices", message: "choose needs at least one choice" });
  const cases = convertAll(given, resultElementType("choose", given));
  const shape = broadcastShapes([index.shape, ...cases.map((c) => c.shape)], "choose");
  const which = expandTo(convert(boundedIndex(index, count, mode), "int32"), shape);
  const spread = cases.map((c) => expandTo(c, shape));
  return count === 1 ? spread[0]! : p.selectN(which, ...spread);
}

function boundedIndex(index: NDArray, count: number, mode: NonNullable<ChooseOptions["mode"]>): NDArray {
  if (mode === "wrap") return remainder(index, count);
  if (mode === "clip") return clip(index, 0, count - 1);
  if (mode !== "raise")
    throw new ArgumentError({
      code: "index-mode",
      message: `choose: ${JSON.stringify(mode)} is not a mode`,
      hint: 'modes: "raise", "wrap", "clip"',
    });
  for (const i of valuesOf("choose", index, "a", 'use {mode: "wrap"} or {mode: "clip"}')) {
    if (Number(i) >= 0 && Number(i) < count) continue;
    throw new ArgumentError({
      code: "index-range",
      message: `choose: index ${i} is out of bounds for ${count} choices`,
    });
  }
  return index;
}

export interface CompressOptions {
  readonly axis?: number | null | undefined;
  /** How many elements the result has: needed where the condition is not known, as under jit. */
  readonly size?: number | null | undefined;
  /** What stands in the result after the elements that were chosen. */
  readonly fillValue?: ArrayLike | undefined;
}
const compressParams = /* @__PURE__ */ signature<CompressOptions & { condition: ArrayLike; a: ArrayLike }>(
  "compress",
  2,
  ["condition", "a", "axis"],
  {
    byName: ["size", "fillValue"],
  },
);
/**
 * The slices along an axis (by default the elements) for which a vector of conditions is true. It reads the conditions, so
 * that they may not be traced.
 *
 * @throws ArgumentError `values-needed`.
 * @example
 * np.compress(np.array([true, false, true]), np.array([1, 2, 3])); // [1, 3]
 */
export function compress(
  condition: ArrayLike,
  a: ArrayLike,
  axis?: number | null | CompressOptions,
  options?: CompressOptions,
): NDArray;
export function compress(): NDArray {
  const { condition, a, axis = null, size = null, fillValue = 0 } = compressParams(arguments);
  const mask = truth(asArray(condition, "compress", "condition"));
  if (mask.ndim !== 1)
    throw new ShapeError({
      code: "rank",
      message: "compress: the condition must have one dimension",
      details: [["condition", mask.describe()]],
    });
  const given = asArray(a, "compress", "a");
  const k = axis === null ? 0 : normalizeAxis(axis, given.ndim, "compress");
  const x = axis === null ? p.reshape(given, [given.size]) : moveaxis(given, k, 0);
  const length = x.shape[0]!;
  if (size === null) return moveaxis(takeAlong(x, chosen(mask, length), 0), 0, k);
  if (!Number.isInteger(size) || size < 0 || size > length) {
    throw new ArgumentError({
      code: "size-range",
      message: `compress: size must be a whole number from 0 to ${length}, not ${String(size)}`,
    });
  }
  const n = Math.min(mask.size, length);
  const used = n === mask.size ? mask : p.slice(mask, [0], [n]);
  const head =
    n === length
      ? x
      : p.slice(
          x,
          x.shape.map(() => 0),
          [n, ...x.shape.slice(1)],
        );
  const filled = p.select(
    p.broadcastInDim(used, head.shape, [0]),
    head,
    expandTo(convertOne(fillValue, x.dtype, false), head.shape),
  );
  const order = p.slice(argsort(used, { descending: true, stable: true }), [0], [Math.min(size, n)]);
  return moveaxis(takeAlong(filled, order, 0), 0, k);
}

/** Positions where a mask is true. */
function chosen(mask: NDArray, length: number): NDArray {
  const at: number[] = [];
  let i = 0;
  for (const value of valuesOf("compress", mask, "the condition", "give {size}")) {
    if (Number(value) !== 0) at.push(i);
    i++;
  }
  const beyond = at.find((k) => k >= length);
  if (beyond !== undefined)
    throw new ArgumentError({
      code: "index-range",
      message: `compress: condition ${beyond} is true, but there are ${length} elements`,
    });
  return indexVector(at);
}

const placeParams = /* @__PURE__ */ signature<{ arr: ArrayLike; mask: ArrayLike; vals: ArrayLike; inplace?: boolean }>(
  "place",
  3,
  ["arr", "mask", "vals"],
  { byName: ["inplace"] },
);
/** The array with its elements where the mask is true replaced by values, one after the other; they are repeated as needed. */
export function place(
  arr: ArrayLike,
  mask: ArrayLike,
  vals: ArrayLike,
  options?: { readonly inplace?: false },
): NDArray;
export function place(): NDArray {
  const given = placeParams(arguments);
  const [x, mask] = [asArray(given.arr, "place", "arr"), truth(asArray(given.mask, "place", "mask"))];
  const values = convertOne(given.vals, x.dtype, false);
  if (x.size !== mask.size || values.size === 0) {
    throw new ShapeError({
      code: "place-sizes",
      message:
        x.size !== mask.size ? "place: the mask must have as many elements as the array" : "place: there are no values",
      details: [
        ["arr", x.describe()],
        ["mask", mask.describe()],
        ["vals", values.describe()],
      ],
    });
  }
  if (x.size === 0) return x;
  const flat = p.reshape(mask, [x.size]);
  const turn = p.sub(p.cumsum(convert(flat, "int32"), 0), 1);
  const at = p.rem(p.max(turn, 0), values.size);
  return p.select(p.reshape(flat, x.shape), p.reshape(takeAlong(p.reshape(values, [values.size]), at, 0), x.shape), x);
}

const ixParams = /* @__PURE__ */ variadic("ix_", []);
/**
 * Vectors of indices as arrays that broadcast to a grid, one axis each.
 *
 * @example
 * const [rows, columns] = np.ix_(np.array([0, 1], "int32"), np.array([2], "int32"));
 * np.arange(6).reshape(2, 3).slice(rows, columns); // [[2], [5]]
 */
export function ix_(...args: readonly ArrayLike[]): NDArray[];
export function ix_(): NDArray[] {
  const vectors = ixParams(arguments)[0].map((x, i) => asArray(x, "ix_", `argument ${i}`));
  return vectors.map((x, i) => {
    if (x.ndim !== 1)
      throw new ShapeError({ code: "rank", message: "ix_ takes vectors", details: [[`argument ${i}`, x.describe()]] });
    if (x.dtype === "bool")
      throw new DTypeError({
        code: "integer-needed",
        message: "ix_ takes indices, not masks",
        details: [[`argument ${i}`, x.describe()]],
      });
    const shape = vectors.map((_, k) => (k === i ? x.size : 1));
    return x.size === 0 ? p.full(0, { shape, dtype: "int32", weakType: false }) : p.reshape(x, shape);
  });
}
