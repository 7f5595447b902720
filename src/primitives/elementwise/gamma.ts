import type { NDArray } from "../../core/array.js";
import { bind1 } from "../../core/trace.js";
import * as math from "../../kernel-ir/math/index.js";
import { requireArgument } from "../checks.js";
import { ops } from "../define.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { digammaOf, lgammaOf, polygammaOf } from "./gamma-functions.js";
import { floating, type NoParams, noParams, sameTypes } from "./operands.js";
import { broadcasting, element, elementBy, nonlinear, plain, plainBy, unaryJvp } from "./rules.js";

export { bernoulli } from "../../kernel-ir/math/gamma.js";

export const lgammaPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "lgamma",
  abstract: sameTypes("lgamma", floating),
  evaluate: plain(lgammaOf),
  jvp: unaryJvp(
    () => lgammaPrimitive,
    (t, x) => ops.mul(t, digamma(x)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => lgammaPrimitive),
  lower: element(math.lgamma),
  facts: { hazards: { nan: true }, elementwise: true, cost: 100 },
});
/** log |Γ(x)|; ∞ at 0, at negative integers and at ±∞. */
export const lgamma = (x: NDArray): NDArray => bind1(lgammaPrimitive, [x], noParams);

export const digammaPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "digamma",
  abstract: sameTypes("digamma", floating),
  evaluate: plain(digammaOf),
  jvp: unaryJvp(
    () => digammaPrimitive,
    (t, x) => ops.mul(t, polygamma(x, 1)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => digammaPrimitive),
  lower: element(math.digamma),
  facts: { hazards: { nan: true }, elementwise: true, cost: 80 },
});
/** ψ(x) = Γ′(x)/Γ(x); NaN at 0 and at negative integers. */
export const digamma = (x: NDArray): NDArray => bind1(digammaPrimitive, [x], noParams);

interface PolygammaParams {
  /** How often ψ is differentiated: at least once. */
  readonly order: number;
}
export const polygammaPrimitive: PrimitiveDefinition<PolygammaParams> = definePrimitive<PolygammaParams>({
  name: "polygamma",
  abstract: ([x], { order }) => {
    requireArgument(Number.isInteger(order) && order >= 1, () => ({
      code: "polygamma-order",
      message: `the order of polygamma must be a whole number from 1 on, not ${order}`,
      operands: [["operand", x!]],
      hint: "the function of order 0 is digamma",
    }));
    return sameTypes("polygamma", floating)([x!]);
  },
  evaluate: plainBy(
    (_, { order }) =>
      (x) =>
        polygammaOf(x, order),
  ),
  jvp: unaryJvp(
    () => polygammaPrimitive,
    (t, x, _, { order }) => ops.mul(t, polygamma(x, order + 1)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => polygammaPrimitive),
  lower: elementBy(([x], { order }) => math.polygamma(x!, order)),
  facts: { hazards: { nan: true }, elementwise: true, cost: 100 },
});
/** The derivative of `order` of ψ, `order` ≥ 1. At 0 and negative integers ∞ for odd orders, else NaN. */
export const polygamma = (x: NDArray, order: number): NDArray => bind1(polygammaPrimitive, [x], { order });
