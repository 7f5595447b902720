import type { NDArray } from "../../core/array.js";
import { none } from "../../core/primitive.js";
import { bind1 } from "../../core/trace.js";
import * as e from "../../kernel-ir/math/build.js";
import { type Expr, op } from "../../kernel-ir/scalar.js";
import { requireArgument } from "../checks.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { floating, type NoParams, noParams, numeric, type Operand, pair, sameTypes } from "./operands.js";
import { broadcasting, element, elementBy, nonlinear, plain, plainBy, zeroJvp } from "./rules.js";

function signOf(x: Expr): Expr {
  const zero = e.k(x, 0);
  const one = e.k(x, 1);
  if (x.type === "u32") return e.select(e.eq(x, zero), zero, one);
  if (x.type === "i32") return e.select(e.eq(x, zero), zero, e.select(e.lt(x, zero), e.k(x, -1), one));
  // ±0 and NaN are neither above nor below zero and stay what they are.
  return e.select(e.gt(x, zero), one, e.select(e.lt(x, zero), e.k(x, -1), x));
}

export const signPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "sign",
  abstract: sameTypes("sign", numeric),
  evaluate: plain(Math.sign),
  jvp: zeroJvp(() => signPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => signPrimitive),
  lower: element(signOf),
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

function roundAwayFromZero(x: Expr): Expr {
  const whole = e.trunc(x);
  const far = e.ge(e.abs(e.sub(x, whole)), e.k(x, 0.5));
  return e.select(far, e.add(whole, e.select(e.lt(x, e.k(x, 0)), e.k(x, -1), e.k(x, 1))), whole);
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
  evaluate: plainBy((_, { method }) => (x) => roundHost(x, method)),
  jvp: zeroJvp(() => roundPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => roundPrimitive),
  lower: elementBy(([x], { method }) => (method === "awayFromZero" ? roundAwayFromZero(x!) : e.nearest(x!))),
  facts: { elementwise: true },
});
/** Nearest whole number; halves go away from zero, or to the even one. Its derivative is 0. */
export const round = (x: NDArray, method: RoundingMethod = "awayFromZero"): NDArray => bind1(roundPrimitive, [x], { method });

export const isFinitePrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "is_finite",
  abstract: sameTypes("isFinite", floating, "bool"),
  evaluate: plain((x) => Number(Number.isFinite(x)), "bool"),
  jvp: zeroJvp(() => isFinitePrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => isFinitePrimitive),
  lower: element((x) => e.lt(e.abs(x), e.k(x, Infinity))),
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

function neighbourExpr(x: Expr, y: Expr): Expr {
  const f = e.formatOf(x);
  const zero = e.k(x, 0);
  const whole = e.toBits(x);
  // Sign and magnitude: one more in the bits is one step away from zero.
  const outward = e.select(e.gt(x, zero), e.gt(y, x), e.lt(y, x));
  const next = e.fromBits(e.add(whole, e.select(outward, e.intConst(f, 1), e.intConst(f, -1))), f);
  const smallest = e.fromBits(e.or(e.and(e.toBits(y), e.intConst(f, f.signMask)), e.intConst(f, 1)), f);
  const step = e.select(e.eq(x, zero), smallest, next);
  const unordered = e.or(e.ne(x, x), e.ne(y, y));
  return e.select(unordered, e.add(x, y), e.select(e.eq(x, y), y, step));
}

export const nextafterPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "nextafter",
  abstract: sameTypes("nextafter", floating),
  evaluate: plainBy((dtype) => (x, y) => neighbour(x, y, dtype === "float32" ? 32 : 64)),
  jvp: none("it is a step from one float to the next, as in JAX"),
  transpose: nonlinear,
  batch: broadcasting(() => nextafterPrimitive),
  lower: element(neighbourExpr),
  facts: { elementwise: true, cost: 8 },
});
/** The float next to x in the direction of y; y itself where they are equal. */
export const nextafter = (x: Operand, y: Operand): NDArray => bind1(nextafterPrimitive, pair("nextafter", x, y), noParams);
