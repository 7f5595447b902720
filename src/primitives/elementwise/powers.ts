import type { NDArray } from "../../core/array.js";
import type { Aval } from "../../core/aval.js";
import { isFloat, isInteger } from "../../core/dtype.js";
import { DTypeError } from "../../core/errors.js";
import { bind1 } from "../../core/trace.js";
import * as e from "../../kernel-ir/math/build.js";
import * as math from "../../kernel-ir/math/index.js";
import { requireArgument } from "../checks.js";
import { ops, zerosOf } from "../define.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import {
  allWeak,
  floating,
  like,
  type NoParams,
  noParams,
  numeric,
  type Operand,
  requireAccepted,
  requireOneDType,
  requireOneShape,
  sameTypes,
} from "./operands.js";
import { binaryJvp, broadcasting, element, elementBy, nonlinear, plain, plainBy, unaryJvp } from "./rules.js";

export const squarePrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "square",
  abstract: sameTypes("square", numeric),
  evaluate: plainBy((dtype) => (isFloat(dtype) ? (x) => x * x : (x) => Math.imul(x, x))),
  jvp: unaryJvp(
    () => squarePrimitive,
    (t, x) => ops.mul(t, ops.mul(2, x)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => squarePrimitive),
  lower: element((x) => e.mul(x, x)),
  facts: { elementwise: true },
});
/** x². */
export const square = (x: NDArray): NDArray => bind1(squarePrimitive, [x], noParams);

export interface IntegerPowParams {
  readonly exponent: number;
}

/** x^n of integers, wrapping at every product. */
function powerOfInt(x: number, n: number): number {
  let result = 1;
  for (let base = x, k = n; k > 0; k = Math.floor(k / 2)) {
    if (k % 2 === 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

export const integerPowPrimitive: PrimitiveDefinition<IntegerPowParams> = definePrimitive<IntegerPowParams>({
  name: "integer_pow",
  abstract: ([x], { exponent }) => {
    requireAccepted("integerPow", [x!], 0, numeric);
    requireArgument(Number.isInteger(exponent), () => ({
      code: "exponent-integer",
      message: `integerPow needs a whole exponent, not ${exponent}`,
      operands: [["operand", x!]],
      hint: "use pow for other exponents",
    }));
    if (exponent < 0 && isInteger(x!.dtype)) {
      throw new DTypeError({
        code: "negative-power",
        message: `integers cannot be raised to the negative power ${exponent}`,
        hint: "convert the base to a float with astype",
      });
    }
    return [x!];
  },
  evaluate: plainBy((dtype, { exponent: n }) =>
    isFloat(dtype) ? (x) => (n < 0 ? 1 / Math.pow(x, -n) : Math.pow(x, n)) : (x) => powerOfInt(x, n),
  ),
  jvp: unaryJvp(
    () => integerPowPrimitive,
    (t, x, out, { exponent: n }) => {
      if (n === 0) return zerosOf({ ...out.aval, weakType: false });
      if (n === 1) return t;
      return ops.mul(t, ops.mul(n, n === 2 ? x : integerPow(x, n - 1)));
    },
  ),
  transpose: nonlinear,
  batch: broadcasting(() => integerPowPrimitive),
  lower: elementBy(([x], { exponent }) => math.integerPow(x!, exponent)),
  facts: {
    hazards: { nan: true },
    elementwise: true,
    cost: 4,
    simplify: ({ exponent }) => (exponent === 1 ? { same: 0 } : null),
  },
});
/** xⁿ for a whole n; 1 for n = 0 whatever x is. */
export const integerPow = (x: NDArray, n: number): NDArray => bind1(integerPowPrimitive, [x], { exponent: n });

/** 1 where x is 0: keeps logarithms and products finite there. */
const withoutZero = (x: NDArray): NDArray => ops.select(ops.eq(x, 0), 1, x);

/** As Math.pow, but 1^NaN and (±1)^±inf are 1, as in IEEE 754. */
const powerOf = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y);

export const powPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "pow",
  abstract: (avals: readonly Aval[]) => {
    requireAccepted("pow", avals, 0, floating);
    requireAccepted("pow", avals, 1, numeric);
    if (isFloat(avals[1]!.dtype)) requireOneDType("pow", avals);
    return [{ shape: requireOneShape("pow", avals), dtype: avals[0]!.dtype, weakType: allWeak(avals) }];
  },
  evaluate: plain(powerOf),
  jvp: binaryJvp(
    () => powPrimitive,
    (t, x, y) => {
      const exponent = ops.convertElementType(y, x.dtype);
      const slope = (factor: NDArray): NDArray => ops.mul(factor, pow(x, ops.sub(exponent, 1)));
      if (isFloat(y.dtype)) return ops.mul(t, slope(exponent));
      // x^0 is constant for a whole exponent, also at 0, where the formula is 0 · inf.
      return ops.mul(t, ops.select(ops.eq(exponent, 0), 0, slope(withoutZero(exponent))));
    },
    (t, x, _, out) => ops.mul(t, ops.mul(ops.log(withoutZero(x)), out)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => powPrimitive),
  lower: element((x, y) => math.pow(x, e.convert(y, x.type))),
  facts: { hazards: { nan: true }, elementwise: true, cost: 50 },
});
/** x^y of floats; y may be of an integer dtype. At x = 0, y = 0.0 the derivative in x is NaN, as in JAX. */
export function pow(x: Operand, y: Operand): NDArray {
  const dtype = typeof x === "object" ? x.dtype : typeof y === "object" && isFloat(y.dtype) ? y.dtype : "float32";
  return bind1(powPrimitive, [like("pow", x, dtype, "lhs"), like("pow", y, dtype, "rhs")], noParams);
}

export const sqrtPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "sqrt",
  abstract: sameTypes("sqrt", floating),
  evaluate: plain(Math.sqrt),
  jvp: unaryJvp(
    () => sqrtPrimitive,
    (t, _, out) => ops.mul(t, ops.div(0.5, out)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => sqrtPrimitive),
  lower: element(e.sqrt),
  facts: { hazards: { nan: true }, elementwise: true, cost: 4 },
});
/** √x; sqrt′(0) = inf. */
export const sqrt = (x: NDArray): NDArray => bind1(sqrtPrimitive, [x], noParams);

export const rsqrtPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "rsqrt",
  abstract: sameTypes("rsqrt", floating),
  evaluate: plain((x) => 1 / Math.sqrt(x)),
  jvp: unaryJvp(
    () => rsqrtPrimitive,
    (t, x, out) => ops.mul(t, ops.mul(-0.5, ops.div(out, x))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => rsqrtPrimitive),
  lower: element(math.rsqrt),
  facts: { hazards: { nan: true }, elementwise: true, cost: 8 },
});
/** 1/√x; rsqrt(±0) = ±inf. */
export const rsqrt = (x: NDArray): NDArray => bind1(rsqrtPrimitive, [x], noParams);

export const cbrtPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "cbrt",
  abstract: sameTypes("cbrt", floating),
  evaluate: plain(Math.cbrt),
  jvp: unaryJvp(
    () => cbrtPrimitive,
    (t, _, out) => ops.mul(t, ops.mul(1 / 3, integerPow(out, -2))),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => cbrtPrimitive),
  lower: element(math.cbrt),
  facts: { hazards: { nan: true }, elementwise: true, cost: 30 },
});
/** ∛x; cbrt′(0) = inf. */
export const cbrt = (x: NDArray): NDArray => bind1(cbrtPrimitive, [x], noParams);
