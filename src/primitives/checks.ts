import { type Aval, formatAval, type Shape } from "../core/aval.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";

/** What an error says of a fault: a stable code, the sentence, the operands, and the way out. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly operands?: readonly (readonly [name: string, what: Aval | Shape])[];
  readonly hint?: string | undefined;
}

const options = (f: Fault) => ({
  code: f.code,
  message: f.message,
  details: (f.operands ?? []).map(([name, a]) => [name, "dtype" in a ? formatAval(a) : `[${a.join(",")}]`] as const),
  hint: f.hint,
});

/** Throws a ShapeError unless `ok`. */
export function requireShape(ok: boolean, fault: () => Fault): void {
  if (!ok) throw new ShapeError(options(fault()));
}

/** Throws an ArgumentError unless `ok`. */
export function requireArgument(ok: boolean, fault: () => Fault): void {
  if (!ok) throw new ArgumentError(options(fault()));
}

/** Throws a DTypeError unless `ok`. */
export function requireDType(ok: boolean, fault: () => Fault): void {
  if (!ok) throw new DTypeError(options(fault()));
}

/** Whether `dims` are distinct axes of an array of `ndim` dimensions. */
export function areAxes(dims: readonly number[], ndim: number): boolean {
  return new Set(dims).size === dims.length && dims.every((d) => Number.isInteger(d) && d >= 0 && d < ndim);
}

export const isIncreasing = (list: readonly number[]): boolean => list.every((d, i) => i === 0 || d > list[i - 1]!);

/** Whether `n` is a whole number that is at least `lo`. */
export const isCount = (n: number, lo = 0): boolean => Number.isInteger(n) && n >= lo;

/** Refuses operands of different dtypes. */
export function requireOneDType(op: string, operands: readonly (readonly [string, Aval])[]): void {
  requireDType(
    operands.every(([, a]) => a.dtype === operands[0]![1].dtype),
    () => ({
      code: "dtype-mismatch",
      message: `${op} needs operands of one dtype`,
      operands,
      hint: "convert one of them with astype",
    }),
  );
}

/** Refuses indices that are not integers. */
export function requireIndexDType(op: string, indices: Aval, name = "indices"): void {
  requireDType(isInteger(indices.dtype), () => ({
    code: "index-dtype",
    message: `${op} needs indices of dtype int32 or uint32`,
    operands: [[name, indices]],
    hint: 'convert them with astype("int32")',
  }));
}

/** Names an axis list in an error. */
export const list = (dims: readonly (number | string)[]): string => `[${dims.join(", ")}]`;
