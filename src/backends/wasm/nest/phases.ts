import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { Accumulator, BLOCK } from "./accumulators.js";
import { type Loops, newLoop, type Run, runsOf } from "./loops.js";
import { dimValue, isImmediate, type LoopNest, type LoopPhase } from "./nodes.js";
import type { Loop, Scopes } from "./scopes.js";
import type { Statements } from "./statements.js";
import type { Values } from "./values.js";

/** A phase being written. */
interface Current {
  readonly phase: LoopPhase;
  /** How the rows are walked. */
  readonly rows: Run;
  readonly accumulators: ReadonlyMap<number, Accumulator>;
  /** Some sums are blocked. */
  readonly blocked: boolean;
  /** Local with the steps since partial sums were flushed; −1: not counted. */
  readonly steps: number;
}

/** Writes the phases of a row, and their loops over the reduced axes. */
export class Phases {
  constructor(
    private readonly f: FunctionBuilder,
    private readonly nest: LoopNest,
    private readonly scopes: Scopes,
    private readonly values: Values,
    private readonly loops: Loops,
    private readonly statements: Statements,
  ) {}

  /** All phases of one row, or of the rows in the lanes of one step. */
  row(run: Run): void {
    const { nest, values, scopes } = this;
    const accumulators: Accumulator[] = [];
    for (const phase of nest.phases) {
      values.addresses.startPhase();
      values.active = run.lanes;
      const inPhase = new Map<number, Accumulator>();
      const steps = this.stepsOf(phase);
      for (const slot of phase.slots) {
        const kind = nest.mode === "parallel" ? "rows" : nest.mode === "reduced" ? "across" : "scalar";
        const copies = kind === "rows" ? run.copies : kind === "across" ? phase.copies : 1;
        const a = new Accumulator(values, nest.slots[slot]!, kind, copies, steps);
        a.start();
        inPhase.set(slot, a);
        accumulators.push(a);
        // running slots are read while they accumulate
        if (nest.slots[slot]!.running) values.slots[slot] = { scalar: a.parts[0]!, vectors: a.parts };
      }
      this.body(phase, run, inPhase);
      values.active = run.lanes;
      for (const [slot, a] of inPhase) values.slots[slot] = a.finish();
      this.statements.emit(phase.after, nest.mode === "parallel" ? run.copies : 0, inPhase);
      if (nest.unstable && nest.phases.length > 1) {
        scopes.release(() => true);
        scopes.current.memo.clear();
      }
    }
    for (const a of accumulators) a.free();
  }

  /** How many steps the walk along the reduced axes takes, if not fewer: those at its end may be of single elements. */
  private stepsOf(phase: LoopPhase): number {
    const { nest } = this;
    const reduced = nest.axes.slice(nest.parallel);
    if (reduced.some((a) => !isImmediate(a.extent))) return Infinity;
    const points = reduced.reduce((n, a) => n * dimValue(a.extent), 1);
    return points / (nest.mode === "reduced" ? phase.copies * nest.lanes : 1);
  }

  private body(phase: LoopPhase, rows: Run, accumulators: ReadonlyMap<number, Accumulator>): void {
    const { f, nest } = this;
    if (phase.body.length === 0) return;
    if (nest.axes.length === nest.parallel) {
      this.statements.emit(phase.body, nest.mode === "parallel" ? rows.copies : 0, accumulators);
      return;
    }
    if (nest.axes.slice(nest.parallel).some((a) => a.extent === 0)) return;
    const blocked = [...accumulators.values()].some((a) => a.blocked);
    // With several reduced axes the steps since the last flush are counted.
    const counting = blocked && nest.axes.length - nest.parallel > 1;
    const steps = counting ? f.local("i32") : -1;
    if (counting) {
      f.i32(0);
      f.set(steps);
    }
    this.reducedLoop(nest.parallel, { phase, rows, accumulators, blocked, steps });
    if (counting) f.free(steps);
  }

  private reducedLoop(axis: number, current: Current): void {
    const { f, nest, scopes, values, loops } = this;
    const counter = f.local("i32");
    values.counters[axis] = counter;
    f.i32(0);
    f.set(counter);
    const loop = newLoop(axis, counter, false);
    scopes.withPre(() => {
      if (axis < nest.axes.length - 1) {
        const end = loops.constantLocal(() => scopes.dim(nest.axes[axis]!.extent));
        loops.run(loop, values.axisLevel[axis]!, 1, end, () => this.reducedLoop(axis + 1, current));
        return;
      }
      if (nest.mode === "reduced") {
        let before = 0;
        for (const run of runsOf(current.phase.copies, nest.lanes)) {
          const step = run.copies * run.lanes;
          if (this.innermost(loop, run, step, before, current)) loop.closed = true;
          before = step;
        }
      } else this.innermost(loop, current.rows, 1, 0, current);
      if (current.steps >= 0) this.countSteps(axis, current);
    });
    f.free(counter);
  }

  /**
   * The innermost reduced axis as far as steps of one size go, after those of size `before` (0: from its beginning).
   * Gives whether there may be any.
   */
  private innermost(
    loop: Loop,
    run: Run,
    step: number,
    before: number,
    { phase, accumulators, blocked }: Current,
  ): boolean {
    const { f, nest, values, loops, scopes } = this;
    const { extent } = nest.axes[loop.axis]!;
    const body = (): void => {
      values.active = run.lanes;
      this.statements.emit(phase.body, nest.mode === "scalar" ? 0 : run.copies, accumulators);
    };
    let stop: number;
    let mostSteps = Infinity;
    if (isImmediate(extent)) {
      const from = before === 0 ? 0 : extent - (extent % before);
      const to = extent - (extent % step);
      if (to <= from) return false;
      mostSteps = (to - from) / step;
      stop = loops.constantLocal(() => f.i32(to));
    } else {
      stop = loops.constantLocal(() => {
        scopes.dim(extent);
        f.i32(-step);
        f.op(Op.i32_and);
      });
    }
    const level = values.axisLevel[loop.axis]!;
    loops.guarded(isImmediate(extent) || nest.mode !== "reduced", loop.counter, stop, () => {
      if (!blocked || mostSteps <= BLOCK || before > 0) {
        loops.run(loop, level, step, stop, body);
        return;
      }
      const blockEnd = f.freshLocal("i32");
      f.loop((again) => {
        f.get(loop.counter);
        f.i32(BLOCK * step);
        f.op(Op.i32_add);
        f.tee(blockEnd);
        f.get(stop);
        f.get(blockEnd);
        f.get(stop);
        f.op(Op.i32_lt_u);
        f.op(Op.select);
        f.set(blockEnd);
        loops.run(loop, level, step, blockEnd, body);
        for (const a of accumulators.values()) a.flush();
        f.get(loop.counter);
        f.get(stop);
        f.op(Op.i32_lt_u);
        f.brIf(again);
      });
    });
    return true;
  }

  /** After a walk along the innermost of several reduced axes: flushes partial sums when they have grown long. */
  private countSteps(axis: number, { phase, accumulators, steps }: Current): void {
    const { f, nest, scopes } = this;
    const { extent } = nest.axes[axis]!;
    const step = nest.mode === "reduced" ? phase.copies * nest.lanes : 1;
    f.get(steps);
    if (isImmediate(extent)) f.i32(Math.min(BLOCK, Math.floor(extent / step) + (extent % step)));
    else {
      scopes.dim(extent);
      f.i32(Math.log2(step));
      f.op(Op.i32_shr_u);
      f.i32(step - 1);
      f.op(Op.i32_add);
    }
    f.op(Op.i32_add);
    f.tee(steps);
    f.i32(BLOCK);
    f.op(Op.i32_ge_u);
    f.if(() => {
      for (const a of accumulators.values()) a.flush();
      f.i32(0);
      f.set(steps);
    });
  }
}
