import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import type { Loop, Scopes } from "./scopes.js";

/** One way to go along an axis: vectors of `lanes`, `copies` at a time. */
export interface Run {
  readonly copies: number;
  readonly lanes: number;
}

/** The ways to go along a vector axis, one after another: several vectors, single ones, single elements. */
export function runsOf(copies: number, lanes: number): Run[] {
  const runs: Run[] = [{ copies, lanes }];
  if (copies > 1) runs.push({ copies: 1, lanes });
  runs.push({ copies: 1, lanes: 1 });
  return runs;
}

export function newLoop(axis: number, counter: number, offset: boolean): Loop {
  return { axis, counter, offset, pointers: new Map(), movers: [], closed: false };
}

/** Writes loops over axes. */
export class Loops {
  constructor(
    private readonly f: FunctionBuilder,
    private readonly scopes: Scopes,
  ) {}

  /** A loop that moves `counter` by `step` until `stop` (reached at least once), with its pointers. */
  run(loop: Loop, level: number, step: number, stop: number, body: () => void): void {
    const { f, scopes } = this;
    f.loop((again) => {
      scopes.push(level, loop);
      body();
      for (const { local, pointer } of loop.pointers.values()) {
        f.get(local);
        scopes.addDim(pointer.coeffs[loop.axis]!, pointer.bytes * step);
        f.set(local);
      }
      for (const { local, bytes } of loop.movers) {
        f.get(local);
        f.i32(bytes * step);
        f.op(Op.i32_add);
        f.set(local);
      }
      f.get(loop.counter);
      f.i32(step);
      f.op(Op.i32_add);
      f.tee(loop.counter);
      f.get(stop);
      f.op(Op.i32_lt_u);
      f.brIf(again);
      scopes.pop();
    });
  }

  /** Writes `body` unless the counter has reached `stop`. */
  guarded(certain: boolean, counter: number, stop: number, body: () => void): void {
    const { f } = this;
    if (certain) {
      body();
      return;
    }
    f.get(counter);
    f.get(stop);
    f.op(Op.i32_lt_u);
    f.if(() => body());
  }

  /** A local: counter + the largest multiple of `step` up to end. */
  lastWhole(counter: number, end: number, step: number): number {
    const { f } = this;
    const stop = f.freshLocal("i32");
    f.get(counter);
    f.get(end);
    f.get(counter);
    f.op(Op.i32_sub);
    f.i32(-step);
    f.op(Op.i32_and);
    f.op(Op.i32_add);
    f.set(stop);
    return stop;
  }

  /** A local that is set once, at the function's beginning. */
  constantLocal(push: () => void): number {
    const local = this.f.freshLocal("i32");
    this.scopes.hoist(0, () => {
      push();
      this.f.set(local);
    });
    return local;
  }
}
