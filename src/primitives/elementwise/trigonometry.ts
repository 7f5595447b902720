import type { NDArray } from "../../core/array.js";
import { bind1 } from "../../core/trace.js";
import * as math from "../../kernel-ir/math/index.js";
import { ops } from "../define.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { floating, type NoParams, noParams, type Operand, pair, sameTypes } from "./operands.js";
import { binaryJvp, broadcasting, element, nonlinear, plain, unaryJvp } from "./rules.js";

export const sinPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "sin",
  abstract: sameTypes("sin", floating),
  evaluate: plain(Math.sin),
  jvp: unaryJvp(
    () => sinPrimitive,
    (t, x) => ops.mul(t, cos(x)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => sinPrimitive),
  lower: element(math.sin),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Sine of radians. */
export const sin = (x: NDArray): NDArray => bind1(sinPrimitive, [x], noParams);

export const cosPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "cos",
  abstract: sameTypes("cos", floating),
  evaluate: plain(Math.cos),
  jvp: unaryJvp(
    () => cosPrimitive,
    (t, x) => ops.neg(ops.mul(t, sin(x))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => cosPrimitive),
  lower: element(math.cos),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Cosine of radians. */
export const cos = (x: NDArray): NDArray => bind1(cosPrimitive, [x], noParams);

export const tanPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "tan",
  abstract: sameTypes("tan", floating),
  evaluate: plain(Math.tan),
  jvp: unaryJvp(
    () => tanPrimitive,
    (t, _, out) => ops.mul(t, ops.add(1, ops.square(out))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => tanPrimitive),
  lower: element(math.tan),
  facts: { hazards: { nan: true }, elementwise: true, cost: 35 },
});
/** Tangent of radians. */
export const tan = (x: NDArray): NDArray => bind1(tanPrimitive, [x], noParams);

export const asinPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "asin",
  abstract: sameTypes("asin", floating),
  evaluate: plain(Math.asin),
  jvp: unaryJvp(
    () => asinPrimitive,
    (t, x) => ops.mul(t, ops.rsqrt(ops.sub(1, ops.square(x)))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => asinPrimitive),
  lower: element(math.asin),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Arcsine; NaN beyond ±1, where its derivative is inf. */
export const asin = (x: NDArray): NDArray => bind1(asinPrimitive, [x], noParams);

export const acosPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "acos",
  abstract: sameTypes("acos", floating),
  evaluate: plain(Math.acos),
  jvp: unaryJvp(
    () => acosPrimitive,
    (t, x) => ops.mul(t, ops.neg(ops.rsqrt(ops.sub(1, ops.square(x))))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => acosPrimitive),
  lower: element(math.acos),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Arccosine; NaN beyond ±1, where its derivative is −inf. */
export const acos = (x: NDArray): NDArray => bind1(acosPrimitive, [x], noParams);

export const atanPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "atan",
  abstract: sameTypes("atan", floating),
  evaluate: plain(Math.atan),
  jvp: unaryJvp(
    () => atanPrimitive,
    (t, x) => ops.div(t, ops.add(1, ops.square(x))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => atanPrimitive),
  lower: element(math.atan),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Arctangent. */
export const atan = (x: NDArray): NDArray => bind1(atanPrimitive, [x], noParams);

export const sinhPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "sinh",
  abstract: sameTypes("sinh", floating),
  evaluate: plain(Math.sinh),
  jvp: unaryJvp(
    () => sinhPrimitive,
    (t, x) => ops.mul(t, cosh(x)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => sinhPrimitive),
  lower: element(math.sinh),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Hyperbolic sine. */
export const sinh = (x: NDArray): NDArray => bind1(sinhPrimitive, [x], noParams);

export const coshPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "cosh",
  abstract: sameTypes("cosh", floating),
  evaluate: plain(Math.cosh),
  jvp: unaryJvp(
    () => coshPrimitive,
    (t, x) => ops.mul(t, sinh(x)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => coshPrimitive),
  lower: element(math.cosh),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Hyperbolic cosine. */
export const cosh = (x: NDArray): NDArray => bind1(coshPrimitive, [x], noParams);

export const asinhPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "asinh",
  abstract: sameTypes("asinh", floating),
  evaluate: plain(Math.asinh),
  jvp: unaryJvp(
    () => asinhPrimitive,
    (t, x) => ops.mul(t, ops.rsqrt(ops.add(ops.square(x), 1))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => asinhPrimitive),
  lower: element(math.asinh),
  facts: { hazards: { nan: true }, elementwise: true, cost: 30 },
});
/** Inverse hyperbolic sine. */
export const asinh = (x: NDArray): NDArray => bind1(asinhPrimitive, [x], noParams);

export const acoshPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "acosh",
  abstract: sameTypes("acosh", floating),
  evaluate: plain(Math.acosh),
  jvp: unaryJvp(
    () => acoshPrimitive,
    (t, x) => ops.mul(t, ops.rsqrt(ops.sub(ops.square(x), 1))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => acoshPrimitive),
  lower: element(math.acosh),
  facts: { hazards: { nan: true }, elementwise: true, cost: 30 },
});
/** Inverse hyperbolic cosine; NaN below 1. */
export const acosh = (x: NDArray): NDArray => bind1(acoshPrimitive, [x], noParams);

export const atanhPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "atanh",
  abstract: sameTypes("atanh", floating),
  evaluate: plain(Math.atanh),
  jvp: unaryJvp(
    () => atanhPrimitive,
    (t, x) => ops.mul(ops.div(1, ops.add(1, x)), ops.div(t, ops.sub(1, x))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => atanhPrimitive),
  lower: element(math.atanh),
  facts: { hazards: { nan: true }, elementwise: true, cost: 25 },
});
/** Inverse hyperbolic tangent; ±inf at ±1, NaN beyond. */
export const atanh = (x: NDArray): NDArray => bind1(atanhPrimitive, [x], noParams);

export const atan2Primitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "atan2",
  abstract: sameTypes("atan2", floating),
  evaluate: plain(Math.atan2),
  jvp: binaryJvp(
    () => atan2Primitive,
    (t, x, y) => ops.mul(t, ops.div(y, ops.add(ops.square(x), ops.square(y)))),
    (t, x, y) => ops.mul(t, ops.div(ops.neg(x), ops.add(ops.square(x), ops.square(y)))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => atan2Primitive),
  lower: element(math.atan2),
  facts: { hazards: { nan: true }, elementwise: true, cost: 35 },
});
/** Angle of the point (y, x): atan2(y, x) as in C, with all its signed zeros. */
export const atan2 = (y: Operand, x: Operand): NDArray => bind1(atan2Primitive, pair("atan2", y, x), noParams);
