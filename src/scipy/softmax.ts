import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import type { ArrayLike } from "../core/literal.js";
import { logSoftmax as nnLogSoftmax, softmax as nnSoftmax } from "../nn/normalization.js";
import type { Axis } from "../numpy/promotion.js";

/** Softmax as SciPy has it: over all axes unless one is given. */

export { logsumexp, type LogsumexpOptions } from "../numpy/logsumexp.js";

export interface SoftmaxAxis {
  readonly axis?: Axis | undefined;
}
const softmaxParams = /* @__PURE__ */ signature<SoftmaxAxis & { x: ArrayLike }>("scipy.special.softmax", 1, ["x"], {
  byName: ["axis"],
});
/**
 * exp(x)/Σ exp(x) over axes, by default all of them (`nn.softmax`: the last).
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * scipy.special.softmax(np.array([[0, 0], [0, 0]])); // [[0.25, 0.25], [0.25, 0.25]]
 */
export function softmax(x: ArrayLike, options?: SoftmaxAxis): NDArray;
export function softmax(): NDArray {
  const { x, axis = null } = softmaxParams(arguments);
  return nnSoftmax(x, axis);
}

const logSoftmaxParams = /* @__PURE__ */ signature<SoftmaxAxis & { x: ArrayLike }>(
  "scipy.special.logSoftmax",
  1,
  ["x"],
  { byName: ["axis"] },
);
/**
 * x − log Σ exp(x) over axes, by default all of them (`nn.logSoftmax`: the last).
 *
 * @throws as `softmax`.
 * @example
 * scipy.special.logSoftmax(np.array([0, 1000])); // [-1000, 0]
 */
export function logSoftmax(x: ArrayLike, options?: SoftmaxAxis): NDArray;
export function logSoftmax(): NDArray {
  const { x, axis = null } = logSoftmaxParams(arguments);
  return nnLogSoftmax(x, axis);
}
