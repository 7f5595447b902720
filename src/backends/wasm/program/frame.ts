import type { FunctionBuilder } from "../module-builder.js";
import { type Dim, isImmediate } from "../nest/nodes.js";
import { Op } from "../opcodes.js";
import type { Frame, Move, Place, ProgramLayout } from "./laid-out.js";

/** Locals of a function of a program: the address of its argument block, and that of the parameters. */
const BLOCK = 0;
export const PARAMS = 1;

/** Writes what all steps of a function are made of: places in its frame, copies between them, and calls from it. */
export class FrameWriter {
  readonly arena: number;

  constructor(
    readonly f: FunctionBuilder,
    readonly layout: ProgramLayout,
    readonly routines: readonly number[],
    readonly functions: readonly number[],
    /** Of the imported function that calls back: (callback, its block of addresses). */
    readonly host: number,
    readonly generic: boolean,
  ) {
    this.arena = f.local("i32");
  }

  /** Finds the arena; comes before all else. */
  enter(): void {
    const { f } = this;
    f.get(BLOCK);
    f.load(Op.i32_load);
    f.set(this.arena);
  }

  dim(d: Dim): void {
    if (isImmediate(d)) this.f.i32(d);
    else {
      this.f.get(PARAMS);
      this.f.load(Op.i32_load, d.slot * 4);
    }
  }
  /** Pushes arena base + d. */
  inArena(d: Dim): void {
    this.f.get(this.arena);
    if (d === 0) return;
    this.dim(d);
    this.f.op(Op.i32_add);
  }
  place(p: Place): void {
    if (p.kind === "arena") this.inArena(p.offset);
    else {
      this.f.get(BLOCK);
      this.f.load(Op.i32_load, p.word * 4);
    }
  }

  move({ from, to, bytes }: Move): void {
    this.copy(
      () => this.place(to),
      () => this.place(from),
      bytes,
    );
  }
  /** An output may lie where the input lies that it begins as. */
  moveUnlessInPlace(move: Move): void {
    const { f } = this;
    if (move.from.kind !== "argument" || move.to.kind !== "argument" || move.bytes === 4) {
      this.move(move);
      return;
    }
    this.place(move.to);
    this.place(move.from);
    f.op(Op.i32_ne);
    f.if(() => this.move(move));
  }
  copy(to: () => void, from: () => void, bytes: Dim): void {
    const { f } = this;
    if (bytes === 0) return;
    to();
    from();
    if (bytes === 4) {
      f.load(Op.i32_load);
      f.store(Op.i32_store);
    } else if (bytes === 8) {
      f.load(Op.i64_load);
      f.store(Op.i64_store);
    } else {
      this.dim(bytes);
      f.memoryCopy();
    }
  }

  /** Writes the argument block of a callee and calls it. */
  invoke(fn: number, frame: Frame, args: readonly (() => void)[]): void {
    const { f } = this;
    const block = f.local("i32");
    this.inArena(frame.block);
    f.tee(block);
    this.inArena(frame.arena);
    f.store(Op.i32_store);
    args.forEach((push, k) => {
      f.get(block);
      push();
      f.store(Op.i32_store, 4 * (k + 1));
    });
    f.get(block);
    if (this.generic) f.get(PARAMS);
    f.call(this.functions[fn]!);
    f.free(block);
  }
}
