/**
 * Opcodes of WebAssembly: MVP, saturating conversions, bulk memory, SIMD 128, relaxed SIMD, and the atomics a pool needs.
 *
 * A number below 0x100 is a plain one-byte opcode; others carry their prefix: 0xfc000 | code, 0xfd000 | code, 0xfe000 | code.
 * Names are WebAssembly's with the first "." written "_": `f32x4_add`, `v128_load32_splat`.
 */
export const PREFIX_FC = 0xfc000;
export const PREFIX_FD = 0xfd000;
export const PREFIX_FE = 0xfe000;

const fd = (code: number): number => PREFIX_FD | code;

// prettier-ignore
export const Op = {
  unreachable: 0x00, nop: 0x01, block: 0x02, loop: 0x03, if: 0x04, else: 0x05, end: 0x0b, br: 0x0c, br_if: 0x0d, br_table: 0x0e,
  return: 0x0f, call: 0x10, call_indirect: 0x11, drop: 0x1a, select: 0x1b,
  local_get: 0x20, local_set: 0x21, local_tee: 0x22, global_get: 0x23, global_set: 0x24,

  i32_load: 0x28, i64_load: 0x29, f32_load: 0x2a, f64_load: 0x2b, i32_load8_s: 0x2c, i32_load8_u: 0x2d, i32_load16_s: 0x2e, i32_load16_u: 0x2f,
  i32_store: 0x36, i64_store: 0x37, f32_store: 0x38, f64_store: 0x39, i32_store8: 0x3a, i32_store16: 0x3b,
  memory_size: 0x3f, memory_grow: 0x40,
  i32_const: 0x41, i64_const: 0x42, f32_const: 0x43, f64_const: 0x44,

  i32_eqz: 0x45, i32_eq: 0x46, i32_ne: 0x47, i32_lt_s: 0x48, i32_lt_u: 0x49, i32_gt_s: 0x4a, i32_gt_u: 0x4b, i32_le_s: 0x4c, i32_le_u: 0x4d,
  i32_ge_s: 0x4e, i32_ge_u: 0x4f,
  i64_eqz: 0x50, i64_eq: 0x51, i64_ne: 0x52, i64_lt_s: 0x53, i64_lt_u: 0x54, i64_gt_s: 0x55, i64_gt_u: 0x56, i64_le_s: 0x57, i64_le_u: 0x58,
  i64_ge_s: 0x59, i64_ge_u: 0x5a,
  f32_eq: 0x5b, f32_ne: 0x5c, f32_lt: 0x5d, f32_gt: 0x5e, f32_le: 0x5f, f32_ge: 0x60,
  f64_eq: 0x61, f64_ne: 0x62, f64_lt: 0x63, f64_gt: 0x64, f64_le: 0x65, f64_ge: 0x66,

  i32_clz: 0x67, i32_ctz: 0x68, i32_popcnt: 0x69, i32_add: 0x6a, i32_sub: 0x6b, i32_mul: 0x6c, i32_div_s: 0x6d, i32_div_u: 0x6e, i32_rem_s: 0x6f,
  i32_rem_u: 0x70, i32_and: 0x71, i32_or: 0x72, i32_xor: 0x73, i32_shl: 0x74, i32_shr_s: 0x75, i32_shr_u: 0x76, i32_rotl: 0x77, i32_rotr: 0x78,
  i64_clz: 0x79, i64_ctz: 0x7a, i64_popcnt: 0x7b, i64_add: 0x7c, i64_sub: 0x7d, i64_mul: 0x7e, i64_div_s: 0x7f, i64_div_u: 0x80, i64_rem_s: 0x81,
  i64_rem_u: 0x82, i64_and: 0x83, i64_or: 0x84, i64_xor: 0x85, i64_shl: 0x86, i64_shr_s: 0x87, i64_shr_u: 0x88, i64_rotl: 0x89, i64_rotr: 0x8a,

  f32_abs: 0x8b, f32_neg: 0x8c, f32_ceil: 0x8d, f32_floor: 0x8e, f32_trunc: 0x8f, f32_nearest: 0x90, f32_sqrt: 0x91, f32_add: 0x92, f32_sub: 0x93,
  f32_mul: 0x94, f32_div: 0x95, f32_min: 0x96, f32_max: 0x97, f32_copysign: 0x98,
  f64_abs: 0x99, f64_neg: 0x9a, f64_ceil: 0x9b, f64_floor: 0x9c, f64_trunc: 0x9d, f64_nearest: 0x9e, f64_sqrt: 0x9f, f64_add: 0xa0, f64_sub: 0xa1,
  f64_mul: 0xa2, f64_div: 0xa3, f64_min: 0xa4, f64_max: 0xa5, f64_copysign: 0xa6,

  i32_wrap_i64: 0xa7, i64_extend_i32_s: 0xac, i64_extend_i32_u: 0xad,
  f32_convert_i32_s: 0xb2, f32_convert_i32_u: 0xb3, f32_convert_i64_s: 0xb4, f32_demote_f64: 0xb6,
  f64_convert_i32_s: 0xb7, f64_convert_i32_u: 0xb8, f64_convert_i64_s: 0xb9, f64_promote_f32: 0xbb,
  i32_reinterpret_f32: 0xbc, i64_reinterpret_f64: 0xbd, f32_reinterpret_i32: 0xbe, f64_reinterpret_i64: 0xbf,

  i32_trunc_sat_f32_s: PREFIX_FC | 0, i32_trunc_sat_f32_u: PREFIX_FC | 1, i32_trunc_sat_f64_s: PREFIX_FC | 2, i32_trunc_sat_f64_u: PREFIX_FC | 3,
  i64_trunc_sat_f32_s: PREFIX_FC | 4, i64_trunc_sat_f32_u: PREFIX_FC | 5, i64_trunc_sat_f64_s: PREFIX_FC | 6, i64_trunc_sat_f64_u: PREFIX_FC | 7,
  memory_copy: PREFIX_FC | 10, memory_fill: PREFIX_FC | 11,

  v128_load: fd(0x00), v128_load32x2_s: fd(0x05), v128_load32x2_u: fd(0x06),
  v128_load8_splat: fd(0x07), v128_load16_splat: fd(0x08), v128_load32_splat: fd(0x09), v128_load64_splat: fd(0x0a), v128_store: fd(0x0b),
  v128_const: fd(0x0c), i8x16_shuffle: fd(0x0d), i8x16_swizzle: fd(0x0e),
  i8x16_splat: fd(0x0f), i16x8_splat: fd(0x10), i32x4_splat: fd(0x11), i64x2_splat: fd(0x12), f32x4_splat: fd(0x13), f64x2_splat: fd(0x14),
  i32x4_extract_lane: fd(0x1b), i32x4_replace_lane: fd(0x1c), i64x2_extract_lane: fd(0x1d), i64x2_replace_lane: fd(0x1e),
  f32x4_extract_lane: fd(0x1f), f32x4_replace_lane: fd(0x20), f64x2_extract_lane: fd(0x21), f64x2_replace_lane: fd(0x22),

  i32x4_eq: fd(0x37), i32x4_ne: fd(0x38), i32x4_lt_s: fd(0x39), i32x4_lt_u: fd(0x3a), i32x4_gt_s: fd(0x3b), i32x4_gt_u: fd(0x3c),
  i32x4_le_s: fd(0x3d), i32x4_le_u: fd(0x3e), i32x4_ge_s: fd(0x3f), i32x4_ge_u: fd(0x40),
  f32x4_eq: fd(0x41), f32x4_ne: fd(0x42), f32x4_lt: fd(0x43), f32x4_gt: fd(0x44), f32x4_le: fd(0x45), f32x4_ge: fd(0x46),
  f64x2_eq: fd(0x47), f64x2_ne: fd(0x48), f64x2_lt: fd(0x49), f64x2_gt: fd(0x4a), f64x2_le: fd(0x4b), f64x2_ge: fd(0x4c),

  v128_not: fd(0x4d), v128_and: fd(0x4e), v128_andnot: fd(0x4f), v128_or: fd(0x50), v128_xor: fd(0x51), v128_bitselect: fd(0x52), v128_any_true: fd(0x53),
  v128_load32_lane: fd(0x56), v128_load64_lane: fd(0x57), v128_store32_lane: fd(0x5a), v128_store64_lane: fd(0x5b),
  v128_load32_zero: fd(0x5c), v128_load64_zero: fd(0x5d), f32x4_demote_f64x2_zero: fd(0x5e), f64x2_promote_low_f32x4: fd(0x5f),

  i8x16_popcnt: fd(0x62), f32x4_ceil: fd(0x67), f32x4_floor: fd(0x68), f32x4_trunc: fd(0x69), f32x4_nearest: fd(0x6a),
  f64x2_ceil: fd(0x74), f64x2_floor: fd(0x75), f64x2_trunc: fd(0x7a), f64x2_nearest: fd(0x94),
  i16x8_extadd_pairwise_i8x16_u: fd(0x7d), i32x4_extadd_pairwise_i16x8_u: fd(0x7f),

  i32x4_abs: fd(0xa0), i32x4_neg: fd(0xa1), i32x4_all_true: fd(0xa3), i32x4_bitmask: fd(0xa4),
  i32x4_shl: fd(0xab), i32x4_shr_s: fd(0xac), i32x4_shr_u: fd(0xad), i32x4_add: fd(0xae), i32x4_sub: fd(0xb1), i32x4_mul: fd(0xb5),
  i32x4_min_s: fd(0xb6), i32x4_min_u: fd(0xb7), i32x4_max_s: fd(0xb8), i32x4_max_u: fd(0xb9),

  i64x2_abs: fd(0xc0), i64x2_neg: fd(0xc1), i64x2_all_true: fd(0xc3), i64x2_bitmask: fd(0xc4),
  i64x2_extend_low_i32x4_s: fd(0xc7), i64x2_extend_high_i32x4_s: fd(0xc8), i64x2_extend_low_i32x4_u: fd(0xc9), i64x2_extend_high_i32x4_u: fd(0xca),
  i64x2_shl: fd(0xcb), i64x2_shr_s: fd(0xcc), i64x2_shr_u: fd(0xcd), i64x2_add: fd(0xce), i64x2_sub: fd(0xd1), i64x2_mul: fd(0xd5),
  i64x2_eq: fd(0xd6), i64x2_ne: fd(0xd7), i64x2_lt_s: fd(0xd8), i64x2_gt_s: fd(0xd9), i64x2_le_s: fd(0xda), i64x2_ge_s: fd(0xdb),
  i64x2_extmul_low_i32x4_s: fd(0xdc), i64x2_extmul_high_i32x4_s: fd(0xdd), i64x2_extmul_low_i32x4_u: fd(0xde), i64x2_extmul_high_i32x4_u: fd(0xdf),

  f32x4_abs: fd(0xe0), f32x4_neg: fd(0xe1), f32x4_sqrt: fd(0xe3), f32x4_add: fd(0xe4), f32x4_sub: fd(0xe5), f32x4_mul: fd(0xe6), f32x4_div: fd(0xe7),
  f32x4_min: fd(0xe8), f32x4_max: fd(0xe9), f32x4_pmin: fd(0xea), f32x4_pmax: fd(0xeb),
  f64x2_abs: fd(0xec), f64x2_neg: fd(0xed), f64x2_sqrt: fd(0xef), f64x2_add: fd(0xf0), f64x2_sub: fd(0xf1), f64x2_mul: fd(0xf2), f64x2_div: fd(0xf3),
  f64x2_min: fd(0xf4), f64x2_max: fd(0xf5), f64x2_pmin: fd(0xf6), f64x2_pmax: fd(0xf7),
  i32x4_trunc_sat_f32x4_s: fd(0xf8), i32x4_trunc_sat_f32x4_u: fd(0xf9), f32x4_convert_i32x4_s: fd(0xfa), f32x4_convert_i32x4_u: fd(0xfb),
  i32x4_trunc_sat_f64x2_s_zero: fd(0xfc), i32x4_trunc_sat_f64x2_u_zero: fd(0xfd), f64x2_convert_low_i32x4_s: fd(0xfe), f64x2_convert_low_i32x4_u: fd(0xff),

  // relaxed SIMD: emit only where `relaxedSimd()` holds
  f32x4_relaxed_madd: fd(0x105), f32x4_relaxed_nmadd: fd(0x106), f64x2_relaxed_madd: fd(0x107), f64x2_relaxed_nmadd: fd(0x108),
  i32x4_relaxed_laneselect: fd(0x10b), i64x2_relaxed_laneselect: fd(0x10c),

  memory_atomic_notify: PREFIX_FE | 0x00, memory_atomic_wait32: PREFIX_FE | 0x01, i32_atomic_load: PREFIX_FE | 0x10, i32_atomic_store: PREFIX_FE | 0x17,
  i32_atomic_rmw_add: PREFIX_FE | 0x1e, i32_atomic_rmw_sub: PREFIX_FE | 0x25, i32_atomic_rmw_cmpxchg: PREFIX_FE | 0x48,
} as const satisfies Readonly<Record<string, number>>;
