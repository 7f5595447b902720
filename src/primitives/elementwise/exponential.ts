import type { NDArray } from "../../core/array.js";
import { bind1 } from "../../core/trace.js";
import * as math from "../../kernel-ir/math/index.js";
import { ops } from "../define.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { floating, type NoParams, noParams, type Operand, pair, sameTypes } from "./operands.js";
import { binaryJvp, broadcasting, element, elementBy, nonlinear, plain, unaryJvp } from "./rules.js";

export interface ExpParams {
  /** The operand is known to be ≤ 0 or NaN, which saves a fifth of the work. */
  readonly nonpositive?: true;
}
export const expPrimitive: PrimitiveDefinition<ExpParams> = definePrimitive<ExpParams>({
  name: "exp",
  abstract: sameTypes("exp", floating),
  evaluate: plain(Math.exp),
  jvp: unaryJvp(
    () => expPrimitive,
    (t, _, out) => ops.mul(t, out),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => expPrimitive),
  lower: elementBy(([x], { nonpositive }) => (nonpositive ? math.expNonpositive(x!) : math.exp(x!))),
  facts: { hazards: { nan: true }, elementwise: true, cost: 15 },
});
/** eˣ. */
export const exp = (x: NDArray, params: ExpParams = noParams): NDArray => bind1(expPrimitive, [x], params);

export const exp2Primitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "exp2",
  abstract: sameTypes("exp2", floating),
  evaluate: plain((x) => Math.pow(2, x)),
  jvp: unaryJvp(
    () => exp2Primitive,
    (t, _, out) => ops.mul(Math.LN2, ops.mul(t, out)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => exp2Primitive),
  lower: element(math.exp2),
  facts: { elementwise: true, cost: 15 },
});
/** 2ˣ. */
export const exp2 = (x: NDArray): NDArray => bind1(exp2Primitive, [x], noParams);

export const logPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "log",
  abstract: sameTypes("log", floating),
  evaluate: plain(Math.log),
  jvp: unaryJvp(
    () => logPrimitive,
    (t, x) => ops.div(t, x),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => logPrimitive),
  lower: element(math.log),
  facts: { hazards: { nan: true }, elementwise: true, cost: 15 },
});
/** Natural logarithm; −inf at 0, NaN below. */
export const log = (x: NDArray): NDArray => bind1(logPrimitive, [x], noParams);

export const expm1Primitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "expm1",
  abstract: sameTypes("expm1", floating),
  evaluate: plain(Math.expm1),
  jvp: unaryJvp(
    () => expm1Primitive,
    (t, _, out) => ops.mul(t, ops.add(out, 1)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => expm1Primitive),
  lower: element(math.expm1),
  facts: { hazards: { nan: true }, elementwise: true, cost: 20 },
});
/** eˣ − 1, accurate near 0. */
export const expm1 = (x: NDArray): NDArray => bind1(expm1Primitive, [x], noParams);

export const log1pPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "log1p",
  abstract: sameTypes("log1p", floating),
  evaluate: plain(Math.log1p),
  jvp: unaryJvp(
    () => log1pPrimitive,
    (t, x) => ops.div(t, ops.add(x, 1)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => log1pPrimitive),
  lower: element(math.log1p),
  facts: { hazards: { nan: true }, elementwise: true, cost: 20 },
});
/** log(1 + x), accurate near 0. */
export const log1p = (x: NDArray): NDArray => bind1(log1pPrimitive, [x], noParams);

export const tanhPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "tanh",
  abstract: sameTypes("tanh", floating),
  evaluate: plain(Math.tanh),
  jvp: unaryJvp(
    () => tanhPrimitive,
    // (1 + y)(1 − y), which keeps its accuracy where y² rounds to 1
    (t, _, out) => ops.mul(ops.add(t, ops.mul(t, out)), ops.sub(1, out)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => tanhPrimitive),
  lower: element(math.tanh),
  facts: { hazards: { nan: true }, elementwise: true, cost: 20 },
});
/** Hyperbolic tangent. */
export const tanh = (x: NDArray): NDArray => bind1(tanhPrimitive, [x], noParams);

export const logisticPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "logistic",
  abstract: sameTypes("logistic", floating),
  evaluate: plain((x) => 1 / (1 + Math.exp(-x))),
  jvp: unaryJvp(
    () => logisticPrimitive,
    (t, _, out) => ops.mul(t, ops.mul(out, ops.sub(1, out))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => logisticPrimitive),
  lower: element(math.logistic),
  facts: { hazards: { nan: true }, elementwise: true, cost: 20 },
});
/** 1 / (1 + e⁻ˣ). */
export const logistic = (x: NDArray): NDArray => bind1(logisticPrimitive, [x], noParams);

/** log(eˣ + eʸ) in float64: without overflow, −inf for two −inf. */
export function logSumOfTwo(x: number, y: number): number {
  const gap = x - y;
  return Number.isNaN(gap) ? x + y : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(gap)));
}

/** e^(x − sum), the share of one of two numbers in log(eˣ + eʸ); +inf counts as 0, for inf − inf is NaN. */
export const shareOfSum = (x: NDArray, sum: NDArray): NDArray => exp(gapToSum(x, sum));
const gapToSum = (x: NDArray, sum: NDArray): NDArray => ops.sub(withoutInf(x), withoutInf(sum));
const withoutInf = (x: NDArray): NDArray => ops.select(ops.eq(x, Infinity), 0, x);

export const logaddexpPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "logaddexp",
  abstract: sameTypes("logaddexp", floating),
  evaluate: plain(logSumOfTwo),
  jvp: binaryJvp(
    () => logaddexpPrimitive,
    (t, x, _, out) => ops.mul(t, shareOfSum(x, out)),
    (t, _, y, out) => ops.mul(t, shareOfSum(y, out)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => logaddexpPrimitive),
  lower: element(math.logaddexp),
  facts: { hazards: { nan: true }, elementwise: true, commutative: true, cost: 40 },
});
/** log(eˣ + eʸ), stable; its derivative is each operand's share of the sum, ½ at a tie. */
export const logaddexp = (x: Operand, y: Operand): NDArray =>
  bind1(logaddexpPrimitive, pair("logaddexp", x, y), noParams);

export const logaddexp2Primitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "logaddexp2",
  abstract: sameTypes("logaddexp2", floating),
  evaluate: plain(binaryLogSumOfTwo),
  jvp: binaryJvp(
    () => logaddexp2Primitive,
    (t, x, _, out) => ops.mul(t, exp2(gapToSum(x, out))),
    (t, _, y, out) => ops.mul(t, exp2(gapToSum(y, out))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => logaddexp2Primitive),
  lower: element(math.logaddexp2),
  facts: { hazards: { nan: true }, elementwise: true, commutative: true, cost: 40 },
});
/** log₂(2ˣ + 2ʸ), stable. */
export const logaddexp2 = (x: Operand, y: Operand): NDArray =>
  bind1(logaddexp2Primitive, pair("logaddexp2", x, y), noParams);

function binaryLogSumOfTwo(x: number, y: number): number {
  const gap = x - y;
  return Number.isNaN(gap) ? x + y : Math.max(x, y) + Math.LOG2E * Math.log1p(Math.pow(2, -Math.abs(gap)));
}
