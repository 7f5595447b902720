import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { type Padding, paddingPairs, requireList } from "../lax/window-padding.js";
import { reduceWindowMax, reduceWindowMin, reduceWindowSum } from "../lax/windows.js";
import { divide } from "../numpy/arithmetic.js";
import * as p from "../primitives/all.js";

/** Pooling: what windows over the spatial axes of images [batch…, …spatial, features] come to. */
export interface PoolOptions {
  /** Steps between windows; 1 by default. */
  readonly strides?: readonly number[] | null | undefined;
  /** "VALID" by default. */
  readonly padding?: Padding | undefined;
}
export interface AvgPoolOptions extends PoolOptions {
  /** Count the zeros that pad as elements of a window (true). */
  readonly countIncludePad?: boolean | undefined;
}
type PoolArguments = AvgPoolOptions & { readonly inputs: ArrayLike; readonly windowShape: readonly number[] };

type Reduction = typeof reduceWindowMax;

/** Reduces windows over the axes before the last; an image without batch axis is one of a batch of one. */
function pooled(op: string, reduce: Reduction, x: NDArray, args: PoolArguments): NDArray {
  const { windowShape, strides } = args;
  const rank = windowShape.length;
  if (
    !Array.isArray(windowShape) ||
    x.ndim < rank + 1 ||
    (strides !== undefined && strides !== null && strides.length !== rank)
  ) {
    throw new ArgumentError({
      code: "pool-window",
      message: `${op}: windowShape and strides need one entry for each spatial axis, and inputs those axes and one of features after them`,
      details: [
        ["inputs", x.describe()],
        ["windowShape", JSON.stringify(windowShape)],
        ["strides", JSON.stringify(strides ?? null)],
      ],
    });
  }
  const before = Array<number>(x.ndim - rank - 1).fill(1);
  const steps = strides ?? windowShape.map(() => 1);
  requireList(op, "windowShape", windowShape, rank);
  requireList(op, "strides", steps, rank);
  const padding = paddingPairs(op, args.padding ?? "VALID", x.shape.slice(-rank - 1, -1), windowShape, steps);
  return reduce(x, {
    windowDimensions: [...before, ...windowShape, 1],
    windowStrides: [...before, ...steps, 1],
    padding: [...before.map(() => [0, 0] as const), ...padding, [0, 0]],
  });
}

const poolNames = ["inputs", "windowShape", "strides", "padding"] as const;

function pool(name: string, reduce: Reduction) {
  const params = signature<PoolArguments>(`nn.${name}`, 2, poolNames);
  return (...given: unknown[]): NDArray => {
    const args = params(given);
    return pooled(`nn.${name}`, reduce, asArray(args.inputs, `nn.${name}`, "inputs"), args);
  };
}

type Pool = (
  inputs: ArrayLike,
  windowShape: readonly number[],
  strides?: readonly number[] | null | PoolOptions,
  padding?: Padding | PoolOptions,
) => NDArray;

/**
 * The largest element of each window, of images with features last: `[batch h w features]`; of equal ones the first gets
 * the derivative.
 *
 * @throws ArgumentError `pool-window`, `window-list`, `window-padding`.
 * @example
 * nn.maxPool(np.arange(16).reshape(1, 4, 4, 1), [2, 2], [2, 2]).reshape(-1); // [5, 7, 13, 15]
 */
export const maxPool: Pool = /* @__PURE__ */ pool("maxPool", reduceWindowMax);
/**
 * The least element of each window, of images with features last; of equal ones the first gets the derivative.
 *
 * @throws as `maxPool`.
 * @example
 * nn.minPool(np.arange(16).reshape(1, 4, 4, 1), [2, 2], [2, 2]).reshape(-1); // [0, 2, 8, 10]
 */
export const minPool: Pool = /* @__PURE__ */ pool("minPool", reduceWindowMin);

const avgParams = /* @__PURE__ */ signature<PoolArguments>("nn.avgPool", 2, [...poolNames, "countIncludePad"]);
/**
 * The mean of each window, of images with features last, in floats. Zeros that pad count as elements, unless
 * `countIncludePad` is false.
 *
 * @throws ArgumentError `pool-window`, `window-list`, `window-padding`.
 * @example
 * nn.avgPool(np.arange(16).reshape(1, 4, 4, 1), [2, 2], { strides: [2, 2] }).reshape(-1); // [2.5, 4.5, 10.5, 12.5]
 */
export function avgPool(
  inputs: ArrayLike,
  windowShape: readonly number[],
  strides?: readonly number[] | null | AvgPoolOptions,
  padding?: Padding | AvgPoolOptions,
  countIncludePad?: boolean | AvgPoolOptions,
): NDArray;
export function avgPool(...given: unknown[]): NDArray {
  const args = avgParams(given);
  const x = asArray(args.inputs, "nn.avgPool", "inputs");
  const sum = pooled("nn.avgPool", reduceWindowSum, x, args);
  if (args.countIncludePad ?? true)
    return divide(
      sum,
      args.windowShape.reduce((a, b) => a * b, 1),
    );
  const spatial = x.shape.map((n, k) => (k >= x.ndim - 1 - args.windowShape.length && k < x.ndim - 1 ? n : 1));
  const dtype = isFloat(x.dtype) ? x.dtype : "float32";
  const counts = pooled("nn.avgPool", reduceWindowSum, p.full(1, { shape: spatial, dtype, weakType: false }), args);
  return divide(sum, counts);
}
