import { relaxedSimd } from "../engine.js";
import type { FunctionBuilder, ModuleBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { Loops, newLoop, type Run, runsOf } from "./loops.js";
import type { LoopNest } from "./nodes.js";
import { Phases } from "./phases.js";
import { Scopes } from "./scopes.js";
import { Statements } from "./statements.js";
import { Values } from "./values.js";

/**
 * Emits a nest as a function (lo, hi, buffers…, scratch[, params]): the rows lo ≤ row < hi of the parallel axes, counted in
 * row-major order; lo < hi. `buffers` are byte addresses, `scratch` that of the row buffers (aligned to 16), `params` that of
 * the block of parameters of a generic nest. Calls on disjoint ranges may run at the same time, with scratch of their own.
 */
export function emitNest(m: ModuleBuilder, nest: LoopNest, generic: boolean): FunctionBuilder {
  const params = Array<"i32">(nest.bufferCount + (generic ? 4 : 3)).fill("i32");
  const f = m.func(nest.name, params);
  new NestEmitter(f, nest).emit();
  return f;
}

class NestEmitter {
  private readonly scopes: Scopes;
  private readonly values: Values;
  private readonly loops: Loops;
  private readonly phases: Phases;

  constructor(
    private readonly f: FunctionBuilder,
    private readonly nest: LoopNest,
  ) {
    const scratch = 2 + nest.bufferCount;
    this.scopes = new Scopes(f, scratch + 1);
    this.values = new Values(nest, f, this.scopes, relaxedSimd(), (b) => 2 + b, scratch);
    this.loops = new Loops(f, this.scopes);
    const statements = new Statements(f, nest, this.scopes, this.values);
    this.phases = new Phases(f, nest, this.scopes, this.values, this.loops, statements);
  }

  emit(): void {
    const { nest, scopes } = this;
    if (nest.tile > 0) this.tiles();
    else if (nest.parallel >= 2) this.segments();
    else {
      scopes.push(1, null);
      if (nest.parallel === 0) this.plainRow();
      else {
        // parameters 0 and 1: the counter and its end
        this.rows(0, 1);
      }
      scopes.pop();
    }
    scopes.finish();
  }

  /** Walks the outer coordinates; a segment is what of the innermost parallel axis lies in [lo, hi) for fixed ones. */
  private segments(): void {
    const { f, nest, scopes, values } = this;
    const inner = nest.parallel - 1;
    const [lo, hi] = [0, 1];
    const left = f.freshLocal("i32");
    const counter = f.freshLocal("i32");
    const end = f.freshLocal("i32");
    for (let k = 0; k < inner; k++) values.counters[k] = f.freshLocal("i32");
    f.get(hi);
    f.get(lo);
    f.op(Op.i32_sub);
    f.set(left);
    for (let k = inner; k > 0; k--) {
      f.get(lo);
      scopes.dim(nest.axes[k]!.extent);
      f.op(Op.i32_rem_u);
      f.set(k === inner ? counter : values.counters[k]!);
      f.get(lo);
      scopes.dim(nest.axes[k]!.extent);
      f.op(Op.i32_div_u);
      f.set(lo);
    }
    f.get(lo);
    f.set(values.counters[0]!);

    f.loop((again) => {
      scopes.push(1, null);
      // end = min(extent, counter + left)
      f.get(counter);
      f.get(left);
      f.op(Op.i32_add);
      f.tee(end);
      scopes.dim(nest.axes[inner]!.extent);
      f.get(end);
      scopes.dim(nest.axes[inner]!.extent);
      f.op(Op.i32_lt_u);
      f.op(Op.select);
      f.set(end);
      f.get(left);
      f.get(end);
      f.get(counter);
      f.op(Op.i32_sub);
      f.op(Op.i32_sub);
      f.set(left);
      this.rows(counter, end);
      scopes.pop();
      f.i32(0);
      f.set(counter);
      this.nextSegment(inner - 1);
      f.get(left);
      f.brIf(again);
    });
  }

  /** Walks the rows of the outer axes once for every tile of columns. */
  private tiles(): void {
    const { f, nest, scopes, values } = this;
    const inner = nest.parallel - 1;
    const [lo, hi] = [0, 1];
    const [left, rest, first, last, counter] = [0, 1, 2, 3, 4].map(() => f.freshLocal("i32")) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const { extent } = nest.axes[inner]!;
    for (let k = 0; k < inner; k++) values.counters[k] = f.freshLocal("i32");
    f.i32(0);
    f.set(first);
    f.loop((nextTile) => {
      f.get(hi);
      f.get(lo);
      f.op(Op.i32_sub);
      f.set(left);
      f.get(lo);
      f.set(rest);
      for (let k = inner - 1; k > 0; k--) {
        f.get(rest);
        scopes.dim(nest.axes[k]!.extent);
        f.op(Op.i32_rem_u);
        f.set(values.counters[k]!);
        f.get(rest);
        scopes.dim(nest.axes[k]!.extent);
        f.op(Op.i32_div_u);
        f.set(rest);
      }
      f.get(rest);
      f.set(values.counters[0]!);
      // last = min(first + tile, extent)
      f.get(first);
      f.i32(nest.tile);
      f.op(Op.i32_add);
      f.tee(last);
      scopes.dim(extent);
      f.get(last);
      scopes.dim(extent);
      f.op(Op.i32_lt_u);
      f.op(Op.select);
      f.set(last);
      f.loop((nextRow) => {
        scopes.push(1, null);
        f.get(first);
        f.set(counter);
        this.rows(counter, last);
        scopes.pop();
        this.nextSegment(inner - 1);
        f.get(left);
        f.i32(1);
        f.op(Op.i32_sub);
        f.tee(left);
        f.brIf(nextRow);
      });
      f.get(last);
      f.tee(first);
      scopes.dim(extent);
      f.op(Op.i32_lt_u);
      f.brIf(nextTile);
    });
  }

  /** Counts the outer coordinates on from axis k outwards. */
  private nextSegment(k: number): void {
    const { f, nest, scopes, values } = this;
    const c = values.counters[k]!;
    f.get(c);
    f.i32(1);
    f.op(Op.i32_add);
    f.tee(c);
    if (k === 0) {
      f.op(Op.drop);
      return;
    }
    scopes.dim(nest.axes[k]!.extent);
    f.op(Op.i32_eq);
    f.if(() => {
      f.i32(0);
      f.set(c);
      this.nextSegment(k - 1);
    });
  }

  /** The innermost parallel axis, from the counter's value to `end`. */
  private rows(counter: number, end: number): void {
    const { nest, scopes, values, loops } = this;
    const axis = nest.parallel - 1;
    values.counters[axis] = counter;
    const loop = newLoop(axis, counter, true);
    const runs: Run[] = nest.mode === "parallel" ? runsOf(nest.copies, nest.lanes) : [{ copies: 1, lanes: 1 }];
    scopes.withPre(() => {
      runs.forEach((run, k) => {
        const step = run.copies * run.lanes;
        const last = k === runs.length - 1;
        const stop = step === 1 ? end : loops.lastWhole(counter, end, step);
        loops.guarded(last && runs.length === 1, counter, stop, () =>
          loops.run(loop, 2, step, stop, () => this.phases.row(run)),
        );
        loop.closed = true;
      });
    });
  }

  private plainRow(): void {
    this.scopes.withPre(() => {
      this.scopes.push(2, null);
      this.phases.row({ copies: 1, lanes: 1 });
      this.scopes.pop();
    });
  }
}
