import { Op } from "../opcodes.js";

/** The instructions of one element type, and whether multiply-add may be fused. */
export interface Arithmetic {
  readonly type: "f32" | "f64";
  readonly fused: boolean;
  /** Bytes an element takes. */
  readonly bytes: number;
  /** Elements in a v128. */
  readonly lanes: number;
  readonly load: number;
  readonly store: number;
  readonly add: number;
  readonly mul: number;
  readonly loadSplat: number;
  readonly loadLane: number;
  readonly extractLane: number;
  readonly vectorAdd: number;
  readonly vectorMul: number;
  readonly vectorMadd: number;
}

const instructions = {
  f32: {
    bytes: 4,
    lanes: 4,
    load: Op.f32_load,
    store: Op.f32_store,
    add: Op.f32_add,
    mul: Op.f32_mul,
    loadSplat: Op.v128_load32_splat,
    loadLane: Op.v128_load32_lane,
    extractLane: Op.f32x4_extract_lane,
    vectorAdd: Op.f32x4_add,
    vectorMul: Op.f32x4_mul,
    vectorMadd: Op.f32x4_relaxed_madd,
  },
  f64: {
    bytes: 8,
    lanes: 2,
    load: Op.f64_load,
    store: Op.f64_store,
    add: Op.f64_add,
    mul: Op.f64_mul,
    loadSplat: Op.v128_load64_splat,
    loadLane: Op.v128_load64_lane,
    extractLane: Op.f64x2_extract_lane,
    vectorAdd: Op.f64x2_add,
    vectorMul: Op.f64x2_mul,
    vectorMadd: Op.f64x2_relaxed_madd,
  },
} as const;

export const arithmetic = (type: "f32" | "f64", fused: boolean): Arithmetic => ({ type, fused, ...instructions[type] });
