import type { NDArray } from "../../core/array.js";
import { none } from "../../core/primitive.js";
import { bind1 } from "../../core/trace.js";
import * as e from "../../kernel-ir/math/build.js";
import * as math from "../../kernel-ir/math/index.js";
import { op } from "../../kernel-ir/scalar.js";
import { requireArgument } from "../checks.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { floating, type NoParams, noParams, numeric, type Operand, pair, sameTypes } from "./operands.js";
import { broadcasting, element, elementBy, nonlinear, plain, plainBy, zeroJvp } from "./rules.js";

export const signPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "sign",
  abstract: sameTypes("sign", numeric),
  evaluate: plain(Math.sign),
  jvp: zeroJvp(() => signPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => signPrimitive),
  lower: element(math.sign),
  facts: { elementwise: true },
});
/** −1, 0 or 1; ±0 and NaN stay. Its derivative is 0. */
export const sign = (x: NDArray): NDArray => bind1(signPrimitive, [x], noParams);

export const floorPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "floor",
  abstract: sameTypes("floor", floating),
  evaluate: plain(Math.floor),
  jvp: zeroJvp(() => floorPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => floorPrimitive),
  lower: element(e.floor),
  facts: { elementwise: true },
});
/** Largest whole number that is not above x. Its derivative is 0. */
export const floor = (x: NDArray): NDArray => bind1(floorPrimitive, [x], noParams);

export const ceilPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "ceil",
  abstract: sameTypes("ceil", floating),
  evaluate: plain(Math.ceil),
  jvp: zeroJvp(() => ceilPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => ceilPrimitive),
  lower: element((x) => op("ceil", [x])),
  facts: { elementwise: true },
});
/** Smallest whole number that is not below x. Its derivative is 0. */
export const ceil = (x: NDArray): NDArray => bind1(ceilPrimitive, [x], noParams);

/** What a number halfway between two whole numbers is rounded to. */
export type RoundingMethod = "awayFromZero" | "toNearestEven";
export interface RoundParams {
  readonly method: RoundingMethod;
}

function roundHost(x: number, method: RoundingMethod): number {
  const whole = Math.trunc(x);
  const rest = Math.abs(x - whole);
  const up = method === "awayFromZero" ? rest >= 0.5 : rest > 0.5 || (rest === 0.5 && whole % 2 !== 0);
  return up ? whole + (x < 0 ? -1 : 1) : whole;
}

export const roundPrimitive: PrimitiveDefinition<RoundParams> = definePrimitive<RoundParams>({
  name: "round",
  abstract: (avals, { method }) => {
    requireArgument(method === "awayFromZero" || method === "toNearestEven", () => ({
      code: "rounding-method",
      message: `round knows no method ${JSON.stringify(method)}`,
      hint: 'methods: "awayFromZero", "toNearestEven"',
    }));
    return sameTypes("round", floating)(avals);
  },
  evaluate: plainBy(
    (_, { method }) =>
      (x) =>
        roundHost(x, method),
  ),
  jvp: zeroJvp(() => roundPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => roundPrimitive),
  lower: elementBy(([x], { method }) => (method === "awayFromZero" ? math.roundHalfAway(x!) : e.nearest(x!))),
  facts: { elementwise: true },
});
/** Nearest whole number; halves go away from zero, or to the even one. Its derivative is 0. */
export const round = (x: NDArray, method: RoundingMethod = "awayFromZero"): NDArray =>
  bind1(roundPrimitive, [x], { method });

export const isFinitePrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "is_finite",
  abstract: sameTypes("isFinite", floating, "bool"),
  evaluate: plain((x) => Number(Number.isFinite(x)), "bool"),
  jvp: zeroJvp(() => isFinitePrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => isFinitePrimitive),
  lower: element(math.isFinite),
  facts: { elementwise: true },
});
/** Whether x is neither infinite nor NaN. */
export const isFinite = (x: NDArray): NDArray => bind1(isFinitePrimitive, [x], noParams);

const bits = new DataView(new ArrayBuffer(8));

/** The neighbour of x towards y in the float type of `width` bits. */
function neighbour(x: number, y: number, width: 32 | 64): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  const smallest = width === 32 ? 2 ** -149 : 2 ** -1074;
  if (x === 0) return y > 0 ? smallest : -smallest;
  const outward = y > x === x > 0;
  if (width === 32) {
    bits.setFloat32(0, x);
    bits.setInt32(0, bits.getInt32(0) + (outward ? 1 : -1));
    return bits.getFloat32(0);
  }
  bits.setFloat64(0, x);
  bits.setBigInt64(0, bits.getBigInt64(0) + (outward ? 1n : -1n));
  return bits.getFloat64(0);
}

export const nextafterPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "nextafter",
  abstract: sameTypes("nextafter", floating),
  evaluate: plainBy((dtype) => (x, y) => neighbour(x, y, dtype === "float32" ? 32 : 64)),
  jvp: none("it is a step from one float to the next, as in JAX"),
  transpose: nonlinear,
  batch: broadcasting(() => nextafterPrimitive),
  lower: element(math.nextafter),
  facts: { elementwise: true, cost: 8 },
});
/** The float next to x in the direction of y; y itself where they are equal. */
export const nextafter = (x: Operand, y: Operand): NDArray =>
  bind1(nextafterPrimitive, pair("nextafter", x, y), noParams);
