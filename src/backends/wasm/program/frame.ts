import type { FunctionBuilder } from "../module-builder.js";
import { type Dim, isImmediate } from "../nest/nodes.js";
import { Op } from "../opcodes.js";
import { type Value, Words } from "../words.js";
import type { Frame, Move, Place, ProgramLayout } from "./laid-out.js";

/** Locals of a function of a program: the address of its argument block, and that of the parameters. */
const BLOCK = 0;
export const PARAMS = 1;

/** Writes what all steps of a function are made of: places in its frame, copies between them, and calls from it. */
export class FrameWriter extends Words {
  readonly arena: number;

  constructor(
    f: FunctionBuilder,
    readonly layout: ProgramLayout,
    readonly routines: readonly number[],
    readonly functions: readonly number[],
    /** Of the imported function that calls back: (callback, its block of addresses). */
    readonly host: number,
    readonly generic: boolean,
  ) {
    super(f);
    this.arena = this.word();
  }

  /** Finds the arena; comes before all else. */
  enter(): void {
    this.set(this.arena, this.loadWord(BLOCK));
  }

  dim(d: Dim): Value {
    return isImmediate(d) ? this.i32(d) : this.loadWord(PARAMS, d.slot * 4);
  }
  inArena(d: Dim): Value {
    return this.add(this.arena, this.dim(d));
  }
  place(p: Place): Value {
    return p.kind === "arena" ? this.inArena(p.offset) : this.loadWord(BLOCK, p.word * 4);
  }

  move({ from, to, bytes }: Move): void {
    this.copy(this.place(to), this.place(from), bytes);
  }
  /** An output may lie where the input lies that it begins as. */
  moveUnlessInPlace(move: Move): void {
    const { from, to, bytes } = move;
    if (from.kind !== "argument" || to.kind !== "argument" || bytes === 4) this.move(move);
    else this.when(this.ne(this.place(to), this.place(from)), () => this.move(move));
  }
  copy(to: Value, from: Value, bytes: Dim): void {
    const { f } = this;
    if (bytes === 0) return;
    this.push(to);
    this.push(from);
    if (bytes === 4) {
      f.load(Op.i32_load);
      f.store(Op.i32_store);
    } else if (bytes === 8) {
      f.load(Op.i64_load);
      f.store(Op.i64_store);
    } else {
      this.push(this.dim(bytes));
      f.memoryCopy();
    }
  }

  /** Writes the argument block of a callee and calls it. */
  invoke(fn: number, frame: Frame, args: readonly Value[]): void {
    const block = this.word(this.inArena(frame.block));
    [this.inArena(frame.arena), ...args].forEach((v, k) => this.storeWord(block, v, 4 * k));
    this.enterFunction(fn, block);
    this.f.free(block);
  }
  /** Calls a function of the program. */
  enterFunction(fn: number, block: Value): void {
    this.call(this.functions[fn]!, ...(this.generic ? [block, PARAMS] : [block]));
  }
}
