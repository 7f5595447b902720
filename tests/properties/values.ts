import type { NDArray } from "../../src/index.js";

/** A value of a random program, with what is known of its elements: exact ones may be compared, sorted and counted. */
export interface Value {
  readonly x: NDArray;
  /** Its name in the program's text. */
  readonly name: string;
  /** No element is larger. */
  readonly bound: number;
  /** Whether no element is NaN or infinite. */
  readonly finite: boolean;
  /** How far an element may be off, in units of machine epsilon; 0 if every device and order of summation agrees exactly. */
  readonly error: number;
}

export const isFloat = ({ x }: Value): boolean => x.dtype.startsWith("float");
export const isInt = ({ x }: Value): boolean => x.dtype === "int32";
export const isBool = ({ x }: Value): boolean => x.dtype === "bool";
export const isExact = ({ error }: Value): boolean => error === 0;

/** Integers up to here add and multiply without rounding in float32. */
export const exactLimit = 2 ** 22;

/** The error of a result that is rounded unless all is integral: what comes from the operands, and `roundings` of its own. */
export function rounded(bound: number, fromOperands: number, roundings: number): number {
  return fromOperands === 0 && bound <= exactLimit ? 0 : fromOperands + roundings * bound;
}

/** Takes the decisions of one operation off its random numbers, one after another. */
export class Choices {
  private next = 0;
  constructor(private readonly numbers: readonly number[]) {}

  /** A whole number below n. */
  below(n: number): number {
    const { numbers } = this;
    const value = numbers.length === 0 ? 0 : numbers[this.next++ % numbers.length]!;
    return n <= 1 ? 0 : value % n;
  }
  flag(): boolean {
    return this.below(2) === 1;
  }
  among<T>(options: readonly T[]): T | undefined {
    return options.length === 0 ? undefined : options[this.below(options.length)];
  }
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** The shape two shapes broadcast to; undefined if they do not. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const ndim = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let k = 0; k < ndim; k++) {
    const m = a[a.length - ndim + k] ?? 1;
    const n = b[b.length - ndim + k] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return undefined;
    out.push(m === 1 ? n : m);
  }
  return out;
}
