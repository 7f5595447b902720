import type { ScalarType } from "../../../kernel-ir/scalar.js";
import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import type { Access, Dim } from "./nodes.js";
import { maskToWords, type VectorTarget, wordsToMask } from "./vector-ops.js";

/** Bytes an element takes in a buffer. */
export const elementBytes = (t: ScalarType): number => (t === "f64" || t === "i64" ? 8 : 4);

export const scalarLoadOp: Readonly<Record<ScalarType, number>> = {
  f32: Op.f32_load,
  f64: Op.f64_load,
  i32: Op.i32_load,
  u32: Op.i32_load,
  bool: Op.i32_load,
  i64: Op.i64_load,
};
export const scalarStoreOp: Readonly<Record<ScalarType, number>> = {
  f32: Op.f32_store,
  f64: Op.f64_store,
  i32: Op.i32_store,
  u32: Op.i32_store,
  bool: Op.i32_store,
  i64: Op.i64_store,
};

/** The addresses of an access, as a vector body sees them. */
export interface LaneAddresses {
  /** Elements between lanes; null where lanes lie anywhere. */
  readonly stride: Dim | null;
  /** Pushes the address of a lane but for the static offset that it returns. */
  push(lane: number): number;
}

const contiguousLoad = (bytes: number, lanes: number): number => {
  if (lanes * bytes === 16) return Op.v128_load;
  return lanes * bytes === 8 ? Op.v128_load64_zero : Op.v128_load32_zero;
};

/** Pushes the values of `active` lanes; what lies in others is arbitrary (bool: any mask). */
export function loadLanes(t: VectorTarget, access: Pick<Access, "type">, at: LaneAddresses, active: number): void {
  const { f } = t;
  const bytes = elementBytes(access.type);
  const { stride } = at;
  if (active === 1 || stride === 1) f.load(contiguousLoad(bytes, active), at.push(0));
  else if (stride === -1) {
    f.load(contiguousLoad(bytes, active), at.push(active - 1));
    reverse(f, bytes, active);
  } else {
    // The addresses are pushed first: a lane load takes its address from below the vector.
    const offsets: number[] = [];
    for (let lane = active - 1; lane >= 0; lane--) offsets[lane] = at.push(lane);
    f.load(bytes === 8 ? Op.v128_load64_zero : Op.v128_load32_zero, offsets[0]!);
    for (let lane = 1; lane < active; lane++)
      f.laneLoad(bytes === 8 ? Op.v128_load64_lane : Op.v128_load32_lane, lane, offsets[lane]!);
  }
  if (access.type === "bool") wordsToMask(t);
}

/** Stores `active` lanes of what `value` pushes. */
export function storeLanes(
  t: VectorTarget,
  access: Pick<Access, "type">,
  at: LaneAddresses,
  active: number,
  value: () => void,
): void {
  const { f } = t;
  const bytes = elementBytes(access.type);
  const laneStore = bytes === 8 ? Op.v128_store64_lane : Op.v128_store32_lane;
  const push = (): void => {
    value();
    if (access.type === "bool") maskToWords(t);
  };
  if (active === 1 || at.stride === 1) {
    const offset = at.push(0);
    push();
    storeRun(f, bytes, active, offset);
    return;
  }
  if (at.stride === -1) {
    const offset = at.push(active - 1);
    push();
    reverse(f, bytes, active);
    storeRun(f, bytes, active, offset);
    return;
  }
  const v = f.local("v128");
  push();
  f.set(v);
  for (let lane = 0; lane < active; lane++) {
    const offset = at.push(lane);
    f.get(v);
    f.laneStore(laneStore, lane, offset);
  }
  f.free(v);
}

/** Stack: address, vector →. */
export function storeRun(f: FunctionBuilder, bytes: number, lanes: number, offset: number): void {
  if (lanes * bytes === 16) f.store(Op.v128_store, offset);
  else if (lanes * bytes === 8) f.laneStore(Op.v128_store64_lane, 0, offset);
  else f.laneStore(Op.v128_store32_lane, 0, offset);
}

/** Stack: address → vector. */
export function loadRun(f: FunctionBuilder, bytes: number, lanes: number, offset: number): void {
  f.load(contiguousLoad(bytes, lanes), offset);
}

function reverse(f: FunctionBuilder, bytes: number, lanes: number): void {
  if (lanes === 1) return;
  const v = f.local("v128");
  f.tee(v);
  f.get(v);
  if (bytes === 8) f.shuffle64(1, 0);
  else if (lanes === 4) f.shuffle32(3, 2, 1, 0);
  else f.shuffle32(1, 0, 2, 3);
  f.free(v);
}

/** Bytes an element of a row buffer takes: as wide as its lane. */
export const keepBytes = (type: ScalarType, lanes: 2 | 4): number =>
  type === "f64" || type === "i64" || (type === "bool" && lanes === 2) ? 8 : 4;
