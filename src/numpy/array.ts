import { ConcreteArray, NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, type TypedArray } from "../core/dtype.js";
import { getEngine } from "../core/engine.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { hostFromJs } from "../core/from-js.js";
import { type ArrayLike, asArray, scalarOf } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { asShape, sizeOf } from "../core/aval.js";
import { convert, convertAll, resultElementType } from "./promotion.js";

/** Making arrays of JS values and of other arrays. */

/** Nested lists of numbers, booleans and arrays. */
export type NestedArrayLike = ArrayLike | readonly NestedArrayLike[];
/** What `array` takes: numbers, booleans, nested lists of them (or of arrays, which are stacked), typed arrays, arrays. */
export type ArrayData = NestedArrayLike | TypedArray | ArrayBufferView;

export interface ArrayOptions {
  /** Row-major shape of a flat list or typed array. */
  readonly shape?: number | readonly number[] | undefined;
  readonly dtype?: DType | null | undefined;
  readonly device?: string | undefined;
  /** Leading axes of length 1 are added up to this rank. */
  readonly ndmin?: number | undefined;
  readonly copy?: boolean | null | undefined;
  readonly order?: "C" | "K" | "A" | undefined;
}
interface ArrayParams extends ArrayOptions {
  readonly object: ArrayData;
}

const arrayParams = /* @__PURE__ */ signature<ArrayParams>("array", 1, ["object", "dtype", "copy", "order", "ndmin"], {
  byName: ["shape", "device"],
});
/**
 * Makes an array. Numbers are data whose values do not decide the dtype: float32 unless `dtype` says otherwise; booleans give
 * bool, typed arrays their own dtype where there is one (Float32Array, Float64Array, Int32Array, Uint32Array; others need
 * `dtype`); arrays, also within lists, keep theirs and are stacked.
 *
 * @throws ArgumentError `ragged` for lists that are not rectangular; ArgumentError `not-a-number`, `device-traced`; ShapeError
 * `shape-size`, `stack-shapes` where arrays of a list differ; DTypeError `dtype-unsupported`, `dtype-typed-array`.
 * @example
 * np.array([[1, 2], [3, 4]]); // float32[2, 2]
 * np.array([1, 2, 3, 4], { shape: [2, 2], dtype: "int32" }); // [[1, 2], [3, 4]]
 * np.array([true, false]); // bool[2]
 * np.array([np.ones([2]), np.zeros([2])]); // [[1, 1], [0, 0]]
 */
export function array(object: ArrayData, dtype?: DType | null | ArrayOptions, options?: ArrayOptions): NDArray;
export function array(): NDArray {
  return make("array", arrayParams(arguments));
}

const asarrayParams = /* @__PURE__ */ signature<ArrayParams & { a: ArrayData }>("asarray", 1, ["a", "dtype", "order"], {
  byName: ["copy", "device", "shape"],
});
/**
 * An array as it is, anything else as `array` makes it.
 *
 * @throws as `array`.
 * @example
 * const x = np.ones([2]);
 * np.asarray(x) === x; // true
 * np.asarray([1, 2]); // float32[2]
 */
export function asarray(a: ArrayData, dtype?: DType | null | ArrayOptions, options?: ArrayOptions): NDArray;
export function asarray(): NDArray {
  const { a, ...options } = asarrayParams(arguments);
  return make("asarray", { ...options, object: a });
}

function make(op: string, { object, shape, dtype, device, ndmin = 0 }: ArrayParams): NDArray {
  let x = fromData(op, object, shape, dtype ?? undefined, device);
  if (x.ndim < ndmin) x = p.reshape(x, [...new Array<number>(ndmin - x.ndim).fill(1), ...x.shape]);
  return x;
}

function fromData(
  op: string,
  object: ArrayData,
  shape: ArrayOptions["shape"],
  dtype: DType | undefined,
  device: string | undefined,
): NDArray {
  if (object instanceof NDArray || (Array.isArray(object) && holdsArray(object))) {
    let x = object instanceof NDArray ? object : stackNested(op, object as readonly NestedArrayLike[]);
    if (dtype !== undefined) x = convert(x, asDType(dtype));
    if (shape !== undefined) x = p.reshape(x, fittingShape(op, x, asShape(shape, op)));
    return device === undefined ? x : onDevice(op, x, device);
  }
  const host = hostFromJs(object, { shape, dtype }, op);
  if (host.aval.shape.length === 0 && device === undefined) return scalarOf(host.data[0]!, host.aval);
  return getEngine().fromHost(host, device);
}

function fittingShape(op: string, x: NDArray, shape: readonly number[]): readonly number[] {
  if (sizeOf(shape) === x.size) return shape;
  throw new ShapeError({
    code: "shape-size",
    message: `${op}: ${x.size} elements do not fill the shape [${shape.join(", ")}]`,
    details: [["array", `[${x.shape.join(",")}]`]],
  });
}

function holdsArray(list: readonly unknown[]): boolean {
  return list.some((v) => v instanceof NDArray || (Array.isArray(v) && holdsArray(v)));
}

/** Stacks lists of lists of arrays and numbers, which promote together. */
function stackNested(op: string, list: readonly NestedArrayLike[]): NDArray {
  const parts: ArrayLike[] = list.map((v) =>
    Array.isArray(v) ? stackNested(op, v as readonly NestedArrayLike[]) : (v as ArrayLike),
  );
  if (parts.length === 0) return getEngine().fromHost(hostFromJs([], {}, op));
  const arrays = convertAll(parts, resultElementType(op, parts));
  const first = arrays[0]!;
  for (const x of arrays) {
    if (x.ndim !== first.ndim || x.shape.some((d, i) => d !== first.shape[i])) {
      throw new ShapeError({
        code: "stack-shapes",
        message: `${op}: the elements of a list must have one shape`,
        details: arrays.map((y, i) => [`element ${i}`, y.describe()] as const),
      });
    }
  }
  return p.concatenate(
    arrays.map((x) => p.expandDims(x, [0])),
    0,
  );
}

/** An array on another device. @throws ArgumentError `device-traced`. */
function onDevice(op: string, x: NDArray, device: string): NDArray {
  if (x instanceof ConcreteArray) return getEngine().put(x, device);
  throw new ArgumentError({
    code: "device-traced",
    message: `${op}: a traced value cannot be moved to device ${device}`,
    hint: "move arrays before they are given to the transformed function",
  });
}

const astypeParams = /* @__PURE__ */ signature<{ x: ArrayLike; dtype: DType | null; copy?: boolean; device?: string }>(
  "astype",
  2,
  ["x", "dtype"],
  {
    byName: ["copy", "device"],
  },
);
/**
 * Converts elements: floats to integers towards zero (what is out of range to the nearest bound, NaN to 0), to bool by being
 * nonzero. Derivatives pass between floats; those through integers are 0.
 *
 * @throws DTypeError `dtype-unsupported`.
 * @example
 * np.astype(np.array([2.7, -2.7, NaN]), "int32"); // [2, -2, 0]
 */
export function astype(
  x: ArrayLike,
  dtype: DType,
  options?: { readonly copy?: boolean; readonly device?: string },
): NDArray;
export function astype(): NDArray {
  const { x, dtype, device } = astypeParams(arguments);
  const converted = convert(asArray(x, "astype", "x"), asDType(dtype ?? defaultFloat()));
  return device === undefined ? converted : onDevice("astype", converted, device);
}

const copyParams = /* @__PURE__ */ signature<{ a: ArrayData; order?: string }>("copy", 1, ["a", "order"]);
/** The same elements in storage of their own. */
export function copy(a: ArrayData): NDArray;
export function copy(): NDArray {
  const x = make("copy", { object: copyParams(arguments).a });
  return p.copy(x);
}
