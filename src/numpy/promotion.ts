import { NDArray } from "../core/array.js";
import { broadcastShapes, sameShape, type Shape } from "../core/aval.js";
import { config, defaultFloat } from "../core/config.js";
import { type DType, isFloat, type PromotionType, promoteTypes as promoteElementTypes } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray, scalarOf, weakAval } from "../core/literal.js";
import * as p from "../primitives/all.js";

/**
 * What happens to operands before a primitive sees them: JAX's promotion of element types, where a JS number is a weak
 * scalar, and broadcasting of shapes. Scalars of rank 0 go into elementwise primitives as they are.
 */

/** Axes as users give them; null means all. */
export type Axis = number | readonly number[] | null;

/** The float dtype in which a function computes operands of `dtype`: float32 of 32-bit integers, the default one of bare numbers. */
export const toInexact = (dtype: DType, weak = false): DType =>
  isFloat(dtype) || dtype === "key" ? dtype : weak ? defaultFloat() : "float32";

/** An element type with integers and booleans made floats. */
export const inexactType = ({ dtype, weak }: PromotionType): PromotionType => ({ dtype: toInexact(dtype, weak), weak });

/** The dtype in which a function adds up operands of `dtype`: booleans count as integers. */
export const toNumeric = (dtype: DType): DType => (dtype === "bool" ? "int32" : dtype);

/** Converts an array's dtype, strongly unless `weak`; itself where nothing changes. */
export function convert(x: NDArray, dtype: DType, weak = false): NDArray {
  return x.dtype === dtype && x.weakType === weak ? x : p.convertElementType(x, dtype, weak);
}

/** The array with a strong type: what formulas give whose constants are arrays in JAX. */
export const strong = (x: NDArray): NDArray => convert(x, x.dtype);

/** Broadcasts an array to a shape that it fits (a caller's duty to check). */
export function expandTo(x: NDArray, shape: Shape): NDArray {
  if (sameShape(x.shape, shape)) return x;
  const offset = shape.length - x.ndim;
  return p.broadcastInDim(
    x,
    shape,
    x.shape.map((_, i) => i + offset),
  );
}

const fits = (n: number): boolean => n >= -2147483648 && n <= 2147483647;

const isLargeInteger = (x: unknown): x is number =>
  typeof x === "number" && Number.isInteger(x) && !fits(x) && x >= 0 && x <= 4294967295;

/**
 * The element type that operands promote to. An integral number beyond int32 counts as an integer where the other
 * operands' dtype, uint32, holds it.
 */
export function resultElementType(op: string, xs: readonly ArrayLike[]): PromotionType {
  const types: PromotionType[] = [];
  let large = false;
  for (const x of xs) {
    if (isLargeInteger(x)) {
      large = true;
      continue;
    }
    const a = typeof x === "number" || typeof x === "boolean" ? weakAval(x) : asArray(x, op).aval;
    types.push({ dtype: a.dtype, weak: a.weakType });
  }
  const first = types[0];
  if (!large && first !== undefined && types.every((t) => t.dtype === first.dtype && t.weak === first.weak))
    return first;
  if (types.some((t) => t.dtype === "key")) throw keyArithmetic(op, xs);
  const rest = promoteElementTypes(types, defaultFloat());
  if (!large || (rest.dtype === "uint32" && !rest.weak)) return rest;
  return promoteElementTypes([...types, { dtype: defaultFloat(), weak: true }], defaultFloat());
}

function keyArithmetic(op: string, xs: readonly ArrayLike[]): DTypeError {
  return new DTypeError({
    code: "key-arithmetic",
    message: `${op}: random keys take part in no arithmetic`,
    details: xs.map((x, i) => [`operand ${i}`, x instanceof NDArray ? x.describe() : `the number ${x}`] as const),
    hint: "use random.bits, random.uniform, … to draw numbers, or random.keyData for the words",
  });
}

/** The element type in which a function computes operands in floats. */
export function inexactElementType(op: string, xs: readonly ArrayLike[]): PromotionType {
  const t = inexactType(resultElementType(op, xs));
  // Under x64 JAX takes int32 and uint32 to int64, whose float is float64.
  const has = (dtype: DType): boolean => xs.some((x) => x instanceof NDArray && x.dtype === dtype && !x.weakType);
  const wide = t.dtype === "float32" && config.enableX64 && has("int32") && has("uint32") && !has("float32");
  return wide ? { dtype: "float64", weak: false } : t;
}

/** Operands converted to one element type; JS numbers become scalars of it. Shapes are left alone. */
export function convertAll(xs: readonly ArrayLike[], { dtype, weak }: PromotionType): NDArray[] {
  return xs.map((x) => convertOne(x, dtype, weak));
}

/** An operand converted to an element type; a JS number becomes a scalar of it. */
export function convertOne(x: ArrayLike, dtype: DType, weak: boolean): NDArray {
  if (x instanceof NDArray) {
    // A weak operand of the right dtype need not become strong: a primitive's result is weak only if all operands are.
    return x.dtype === dtype ? x : p.convertElementType(x, dtype, weak);
  }
  return scalarOf(Number(x), { shape: [], dtype, weakType: weak });
}

/** Makes shapes equal, but for scalars of rank 0, which elementwise primitives broadcast themselves. */
export function broadcastOperands(op: string, xs: readonly NDArray[]): readonly NDArray[] {
  let shape: Shape | undefined;
  let differ = false;
  for (const x of xs) {
    if (x.ndim === 0) continue;
    if (shape === undefined) shape = x.shape;
    else if (!sameShape(shape, x.shape)) differ = true;
  }
  if (!differ) return xs;
  const to = broadcastShapes(
    xs.map((x) => x.shape),
    op,
  );
  return xs.map((x) => (x.ndim === 0 ? x : expandTo(x, to)));
}

/** Operands of one dtype and one shape (or rank 0). @throws ShapeError `shape-broadcast`, DTypeError `key-arithmetic`. */
export function promote(op: string, ...xs: readonly ArrayLike[]): readonly NDArray[] {
  return broadcastOperands(op, convertAll(xs, resultElementType(op, xs)));
}

/** A number as a scalar of an array's dtype, where it takes that dtype without further thought; else undefined. */
function numberLike(x: NDArray, n: number | boolean): NDArray | undefined {
  const { dtype, weakType } = x.aval;
  if (typeof n === "boolean" || dtype === "bool" || dtype === "key") return undefined;
  if (!isFloat(dtype) && !(Number.isInteger(n) && fits(n) && !Object.is(n, -0))) return undefined;
  return scalarOf(n, { shape: [], dtype, weakType });
}

/** Two operands that need nothing done but a number made an array: most calls. */
function quickPair(x: ArrayLike, y: ArrayLike): readonly [NDArray, NDArray] | undefined {
  if (x instanceof NDArray) {
    if (typeof y === "number") {
      const n = numberLike(x, y);
      return n && [x, n];
    }
    if (!(y instanceof NDArray) || x.dtype !== y.dtype) return undefined;
    return x.ndim === 0 || y.ndim === 0 || sameShape(x.shape, y.shape) ? [x, y] : undefined;
  }
  if (typeof x !== "number" || !(y instanceof NDArray)) return undefined;
  const n = numberLike(y, x);
  return n && [n, y];
}

/** `promote` of two. */
export const promote2 = (op: string, x: ArrayLike, y: ArrayLike): readonly NDArray[] =>
  quickPair(x, y) ?? promote(op, x, y);

/** `promote`, and integers and booleans become floats. */
export function promoteInexact(op: string, ...xs: readonly ArrayLike[]): readonly NDArray[] {
  const quick = xs.length === 2 ? quickPair(xs[0]!, xs[1]!) : undefined;
  if (quick !== undefined && isFloat(quick[0].dtype)) return quick;
  return broadcastOperands(op, convertAll(xs, inexactElementType(op, xs)));
}

/** `promote`, and booleans become int32. */
export function promoteNumeric(op: string, ...xs: readonly ArrayLike[]): readonly NDArray[] {
  const quick = xs.length === 2 ? quickPair(xs[0]!, xs[1]!) : undefined;
  if (quick !== undefined && quick[0].dtype !== "bool") return quick;
  const t = resultElementType(op, xs);
  return broadcastOperands(op, convertAll(xs, { dtype: toNumeric(t.dtype), weak: t.weak && t.dtype !== "bool" }));
}

/** One operand as a float array. */
export function inexact(op: string, x: ArrayLike): NDArray {
  const a = asArray(x, op);
  return isFloat(a.dtype) ? a : p.convertElementType(a, toInexact(a.dtype, a.weakType), a.weakType);
}

/** One operand with booleans as int32. */
export function numeric(op: string, x: ArrayLike): NDArray {
  const a = asArray(x, op);
  return a.dtype === "bool" ? p.convertElementType(a, "int32") : a;
}

/** The two operands that a promotion of two gives. */
export const pairOf = (xs: readonly NDArray[]): readonly [NDArray, NDArray] => [xs[0]!, xs[1]!];
