import type { NDArray } from "../../core/array.js";
import { type DType, isFloat } from "../../core/dtype.js";
import type { SimplifyContext, SimplifyResult } from "../../core/primitive.js";
import { bind1 } from "../../core/trace.js";
import * as e from "../../kernel-ir/math/build.js";
import * as math from "../../kernel-ir/math/index.js";
import { ops } from "../define.js";
import { linearJvp } from "../linear-rules.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { copyPrimitive } from "./convert.js";
import { type NoParams, noParams, numeric, type Operand, pair, sameTypes, signed } from "./operands.js";
import { binaryJvp, broadcasting, element, nonlinear, plain, plainBy, pullback, unaryJvp } from "./rules.js";

/** The operand that an operation with a neutral constant leaves as it is: only where that is exact, bit for bit. */
export function neutral(
  context: SimplifyContext,
  isNeutral: (constant: number, float: boolean) => boolean,
  sides: readonly number[],
): SimplifyResult | null {
  const { inAvals, outAval, constant } = context;
  for (const side of sides) {
    const value = constant(side);
    const kept = 1 - side;
    if (value === undefined || inAvals[kept]!.shape.length !== outAval.shape.length) continue;
    if (isNeutral(value, isFloat(outAval.dtype))) return { same: kept };
  }
  return null;
}

/** x + 0 is exact for integers; for floats only x + −0 is, as −0 + 0 = 0. */
const isNeutralAddend = (v: number, float: boolean): boolean => (float ? Object.is(v, -0) : v === 0);

export const negPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "neg",
  abstract: sameTypes("neg", numeric),
  evaluate: plain((x) => -x),
  jvp: linearJvp((x) => neg(x)),
  transpose: pullback((ct) => neg(ct)),
  batch: broadcasting(() => negPrimitive),
  lower: element((x) => (x.type === "u32" ? e.sub(e.k(x, 0), x) : e.neg(x))),
  facts: {
    elementwise: true,
    simplify: (_, { madeBy }) =>
      madeBy(0, negPrimitive) ? { through: 0, primitive: copyPrimitive, params: noParams } : null,
  },
});
/** −x; unsigned integers wrap. */
export const neg = (x: NDArray): NDArray => bind1(negPrimitive, [x], noParams);

export const addPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "add",
  abstract: sameTypes("add", numeric),
  evaluate: plain((x, y) => x + y),
  jvp: binaryJvp(
    () => addPrimitive,
    (t) => t,
    (t) => t,
  ),
  transpose: pullback(
    (ct) => ct,
    (ct) => ct,
  ),
  batch: broadcasting(() => addPrimitive),
  lower: element(e.add),
  facts: {
    hazards: { nan: true },
    elementwise: true,
    commutative: true,
    simplify: (_, context) => neutral(context, isNeutralAddend, [0, 1]),
  },
});
/** x + y; integers wrap. */
export const add = (x: Operand, y: Operand): NDArray => bind1(addPrimitive, pair("add", x, y), noParams);

export const subPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "sub",
  abstract: sameTypes("sub", numeric),
  evaluate: plain((x, y) => x - y),
  jvp: binaryJvp(
    () => subPrimitive,
    (t) => t,
    (t) => neg(t),
  ),
  transpose: pullback(
    (ct) => ct,
    (ct) => neg(ct),
  ),
  batch: broadcasting(() => subPrimitive),
  lower: element(e.sub),
  facts: {
    hazards: { nan: true },
    elementwise: true,
    simplify: (_, context) => neutral(context, (v) => v === 0 && !Object.is(v, -0), [1]),
  },
});
/** x − y; integers wrap. */
export const sub = (x: Operand, y: Operand): NDArray => bind1(subPrimitive, pair("sub", x, y), noParams);

export const mulPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "mul",
  abstract: sameTypes("mul", numeric),
  evaluate: plainBy((dtype) => (isFloat(dtype) ? (x, y) => x * y : Math.imul)),
  jvp: binaryJvp(
    () => mulPrimitive,
    (t, _, y) => mul(t, y),
    (t, x) => mul(x, t),
  ),
  transpose: pullback(
    (ct, [, y]) => mul(ct, y!),
    (ct, [x]) => mul(x!, ct),
  ),
  batch: broadcasting(() => mulPrimitive),
  lower: element(e.mul),
  facts: {
    hazards: { nan: true },
    elementwise: true,
    commutative: true,
    simplify: (_, context) => neutral(context, (v) => v === 1, [0, 1]),
  },
});
/** x · y; integers wrap. */
export const mul = (x: Operand, y: Operand): NDArray => bind1(mulPrimitive, pair("mul", x, y), noParams);

const divideHost = (dtype: DType) => (x: number, y: number) => {
  if (isFloat(dtype)) return x / y;
  return y === 0 ? -1 : Math.trunc(x / y);
};

export const divPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "div",
  abstract: sameTypes("div", numeric),
  evaluate: plainBy(divideHost),
  jvp: binaryJvp(
    () => divPrimitive,
    (t, _, y) => div(t, y),
    (t, x, y) => mul(mul(neg(t), x), ops.integerPow(y, -2)),
  ),
  transpose: pullback((ct, [, y]) => div(ct, y!), null),
  batch: broadcasting(() => divPrimitive),
  lower: element(math.div),
  facts: {
    hazards: { nan: true, divisor: 1 },
    elementwise: true,
    cost: 4,
    simplify: (_, context) => neutral(context, (v) => v === 1, [1]),
  },
});
/** x / y; integers truncate towards zero, x / 0 has all bits set. */
export const div = (x: Operand, y: Operand): NDArray => bind1(divPrimitive, pair("div", x, y), noParams);

export const remPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "rem",
  abstract: sameTypes("rem", numeric),
  evaluate: plainBy((dtype) => (x, y) => (y === 0 && !isFloat(dtype) ? x : x % y)),
  jvp: binaryJvp(
    () => remPrimitive,
    (t) => t,
    (t, x, y) => {
      const quotient = div(x, y);
      return mul(neg(t), mul(ops.sign(quotient), ops.floor(ops.abs(quotient))));
    },
  ),
  transpose: nonlinear,
  batch: broadcasting(() => remPrimitive),
  lower: element(math.rem),
  facts: { hazards: { nan: true }, elementwise: true, cost: 30 },
});
/** Remainder with the sign of x (C's fmod); ∂/∂y = −trunc(x / y); x % 0 is x for integers. */
export const rem = (x: Operand, y: Operand): NDArray => bind1(remPrimitive, pair("rem", x, y), noParams);

export const absPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "abs",
  abstract: sameTypes("abs", signed),
  evaluate: plain(Math.abs),
  jvp: unaryJvp(
    () => absPrimitive,
    (t, x) => ops.select(ops.ge(x, 0), t, neg(t)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => absPrimitive),
  lower: element(e.abs),
  facts: { elementwise: true },
});
/** |x|; abs′(0) = 1; INT_MIN stays. */
export const abs = (x: NDArray): NDArray => bind1(absPrimitive, [x], noParams);
