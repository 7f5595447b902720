import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { type Aval, aval, hostZeros } from "../../src/core/aval.js";
import type { DType } from "../../src/core/dtype.js";
import { ArgumentError, DTypeError, ShapeError, TsaxError } from "../../src/core/errors.js";
import { lit, scalarOf } from "../../src/core/literal.js";
import * as p from "../../src/primitives/all.js";
import type { AnyPrimitive, SimplifyContext } from "../../src/core/primitive.js";
import "../../src/runtime/install.js";
import { upload } from "./contract-data.js";

const of = (dtype: DType, ...shape: number[]): NDArray => upload(hostZeros(aval(shape, dtype)));

/** The error that a call throws. */
function failure(f: () => unknown): TsaxError {
  try {
    f();
  } catch (e) {
    if (e instanceof TsaxError) return e;
    throw e;
  }
  throw new Error("nothing was thrown");
}

describe("what elementwise operations refuse", () => {
  test("operands of two shapes: the operands, and how to align them", () => {
    const e = failure(() => p.add(of("float32", 784, 10), of("float32", 128)));
    expect(e).toBeInstanceOf(ShapeError);
    expect(e.message).toBe(
      "add needs operands of one shape and dtype [shape-mismatch]\n  lhs  f32[784,10]\n  rhs  f32[128]\nhint: shapes must be equal, or [] for a scalar",
    );
  });
  test.each([
    [[784, 10], [10], "np.broadcastTo(rhs, [784, 10])"],
    [[784, 1], [1, 10], "np.broadcastTo(lhs, [784, 10])"],
    [[784, 10], [784], "rhs.reshape([784, 1])"],
    [[4], [5, 4, 3], "lhs.reshape([4, 1])"],
  ])("%s and %s: %s", (a, b, hint) => {
    expect(failure(() => p.mul(of("float32", ...a), of("float32", ...b))).hint).toContain(hint);
  });
  test("operands of two dtypes", () => {
    const e = failure(() => p.add(of("float32", 2), of("int32", 2)));
    expect(e).toBeInstanceOf(DTypeError);
    expect(e.message).toBe(
      "add needs operands of one shape and dtype [dtype-mismatch]\n  lhs  f32[2]\n  rhs  i32[2]\nhint: convert one of them with astype; the functions of np promote dtypes by themselves",
    );
  });
  const refused: readonly (readonly [string, () => unknown])[] = [
    ["add of booleans", () => p.add(of("bool", 2), of("bool", 2))],
    ["sub of booleans", () => p.sub(of("bool", 2), of("bool", 2))],
    ["mul of booleans", () => p.mul(of("bool", 2), of("bool", 2))],
    ["neg of a boolean", () => p.neg(of("bool"))],
    ["sin of integers", () => p.sin(of("int32", 2))],
    ["exp of booleans", () => p.exp(of("bool", 2))],
    ["abs of unsigned integers", () => p.abs(of("uint32", 2))],
    ["floor of integers", () => p.floor(of("int32", 2))],
    ["and of floats", () => p.and(of("float32", 2), of("float32", 2))],
    ["not of floats", () => p.not(of("float32", 2))],
    ["shifts of booleans", () => p.shiftLeft(of("bool", 2), of("bool", 2))],
    ["powers of integers", () => p.pow(of("int32", 2), of("int32", 2))],
    ["order of keys", () => p.lt(of("key", 2), of("key", 2))],
    ["arithmetic of keys", () => p.add(of("key", 2), of("key", 2))],
    ["conversion of keys", () => p.convertElementType(of("key"), "uint32")],
    ["sum of booleans", () => p.reduceSum(of("bool", 2), [0])],
    ["running sum of booleans", () => p.cumsum(of("bool", 2), 0)],
    ["running maximum of booleans", () => p.cummax(of("bool", 2), 0)],
    ["running log-sum-exp of integers", () => p.cumlogsumexp(of("int32", 2), 0)],
    ["logical and of floats", () => p.reduceAnd(of("float32", 2), [0])],
    ["selection by a float", () => p.select(of("float32", 2), of("float32", 2), of("float32", 2))],
    ["bits of booleans", () => p.bitcastConvertType(of("bool", 2), "int32")],
  ];
  test.each(refused)("%s", (_, f) => {
    const e = failure(f);
    expect(e).toBeInstanceOf(DTypeError);
    expect(e.code).toBe("dtype-refused");
    expect(e.hint).toBeTruthy();
  });
  test("negative powers of integers", () => {
    expect(failure(() => p.integerPow(of("int32", 2), -1)).code).toBe("negative-power");
    expect(failure(() => p.integerPow(of("float32", 2), 0.5)).code).toBe("exponent-integer");
  });
  test("a fraction as an operand of integers", () => {
    expect(failure(() => p.add(of("int32", 2), 2.5)).code).toBe("number-dtype");
    expect(p.add(of("int32", 2), 2).dtype).toBe("int32");
  });
  test("cases of two dtypes, and more than two for a boolean", () => {
    expect(failure(() => p.select(of("bool", 2), of("float32", 2), of("int32", 2))).code).toBe("dtype-mismatch");
    expect(failure(() => p.selectN(of("bool", 2), of("float32", 2), of("float32", 2), of("float32", 2))).code).toBe(
      "select-cases",
    );
  });
  test("axes that do not exist, and empty ones without an extreme", () => {
    expect(failure(() => p.reduceSum(of("float32", 2), [1]))).toBeInstanceOf(ArgumentError);
    expect(failure(() => p.reduceSum(of("float32", 2, 2), [1, 1])).code).toBe("axis-range");
    expect(failure(() => p.cumsum(of("float32", 2), 1)).code).toBe("axis-range");
    expect(failure(() => p.argmax(of("float32", 2, 0), 1)).code).toBe("empty-axis");
  });
});

describe("weak types", () => {
  const weak = scalarOf(1, aval([], "float32", true));
  test("a result is weak if all operands are", () => {
    expect(p.add(weak, weak).aval).toEqual(aval([], "float32", true));
    expect(p.add(weak, lit(1, "float32")).weakType).toBe(false);
    expect(p.sin(weak).weakType).toBe(true);
    expect(p.select(lit(true, "bool"), weak, weak).weakType).toBe(true);
    expect(p.cumsum(p.broadcastInDim(weak, [2], []), 0).weakType).toBe(true);
  });
  test("comparisons, places and bits are never weak", () => {
    expect(p.lt(weak, weak).weakType).toBe(false);
    expect(p.isFinite(weak).weakType).toBe(false);
    expect(p.bitcastConvertType(weak, "int32").weakType).toBe(false);
    expect(p.argmax(p.broadcastInDim(weak, [2], []), 0).weakType).toBe(false);
  });
});

describe("algebra", () => {
  const f = aval([3], "float32");
  const s = aval([], "float32");
  /** What a primitive may be replaced with where operand i is the given constant. */
  function simplified(
    primitive: AnyPrimitive,
    inAvals: readonly Aval[],
    constants: Readonly<Record<number, number>>,
    params: unknown = {},
  ) {
    const context: SimplifyContext = {
      inAvals,
      outAval: primitive.abstract(inAvals, params as never)[0]!,
      constant: (i) => constants[i],
      madeBy: () => undefined,
    };
    return primitive.facts.simplify?.(params as never, context) ?? null;
  }
  test("neutral constants are dropped where that is exact", () => {
    expect(simplified(p.mulPrimitive, [f, s], { 1: 1 })).toEqual({ same: 0 });
    expect(simplified(p.mulPrimitive, [s, f], { 0: 1 })).toEqual({ same: 1 });
    expect(simplified(p.divPrimitive, [f, s], { 1: 1 })).toEqual({ same: 0 });
    expect(simplified(p.subPrimitive, [f, s], { 1: 0 })).toEqual({ same: 0 });
    expect(simplified(p.addPrimitive, [f, s], { 1: -0 })).toEqual({ same: 0 });
    expect(simplified(p.addPrimitive, [aval([3], "int32"), aval([], "int32")], { 1: 0 })).toEqual({ same: 0 });
  });
  test("and kept where it is not: −0 + 0 = 0, 1 / x, a scalar that is broadcast", () => {
    expect(simplified(p.addPrimitive, [f, s], { 1: 0 })).toBeNull();
    expect(simplified(p.subPrimitive, [f, s], { 1: -0 })).toBeNull();
    expect(simplified(p.divPrimitive, [s, f], { 0: 1 })).toBeNull();
    expect(simplified(p.mulPrimitive, [s, f], { 1: 1 })).toBeNull();
    expect(simplified(p.mulPrimitive, [f, s], { 1: 0 })).toBeNull();
  });
  test("a known predicate chooses", () => {
    const b = aval([], "bool");
    expect(simplified(p.selectNPrimitive, [b, f, f], { 0: 1 })).toEqual({ same: 2 });
    expect(simplified(p.selectNPrimitive, [b, f, s], { 0: 1 })).toBeNull();
    expect(simplified(p.selectNPrimitive, [aval([], "int32"), f, f, f], { 0: 7 })).toEqual({ same: 3 });
  });
  test("conversions to the same dtype, sums over no axes, copies", () => {
    expect(simplified(p.convertElementTypePrimitive, [f], {}, { dtype: "float32", weakType: false })).toEqual({
      same: 0,
    });
    expect(simplified(p.reduceSumPrimitive, [f], {}, { axes: [] })).toEqual({ same: 0 });
    expect(simplified(p.copyPrimitive, [f], {})).toEqual({ same: 0 });
  });
});
