import type { NDArray } from "../core/array.js";
import { asShape, broadcastShapes, sameShape, type Shape, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, isFloat, isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import { expandTo } from "../numpy/promotion.js";
import * as p from "../primitives/all.js";
import { asSingleKey } from "./keys.js";

/** Bits, and the uniform and integral distributions that are made of them. */

export interface DtypeOption {
  readonly dtype?: DType;
}

/** A float dtype given by the user, or the default. */
export function floatDtype(dtype: DType | undefined, op: string): DType {
  const d = asDType(dtype ?? defaultFloat());
  if (isFloat(d)) return d;
  throw new DTypeError({
    code: "random-dtype",
    message: `random.${op} draws floats, not ${d}`,
    hint: "use float32 or float64",
  });
}

/** The shape of a draw: as given, or that of the parameters, which must broadcast to it. @throws ShapeError `random-shape`. */
export function drawShape(
  op: string,
  shape: Shape | number | null | undefined,
  ...parameters: readonly NDArray[]
): Shape {
  const natural = broadcastShapes(
    parameters.map((x) => x.shape),
    `random.${op}`,
  );
  if (shape === null || shape === undefined) return natural;
  const given = asShape(shape, `random.${op}`);
  if (!sameShape(broadcastShapes([given, natural], `random.${op}`), given)) {
    throw new ShapeError({
      code: "random-shape",
      message: `random.${op}: the parameters do not broadcast to the shape that was asked for`,
      details: [
        ["shape", `[${given.join(",")}]`],
        ...parameters.map((x, i): [string, string] => [`parameter ${i}`, `[${x.shape.join(",")}]`]),
      ],
    });
  }
  return given;
}

/** A parameter of a distribution: converted, and broadcast to the shape of the draw. */
export function parameter(x: ArrayLike, dtype: DType, shape: Shape): NDArray {
  if (typeof x === "number" || typeof x === "boolean") return lit(x, dtype);
  return expandTo(p.convertElementType(x, dtype), shape);
}

/** 32 random bits an element. */
export const bits32 = (key: NDArray, shape: Shape): NDArray => p.randomBits(key, shape);

/** Both words that threefry makes of each element's number: 64 random bits. */
function bits64(key: NDArray, shape: Shape): readonly [high: NDArray, low: NDArray] {
  const words = p.randomUnwrap(key);
  const at = (k: number): NDArray => p.reshape(p.slice(words, [k], [k + 1]), []);
  const n = sizeOf(shape);
  const count = p.reshape(p.iota("uint32", [n], 0), shape);
  const [a, b] = p.threefry2x32(expandTo(at(0), shape), expandTo(at(1), shape), p.zerosOf(count.aval), count);
  return [a, b];
}

/** Floats in [0, 1), every multiple of 2⁻²³ (float64: 2⁻⁵²) equally likely. */
export function unit(key: NDArray, shape: Shape, dtype: DType): NDArray {
  if (dtype === "float64") {
    const [high, low] = bits64(key, shape);
    const wide = (x: NDArray, scale: number): NDArray => p.mul(p.convertElementType(x, "float64"), scale);
    return p.add(wide(high, 2 ** -32), wide(p.shiftRightLogical(low, 12), 2 ** -52));
  }
  const mantissa = p.or(p.shiftRightLogical(bits32(key, shape), 9), 0x3f800000);
  return p.sub(p.bitcastConvertType(mantissa, "float32"), 1);
}

/** Floats in [minval, maxval). */
export function between(key: NDArray, shape: Shape, dtype: DType, minval: ArrayLike, maxval: ArrayLike): NDArray {
  const lo = parameter(minval, dtype, shape);
  const hi = parameter(maxval, dtype, shape);
  return p.max(lo, p.add(p.mul(unit(key, shape, dtype), p.sub(hi, lo)), lo));
}

const bitsParams = signature<{ key: ArrayLike; shape?: Shape } & DtypeOption>("random.bits", 1, [
  "key",
  "shape",
  "dtype",
]);
/**
 * Random bits as uint32.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`.
 * @example
 * random.bits(random.key(0), [2]); // [4070199207, 4202968722]
 */
export function bits(key: ArrayLike, shape?: Shape | DtypeOption, dtype?: DType | DtypeOption): NDArray;
export function bits(...given: unknown[]): NDArray {
  const { key, shape = [], dtype = "uint32" } = bitsParams(given);
  if (asDType(dtype) !== "uint32")
    throw new DTypeError({ code: "random-dtype", message: `random.bits draws uint32, not ${dtype}` });
  return bits32(asSingleKey(key, "bits"), asShape(shape, "random.bits"));
}

export interface UniformOptions extends DtypeOption {
  readonly minval?: ArrayLike;
  readonly maxval?: ArrayLike;
}
const uniformParams = signature<{ key: ArrayLike; shape?: Shape } & UniformOptions>("random.uniform", 1, [
  "key",
  "shape",
  "dtype",
  "minval",
  "maxval",
]);
/**
 * Uniform floats in [minval, maxval), by default [0, 1), in steps of 2⁻²³ of it (float64: 2⁻⁵²). The same key gives JAX's
 * numbers. Derivatives with respect to the bounds pass.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`; ShapeError `shape-invalid`, `shape-broadcast`,
 * `random-shape`.
 * @example
 * random.uniform(random.key(0), [3]); // [0.947667, 0.97857988, 0.33229148]
 * random.uniform(random.key(0), [2, 2], { minval: -1 }); // float32[2, 2]
 */
export function uniform(
  key: ArrayLike,
  shape?: Shape | UniformOptions,
  dtype?: DType | UniformOptions,
  minval?: ArrayLike | UniformOptions,
  maxval?: ArrayLike | UniformOptions,
): NDArray;
export function uniform(...given: unknown[]): NDArray {
  const { key, shape = [], dtype, minval = 0, maxval = 1 } = uniformParams(given);
  const bounds = [asArray(minval, "random.uniform", "minval"), asArray(maxval, "random.uniform", "maxval")];
  return between(
    asSingleKey(key, "uniform"),
    drawShape("uniform", shape, ...bounds),
    floatDtype(dtype, "uniform"),
    minval,
    maxval,
  );
}

const randintParams = signature<{ key: ArrayLike; shape: Shape; minval: ArrayLike; maxval: ArrayLike } & DtypeOption>(
  "random.randint",
  4,
  ["key", "shape", "minval", "maxval", "dtype"],
);
/**
 * Integers in [minval, maxval); minval where the range is empty. Each is a remainder of 64 random bits, by JAX's formula.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`; ShapeError `shape-invalid`, `shape-broadcast`.
 * @example
 * random.randint(random.key(0), [5], 0, 10); // [9, 0, 2, 3, 1]
 */
export function randint(
  key: ArrayLike,
  shape: Shape,
  minval: ArrayLike,
  maxval: ArrayLike,
  dtype?: DType | DtypeOption,
): NDArray;
export function randint(...given: unknown[]): NDArray {
  const { key, shape, minval, maxval, dtype = "int32" } = randintParams(given);
  const d = asDType(dtype);
  if (!isInteger(d)) throw new DTypeError({ code: "random-dtype", message: `random.randint draws integers, not ${d}` });
  const k = asSingleKey(key, "randint");
  const dims = drawShape(
    "randint",
    shape,
    asArray(minval, "random.randint", "minval"),
    asArray(maxval, "random.randint", "maxval"),
  );
  const largest = d === "int32" ? 2147483647 : 4294967295;
  const smallest = d === "int32" ? -2147483648 : 0;
  const beyond = typeof maxval === "number" && maxval > largest;
  const bound = (x: ArrayLike): NDArray =>
    typeof x === "number" ? lit(Math.min(Math.max(Math.trunc(x), smallest), largest), d) : parameter(x, d, dims);
  const lo = bound(minval);
  const hi = bound(maxval);
  const [k1, k2] = splitPair(k);
  const higher = bits32(k1, dims);
  const lower = bits32(k2, dims);
  const width = p.convertElementType(p.sub(hi, lo), "uint32");
  const empty = p.le(hi, lo);
  const span = p.select(empty, lit(1, "uint32"), beyond ? p.add(width, 1) : width);
  const half = p.rem(lit(65536, "uint32"), span);
  const multiplier = p.rem(p.mul(half, half), span);
  const offset = p.rem(p.add(p.mul(p.rem(higher, span), multiplier), p.rem(lower, span)), span);
  return p.add(lo, p.convertElementType(offset, d));
}

/** Two new keys. */
export function splitPair(key: NDArray): [NDArray, NDArray] {
  const keys = p.randomSplit(key, [2]);
  const at = (i: number): NDArray => p.reshape(p.slice(keys, [i], [i + 1]), []);
  return [at(0), at(1)];
}

/** A whole number given by the user. */
export function requireCount(x: unknown, op: string, name: string): number {
  if (typeof x === "number" && Number.isInteger(x) && x >= 0) return x;
  throw new ArgumentError({
    code: "count",
    message: `random.${op}: ${name} must be a whole number that is not negative`,
  });
}
