import { InternalError } from "../../../core/errors.js";
import { identity } from "../../../kernel-ir/combine.js";
import type { ScalarType } from "../../../kernel-ir/scalar.js";
import { Op } from "../opcodes.js";
import { type Aside, newAside, WordAside } from "./extremes.js";
import type { LoopSlot, Node } from "./nodes.js";
import { scalarConst, scalarOp, scalarValType } from "./scalar-ops.js";
import type { Values } from "./values.js";
import { vectorOp } from "./vector-ops.js";

/** Steps of a loop after which a partial sum is added to the sum proper, which is held in float64. */
export const BLOCK = 64;

/**
 * The accumulators of one slot in one phase.
 *
 * Sums of floats are blocked: after every BLOCK steps the partial sum in the accumulator goes to a float64 one, so that
 * errors do not grow with the number of terms.
 */
export class Accumulator {
  /** What steps combine into: one a copy if vectors, else one scalar. */
  readonly parts: readonly number[];
  /** Float64 sums: low and high lanes of each copy (float32 in four lanes), or of all. */
  private readonly sums: readonly number[] = [];
  readonly blocked: boolean;
  /** Where there is one, the parts hold extremes of ordinary values. */
  private readonly aside: Aside | null;
  private result = -1;

  constructor(
    private readonly values: Values,
    private readonly slot: LoopSlot,
    /** "across": lanes are points of the reduced axis; "rows": lanes are rows; "scalar". */
    private readonly kind: "across" | "rows" | "scalar",
    copies: number,
    /** How many steps a phase may take. */
    steps: number,
  ) {
    const { f } = values;
    if (slot.type === "i64") throw new InternalError("slots of type i64 do not exist");
    this.blocked =
      steps > BLOCK && !slot.running && slot.combine === "add" && (slot.type === "f32" || slot.type === "f64");
    this.parts = Array.from({ length: copies }, () => f.local(kind === "scalar" ? scalarValType(slot.type) : "v128"));
    this.aside = kind === "scalar" ? null : newAside(values, slot, kind, copies, steps);
    if (this.blocked) {
      const halves = slot.type === "f32" && values.nest.lanes === 4 && kind !== "scalar" ? 2 : 1;
      const groups = kind === "rows" ? copies : 1;
      this.sums = Array.from({ length: groups * halves }, () => f.local(kind === "scalar" ? "f64" : "v128"));
    }
  }

  /** Sets the accumulators at the phase's beginning. */
  start(): void {
    const { f } = this.values;
    const partial = this.blocked || this.kind === "across";
    for (const part of this.parts)
      this.setPart(part, partial ? identity(this.slot.combine, this.slot.type) : this.slot.initial);
    this.aside?.start();
    for (const sum of this.sums) {
      if (this.kind === "scalar") f.f64(this.slot.initial);
      else this.values.constant("f64", this.kind === "rows" ? this.slot.initial : -0);
      f.set(sum);
    }
  }

  private setPart(part: number, value: number): void {
    if (this.kind === "scalar") scalarConst(this.values.f, this.slot.type, value);
    else this.values.constant(this.slot.type, value);
    this.values.f.set(part);
  }

  /** Combines a value in. `push` pushes it, as a vector or a scalar as the kind says. */
  step(copy: number, value: Node): void {
    const { values, slot } = this;
    const { f } = values;
    const part = this.parts[this.kind === "scalar" ? 0 : copy]!;
    if (this.kind === "scalar") {
      f.get(part);
      values.scalar(value);
      scalarOp(f, slot.combine, slot.type, slot.type, values.relaxed);
      f.set(part);
      return;
    }
    const padded = this.kind === "across" && values.active < values.nest.lanes;
    if (!padded && this.fuses(value)) {
      values.vector(value.args[0]!);
      values.vector(value.args[1]!);
      f.get(part);
      f.op(slot.type === "f32" ? Op.f32x4_relaxed_madd : Op.f64x2_relaxed_madd);
      f.set(part);
      return;
    }
    if (!this.aside) f.get(part);
    values.vector(value);
    if (padded) {
      // lanes beyond the row's end count for nothing
      values.constant(slot.type, identity(slot.combine, slot.type));
      const whole = values.nest.lanes === 2 && (wide(slot.type) || slot.type === "bool");
      values.fixed(whole ? "first 64 bits" : "first 32 bits", () => f.i32x4(-1, whole ? -1 : 0, 0, 0));
      f.op(Op.v128_bitselect);
    }
    if (this.aside) {
      const local = f.local("v128");
      f.set(local);
      this.aside.step(copy, local);
      f.get(local);
      f.get(part);
      this.combine();
      f.free(local);
    } else vectorOp(values.target, slot.combine, slot.type, slot.type);
    f.set(part);
  }

  /** Stack: two vectors of partial results → one. */
  private combine(): void {
    const { values, slot } = this;
    if (!this.aside) {
      vectorOp(values.target, slot.combine, slot.type, slot.type);
      return;
    }
    const max = slot.combine === "max";
    if (slot.type === "f64") values.f.op(max ? Op.f64x2_pmax : Op.f64x2_pmin);
    else values.f.op(max ? Op.f32x4_pmax : Op.f32x4_pmin);
  }

  /** A sum of products that nothing else needs is a fused multiply-add. */
  private fuses(value: Node): boolean {
    const { values, slot } = this;
    return (
      values.relaxed &&
      slot.combine === "add" &&
      (slot.type === "f32" || slot.type === "f64") &&
      value.kind === "op" &&
      value.op === "mul" &&
      value.uses === 1 &&
      values.varies(value)
    );
  }

  /** Moves partial sums to the float64 ones. */
  flush(): void {
    if (!this.blocked) return;
    const { values, slot, parts, sums } = this;
    const { f } = values;
    const clear = identity("add", slot.type);
    if (this.kind === "scalar") {
      f.get(sums[0]!);
      f.get(parts[0]!);
      if (slot.type === "f32") f.op(Op.f64_promote_f32);
      f.op(Op.f64_add);
      f.set(sums[0]!);
      this.setPart(parts[0]!, clear);
      return;
    }
    if (this.kind === "across") {
      this.combineCopies();
      this.addPart(parts[0]!, sums);
    } else {
      const halves = sums.length / parts.length;
      parts.forEach((part, k) => this.addPart(part, sums.slice(k * halves, (k + 1) * halves)));
    }
    for (const part of parts) this.setPart(part, clear);
  }

  private addPart(part: number, sums: readonly number[]): void {
    const { f } = this.values;
    sums.forEach((sum, half) => {
      f.get(sum);
      f.get(part);
      if (this.slot.type === "f32") {
        if (half === 1) {
          f.get(part);
          f.shuffle64(1, 1);
        }
        f.op(Op.f64x2_promote_low_f32x4);
      }
      f.op(Op.f64x2_add);
      f.set(sum);
    });
  }

  /** parts[0] = all copies together. */
  private combineCopies(): void {
    const { values, parts } = this;
    const { f } = values;
    for (let n = parts.length; n > 1; n = Math.ceil(n / 2)) {
      const half = Math.ceil(n / 2);
      for (let i = 0; i + half < n; i++) {
        f.get(parts[i]!);
        f.get(parts[i + half]!);
        this.combine();
        f.set(parts[i]!);
      }
    }
  }

  /** Ends the phase: the slot's value as one scalar, or as one vector a copy. */
  finish(): { readonly scalar: number; readonly vectors: readonly number[] } {
    const { values, slot, parts, sums } = this;
    const { f } = values;
    this.flush();
    if (this.kind === "scalar") {
      if (this.blocked) {
        f.get(sums[0]!);
        if (slot.type === "f32") f.op(Op.f32_demote_f64);
        f.set(parts[0]!);
      }
      return { scalar: parts[0]!, vectors: [] };
    }
    if (this.kind === "rows") {
      if (this.blocked) {
        const halves = sums.length / parts.length;
        parts.forEach((part, k) => {
          f.get(sums[k * halves]!);
          if (slot.type === "f32") f.op(Op.f32x4_demote_f64x2_zero);
          if (halves === 2) {
            f.get(sums[k * halves + 1]!);
            f.op(Op.f32x4_demote_f64x2_zero);
            f.shuffle64(0, 2);
          }
          f.set(part);
        });
      }
      const { aside } = this;
      if (aside instanceof WordAside)
        parts.forEach((part, copy) => {
          f.get(part);
          aside.finishLanes(copy);
          f.set(part);
        });
      return { scalar: -1, vectors: parts };
    }
    const scalar = f.local(scalarValType(slot.type));
    if (this.blocked) {
      f.get(sums[0]!);
      if (sums.length === 2) {
        f.get(sums[1]!);
        f.op(Op.f64x2_add);
      }
      f.set(sums[0]!);
      f.get(sums[0]!);
      f.lane(Op.f64x2_extract_lane, 0);
      f.get(sums[0]!);
      f.lane(Op.f64x2_extract_lane, 1);
      f.op(Op.f64_add);
      f.f64(slot.initial);
      f.op(Op.f64_add);
      if (slot.type === "f32") f.op(Op.f32_demote_f64);
    } else {
      this.combineCopies();
      this.horizontal(parts[0]!);
      this.aside?.finish();
      if (!Object.is(slot.initial, identity(slot.combine, slot.type))) {
        scalarConst(f, slot.type, slot.initial);
        scalarOp(f, slot.combine, slot.type, slot.type, false);
      }
    }
    f.set(scalar);
    this.result = scalar;
    return { scalar, vectors: [] };
  }

  free(): void {
    for (const local of [...this.parts, ...this.sums]) this.values.f.free(local);
    this.aside?.free();
    if (this.result >= 0) this.values.f.free(this.result);
  }

  /** Pushes the combination of the lanes of a vector. */
  private horizontal(v: number): void {
    const { values, slot } = this;
    const { f } = values;
    const { lanes } = values.nest;
    f.get(v);
    if (slot.type === "bool") {
      switch (slot.combine) {
        case "and":
        case "min":
          f.op(lanes === 2 ? Op.i64x2_all_true : Op.i32x4_all_true);
          return;
        case "or":
        case "max":
          f.op(Op.v128_any_true);
          return;
        default:
          f.op(lanes === 2 ? Op.i64x2_bitmask : Op.i32x4_bitmask);
          f.op(Op.i32_popcnt);
          f.i32(1);
          f.op(Op.i32_and);
          return;
      }
    }
    if (lanes === 4) {
      f.get(v);
      f.get(v);
      f.shuffle64(1, 1);
      this.combine();
      f.tee(v);
    }
    f.get(v);
    f.get(v);
    if (wide(slot.type)) f.shuffle64(1, 1);
    else f.shuffle32(1, 1, 1, 1);
    this.combine();
    f.lane(
      wide(slot.type) ? Op.f64x2_extract_lane : slot.type === "f32" ? Op.f32x4_extract_lane : Op.i32x4_extract_lane,
      0,
    );
  }
}

const wide = (t: ScalarType): boolean => t === "f64";
