import type { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { asDType, type DType } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { choose, truth } from "./logic.js";
import { convert, toNumeric } from "./promotion.js";
import { like, nanMask } from "./ufunc.js";

/** Running sums and products. */

export interface CumulativeOptions {
  /** The axis to run along; without it the array is flattened. */
  readonly axis?: number | null | undefined;
  readonly dtype?: DType | null | undefined;
}
type Params = CumulativeOptions & { readonly a: ArrayLike };
type Scan = (x: NDArray, axis: number) => NDArray;
const names = ["a", "axis", "dtype", "out"] as const;

function run(op: string, scan: Scan, { a, axis = null, dtype }: Params, nanAs?: number): NDArray {
  let x = asArray(a, op, "a");
  if (axis === null) x = p.reshape(x, [x.size]);
  const at = normalizeAxis(axis ?? 0, x.ndim, op);
  if (nanAs !== undefined) x = choose(op, nanMask(x), like(x, nanAs), x);
  const to = dtype === undefined || dtype === null ? toNumeric(x.dtype) : asDType(dtype);
  if (to === "bool") return convert(scan(convert(truth(x), "int32"), at), "bool");
  return scan(convert(x, to), at);
}

const sums: Scan = (x, axis) => p.cumsum(x, axis);
const products: Scan = (x, axis) => p.cumprod(x, axis);

const cumsumParams = /* @__PURE__ */ signature<Params>("cumsum", 1, names);
/**
 * Running sums along an axis; without one, of the flattened array. Booleans are counted.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * np.cumsum(np.array([1, 2, 3])); // [1, 3, 6]
 * np.cumsum(np.array([[1, 2], [3, 4]]), 0); // [[1, 2], [4, 6]]
 */
export function cumsum(a: ArrayLike, axis?: number | null | CumulativeOptions, options?: CumulativeOptions): NDArray;
export function cumsum(): NDArray {
  return run("cumsum", sums, cumsumParams(arguments));
}
const cumprodParams = /* @__PURE__ */ signature<Params>("cumprod", 1, names);
/**
 * Running products along an axis; without one, of the flattened array. The derivative is right where elements are 0.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * np.cumprod(np.array([1, 2, 3])); // [1, 2, 6]
 */
export function cumprod(a: ArrayLike, axis?: number | null | CumulativeOptions, options?: CumulativeOptions): NDArray;
export function cumprod(): NDArray {
  return run("cumprod", products, cumprodParams(arguments));
}
const nancumsumParams = /* @__PURE__ */ signature<Params>("nancumsum", 1, names);
/** Running sums in which NaN counts as 0. */
export function nancumsum(a: ArrayLike, axis?: number | null | CumulativeOptions, options?: CumulativeOptions): NDArray;
export function nancumsum(): NDArray {
  return run("nancumsum", sums, nancumsumParams(arguments), 0);
}
const nancumprodParams = /* @__PURE__ */ signature<Params>("nancumprod", 1, names);
/** Running products in which NaN counts as 1. */
export function nancumprod(
  a: ArrayLike,
  axis?: number | null | CumulativeOptions,
  options?: CumulativeOptions,
): NDArray;
export function nancumprod(): NDArray {
  return run("nancumprod", products, nancumprodParams(arguments), 1);
}

export interface CumulativeInitialOptions extends CumulativeOptions {
  /** Start with the neutral element, one more than there are elements. */
  readonly includeInitial?: boolean | undefined;
}
type InitialParams = CumulativeInitialOptions & { readonly x: ArrayLike };

function withInitial(
  op: string,
  scan: Scan,
  neutral: number,
  { x: given, axis, dtype, includeInitial = false }: InitialParams,
): NDArray {
  const x = asArray(given, op, "x");
  if (x.ndim === 0 || (x.ndim > 1 && (axis === undefined || axis === null))) {
    throw new ArgumentError({
      code: "axis-needed",
      message: x.ndim === 0 ? `${op} needs at least one dimension` : `${op} of more than one dimension needs {axis}`,
      details: [["x", x.describe()]],
    });
  }
  const at = normalizeAxis(axis ?? 0, x.ndim, op);
  const out = run(op, scan, { a: x, axis: at, dtype });
  if (!includeInitial) return out;
  const shape = out.shape.map((d, i) => (i === at ? 1 : d));
  return p.concatenate([p.full(neutral, { shape, dtype: out.dtype, weakType: false }), out], at);
}

const initialOptions = { byName: ["axis", "dtype", "includeInitial"] } as const;
const cumulativeSumParams = /* @__PURE__ */ signature<InitialParams>("cumulativeSum", 1, ["x"], initialOptions);
/**
 * Running sums; the axis may be left out of vectors only.
 *
 * @throws ArgumentError `axis-needed`, `axis-range`.
 * @example
 * np.cumulativeSum(np.array([1, 2]), { includeInitial: true }); // [0, 1, 3]
 */
export function cumulativeSum(x: ArrayLike, options?: CumulativeInitialOptions): NDArray;
export function cumulativeSum(): NDArray {
  return withInitial("cumulativeSum", sums, 0, cumulativeSumParams(arguments));
}
const cumulativeProdParams = /* @__PURE__ */ signature<InitialParams>("cumulativeProd", 1, ["x"], initialOptions);
/**
 * Running products; the axis may be left out of vectors only.
 *
 * @throws ArgumentError `axis-needed`, `axis-range`.
 * @example
 * np.cumulativeProd(np.array([1, 2]), { includeInitial: true }); // [1, 1, 2]
 */
export function cumulativeProd(x: ArrayLike, options?: CumulativeInitialOptions): NDArray;
export function cumulativeProd(): NDArray {
  return withInitial("cumulativeProd", products, 1, cumulativeProdParams(arguments));
}
