import { InternalError } from "../../../core/errors.js";
import type { ScalarOp, ScalarType } from "../../../kernel-ir/scalar.js";
import type { FunctionBuilder, ValType } from "../module-builder.js";
import { Op } from "../opcodes.js";

/** How a scalar lies in a local: bool as 0 or 1. */
export const scalarValType = (t: ScalarType): ValType => (t === "u32" || t === "bool" ? "i32" : t);

/** Instructions of two or one operands of a type; what has none here is written out below. */
// prettier-ignore
const f32: Partial<Record<ScalarOp, number>> = {
  add: Op.f32_add, sub: Op.f32_sub, mul: Op.f32_mul, div: Op.f32_div, neg: Op.f32_neg, abs: Op.f32_abs, min: Op.f32_min, max: Op.f32_max,
  sqrt: Op.f32_sqrt, floor: Op.f32_floor, ceil: Op.f32_ceil, trunc: Op.f32_trunc, nearest: Op.f32_nearest,
  eq: Op.f32_eq, ne: Op.f32_ne, lt: Op.f32_lt, le: Op.f32_le, gt: Op.f32_gt, ge: Op.f32_ge,
};
// prettier-ignore
const f64: Partial<Record<ScalarOp, number>> = {
  add: Op.f64_add, sub: Op.f64_sub, mul: Op.f64_mul, div: Op.f64_div, neg: Op.f64_neg, abs: Op.f64_abs, min: Op.f64_min, max: Op.f64_max,
  sqrt: Op.f64_sqrt, floor: Op.f64_floor, ceil: Op.f64_ceil, trunc: Op.f64_trunc, nearest: Op.f64_nearest,
  eq: Op.f64_eq, ne: Op.f64_ne, lt: Op.f64_lt, le: Op.f64_le, gt: Op.f64_gt, ge: Op.f64_ge,
};
// prettier-ignore
const i32: Partial<Record<ScalarOp, number>> = {
  add: Op.i32_add, sub: Op.i32_sub, mul: Op.i32_mul, div: Op.i32_div_s, rem: Op.i32_rem_s, and: Op.i32_and, or: Op.i32_or, xor: Op.i32_xor,
  shl: Op.i32_shl, shrA: Op.i32_shr_s, shrL: Op.i32_shr_u, clz: Op.i32_clz, popcnt: Op.i32_popcnt,
  eq: Op.i32_eq, ne: Op.i32_ne, lt: Op.i32_lt_s, le: Op.i32_le_s, gt: Op.i32_gt_s, ge: Op.i32_ge_s,
};
// prettier-ignore
const u32: Partial<Record<ScalarOp, number>> = {
  ...i32, div: Op.i32_div_u, rem: Op.i32_rem_u, lt: Op.i32_lt_u, le: Op.i32_le_u, gt: Op.i32_gt_u, ge: Op.i32_ge_u,
};
// prettier-ignore
const i64: Partial<Record<ScalarOp, number>> = {
  add: Op.i64_add, sub: Op.i64_sub, mul: Op.i64_mul, and: Op.i64_and, or: Op.i64_or, xor: Op.i64_xor,
  shl: Op.i64_shl, shrA: Op.i64_shr_s, shrL: Op.i64_shr_u,
  eq: Op.i64_eq, ne: Op.i64_ne, lt: Op.i64_lt_s, le: Op.i64_le_s, gt: Op.i64_gt_s, ge: Op.i64_ge_s,
};
// prettier-ignore
const bool: Partial<Record<ScalarOp, number>> = {
  and: Op.i32_and, or: Op.i32_or, xor: Op.i32_xor, not: Op.i32_eqz, eq: Op.i32_eq, ne: Op.i32_ne,
};
const direct: Readonly<Record<ScalarType, Partial<Record<ScalarOp, number>>>> = { f32, f64, i32, u32, i64, bool };

/** Instruction of a conversion by "from to"; −1: nothing to do. */
// prettier-ignore
const conversions: Readonly<Record<string, number>> = {
  "f32 f64": Op.f64_promote_f32, "f32 i32": Op.i32_trunc_sat_f32_s, "f32 u32": Op.i32_trunc_sat_f32_u, "f32 i64": Op.i64_trunc_sat_f32_s,
  "f64 f32": Op.f32_demote_f64, "f64 i32": Op.i32_trunc_sat_f64_s, "f64 u32": Op.i32_trunc_sat_f64_u, "f64 i64": Op.i64_trunc_sat_f64_s,
  "i32 f32": Op.f32_convert_i32_s, "i32 f64": Op.f64_convert_i32_s, "i32 u32": -1, "i32 i64": Op.i64_extend_i32_s,
  "u32 f32": Op.f32_convert_i32_u, "u32 f64": Op.f64_convert_i32_u, "u32 i32": -1, "u32 i64": Op.i64_extend_i32_u,
  "bool f32": Op.f32_convert_i32_u, "bool f64": Op.f64_convert_i32_u, "bool i32": -1, "bool u32": -1, "bool i64": Op.i64_extend_i32_u,
  "i64 i32": Op.i32_wrap_i64, "i64 u32": Op.i32_wrap_i64, "i64 f64": Op.f64_convert_i64_s, "i64 f32": Op.f32_convert_i64_s,
};
// prettier-ignore
const bitcasts: Readonly<Record<string, number>> = {
  "f32 i32": Op.i32_reinterpret_f32, "f32 u32": Op.i32_reinterpret_f32, "i32 f32": Op.f32_reinterpret_i32, "u32 f32": Op.f32_reinterpret_i32,
  "i32 u32": -1, "u32 i32": -1, "f64 i64": Op.i64_reinterpret_f64, "i64 f64": Op.f64_reinterpret_i64,
};

/**
 * Appends a scalar operation; its operands are on the stack in order (select: the two values, then the condition).
 * `from` is the type of its (first value) operand, `type` that of its result.
 */
export function scalarOp(f: FunctionBuilder, op: ScalarOp, type: ScalarType, from: ScalarType, relaxed: boolean): void {
  const code = direct[from][op];
  if (code !== undefined) {
    f.op(code);
    return;
  }
  switch (op) {
    case "select":
      f.op(Op.select);
      return;
    case "fma":
      fma(f, from, relaxed);
      return;
    case "convert":
      convert(f, from, type);
      return;
    case "bitcast":
      one(f, from === type ? -1 : bitcasts[`${from} ${type}`], op, from);
      return;
    case "min":
    case "max":
      if (from === "f32" || from === "f64") break;
      minMax(f, op, from);
      return;
    case "neg":
    case "abs":
    case "not":
      negate(f, op, from);
      return;
    case "mulhi":
      withOperands(f, "i32", 2, ([a, b]) => {
        f.get(a!);
        f.op(Op.i64_extend_i32_u);
        f.get(b!);
        f.op(Op.i64_extend_i32_u);
        f.op(Op.i64_mul);
        f.i64(32n);
        f.op(Op.i64_shr_u);
        f.op(Op.i32_wrap_i64);
      });
      return;
    default:
  }
  throw new InternalError(`scalar ${op} of ${from} does not exist`);
}

function one(f: FunctionBuilder, code: number | undefined, op: ScalarOp, from: ScalarType): void {
  if (code === undefined) throw new InternalError(`scalar ${op} of ${from} does not exist`);
  if (code >= 0) f.op(code);
}

/** Pops operands into locals. */
function withOperands(f: FunctionBuilder, type: ValType, n: number, body: (locals: readonly number[]) => void): void {
  const locals: number[] = [];
  for (let i = 0; i < n; i++) locals.unshift(f.local(type));
  for (let i = n - 1; i >= 0; i--) f.set(locals[i]!);
  body(locals);
  for (const l of locals) f.free(l);
}

/** As the vector form rounds, so that the last elements of a run do not differ from the others. */
function fma(f: FunctionBuilder, type: ScalarType, relaxed: boolean): void {
  const [val, splat, madd, extract, mul, add] =
    type === "f32"
      ? (["f32", Op.f32x4_splat, Op.f32x4_relaxed_madd, Op.f32x4_extract_lane, Op.f32_mul, Op.f32_add] as const)
      : (["f64", Op.f64x2_splat, Op.f64x2_relaxed_madd, Op.f64x2_extract_lane, Op.f64_mul, Op.f64_add] as const);
  withOperands(f, val, 3, ([a, b, c]) => {
    for (const [i, x] of [a, b, c].entries()) {
      f.get(x!);
      if (relaxed) f.op(splat);
      else if (i > 0) f.op(i === 1 ? mul : add);
    }
    if (relaxed) {
      f.op(madd);
      f.lane(extract, 0);
    }
  });
}

function convert(f: FunctionBuilder, from: ScalarType, to: ScalarType): void {
  if (from === to) return;
  if (to === "bool") {
    if (from === "f32") f.f32(0);
    else if (from === "f64") f.f64(0);
    else if (from === "i64") f.i64(0n);
    else f.i32(0);
    f.op(direct[from].ne!);
    return;
  }
  one(f, conversions[`${from} ${to}`], "convert", from);
}

function minMax(f: FunctionBuilder, op: "min" | "max", type: ScalarType): void {
  if (type === "bool") {
    f.op(op === "min" ? Op.i32_and : Op.i32_or);
    return;
  }
  withOperands(f, scalarValType(type), 2, ([a, b]) => {
    f.get(a!);
    f.get(b!);
    f.get(a!);
    f.get(b!);
    f.op(direct[type][op === "min" ? "lt" : "gt"]!);
    f.op(Op.select);
  });
}

function negate(f: FunctionBuilder, op: "neg" | "abs" | "not", type: ScalarType): void {
  const wide = type === "i64";
  const push = (n: number): void => (wide ? f.i64(BigInt(n)) : f.i32(n));
  const [xor, sub, shift] = wide ? [Op.i64_xor, Op.i64_sub, Op.i64_shr_s] : [Op.i32_xor, Op.i32_sub, Op.i32_shr_s];
  if (type === "f32" || type === "f64" || type === "bool")
    throw new InternalError(`scalar ${op} of ${type} does not exist`);
  if (op === "not") {
    push(-1);
    f.op(xor);
    return;
  }
  if (op === "abs" && type === "u32") return;
  withOperands(f, scalarValType(type), 1, ([x]) => {
    if (op === "neg") {
      push(0);
      f.get(x!);
      f.op(sub);
      return;
    }
    // (x ^ sign) − sign
    for (let i = 0; i < 2; i++) {
      if (i === 0) f.get(x!);
      f.get(x!);
      push(wide ? 63 : 31);
      f.op(shift);
      f.op(i === 0 ? xor : sub);
    }
  });
}

/** Pushes a constant. */
export function scalarConst(f: FunctionBuilder, type: ScalarType, value: number | bigint): void {
  switch (type) {
    case "f32":
      f.f32(Number(value));
      return;
    case "f64":
      f.f64(Number(value));
      return;
    case "i64":
      f.i64(BigInt(value));
      return;
    case "bool":
      f.i32(value ? 1 : 0);
      return;
    case "i32":
    case "u32":
      f.i32(Number(value));
  }
}
