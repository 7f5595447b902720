import type { Index } from "./index-expr.js";

/**
 * Scalar expressions: what one element of a kernel computes.
 *
 *   expr ::= const(value) | index(i) | load(buffer, i) | op(name, expr…) | slot(k) | keep(k)
 *
 * Expressions are immutable DAGs made through the constructors of this file, which intern nothing but fold what is constant;
 * an emitter computes a node that is shared once.
 */

/** Types of scalars in kernels. `i64` occurs only inside expansions of float64 math (bits of a double), never in a buffer. */
export type ScalarType = "f32" | "f64" | "i32" | "u32" | "bool" | "i64";

/**
 * Operations every backend has. Their meaning is total unless a precondition is stated; what XLA defines differently
 * (integer division by zero, shifts by 32 and more) is expanded above them.
 *
 * - add sub mul: floats by IEEE; ints wrap. i64: add, sub, mul too.
 * - div: floats by IEEE. i32/u32: truncating; precondition: divisor nonzero, and not INT_MIN / −1.
 * - rem: i32/u32 only, sign of the dividend; same precondition.
 * - neg abs: floats flip/clear the sign bit (−0 and NaN included); i32 wraps.
 * - min max: floats as IEEE-754-2019 minimum/maximum: NaN if either is NaN, −0 < +0. ints as expected.
 * - sqrt floor ceil trunc nearest: floats; nearest rounds ties to even; −0 kept.
 * - fma: floats, a*b+c, rounded once where the machine can, twice elsewhere.
 * - and or xor not: bool, i32, u32, i64 bitwise.
 * - shl shrA shrL: i32/u32/i64; precondition: 0 ≤ amount < width; the amount has the type of the value. shrA copies the sign, shrL zeros.
 * - clz popcnt: i32/u32.
 * - mulhi: u32, high word of the product.
 * - eq ne lt le gt ge: two of one type, give bool; floats by IEEE (NaN: only ne holds). bool: eq, ne.
 * - select(bool, a, b).
 * - convert: between f32, f64, i32, u32, bool (nonzero, NaN included, is true; true is 1); float→int truncates and saturates,
 *   NaN gives 0. i32↔i64 (sign-extending / wrapping), u32→i64 zero-extends, f64→i64 saturates, i64→f64 rounds.
 * - bitcast: between f32, i32, u32; f64 and i64.
 */
export type ScalarOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "rem"
  | "neg"
  | "abs"
  | "min"
  | "max" // arithmetic
  | "sqrt"
  | "floor"
  | "ceil"
  | "trunc"
  | "nearest"
  | "fma" // floats
  | "and"
  | "or"
  | "xor"
  | "not"
  | "shl"
  | "shrA"
  | "shrL"
  | "clz"
  | "popcnt"
  | "mulhi" // bits
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge" // comparisons
  | "select"
  | "convert"
  | "bitcast";

/** Reductions' combiners: associative scalar ops. For bool: and, or, xor. */
export type CombineOp = "add" | "mul" | "min" | "max" | "and" | "or" | "xor";

export type Expr = ConstExpr | IndexValueExpr | LoadExpr | OpExpr | SlotExpr | KeepExpr;

interface ExprBase {
  readonly type: ScalarType;
}
/** bool: 0 or 1; i64: a bigint. */
export interface ConstExpr extends ExprBase {
  readonly kind: "const";
  readonly value: number | bigint;
}
/** An index as a value of type i32. */
export interface IndexValueExpr extends ExprBase {
  readonly kind: "index";
  readonly index: Index;
}
/** Element `index` (flat, in elements) of a buffer. The index is in bounds for every point of the kernel's domain. */
export interface LoadExpr extends ExprBase {
  readonly kind: "load";
  readonly buffer: number;
  readonly index: Index;
}
export interface OpExpr extends ExprBase {
  readonly kind: "op";
  readonly op: ScalarOp;
  readonly args: readonly Expr[];
}
/** Accumulator `slot`: finished, after its phase; running, after its own statement in the same body. */
export interface SlotExpr extends ExprBase {
  readonly kind: "slot";
  readonly slot: number;
}
/** What an earlier phase kept for this element of the row in row buffer `keep`. */
export interface KeepExpr extends ExprBase {
  readonly kind: "keep";
  readonly keep: number;
}

const comparison: ReadonlySet<ScalarOp> = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);
export const isComparison = (op: ScalarOp): boolean => comparison.has(op);

export const constant = (type: ScalarType, value: number | bigint): ConstExpr => ({ kind: "const", type, value });
export const indexValue = (index: Index): IndexValueExpr => ({ kind: "index", type: "i32", index });
export const load = (type: ScalarType, buffer: number, index: Index): LoadExpr => ({
  kind: "load",
  type,
  buffer,
  index,
});
export const slotRef = (type: ScalarType, slot: number): SlotExpr => ({ kind: "slot", type, slot });
export const keepRef = (type: ScalarType, keep: number): KeepExpr => ({ kind: "keep", type, keep });

/** Makes an operation; the result type follows from the op and its operands except for convert and bitcast (`type`). */
export function op(name: ScalarOp, args: readonly Expr[], type?: ScalarType): OpExpr {
  const resultType = type ?? (comparison.has(name) ? "bool" : name === "select" ? args[1]!.type : args[0]!.type);
  return { kind: "op", type: resultType, op: name, args };
}
