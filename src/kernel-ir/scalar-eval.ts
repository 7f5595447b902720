import { InternalError } from "../core/errors.js";
import type { ScalarOp, ScalarType } from "./scalar.js";

/**
 * The meaning of every scalar op, on JavaScript numbers: f32 values are numbers that float32 holds, bools 0 or 1,
 * i64 values bigints. Preconditions are checked: breaking one throws.
 */
export type ScalarValue = number | bigint;

/** How `fma` rounds: machines differ, so results must be good both ways. */
export type FmaRounding = "once" | "twice";

export type ScalarFunction = (...args: ScalarValue[]) => ScalarValue;

const words = new DataView(new ArrayBuffer(8));
const wrap64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const truth = (x: boolean): number => (x ? 1 : 0);
const nearestEven = (x: number): number => {
  // Halves are exact below 2^52, and above it every number is integral.
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const down = Math.floor(x);
  const rest = x - down;
  const n = rest < 0.5 ? down : rest > 0.5 ? down + 1 : down % 2 === 0 ? down : down + 1;
  return n === 0 && (x < 0 || Object.is(x, -0)) ? -0 : n;
};

/** The exact a·b + c, rounded once to double. */
function fmaOnce(a: number, b: number, addend: number): number {
  const plain = a * b + addend;
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0 || b === 0) return plain;
  // A product that overflows may have a finite sum, and none that is finite outweighs an infinity.
  if (!Number.isFinite(addend)) return addend;
  const [ma, ea] = decompose(a);
  const [mb, eb] = decompose(b);
  const [mc, ec] = decompose(addend);
  const ep = ea + eb;
  const e = Math.min(ep, addend === 0 ? ep : ec);
  const sum = ((ma * mb) << BigInt(ep - e)) + (addend === 0 ? 0n : mc << BigInt(ec - e));
  if (sum === 0n) return plain === 0 ? plain : 0;
  return compose(sum, e);
}

/** x = significand · 2^exponent, exactly. */
function decompose(x: number): [bigint, number] {
  words.setFloat64(0, x);
  const bits = words.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = field === 0 ? fraction : fraction | 0x10000000000000n;
  return [x < 0 ? -magnitude : magnitude, (field === 0 ? 1 : field) - 1075];
}

/** significand · 2^exponent rounded to double, ties to even. */
function compose(significand: bigint, exponent: number): number {
  const negative = significand < 0n;
  let m = negative ? -significand : significand;
  let e = exponent;
  const excess = Math.max(m.toString(2).length - 53, -1074 - e, 0);
  if (excess > 0) {
    const shift = BigInt(excess);
    const half = 1n << (shift - 1n);
    const rest = m & ((1n << shift) - 1n);
    m >>= shift;
    if (rest > half || (rest === half && (m & 1n) === 1n)) m += 1n;
    e += excess;
  }
  // In two halves, for 2^e alone may be outside of what a double holds.
  const value =
    e > 900
      ? Number(m) * 2 ** 900 * 2 ** (e - 900)
      : e < -1000
        ? Number(m) * 2 ** (e + 74) * 2 ** -74
        : Number(m) * 2 ** e;
  return negative ? -value : value;
}

type Numeric = (a: number, b: number, c: number) => number;
type Wide = (a: bigint, b: bigint, c: bigint) => bigint | number;

const floats: Partial<Record<ScalarOp, Numeric>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  neg: (a) => -a,
  abs: Math.abs,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  nearest: nearestEven,
};

function nonzero(b: number, op: string): void {
  if (b === 0) throw new InternalError(`${op} by zero: its precondition is a divisor that is not zero`);
}
function shiftAmount(n: number | bigint, width: number): void {
  if (n < 0 || n >= width) throw new InternalError(`shift by ${n}: its precondition is an amount in [0, ${width})`);
}
function quotient(a: number, b: number): number {
  nonzero(b, "div");
  if (a === -0x80000000 && b === -1)
    throw new InternalError("INT_MIN / -1: excluded by the precondition of div and rem");
  return Math.trunc(a / b);
}

const i32s: Partial<Record<ScalarOp, Numeric>> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: (a, b) => Math.imul(a, b),
  div: (a, b) => quotient(a, b) | 0,
  rem: (a, b) => (a - quotient(a, b) * b) | 0,
  neg: (a) => -a | 0,
  abs: (a) => Math.abs(a) | 0,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  not: (a) => ~a,
  shl: (a, n) => (shiftAmount(n, 32), a << n),
  shrA: (a, n) => (shiftAmount(n, 32), a >> n),
  shrL: (a, n) => (shiftAmount(n, 32), (a >>> n) | 0),
  clz: Math.clz32,
  popcnt: (a) => countBits(a),
};

const u32s: Partial<Record<ScalarOp, Numeric>> = {
  add: (a, b) => (a + b) >>> 0,
  sub: (a, b) => (a - b) >>> 0,
  mul: (a, b) => Math.imul(a, b) >>> 0,
  div: (a, b) => (nonzero(b, "div"), Math.trunc(a / b)),
  rem: (a, b) => (nonzero(b, "rem"), a % b),
  neg: (a) => -a >>> 0,
  abs: (a) => a,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  and: (a, b) => (a & b) >>> 0,
  or: (a, b) => (a | b) >>> 0,
  xor: (a, b) => (a ^ b) >>> 0,
  not: (a) => ~a >>> 0,
  shl: (a, n) => (shiftAmount(n, 32), (a << n) >>> 0),
  shrA: (a, n) => (shiftAmount(n, 32), (a >> n) >>> 0),
  shrL: (a, n) => (shiftAmount(n, 32), a >>> n),
  clz: Math.clz32,
  popcnt: (a) => countBits(a),
  mulhi: (a, b) => Number((BigInt(a) * BigInt(b)) >> 32n),
};

const bools: Partial<Record<ScalarOp, Numeric>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  not: (a) => 1 - a,
};

const i64s: Partial<Record<ScalarOp, Wide>> = {
  add: (a, b) => wrap64(a + b),
  sub: (a, b) => wrap64(a - b),
  mul: (a, b) => wrap64(a * b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  not: (a) => ~a,
  shl: (a, n) => (shiftAmount(n, 64), wrap64(a << n)),
  shrA: (a, n) => (shiftAmount(n, 64), a >> n),
  shrL: (a, n) => (shiftAmount(n, 64), wrap64(BigInt.asUintN(64, a) >> n)),
};

const comparisons: Partial<Record<ScalarOp, (a: ScalarValue, b: ScalarValue) => number>> = {
  eq: (a, b) => truth(a === b),
  ne: (a, b) => truth(a !== b),
  lt: (a, b) => truth(a < b),
  le: (a, b) => truth(a <= b),
  gt: (a, b) => truth(a > b),
  ge: (a, b) => truth(a >= b),
};

function countBits(a: number): number {
  let n = 0;
  for (let x = a >>> 0; x !== 0; x &= x - 1) n++;
  return n;
}

const saturate = (x: number, lo: number, hi: number): number =>
  x !== x ? 0 : Math.min(Math.max(Math.trunc(x), lo), hi) + 0;

function conversion(from: ScalarType, to: ScalarType): ScalarFunction | undefined {
  if (from === to) return (x) => x;
  const pair = `${from}>${to}`;
  switch (pair) {
    case "f64>f32":
    case "i32>f32":
    case "u32>f32":
    case "bool>f32":
      return (x) => Math.fround(x as number);
    case "f32>f64":
    case "i32>f64":
    case "u32>f64":
    case "bool>f64":
    case "bool>i32":
    case "bool>u32":
      return (x) => x;
    case "f32>i32":
    case "f64>i32":
      return (x) => saturate(x as number, -0x80000000, 0x7fffffff);
    case "f32>u32":
    case "f64>u32":
      return (x) => saturate(x as number, 0, 0xffffffff);
    case "i32>u32":
      return (x) => (x as number) >>> 0;
    case "u32>i32":
      return (x) => (x as number) | 0;
    case "f32>bool":
    case "f64>bool":
    case "i32>bool":
    case "u32>bool":
      return (x) => truth(x !== 0);
    case "i32>i64":
    case "u32>i64":
      return (x) => BigInt(x as number);
    case "i64>i32":
      return (x) => Number(BigInt.asIntN(32, x as bigint));
    case "i64>u32":
      return (x) => Number(BigInt.asUintN(32, x as bigint));
    case "i64>f64":
      return (x) => Number(x);
    case "f64>i64":
      return (x) => {
        const v = x as number;
        if (v !== v) return 0n;
        if (v >= 2 ** 63) return 0x7fffffffffffffffn;
        return v < -(2 ** 63) ? -0x8000000000000000n : BigInt(Math.trunc(v));
      };
    default:
      return undefined;
  }
}

function reinterpretation(from: ScalarType, to: ScalarType): ScalarFunction | undefined {
  if (from === to) return (x) => x;
  switch (`${from}>${to}`) {
    case "f32>i32":
      return (x) => (words.setFloat32(0, x as number), words.getInt32(0));
    case "f32>u32":
      return (x) => (words.setFloat32(0, x as number), words.getUint32(0));
    case "i32>f32":
    case "u32>f32":
      return (x) => (words.setUint32(0, (x as number) >>> 0), words.getFloat32(0));
    case "i32>u32":
      return (x) => (x as number) >>> 0;
    case "u32>i32":
      return (x) => (x as number) | 0;
    case "f64>i64":
      return (x) => (words.setFloat64(0, x as number), words.getBigInt64(0));
    case "i64>f64":
      return (x) => (words.setBigInt64(0, x as bigint), words.getFloat64(0));
    default:
      return undefined;
  }
}

function floatOp(name: ScalarOp, single: boolean, rounding: FmaRounding): ScalarFunction | undefined {
  if (name === "fma") {
    if (single) {
      return rounding === "once"
        ? // The product is exact in double; the sum is rounded to odd before float32, so that nothing is rounded twice.
          (a, b, d) => Math.fround(sumToOdd((a as number) * (b as number), d as number))
        : (a, b, d) => Math.fround(Math.fround((a as number) * (b as number)) + (d as number));
    }
    return rounding === "once"
      ? (a, b, d) => fmaOnce(a as number, b as number, d as number)
      : (a, b, d) => (a as number) * (b as number) + (d as number);
  }
  const f = floats[name];
  if (f === undefined) return undefined;
  if (single) return (a, b) => Math.fround(f(a as number, b as number, 0));
  return (a, b) => f(a as number, b as number, 0);
}

/** a + b in double, rounded to odd: rounding that to float32 gives what rounding the exact sum gives. */
function sumToOdd(a: number, b: number): number {
  const s = a + b;
  if (!Number.isFinite(s)) return s;
  const bb = s - a;
  const error = a - (s - bb) + (b - bb);
  if (error === 0) return s;
  words.setFloat64(0, s);
  const bits = words.getBigInt64(0);
  if ((bits & 1n) === 1n) return s;
  words.setBigInt64(0, bits + (error > 0 === s > 0 ? 1n : -1n));
  return words.getFloat64(0);
}

/** The function of an op for operands of type `operand` and a result of type `result`; undefined where the op takes no such operands. */
export function scalarFunction(
  name: ScalarOp,
  operand: ScalarType,
  result: ScalarType,
  rounding: FmaRounding = "twice",
): ScalarFunction | undefined {
  if (name === "select") return (p, a, b) => (p !== 0 ? a! : b!);
  if (name === "convert") return conversion(operand, result);
  if (name === "bitcast") return reinterpretation(operand, result);
  const compare = comparisons[name];
  if (compare !== undefined) {
    if (operand === "bool" && name !== "eq" && name !== "ne") return undefined;
    return (a, b) => compare(a!, b!);
  }
  switch (operand) {
    case "f32":
    case "f64":
      return floatOp(name, operand === "f32", rounding);
    case "i32":
      return i32s[name] as ScalarFunction | undefined;
    case "u32":
      return u32s[name] as ScalarFunction | undefined;
    case "bool":
      return bools[name] as ScalarFunction | undefined;
    case "i64":
      return i64s[name] as ScalarFunction | undefined;
  }
}

/** A value as the type holds it: how constants and what is written to buffers are rounded. */
export function toScalar(type: ScalarType, value: ScalarValue): ScalarValue {
  switch (type) {
    case "f32":
      return Math.fround(value as number);
    case "f64":
      return value;
    case "i32":
      return (value as number) | 0;
    case "u32":
      return (value as number) >>> 0;
    case "bool":
      return truth(value !== 0 && value !== 0n);
    case "i64":
      return wrap64(BigInt(value));
  }
}
