import * as math from "../../../src/kernel-ir/math/index.js";
import type { Expr } from "../../../src/kernel-ir/scalar.js";
import { erf, erfc } from "./references.js";

const logistic = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

/** Function, reference in double, interval of interest, largest error in ulp. */
export const unary32: readonly (readonly [
  name: string,
  f: (x: Expr) => Expr,
  exact: (x: number) => number,
  lo: number,
  hi: number,
  ulp: number,
])[] = [
  ["exp", math.exp, Math.exp, -104, 89, 1.2],
  ["exp2", math.exp2, (x) => 2 ** x, -150, 128, 1.2],
  ["expm1", math.expm1, Math.expm1, -2, 2, 1.6],
  ["log", math.log, Math.log, 0, 4, 0.9],
  ["log1p", math.log1p, Math.log1p, -1, 2, 1.5],
  ["log2", math.log2, Math.log2, 0, 4, 2],
  ["sin", math.sin, Math.sin, -10, 10, 1.9],
  ["cos", math.cos, Math.cos, -10, 10, 1.9],
  ["tan", math.tan, Math.tan, -10, 10, 2.8],
  ["asin", math.asin, Math.asin, -1, 1, 1.7],
  ["acos", math.acos, Math.acos, -1, 1, 1.2],
  ["atan", math.atan, Math.atan, -4, 4, 1.4],
  ["sinh", math.sinh, Math.sinh, -4, 4, 2],
  ["cosh", math.cosh, Math.cosh, -4, 4, 2],
  ["tanh", math.tanh, Math.tanh, -4, 4, 2.5],
  ["asinh", math.asinh, Math.asinh, -4, 4, 1.9],
  ["acosh", math.acosh, Math.acosh, 1, 4, 2.4],
  ["atanh", math.atanh, Math.atanh, -1, 1, 2.2],
  ["logistic", math.logistic, logistic, -20, 20, 2.5],
  ["cbrt", math.cbrt, Math.cbrt, -4, 4, 0.9],
  ["rsqrt", math.rsqrt, (x) => 1 / Math.sqrt(x), 0, 4, 1.5],
  ["erf", math.erf, erf, -4, 4, 1.5],
  ["erfc", math.erfc, erfc, -4, 10.1, 4],
];
