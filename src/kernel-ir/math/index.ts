/**
 * Scalar math, expanded once for every backend: functions from expressions to expressions over the base ops, for f32 and
 * f64, free of branches. f32 is within 2.5 ulp over the whole range (erf, erfc, tan, pow within 4), right at ±0, ±inf,
 * NaN and below the normal range, whether `fma` rounds once or twice.
 */
export { cosh, exp, exp2, expm1, expNonpositive, logistic, sinh, tanh } from "./exp.js";
export { acosh, asinh, atanh, log, log1p, log2, logaddexp, logaddexp2 } from "./log.js";
export { cos, sin, tan } from "./trig.js";
export { acos, asin, atan, atan2 } from "./inverse-trig.js";
export { cbrt, integerPow, pow, rsqrt } from "./pow.js";
export { erf, erfc, erfInv } from "./erf.js";
export { digamma, lgamma, polygamma } from "./gamma.js";
export { fmod } from "./remainder.js";
export { isFinite, isNan, nextafter, reducePrecision, roundHalfAway, sign } from "./rounding.js";
export {
  divide as div,
  floorDivide,
  floorRemainder,
  remainder as rem,
  shiftLeft,
  shiftRightArithmetic,
  shiftRightLogical,
} from "./integer.js";
export { threefry2x32, uniformFromBits32, uniformFromBits64 } from "./random-bits.js";
