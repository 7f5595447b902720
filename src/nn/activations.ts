import type { NDArray } from "../core/array.js";
import { atOnce } from "../core/at-once.js";
import { signature } from "../core/calling.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { add, divide, maximum, minimum, multiply } from "../numpy/arithmetic.js";
import { logaddexp } from "../numpy/elementary.js";
import { where } from "../numpy/logic.js";
import { convert, inexact, numeric, pairOf, promote2 } from "../numpy/promotion.js";
import { floatUnary, like, type Unary, unary } from "../numpy/ufunc.js";
import * as p from "../primitives/all.js";
import { isFloat } from "../core/dtype.js";
import { floatsOnly, numbersOnly, weakBooleans, weakly } from "./operands.js";

/** Activation functions. Their derivatives at kinks are JAX's. */

/** A function whose operand `operand` converts. */
const activation = (op: string, operand: (op: string, x: ArrayLike) => NDArray, f: (x: NDArray) => NDArray): Unary => {
  const params = signature<{ x: ArrayLike }>(op, 1, ["x"]);
  const whole = atOnce(op, f);
  const call: Unary = function (x) {
    return whole(operand(op, arguments.length === 1 ? x : params(arguments).x));
  };
  Object.defineProperty(call, "name", { value: op });
  return call;
};

/** A parameter of a formula, which a number is in the dtype of the operand. */
const parameter = (op: string, name: string, x: NDArray, given: ArrayLike): NDArray =>
  typeof given === "number" && isFloat(x.dtype) ? like(x, given) : asArray(given, op, name);

/** The array itself. */
export const identity = /* @__PURE__ */ unary("nn.identity", (x) => x);

/**
 * max(x, 0), NaN of NaN; its derivative at 0 is 0.
 *
 * @example
 * nn.relu(np.array([-2, 0, 3])); // [0, 0, 3]
 * grad((x) => nn.relu(x))(0); // 0
 */
export const relu = /* @__PURE__ */ unary("nn.relu", (given) => {
  const [x, zero] = pairOf(promote2("nn.relu", given, 0));
  // The constant side keeps NaN, and has no derivative.
  return p.select(p.gt(x, zero), x, p.max(p.stopGradient(x), zero));
});

/**
 * min(max(x, 0), 6); its derivatives at 0 and 6 are 0.
 *
 * @example
 * nn.relu6(np.array([-1, 3, 9])); // [0, 3, 6]
 */
export const relu6 = /* @__PURE__ */ activation("nn.relu6", weakly, clippedAt6);

function clippedAt6(x: NDArray): NDArray {
  const [zero, six] = [like(x, 0), like(x, 6)];
  const bounded = p.min(p.max(x, zero), six);
  return p.select(p.and(p.gt(x, zero), p.lt(x, six)), x, p.stopGradient(bounded));
}

const sigmoidOf = (x: NDArray): NDArray => p.logistic(x);
/**
 * 1/(1 + exp(−x)), in [0, 1].
 *
 * @throws DTypeError `float-needed` for integers and booleans, as in JAX.
 * @example
 * nn.sigmoid(np.array([-Infinity, 0, 1])); // [0, 0.5, 0.73105858]
 */
export const sigmoid = /* @__PURE__ */ activation("nn.sigmoid", floatsOnly, sigmoidOf);
/**
 * log(1 + exp(x)) without overflow; its derivative is the sigmoid.
 *
 * @example
 * nn.softplus(np.array([0, 1000])); // [0.6931472, 1000]
 */
export const softplus = /* @__PURE__ */ activation("nn.softplus", weakBooleans, softplusOf);
function softplusOf(x: NDArray): NDArray {
  return logaddexp(x, like(x, 0));
}
/**
 * log sigmoid(x) = −softplus(−x).
 *
 * @throws DTypeError `number-needed` for booleans.
 * @example
 * nn.logSigmoid(np.array([-1000, 0])); // [-1000, -0.6931472]
 */
export const logSigmoid = /* @__PURE__ */ activation("nn.logSigmoid", numbersOnly, (x) =>
  // negated before it becomes a float: uint32 wraps around
  p.neg(softplusOf(inexact("nn.logSigmoid", p.neg(x)))),
);

const siluOf = (x: NDArray): NDArray => p.mul(x, p.logistic(x));
/**
 * x·sigmoid(x), also called swish (Hendrycks and Gimpel 2016; Elfwing et al. 2018).
 *
 * @throws DTypeError `float-needed` for integers and booleans, as in JAX.
 * @example
 * nn.silu(np.array([-1, 0, 1])); // [-0.26894142, 0, 0.73105858]
 */
export const silu = /* @__PURE__ */ activation("nn.silu", floatsOnly, siluOf);
/** The same as `silu`. */
export const swish = /* @__PURE__ */ activation("nn.swish", floatsOnly, siluOf);
/**
 * x·tanh(softplus(x)) (Misra 2019).
 *
 * @example
 * nn.mish(np.array([0, 1])); // [0, 0.8650984]
 */
export const mish = /* @__PURE__ */ activation("nn.mish", weakBooleans, (x) => p.mul(x, p.tanh(softplusOf(x))));
/**
 * x/(|x| + 1).
 *
 * @example
 * nn.softSign(np.array([-1, 3])); // [-0.5, 0.75]
 */
export const softSign = /* @__PURE__ */ activation("nn.softSign", weakBooleans, (x) =>
  p.div(x, p.add(p.abs(x), like(x, 1))),
);
/** The hyperbolic tangent. */
export const tanh = /* @__PURE__ */ floatUnary("nn.tanh", (x) => p.tanh(x));

const hardSigmoidOf = (x: NDArray): NDArray => p.div(clippedAt6(p.add(x, like(x, 3))), like(x, 6));
/**
 * relu6(x + 3)/6; its derivatives at ±3 are 0.
 *
 * @example
 * nn.hardSigmoid(np.array([-3, 0, 3])); // [0, 0.5, 1]
 */
export const hardSigmoid = /* @__PURE__ */ activation("nn.hardSigmoid", weakly, hardSigmoidOf);
const hardSiluOf = (x: NDArray): NDArray => p.mul(x, hardSigmoidOf(x));
/**
 * x·hardSigmoid(x), also called hardSwish (Howard et al. 2019).
 *
 * @example
 * nn.hardSilu(np.array([1.5, 3])); // [1.125, 3]
 */
export const hardSilu = /* @__PURE__ */ activation("nn.hardSilu", weakly, hardSiluOf);
/** The same as `hardSilu`. */
export const hardSwish = /* @__PURE__ */ activation("nn.hardSwish", weakly, hardSiluOf);
/**
 * x bounded by −1 and 1, where its derivative is 1.
 *
 * @example
 * nn.hardTanh(np.array([-2, 0.5, 2])); // [-1, 0.5, 1]
 */
export const hardTanh = /* @__PURE__ */ unary("nn.hardTanh", (x) => {
  const n = numeric("nn.hardTanh", x);
  return where(p.gt(n, like(n, 1)), 1, where(p.lt(n, like(n, -1)), -1, x));
});

/**
 * 0 up to −1, (x + 1)²/4 up to 1, then x.
 *
 * @example
 * nn.sparsePlus(np.array([-1, 0, 2])); // [0, 0.25, 2]
 */
export const sparsePlus = /* @__PURE__ */ activation("nn.sparsePlus", weakly, (x) => {
  const parabola = p.div(p.square(p.add(x, like(x, 1))), like(x, 4));
  return p.select(p.le(x, like(x, -1)), like(x, 0), p.select(p.ge(x, like(x, 1)), x, parabola));
});
/** 0 up to −1, (x + 1)/2 up to 1, then 1: the derivative of sparsePlus. */
export const sparseSigmoid = /* @__PURE__ */ activation("nn.sparseSigmoid", weakly, (x) =>
  p.mul(like(x, 0.5), p.min(like(x, 2), p.max(like(x, 0), p.add(x, like(x, 1))))),
);

/**
 * log(1 − exp(−x)) for x ≥ 0, accurate for small x and for large (Mächler 2012); −∞ at 0.
 *
 * @example
 * nn.log1mexp(np.array([0, 1])); // [-Infinity, -0.4586751]
 */
export const log1mexp = /* @__PURE__ */ activation("nn.log1mexp", numbersOnly, (given) => {
  const x = inexact("nn.log1mexp", given);
  // negated before it becomes a float: uint32 wraps around
  const minus = inexact("nn.log1mexp", p.neg(given));
  const small = p.lt(x, like(x, Math.LN2));
  // Each side sees only what it is right for, so that no derivative is NaN.
  const near = p.log(p.neg(p.expm1(p.select(small, minus, like(x, -0.5)))));
  const far = p.log1p(p.neg(p.exp(p.select(small, like(x, -1), minus))));
  return p.select(small, near, far);
});

export interface AlphaOptions {
  readonly alpha?: ArrayLike | undefined;
}
type AlphaParams = AlphaOptions & { readonly x: ArrayLike };

/** `alpha` may be any array: what it makes of the other side decides the dtype and shape. */
const eluOf = (x: NDArray, alpha: ArrayLike): NDArray => eluAtOnce(x, parameter("nn.elu", "alpha", x, alpha));
const eluAtOnce = /* @__PURE__ */ atOnce("nn.elu", (x: NDArray, alpha: NDArray) => {
  const positive = p.gt(x, like(x, 0));
  return where(positive, x, multiply(alpha, p.expm1(p.select(positive, like(x, 0), x))));
});

const eluParams = /* @__PURE__ */ signature<AlphaParams>("nn.elu", 1, ["x", "alpha"]);
/**
 * x where positive, else alpha·(exp(x) − 1) (Clevert et al. 2015). Its derivative at 0 is alpha.
 *
 * @example
 * nn.elu(np.array([-Infinity, 0, 2])); // [-1, 0, 2]
 * grad((x) => nn.elu(x, 0.5))(0); // 0.5
 */
export function elu(x: ArrayLike, alpha?: ArrayLike | AlphaOptions): NDArray;
export function elu(): NDArray {
  const { x, alpha = 1 } = eluParams(arguments);
  return eluOf(weakly("nn.elu", x), alpha);
}

/**
 * 1.0507…·elu(x, 1.6733…), which keeps means and variances (Klambauer et al. 2017).
 *
 * @example
 * nn.selu(np.array([-1, 1])); // [-1.1113307, 1.050701]
 */
export const selu = /* @__PURE__ */ activation("nn.selu", weakly, (x) =>
  multiply(1.0507009873554805, eluOf(x, 1.6732632423543772)),
);

const celuParams = /* @__PURE__ */ signature<AlphaParams>("nn.celu", 1, ["x", "alpha"]);
/**
 * max(x, 0) + alpha·(exp(min(x, 0)/alpha) − 1) (Barron 2017); its derivative at 0 is 1.
 *
 * @example
 * nn.celu(np.array([-Infinity, 1])); // [-1, 1]
 */
export function celu(x: ArrayLike, alpha?: ArrayLike | AlphaOptions): NDArray;
export function celu(): NDArray {
  const { x: given, alpha = 1 } = celuParams(arguments);
  const x = weakly("nn.celu", given);
  return celuAtOnce(x, parameter("nn.celu", "alpha", x, alpha));
}
const celuAtOnce = /* @__PURE__ */ atOnce("nn.celu", (x: NDArray, alpha: NDArray) =>
  add(maximum(x, 0), multiply(alpha, p.expm1(divide(minimum(x, 0), alpha)))),
);

export interface LeakyReluOptions {
  readonly negativeSlope?: ArrayLike | undefined;
}
const leakyReluParams = /* @__PURE__ */ signature<LeakyReluOptions & { x: ArrayLike }>("nn.leakyRelu", 1, [
  "x",
  "negativeSlope",
]);
/**
 * x where not negative, else negativeSlope·x (0.01). Its derivative at 0 is 1.
 *
 * @example
 * nn.leakyRelu(np.array([-1, 2]), 0.1); // [-0.1, 2]
 * grad((x) => nn.leakyRelu(x))(0); // 1
 */
export function leakyRelu(x: ArrayLike, negativeSlope?: ArrayLike | LeakyReluOptions): NDArray;
export function leakyRelu(): NDArray {
  const { x: given, negativeSlope = 0.01 } = leakyReluParams(arguments);
  const x = asArray(given, "nn.leakyRelu", "x");
  return leakyAtOnce(x, parameter("nn.leakyRelu", "negativeSlope", x, negativeSlope));
}
const leakyAtOnce = /* @__PURE__ */ atOnce("nn.leakyRelu", (x: NDArray, slope: NDArray) =>
  where(p.ge(x, like(x, 0)), x, multiply(slope, x)),
);

export interface SquareplusOptions {
  readonly b?: ArrayLike | undefined;
}
const squareplusParams = /* @__PURE__ */ signature<SquareplusOptions & { x: ArrayLike }>("nn.squareplus", 1, [
  "x",
  "b",
]);
/**
 * (x + √(x² + b))/2, b = 4 by default (Barron 2021).
 *
 * @example
 * nn.squareplus(np.array([0, 1.5])); // [1, 2]
 */
export function squareplus(x: ArrayLike, b?: ArrayLike | SquareplusOptions): NDArray;
export function squareplus(): NDArray {
  const { x: given, b = 4 } = squareplusParams(arguments);
  const x = inexact("nn.squareplus", given);
  return squareplusAtOnce(x, parameter("nn.squareplus", "b", x, b));
}
const squareplusAtOnce = /* @__PURE__ */ atOnce("nn.squareplus", (x: NDArray, b: NDArray) =>
  divide(add(x, p.sqrt(inexact("nn.squareplus", add(p.square(x), b)))), 2),
);

export interface GeluOptions {
  readonly approximate?: boolean | undefined;
}
const geluParams = /* @__PURE__ */ signature<GeluOptions & { x: ArrayLike }>("nn.gelu", 1, ["x", "approximate"]);
/**
 * x·Φ(x), where Φ is the normal distribution function (Hendrycks and Gimpel 2016), or with `approximate`, the default, its
 * formula of tanh: x/2·(1 + tanh(√(2/π)(x + 0.044715x³))).
 *
 * @example
 * nn.gelu(np.array([-1, 0, 1])); // [-0.158808, 0, 0.841192]
 * nn.gelu(1, false); // 0.8413447
 */
export function gelu(x: ArrayLike, approximate?: boolean | GeluOptions): NDArray;
export function gelu(): NDArray {
  const { x: given, approximate = true } = geluParams(arguments);
  const operand = inexact("nn.gelu", given);
  const x = convert(operand, operand.dtype);
  return approximate ? geluByTanh(x) : geluByErfc(x);
}
const geluByTanh = /* @__PURE__ */ atOnce("nn.gelu", (x: NDArray) => {
  const inner = p.mul(like(x, Math.sqrt(2 / Math.PI)), p.add(x, p.mul(like(x, 0.044715), p.integerPow(x, 3))));
  return p.mul(x, p.mul(like(x, 0.5), p.add(like(x, 1), p.tanh(inner))));
});
const geluByErfc = /* @__PURE__ */ atOnce("nn.gelu", (x: NDArray) =>
  p.mul(p.mul(like(x, 0.5), x), p.erfc(p.mul(p.neg(x), like(x, Math.SQRT1_2)))),
);
