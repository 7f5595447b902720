import type { NDArray } from "../../core/array.js";
import type { DType } from "../../core/dtype.js";
import { bind1 } from "../../core/trace.js";
import * as e from "../../kernel-ir/math/build.js";
import * as math from "../../kernel-ir/math/index.js";
import { type Expr, op } from "../../kernel-ir/scalar.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { bitwise, integral, type NoParams, noParams, type Operand, pair, sameTypes } from "./operands.js";
import { broadcasting, element, nonlinear, plain, plainBy, zeroJvp } from "./rules.js";

export const notPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "not",
  abstract: sameTypes("not", bitwise),
  evaluate: plainBy((dtype) => (dtype === "bool" ? (x) => 1 - x : (x) => ~x)),
  jvp: zeroJvp(() => notPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => notPrimitive),
  lower: element(e.not),
  facts: { elementwise: true },
});
/** Logical negation of booleans, complement of an integer's bits. */
export const not = (x: NDArray): NDArray => bind1(notPrimitive, [x], noParams);

export const andPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "and",
  abstract: sameTypes("and", bitwise),
  evaluate: plain((x, y) => x & y),
  jvp: zeroJvp(() => andPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => andPrimitive),
  lower: element(e.and),
  facts: { elementwise: true, commutative: true },
});
/** Bitwise or logical and. */
export const and = (x: Operand, y: Operand): NDArray => bind1(andPrimitive, pair("and", x, y), noParams);

export const orPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "or",
  abstract: sameTypes("or", bitwise),
  evaluate: plain((x, y) => x | y),
  jvp: zeroJvp(() => orPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => orPrimitive),
  lower: element(e.or),
  facts: { elementwise: true, commutative: true },
});
/** Bitwise or logical or. */
export const or = (x: Operand, y: Operand): NDArray => bind1(orPrimitive, pair("or", x, y), noParams);

export const xorPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "xor",
  abstract: sameTypes("xor", bitwise),
  evaluate: plain((x, y) => x ^ y),
  jvp: zeroJvp(() => xorPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => xorPrimitive),
  lower: element(e.xor),
  facts: { elementwise: true, commutative: true },
});
/** Bitwise or logical exclusive or. */
export const xor = (x: Operand, y: Operand): NDArray => bind1(xorPrimitive, pair("xor", x, y), noParams);

/** Ones among the 32 bits. */
function ones(x: number): number {
  let n = 0;
  for (let b = x >>> 0; b !== 0; b >>>= 1) n += b & 1;
  return n;
}

export const populationCountPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "population_count",
  abstract: sameTypes("populationCount", integral),
  evaluate: plain(ones),
  jvp: zeroJvp(() => populationCountPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => populationCountPrimitive),
  lower: element((x) => op("popcnt", [x])),
  facts: { elementwise: true },
});
/** Number of ones in the binary representation. */
export const populationCount = (x: NDArray): NDArray => bind1(populationCountPrimitive, [x], noParams);

export const clzPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "clz",
  abstract: sameTypes("clz", integral),
  evaluate: plain(Math.clz32),
  jvp: zeroJvp(() => clzPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => clzPrimitive),
  lower: element(e.clz),
  facts: { elementwise: true },
});
/** Number of zeros above the highest one; 32 for 0. */
export const clz = (x: NDArray): NDArray => bind1(clzPrimitive, [x], noParams);

/** Whether machines define a shift by n. */
const isInside = (n: number): boolean => n >= 0 && n < 32;

export const shiftLeftPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "shift_left",
  abstract: sameTypes("shiftLeft", integral),
  evaluate: plain((x, n) => (isInside(n) ? x << n : 0)),
  jvp: zeroJvp(() => shiftLeftPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => shiftLeftPrimitive),
  lower: element(math.shiftLeft),
  facts: { elementwise: true },
});
/** x·2ⁿ, wrapping; 0 where n is negative or at least 32. */
export const shiftLeft = (x: Operand, n: Operand): NDArray =>
  bind1(shiftLeftPrimitive, pair("shiftLeft", x, n), noParams);

export const shiftRightArithmeticPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "shift_right_arithmetic",
  abstract: sameTypes("shiftRightArithmetic", integral),
  evaluate: plain((x, n) => (x | 0) >> (isInside(n) ? n : 31)),
  jvp: zeroJvp(() => shiftRightArithmeticPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => shiftRightArithmeticPrimitive),
  lower: element(math.shiftRightArithmetic),
  facts: { elementwise: true },
});
/** Shifts copies of the sign bit in from the left; all of them where n is negative or at least 32. */
export const shiftRightArithmetic = (x: Operand, n: Operand): NDArray =>
  bind1(shiftRightArithmeticPrimitive, pair("shiftRightArithmetic", x, n), noParams);

export const shiftRightLogicalPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "shift_right_logical",
  abstract: sameTypes("shiftRightLogical", integral),
  evaluate: plain((x, n) => (isInside(n) ? x >>> n : 0)),
  jvp: zeroJvp(() => shiftRightLogicalPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => shiftRightLogicalPrimitive),
  lower: element(math.shiftRightLogical),
  facts: { elementwise: true },
});
/** Shifts zeros in from the left; 0 where n is negative or at least 32. */
export const shiftRightLogical = (x: Operand, n: Operand): NDArray =>
  bind1(shiftRightLogicalPrimitive, pair("shiftRightLogical", x, n), noParams);

const highWord = (dtype: DType) => (x: number, y: number) => {
  const product = BigInt(x) * BigInt(y);
  return Number(dtype === "uint32" ? product >> 32n : BigInt.asIntN(32, product >> 32n));
};

/** High word of a signed product: the unsigned one, less each operand where the other is negative. */
function highWordExpr(x: Expr, y: Expr): Expr {
  if (x.type === "u32") return e.mulhi(x, y);
  const [a, b] = [e.bitcast(x, "u32"), e.bitcast(y, "u32")];
  const zero = e.k(x, 0);
  const excess = e.add(e.select(e.lt(x, zero), y, zero), e.select(e.lt(y, zero), x, zero));
  return e.sub(e.bitcast(e.mulhi(a, b), "i32"), excess);
}

export const mulhiPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "mulhi",
  abstract: sameTypes("mulhi", integral),
  evaluate: plainBy(highWord),
  jvp: zeroJvp(() => mulhiPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => mulhiPrimitive),
  lower: element(highWordExpr),
  facts: { elementwise: true, commutative: true, cost: 4 },
});
/** High 32 bits of the 64-bit product. */
export const mulhi = (x: Operand, y: Operand): NDArray => bind1(mulhiPrimitive, pair("mulhi", x, y), noParams);
