import { InternalError } from "../../../core/errors.js";
import type { ScalarOp, ScalarType } from "../../../kernel-ir/scalar.js";
import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";

/**
 * Operations on vectors. `lanes` is 4 where every type has 32 bits; 2 where a 64-bit type occurs: 32-bit values then lie in
 * the two low lanes, and bools are 64-bit masks. A bool lane is all ones or all zeros.
 */
export interface VectorTarget {
  readonly f: FunctionBuilder;
  readonly lanes: 2 | 4;
  readonly relaxed: boolean;
  /** Pushes a constant in every lane, kept in a local that is set once. */
  constant(type: ScalarType, value: number): void;
}

type Table = Partial<Record<ScalarOp, number>>;
const bits: Table = { and: Op.v128_and, or: Op.v128_or, xor: Op.v128_xor, not: Op.v128_not };
// prettier-ignore
const f32: Table = {
  add: Op.f32x4_add, sub: Op.f32x4_sub, mul: Op.f32x4_mul, div: Op.f32x4_div, neg: Op.f32x4_neg, abs: Op.f32x4_abs,
  min: Op.f32x4_min, max: Op.f32x4_max, sqrt: Op.f32x4_sqrt, floor: Op.f32x4_floor, ceil: Op.f32x4_ceil, trunc: Op.f32x4_trunc,
  nearest: Op.f32x4_nearest, eq: Op.f32x4_eq, ne: Op.f32x4_ne, lt: Op.f32x4_lt, le: Op.f32x4_le, gt: Op.f32x4_gt, ge: Op.f32x4_ge,
};
// prettier-ignore
const f64: Table = {
  add: Op.f64x2_add, sub: Op.f64x2_sub, mul: Op.f64x2_mul, div: Op.f64x2_div, neg: Op.f64x2_neg, abs: Op.f64x2_abs,
  min: Op.f64x2_min, max: Op.f64x2_max, sqrt: Op.f64x2_sqrt, floor: Op.f64x2_floor, ceil: Op.f64x2_ceil, trunc: Op.f64x2_trunc,
  nearest: Op.f64x2_nearest, eq: Op.f64x2_eq, ne: Op.f64x2_ne, lt: Op.f64x2_lt, le: Op.f64x2_le, gt: Op.f64x2_gt, ge: Op.f64x2_ge,
};
// prettier-ignore
const i32: Table = {
  ...bits, add: Op.i32x4_add, sub: Op.i32x4_sub, mul: Op.i32x4_mul, neg: Op.i32x4_neg, abs: Op.i32x4_abs, min: Op.i32x4_min_s, max: Op.i32x4_max_s,
  shl: Op.i32x4_shl, shrA: Op.i32x4_shr_s, shrL: Op.i32x4_shr_u,
  eq: Op.i32x4_eq, ne: Op.i32x4_ne, lt: Op.i32x4_lt_s, le: Op.i32x4_le_s, gt: Op.i32x4_gt_s, ge: Op.i32x4_ge_s,
};
const { abs: _abs, ...unsigned } = i32;
// prettier-ignore
const u32: Table = {
  ...unsigned, min: Op.i32x4_min_u, max: Op.i32x4_max_u, lt: Op.i32x4_lt_u, le: Op.i32x4_le_u, gt: Op.i32x4_gt_u, ge: Op.i32x4_ge_u,
};
// prettier-ignore
const i64: Table = {
  ...bits, add: Op.i64x2_add, sub: Op.i64x2_sub, mul: Op.i64x2_mul, neg: Op.i64x2_neg, abs: Op.i64x2_abs,
  shl: Op.i64x2_shl, shrA: Op.i64x2_shr_s, shrL: Op.i64x2_shr_u,
  eq: Op.i64x2_eq, ne: Op.i64x2_ne, lt: Op.i64x2_lt_s, le: Op.i64x2_le_s, gt: Op.i64x2_gt_s, ge: Op.i64x2_ge_s,
};
const bool: Table = { ...bits, ne: Op.v128_xor };
const direct: Readonly<Record<ScalarType, Table>> = { f32, f64, i32, u32, i64, bool };

/** Conversions without bool, by "from to"; −1: nothing to do. */
// prettier-ignore
const conversions: Readonly<Record<string, number>> = {
  "f32 f64": Op.f64x2_promote_low_f32x4, "f32 i32": Op.i32x4_trunc_sat_f32x4_s, "f32 u32": Op.i32x4_trunc_sat_f32x4_u,
  "f64 f32": Op.f32x4_demote_f64x2_zero, "f64 i32": Op.i32x4_trunc_sat_f64x2_s_zero, "f64 u32": Op.i32x4_trunc_sat_f64x2_u_zero,
  "i32 f32": Op.f32x4_convert_i32x4_s, "i32 f64": Op.f64x2_convert_low_i32x4_s, "i32 u32": -1, "i32 i64": Op.i64x2_extend_low_i32x4_s,
  "u32 f32": Op.f32x4_convert_i32x4_u, "u32 f64": Op.f64x2_convert_low_i32x4_u, "u32 i32": -1, "u32 i64": Op.i64x2_extend_low_i32x4_u,
};

const is64 = (t: ScalarType): boolean => t === "f64" || t === "i64";

/** Whether vectorOp can write the operation; what it cannot is done lane by lane. (Shifts: by one amount for all lanes.) */
export function hasVectorForm(op: ScalarOp, type: ScalarType, from: ScalarType): boolean {
  if (direct[from][op] !== undefined || op === "select" || op === "fma") return true;
  if (op === "bitcast") return true;
  if (op === "convert") {
    if (from === type || type === "bool" || from === "bool") return true;
    return conversions[`${from} ${type}`] !== undefined || (from === "i64" && (type === "i32" || type === "u32"));
  }
  if (op === "abs") return from === "u32";
  if (op === "eq") return from === "bool";
  if (op === "popcnt" || op === "div" || op === "rem") return from === "i32" || from === "u32";
  return op === "mulhi";
}

/**
 * Appends an operation; its operands are on the stack (select: the two values, then the mask; shifts: the amount as a scalar
 * i32). `from` is the type of its (first value) operand, `type` that of its result.
 */
export function vectorOp(t: VectorTarget, op: ScalarOp, type: ScalarType, from: ScalarType): void {
  const { f } = t;
  const code = direct[from][op];
  if (code !== undefined) {
    f.op(code);
    // Comparisons of 32-bit lanes become 64-bit masks where those are the bools.
    if (type === "bool" && from !== "bool" && t.lanes === 2 && !is64(from)) f.op(Op.i64x2_extend_low_i32x4_s);
    return;
  }
  switch (op) {
    case "select":
      select(t, type);
      return;
    case "fma":
      fma(t, type);
      return;
    case "convert":
      convert(t, from, type);
      return;
    case "bitcast":
      return;
    case "abs":
      if (from === "u32") return;
      break;
    case "eq":
      f.op(Op.v128_xor);
      f.op(Op.v128_not);
      return;
    case "popcnt":
      f.op(Op.i8x16_popcnt);
      f.op(Op.i16x8_extadd_pairwise_i8x16_u);
      f.op(Op.i32x4_extadd_pairwise_i16x8_u);
      return;
    case "mulhi":
      mulhi(t);
      return;
    case "div":
    case "rem":
      divide(t, op, from === "u32");
      return;
    default:
  }
  throw new InternalError(`vector ${op} of ${from} does not exist`);
}

/** 64-bit masks of the two lanes as 32-bit masks in the low lanes. */
function narrowMask(f: FunctionBuilder): void {
  const m = f.local("v128");
  f.tee(m);
  f.get(m);
  f.shuffle32(0, 2, 0, 2);
  f.free(m);
}

function select(t: VectorTarget, type: ScalarType): void {
  const { f } = t;
  if (t.lanes === 2 && !is64(type) && type !== "bool") narrowMask(f);
  if (!t.relaxed) f.op(Op.v128_bitselect);
  else
    f.op(t.lanes === 2 && (is64(type) || type === "bool") ? Op.i64x2_relaxed_laneselect : Op.i32x4_relaxed_laneselect);
}

function fma(t: VectorTarget, type: ScalarType): void {
  const { f } = t;
  if (t.relaxed) {
    f.op(type === "f32" ? Op.f32x4_relaxed_madd : Op.f64x2_relaxed_madd);
    return;
  }
  const c = f.local("v128");
  f.set(c);
  f.op(type === "f32" ? Op.f32x4_mul : Op.f64x2_mul);
  f.get(c);
  f.op(type === "f32" ? Op.f32x4_add : Op.f64x2_add);
  f.free(c);
}

function mulhi({ f, lanes }: VectorTarget): void {
  const a = f.local("v128");
  const b = f.local("v128");
  f.set(b);
  f.tee(a);
  f.get(b);
  f.op(Op.i64x2_extmul_low_i32x4_u);
  if (lanes === 2) {
    f.tee(a);
    f.get(a);
    f.shuffle32(1, 3, 1, 3);
  } else {
    f.get(a);
    f.get(b);
    f.op(Op.i64x2_extmul_high_i32x4_u);
    f.shuffle32(1, 3, 5, 7);
  }
  f.free(a);
  f.free(b);
}

/** Truncating division in float64, where quotients of 32-bit integers are so far from the next integer that they truncate right. */
function divide({ f, lanes }: VectorTarget, op: "div" | "rem", unsigned: boolean): void {
  const a = f.local("v128");
  const b = f.local("v128");
  f.set(b);
  f.set(a);
  const widen = unsigned ? Op.f64x2_convert_low_i32x4_u : Op.f64x2_convert_low_i32x4_s;
  for (let half = 0; half < lanes / 2; half++) {
    for (const x of [a, b]) {
      f.get(x);
      if (half === 1) {
        f.get(x);
        f.shuffle64(1, 1);
      }
      f.op(widen);
    }
    f.op(Op.f64x2_div);
    f.op(unsigned ? Op.i32x4_trunc_sat_f64x2_u_zero : Op.i32x4_trunc_sat_f64x2_s_zero);
  }
  if (lanes === 4) f.shuffle64(0, 2);
  if (op === "rem") {
    const q = f.local("v128");
    f.set(q);
    f.get(a);
    f.get(q);
    f.get(b);
    f.op(Op.i32x4_mul);
    f.op(Op.i32x4_sub);
    f.free(q);
  }
  f.free(a);
  f.free(b);
}

/** Rotates 32-bit lanes left by whole bytes. */
export function rotateBytes(f: FunctionBuilder, bytes: number): void {
  const x = f.local("v128");
  f.tee(x);
  f.get(x);
  f.op(Op.i8x16_shuffle);
  for (let k = 0; k < 16; k++) f.code.u8((k & ~3) | ((k - bytes) & 3));
  f.free(x);
}

function convert(t: VectorTarget, from: ScalarType, to: ScalarType): void {
  const { f, lanes } = t;
  if (from === to) return;
  if (to === "bool") {
    t.constant(from, 0);
    f.op(direct[from].ne!);
    if (lanes === 2 && !is64(from)) f.op(Op.i64x2_extend_low_i32x4_s);
    return;
  }
  if (from === "bool") {
    fromMask(t, to);
    return;
  }
  if (from === "i64" && (to === "i32" || to === "u32")) {
    narrowMask(f);
    return;
  }
  const code = conversions[`${from} ${to}`];
  if (code === undefined) throw new InternalError(`vector convert of ${from} to ${to} does not exist`);
  if (code >= 0) f.op(code);
}

/** Masks to ones and zeros of a type. */
function fromMask(t: VectorTarget, to: ScalarType): void {
  const { f, lanes } = t;
  if (is64(to)) {
    if (to === "f64") {
      t.constant("f64", 1);
      f.op(Op.v128_and);
    } else {
      f.i32(63);
      f.op(Op.i64x2_shr_u);
    }
    return;
  }
  if (lanes === 2) narrowMask(f);
  if (to === "f32") {
    t.constant("f32", 1);
    f.op(Op.v128_and);
  } else {
    f.i32(31);
    f.op(Op.i32x4_shr_u);
  }
}

/** Memory words 0/1, as loaded, to masks. */
export function wordsToMask({ f, lanes }: VectorTarget): void {
  if (lanes === 2) {
    f.op(Op.i64x2_extend_low_i32x4_u);
    f.op(Op.i64x2_neg);
  } else f.op(Op.i32x4_neg);
}
/** Masks to memory words 0/1. */
export function maskToWords(t: VectorTarget): void {
  fromMask(t, "i32");
}

/** One scalar in every lane. Stack: scalar → vector. */
export function splat(t: VectorTarget, type: ScalarType): void {
  const { f } = t;
  switch (type) {
    case "f32":
      f.op(Op.f32x4_splat);
      return;
    case "f64":
      f.op(Op.f64x2_splat);
      return;
    case "i64":
      f.op(Op.i64x2_splat);
      return;
    case "i32":
    case "u32":
      f.op(Op.i32x4_splat);
      return;
    case "bool":
      f.op(Op.i32x4_splat);
      f.op(Op.i32x4_neg);
  }
}

/** A constant in every lane. */
export function vectorConst(f: FunctionBuilder, type: ScalarType, value: number | bigint): void {
  switch (type) {
    case "f32": {
      const x = Number(value);
      f.f32x4(x, x, x, x);
      return;
    }
    case "f64":
      f.f64x2(Number(value), Number(value));
      return;
    case "i64": {
      const lo = Number(BigInt.asIntN(32, BigInt(value)));
      const hi = Number(BigInt.asIntN(32, BigInt(value) >> 32n));
      f.i32x4(lo, hi, lo, hi);
      return;
    }
    case "bool": {
      const x = value ? -1 : 0;
      f.i32x4(x, x, x, x);
      return;
    }
    case "i32":
    case "u32": {
      const x = Number(value) | 0;
      f.i32x4(x, x, x, x);
    }
  }
}

/** Stack: vector → the scalar of a lane (bool: 0 or 1). */
export function extractLane({ f, lanes }: VectorTarget, type: ScalarType, lane: number): void {
  switch (type) {
    case "f32":
      f.lane(Op.f32x4_extract_lane, lane);
      return;
    case "f64":
      f.lane(Op.f64x2_extract_lane, lane);
      return;
    case "i64":
      f.lane(Op.i64x2_extract_lane, lane);
      return;
    case "i32":
    case "u32":
      f.lane(Op.i32x4_extract_lane, lane);
      return;
    case "bool":
      f.lane(Op.i32x4_extract_lane, lanes === 2 ? lane * 2 : lane);
      f.i32(1);
      f.op(Op.i32_and);
  }
}

/** Stack: vector, scalar (bool: 0 or 1) → vector with that lane replaced. */
export function replaceLane({ f, lanes }: VectorTarget, type: ScalarType, lane: number): void {
  switch (type) {
    case "f32":
      f.lane(Op.f32x4_replace_lane, lane);
      return;
    case "f64":
      f.lane(Op.f64x2_replace_lane, lane);
      return;
    case "i64":
      f.lane(Op.i64x2_replace_lane, lane);
      return;
    case "i32":
    case "u32":
      f.lane(Op.i32x4_replace_lane, lane);
      return;
    case "bool": {
      const x = f.local("i32");
      f.set(x);
      f.i32(0);
      f.get(x);
      f.op(Op.i32_sub);
      if (lanes === 2) {
        f.op(Op.i64_extend_i32_s);
        f.lane(Op.i64x2_replace_lane, lane);
      } else f.lane(Op.i32x4_replace_lane, lane);
      f.free(x);
    }
  }
}
