import type { NDArray } from "../../core/array.js";
import { bind1 } from "../../core/trace.js";
import * as math from "../../kernel-ir/math/index.js";
import { ops } from "../define.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { floating, type NoParams, noParams, sameTypes } from "./operands.js";
import { broadcasting, element, nonlinear, plain, unaryJvp } from "./rules.js";
import { erfcOf, erfInvOf, erfOf } from "./special-functions.js";

const gaussian = (x: NDArray): NDArray => ops.exp(ops.neg(ops.square(x)));

export const erfPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "erf",
  abstract: sameTypes("erf", floating),
  evaluate: plain(erfOf),
  jvp: unaryJvp(
    () => erfPrimitive,
    (t, x) => ops.mul(2 / Math.sqrt(Math.PI), ops.mul(t, gaussian(x))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => erfPrimitive),
  lower: element(math.erf),
  facts: { hazards: { nan: true }, elementwise: true, cost: 30 },
});
/** Error function. */
export const erf = (x: NDArray): NDArray => bind1(erfPrimitive, [x], noParams);

export const erfcPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "erfc",
  abstract: sameTypes("erfc", floating),
  evaluate: plain(erfcOf),
  jvp: unaryJvp(
    () => erfcPrimitive,
    (t, x) => ops.mul(-2 / Math.sqrt(Math.PI), ops.mul(t, gaussian(x))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => erfcPrimitive),
  lower: element(math.erfc),
  facts: { hazards: { nan: true }, elementwise: true, cost: 40 },
});
/** 1 − erf(x), accurate where it is small. */
export const erfc = (x: NDArray): NDArray => bind1(erfcPrimitive, [x], noParams);

export const erfInvPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "erf_inv",
  abstract: sameTypes("erfInv", floating),
  evaluate: plain(erfInvOf),
  jvp: unaryJvp(
    () => erfInvPrimitive,
    (t, _, out) => ops.mul(Math.sqrt(Math.PI) / 2, ops.mul(t, ops.exp(ops.square(out)))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => erfInvPrimitive),
  lower: element(math.erfInv),
  facts: { hazards: { nan: true }, elementwise: true, cost: 40 },
});
/** Inverse of erf; ±inf at ±1, NaN beyond. */
export const erfInv = (x: NDArray): NDArray => bind1(erfInvPrimitive, [x], noParams);
