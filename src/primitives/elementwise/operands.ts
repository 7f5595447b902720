import { NDArray } from "../../core/array.js";
import { type Aval, formatAval, sameShape, type Shape } from "../../core/aval.js";
import { type DType, dtypeInfo, isFloat, isInteger } from "../../core/dtype.js";
import { DTypeError, ShapeError } from "../../core/errors.js";
import { asArray, lit } from "../../core/literal.js";

/** An operand of an elementwise operation of several operands: a JS value takes the other operand's dtype. */
export type Operand = NDArray | number | boolean;

/** Params of a primitive that has none. */
export type NoParams = Readonly<Record<string, never>>;
export const noParams: NoParams = {};

/** Which dtypes an operand may have, and how an error calls them. */
export interface Accepts {
  readonly called: string;
  readonly dtypes: readonly DType[];
}
const accepts = (called: string, ...dtypes: DType[]): Accepts => ({ called, dtypes });
export const floating = accepts("floats", "float32", "float64");
export const signed = accepts("floats and signed integers", "float32", "float64", "int32");
export const numeric = accepts("numbers", "float32", "float64", "int32", "uint32");
export const integral = accepts("integers", "int32", "uint32");
export const bitwise = accepts("integers and booleans", "int32", "uint32", "bool");
export const ordered = accepts("numbers and booleans", "float32", "float64", "int32", "uint32", "bool");
export const anything = accepts("arrays", "float32", "float64", "int32", "uint32", "bool", "key");

/** Arrays of two operands of one operation; a JS value becomes a scalar of the other's dtype. */
export function pair(op: string, a: Operand, b: Operand): [NDArray, NDArray] {
  if (a instanceof NDArray) return [a, like(op, b, a.dtype, "rhs")];
  if (b instanceof NDArray) return [like(op, a, b.dtype, "lhs"), b];
  return [asArray(a, op, "lhs"), asArray(b, op, "rhs")];
}

/** An operand as an array; a JS value as a scalar of the given dtype. @throws DTypeError `number-dtype`. */
export function like(op: string, x: Operand, dtype: DType, name: string): NDArray {
  if (x instanceof NDArray) return x;
  const value = Number(x);
  if (typeof x !== "number" && typeof x !== "boolean") return asArray(x, op, name);
  if (dtype === "key" || (!isFloat(dtype) && !Number.isInteger(value))) {
    throw new DTypeError({
      code: "number-dtype",
      message: `${op}: the number ${String(x)} cannot be an operand of dtype ${dtype}`,
      details: [[name, String(x)]],
      hint: "convert the other operand with astype, or use np functions, which promote dtypes",
    });
  }
  return lit(value, dtype);
}

/** The shape of an elementwise result: that of the operands that are no scalars. */
export function shapeOfAll(avals: readonly Aval[]): Shape {
  for (const a of avals) if (a.shape.length > 0) return a.shape;
  return [];
}

const names = (op: string, n: number): readonly string[] => {
  if (op === "clamp") return ["lo", "x", "hi"];
  return n === 1 ? ["operand"] : n === 2 ? ["lhs", "rhs"] : Array.from({ length: n }, (_, i) => `operand ${i}`);
};

const describe = (op: string, avals: readonly Aval[]) => {
  const n = names(op, avals.length);
  return avals.map((a, i) => [n[i]!, formatAval(a)] as const);
};

/** Checks that operands have one shape, scalars aside. @throws ShapeError `shape-mismatch`. */
export function requireOneShape(op: string, avals: readonly Aval[], shownAs: readonly Aval[] = avals): Shape {
  const shape = shapeOfAll(avals);
  for (const a of avals) {
    if (a.shape.length > 0 && !sameShape(a.shape, shape)) {
      throw new ShapeError({
        code: "shape-mismatch",
        message: `${op} needs operands of one shape and dtype`,
        details: describe(op, shownAs),
        hint: alignHint(shape, a.shape, shownAs.length),
      });
    }
  }
  return shape;
}

/** How the second shape could be made to fit the first. */
function alignHint(a: Shape, b: Shape, operands: number): string {
  const [small, big] = a.length <= b.length ? [a, b] : [b, a];
  const name = operands !== 2 ? "x" : small === a ? "lhs" : "rhs";
  const padded = [...new Array<number>(big.length - small.length).fill(1), ...small];
  if (padded.every((d, i) => d === big[i] || d === 1 || big[i] === 1)) {
    const fitted = padded.map((d, i) => Math.max(d, big[i]!));
    return `the functions of np broadcast; here repeat the operand first, e.g. np.broadcastTo(${name}, [${fitted.join(", ")}])`;
  }
  if (small.length === 1) {
    const axis = big.lastIndexOf(small[0]!);
    if (axis >= 0) {
      const aligned = big.map((_, i) => (i === axis ? small[0]! : 1)).slice(axis);
      return `align the trailing axes, e.g. ${name}.reshape([${aligned.join(", ")}])`;
    }
  }
  return "shapes must be equal, or [] for a scalar";
}

/** Checks one dtype against what an operation takes. @throws DTypeError `dtype-refused`. */
export function requireAccepted(op: string, avals: readonly Aval[], i: number, what: Accepts): void {
  if (what.dtypes.includes(avals[i]!.dtype)) return;
  throw new DTypeError({
    code: "dtype-refused",
    message: `${op} takes ${what.called}`,
    details: describe(op, avals),
    hint: refusalHint(op, avals[i]!.dtype, what),
  });
}

function refusalHint(op: string, dtype: DType, what: Accepts): string {
  if (dtype === "key")
    return "draw numbers from a random key with random.bits, random.uniform, …; its words are random.keyData(key)";
  if (dtype === "bool" && op === "neg") return "logical negation is np.logicalNot";
  if (dtype === "bool" && op === "sub") return "the difference of booleans is np.logicalXor";
  if (dtype === "bool" && op === "add") return "the sum of booleans is np.logicalOr";
  if (dtype === "bool" && op === "mul") return "the product of booleans is np.logicalAnd";
  return `accepted dtypes: ${what.dtypes.join(", ")}; convert with astype`;
}

/** Checks that operands have one dtype. @throws DTypeError `dtype-mismatch`. */
export function requireOneDType(op: string, avals: readonly Aval[], shownAs: readonly Aval[] = avals): DType {
  const dtype = avals[0]!.dtype;
  if (avals.every((a) => a.dtype === dtype)) return dtype;
  throw new DTypeError({
    code: "dtype-mismatch",
    message: `${op} needs operands of one shape and dtype`,
    details: describe(op, shownAs),
    hint: "convert one of them with astype; the functions of np promote dtypes by themselves",
  });
}

/** A result is weakly typed if all that decide its dtype are. */
export const allWeak = (avals: readonly Aval[]): boolean => avals.every((a) => a.weakType);

/** Abstract rule of an operation on operands of one accepted dtype, with a result of that dtype or of a given one. */
export function sameTypes(op: string, what: Accepts, result?: DType) {
  return (avals: readonly Aval[]): readonly Aval[] => {
    for (let i = 0; i < avals.length; i++) requireAccepted(op, avals, i, what);
    const dtype = requireOneDType(op, avals);
    const shape = requireOneShape(op, avals);
    return [{ shape, dtype: result ?? dtype, weakType: result === undefined && allWeak(avals) }];
  };
}

/** Identity of a dtype's ordering, as a number: what a maximum (or minimum) of nothing is. */
export function extremeOf(dtype: DType, largest: boolean): number {
  if (isFloat(dtype)) return largest ? Infinity : -Infinity;
  if (dtype === "bool") return largest ? 1 : 0;
  if (dtype === "uint32") return largest ? 4294967295 : 0;
  return largest ? 2147483647 : -2147483648;
}

/** Bits of an element's storage. */
export const widthOf = (dtype: DType): number => dtypeInfo[dtype].bytes * 8;
export { isFloat, isInteger };
