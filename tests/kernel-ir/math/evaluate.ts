import { compileExpr } from "../../../src/kernel-ir/interpreter.js";
import { lit } from "../../../src/kernel-ir/index-expr.js";
import { type Expr, load, type ScalarType } from "../../../src/kernel-ir/scalar.js";
import type { FmaRounding, ScalarValue } from "../../../src/kernel-ir/scalar-eval.js";

/** An expansion as a function of numbers: operand i of type `types[i]`. */
export function asFunction<T extends ScalarValue = number>(
  build: (...operands: Expr[]) => Expr,
  types: readonly ScalarType[],
  rounding: FmaRounding = "twice",
): (...values: ScalarValue[]) => T {
  let operands: readonly ScalarValue[] = [];
  const root = build(...types.map((type, i) => load(type, i, lit(0))));
  const run = compileExpr(root, { load: (i) => operands[i]! }, rounding);
  return (...values) => {
    operands = values;
    return run() as T;
  };
}

/** The distance of two neighbours at a number of this size. */
export function ulp(value: number, type: "f32" | "f64"): number {
  const [digits, least] = type === "f32" ? [24, -149] : [53, -1074];
  const size = Math.abs(value);
  if (size === 0) return 2 ** least;
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  if (2 ** (exponent + 1) <= size) exponent++;
  return 2 ** Math.max(exponent - digits + 1, least);
}

/** Distance of a float32 result from the true value in its units; infinite where only one is finite. */
export function error32(got: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded) || (got !== got && rounded !== rounded)) return 0;
  // What lies between the largest float32 and what rounds to infinity may be either.
  if (!Number.isFinite(rounded) || !Number.isFinite(got))
    return Math.abs(Math.abs(exact) - 3.4028235e38) < 1e32 ? 1 : Infinity;
  if (rounded === 0 && got === 0) return Infinity;
  return Math.abs(got - exact) / ulp(exact, "f32");
}

/** A generator of reproducible numbers on [0, 1). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

const word = new DataView(new ArrayBuffer(4));
export function floatFromBits(bits: number): number {
  word.setUint32(0, bits >>> 0);
  return word.getFloat32(0);
}

/** float32 numbers: all signs and sizes evenly by their bits, and more of them on an interval. */
export function* float32Samples(lo: number, hi: number, count: number): Generator<number> {
  const random = randomSource(count);
  for (let i = 0; i < count; i++) yield floatFromBits(random() * 2 ** 32);
  for (let i = 0; i <= count; i++) yield Math.fround(lo + ((hi - lo) * i) / count);
}

export const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  3,
  -3,
  Infinity,
  -Infinity,
  NaN,
  1e-40,
  -1e-40,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
];
