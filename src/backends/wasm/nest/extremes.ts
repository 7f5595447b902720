import { identity } from "../../../kernel-ir/combine.js";
import { Op } from "../opcodes.js";
import type { LoopSlot } from "./nodes.js";
import { scalarConst, scalarValType } from "./scalar-ops.js";
import type { Values } from "./values.js";

/**
 * What decides an extreme of floats beside the extreme of ordinary values: whether NaN occurred, and which zeros.
 *
 * An instruction for what IEEE 754 calls maximum is a dozen on most machines, and only every lane's extreme of ordinary
 * values is one. The rest is kept aside, one a copy, and looked at when all values are in.
 */
export interface Aside {
  start(): void;
  /** Takes a vector in. */
  step(copy: number, vector: number): void;
  /** Stack: the extreme of ordinary values → the extreme. */
  finish(): void;
  free(): void;
}

/** What a slot keeps aside, if anything. `steps`: how many vectors each copy takes in, at most. */
export function newAside(
  values: Values,
  slot: LoopSlot,
  kind: "across" | "rows",
  copies: number,
  steps: number,
): Aside | null {
  if (!isExtreme(slot)) return null;
  if (kind === "across")
    return slot.type === "f32" && steps >= 8 ? new WordAside(values, slot, copies) : new LaneAside(values, slot);
  const plain = slot.type === "f32" && !slot.running && slot.initial === identity(slot.combine, slot.type);
  return plain && steps >= 4 ? new WordAside(values, slot, copies) : null;
}

/** A slot of floats that holds an extreme. */
export interface ExtremeSlot extends LoopSlot {
  readonly type: "f32" | "f64";
  readonly combine: "max" | "min";
}

export const isExtreme = (slot: LoopSlot): slot is ExtremeSlot =>
  (slot.combine === "max" || slot.combine === "min") && (slot.type === "f32" || slot.type === "f64");

/**
 * Float32, many vectors: the greatest words as signed and as unsigned integers. A NaN is greater than the words of both
 * infinities, as signed integers if its sign bit is clear and as unsigned ones if it is set; 0 is the least word that is not
 * negative, and −0 the least whose sign bit is set.
 */
export class WordAside implements Aside {
  private readonly signed: readonly number[];
  private readonly unsigned: readonly number[];

  constructor(
    private readonly values: Values,
    private readonly slot: ExtremeSlot,
    copies: number,
  ) {
    const locals = (): number[] => Array.from({ length: copies }, () => values.f.local("v128"));
    this.signed = locals();
    this.unsigned = locals();
  }

  start(): void {
    this.fill(this.signed, SIGN);
    this.fill(this.unsigned, 0);
  }

  private fill(locals: readonly number[], word: number): void {
    for (const local of locals) {
      this.values.constant("i32", word);
      this.values.f.set(local);
    }
  }

  step(copy: number, vector: number): void {
    this.take(this.signed[copy]!, vector, Op.i32x4_max_s);
    this.take(this.unsigned[copy]!, vector, Op.i32x4_max_u);
  }

  private take(into: number, vector: number, op: number): void {
    const { f } = this.values;
    f.get(into);
    f.get(vector);
    f.op(op);
    f.set(into);
  }

  finish(): void {
    const { f } = this.values;
    const [signed, unsigned] = [this.signed[0]!, this.unsigned[0]!];
    for (const other of this.signed.slice(1)) this.take(signed, other, Op.i32x4_max_s);
    for (const other of this.unsigned.slice(1)) this.take(unsigned, other, Op.i32x4_max_u);
    chooseExtreme(
      this.values,
      "f32",
      () => {
        // the greatest: 0 unless all sign bits are set; the least: −0 if one is
        f.get(this.slot.combine === "max" ? signed : unsigned);
        f.op(Op.i32x4_bitmask);
        if (this.slot.combine === "max") {
          f.i32(15);
          f.op(Op.i32_eq);
        }
      },
      () => {
        this.pushNans(signed, unsigned);
        f.op(Op.v128_any_true);
      },
    );
  }

  /** Stack: the extremes of ordinary values of one copy → the extremes, lane by lane. */
  finishLanes(copy: number): void {
    const { values } = this;
    const { f } = values;
    const found = f.local("v128");
    const [signed, unsigned] = [this.signed[copy]!, this.unsigned[copy]!];
    f.set(found);
    // a zero: its sign bit is that of all, or of any
    f.get(this.slot.combine === "max" ? signed : unsigned);
    values.constant("i32", SIGN);
    f.op(Op.v128_and);
    f.get(found);
    f.get(found);
    values.constant("i32", 0);
    f.op(Op.f32x4_eq);
    f.op(Op.v128_bitselect);
    // all bits of a lane are a NaN
    this.pushNans(signed, unsigned);
    f.op(Op.v128_or);
    f.free(found);
  }

  /** Pushes all bits of the lanes in which a NaN occurred. */
  private pushNans(signed: number, unsigned: number): void {
    const { values } = this;
    const { f } = values;
    f.get(signed);
    values.constant("i32", INFINITE);
    f.op(Op.i32x4_gt_s);
    f.get(unsigned);
    values.constant("i32", SIGN);
    f.op(Op.v128_xor);
    values.constant("i32", INFINITE);
    f.op(Op.i32x4_gt_s);
    f.op(Op.v128_or);
  }

  free(): void {
    for (const local of [...this.signed, ...this.unsigned]) this.values.f.free(local);
  }
}

/** The words of −0 and of Infinity. */
const SIGN = -0x80000000;
const INFINITE = 0x7f800000;

/** Few vectors, or float64: all bits of a lane where NaN occurred, and what the sign bits have in common. */
class LaneAside implements Aside {
  private readonly nan: number;
  private readonly signs: number;

  constructor(
    private readonly values: Values,
    private readonly slot: ExtremeSlot,
  ) {
    this.nan = values.f.local("v128");
    this.signs = values.f.local("v128");
  }

  start(): void {
    const { values } = this;
    values.constant("i32", 0);
    values.f.set(this.nan);
    values.constant("i32", this.slot.combine === "max" ? -1 : 0);
    values.f.set(this.signs);
  }

  step(_copy: number, vector: number): void {
    const { f } = this.values;
    f.get(vector);
    f.get(vector);
    f.op(this.slot.type === "f64" ? Op.f64x2_ne : Op.f32x4_ne);
    f.get(this.nan);
    f.op(Op.v128_or);
    f.set(this.nan);
    f.get(this.signs);
    f.get(vector);
    f.op(this.slot.combine === "max" ? Op.v128_and : Op.v128_or);
    f.set(this.signs);
  }

  finish(): void {
    const { f } = this.values;
    chooseExtreme(
      this.values,
      this.slot.type,
      () => {
        f.get(this.signs);
        const double = this.slot.type === "f64";
        f.op(double ? Op.i64x2_bitmask : Op.i32x4_bitmask);
        if (this.slot.combine === "max") {
          f.i32(double ? 3 : 15);
          f.op(Op.i32_eq);
        }
      },
      () => {
        f.get(this.nan);
        f.op(Op.v128_any_true);
      },
    );
  }

  free(): void {
    this.values.f.free(this.nan);
    this.values.f.free(this.signs);
  }
}

/** Stack: the extreme of ordinary values → the extreme, where `negative` pushes whether a zero is −0. */
function chooseExtreme(values: Values, type: "f32" | "f64", negative: () => void, nan: () => void): void {
  const { f } = values;
  const found = f.local(scalarValType(type));
  f.set(found);
  scalarConst(f, type, NaN);
  scalarConst(f, type, -0);
  scalarConst(f, type, 0);
  negative();
  f.op(Op.select);
  f.get(found);
  f.get(found);
  scalarConst(f, type, 0);
  f.op(type === "f64" ? Op.f64_eq : Op.f32_eq);
  f.op(Op.select);
  nan();
  f.op(Op.select);
  f.free(found);
}
