import { invariant } from "../../../core/errors.js";
import { relaxedSimd } from "../engine.js";
import type { FunctionBuilder, ModuleBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { Accumulator, BLOCK } from "./accumulators.js";
import { keepBytes } from "./lower.js";
import { scalarStoreOp, storeLanes, storeRun } from "./memory.js";
import { type Access, dimValue, isImmediate, type LoopNest, type LoopPhase, type LoopStatement, type Node } from "./nodes.js";
import { scalarOp, scalarValType } from "./scalar-ops.js";
import { type Loop, Scopes } from "./scopes.js";
import { Values } from "./values.js";
import { vectorOp } from "./vector-ops.js";

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

/** One way to go along an axis: vectors of `lanes`, `copies` at a time. */
interface Run {
  readonly copies: number;
  readonly lanes: number;
}

class NestEmitter {
  private readonly scopes: Scopes;
  private readonly values: Values;

  constructor(
    private readonly f: FunctionBuilder,
    private readonly nest: LoopNest,
  ) {
    const scratch = 2 + nest.bufferCount;
    this.scopes = new Scopes(f, scratch + 1);
    this.values = new Values(nest, f, this.scopes, relaxedSimd(), (b) => 2 + b, scratch);
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
    const [left, rest, first, last, counter] = [0, 1, 2, 3, 4].map(() => f.freshLocal("i32")) as [number, number, number, number, number];
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
    const { nest, scopes, values } = this;
    const axis = nest.parallel - 1;
    values.counters[axis] = counter;
    const loop = newLoop(axis, counter, true);
    const runs: Run[] = nest.mode === "parallel" ? this.runs(nest.copies) : [{ copies: 1, lanes: 1 }];
    scopes.withPre(() => {
      runs.forEach((run, k) => {
        const step = run.copies * run.lanes;
        const last = k === runs.length - 1;
        const stop = step === 1 ? end : this.lastWhole(counter, end, step);
        this.guarded(last && runs.length === 1, counter, stop, () =>
          this.run(loop, 2, step, stop, () => this.row(run)),
        );
        loop.closed = true;
      });
    });
  }

  private runs(copies: number): Run[] {
    const { lanes } = this.nest;
    const runs: Run[] = [{ copies, lanes }];
    if (copies > 1) runs.push({ copies: 1, lanes });
    runs.push({ copies: 1, lanes: 1 });
    return runs;
  }

  /** A local: counter + the largest multiple of `step` up to end. */
  private lastWhole(counter: number, end: number, step: number): number {
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

  /** Writes `body` unless the counter has reached `stop`. */
  private guarded(certain: boolean, counter: number, stop: number, body: () => void): void {
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

  /** A loop that moves `counter` by `step` until `stop` (reached at least once), with its pointers. */
  private run(loop: Loop, level: number, step: number, stop: number, body: () => void): void {
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

  private plainRow(): void {
    this.scopes.withPre(() => {
      this.scopes.push(2, null);
      this.row({ copies: 1, lanes: 1 });
      this.scopes.pop();
    });
  }

  // ---- phases

  /** All phases of one row, or of the rows in the lanes of one step. */
  private row(run: Run): void {
    const { nest, values, scopes } = this;
    const accumulators: Accumulator[] = [];
    for (const phase of nest.phases) {
      values.startPhase();
      values.active = run.lanes;
      const inPhase = new Map<number, Accumulator>();
      const long = this.isLong(phase);
      for (const slot of phase.slots) {
        const kind = nest.mode === "parallel" ? "rows" : nest.mode === "reduced" ? "across" : "scalar";
        const copies = kind === "rows" ? run.copies : kind === "across" ? phase.copies : 1;
        const a = new Accumulator(values, nest.slots[slot]!, kind, copies, long);
        a.start();
        inPhase.set(slot, a);
        accumulators.push(a);
        // running slots are read while they accumulate
        if (nest.slots[slot]!.running) values.slots[slot] = { scalar: a.parts[0]!, vectors: a.parts };
      }
      this.body(phase, run, inPhase);
      values.active = run.lanes;
      for (const [slot, a] of inPhase) values.slots[slot] = a.finish();
      this.statements(phase.after, nest.mode === "parallel" ? run.copies : 0, inPhase);
      if (nest.unstable && nest.phases.length > 1) {
        scopes.release(() => true);
        scopes.current.memo.clear();
      }
    }
    for (const a of accumulators) a.free();
  }

  /** Whether sums of the reduced axes are so long that they need blocks. */
  private isLong(phase: LoopPhase): boolean {
    const { nest } = this;
    const reduced = nest.axes.slice(nest.parallel);
    if (reduced.some((a) => !isImmediate(a.extent))) return true;
    const points = reduced.reduce((n, a) => n * dimValue(a.extent), 1);
    return points > BLOCK * (nest.mode === "reduced" ? phase.copies * nest.lanes : 1);
  }

  private body(phase: LoopPhase, run: Run, slots: Map<number, Accumulator>): void {
    const { nest } = this;
    if (phase.body.length === 0) return;
    if (nest.axes.length === nest.parallel) {
      this.statements(phase.body, nest.mode === "parallel" ? run.copies : 0, slots);
      return;
    }
    if (nest.axes.slice(nest.parallel).some((a) => a.extent === 0)) return;
    // With several reduced axes the steps since the last flush are counted.
    const counting = nest.axes.length - nest.parallel > 1 && [...slots.values()].some((a) => a.blocked);
    let steps = -1;
    if (counting) {
      steps = this.f.local("i32");
      this.f.i32(0);
      this.f.set(steps);
    }
    this.reducedLoop(nest.parallel, phase, run, slots, steps);
    if (counting) this.f.free(steps);
  }

  private reducedLoop(axis: number, phase: LoopPhase, run: Run, slots: Map<number, Accumulator>, steps: number): void {
    const { f, nest, scopes, values } = this;
    const level = values.axisLevel[axis]!;
    const counter = f.local("i32");
    values.counters[axis] = counter;
    f.i32(0);
    f.set(counter);
    const loop = newLoop(axis, counter, false);
    const innermost = axis === nest.axes.length - 1;
    scopes.withPre(() => {
      if (!innermost) {
        this.run(loop, level, 1, this.extentLocal(axis), () => this.reducedLoop(axis + 1, phase, run, slots, steps));
        return;
      }
      const runs = nest.mode === "reduced" ? this.runs(phase.copies) : [{ copies: 1, lanes: run.lanes }];
      const blocked = [...slots.values()].some((a) => a.blocked);
      runs.forEach((r, k) => {
        const last = k === runs.length - 1;
        const step = nest.mode === "reduced" ? r.copies * r.lanes : 1;
        const before = k === 0 || nest.mode !== "reduced" ? 0 : last ? nest.lanes : phase.copies * nest.lanes;
        if (this.reducedRun(loop, level, phase, nest.mode === "parallel" ? run : r, step, before, slots, blocked)) loop.closed = true;
      });
      if (steps >= 0) this.countSteps(axis, phase, slots, steps);
    });
    f.free(counter);
  }

  /** The innermost reduced axis as far as steps of one size go, after those of size `before`. Gives whether there are any. */
  private reducedRun(
    loop: Loop,
    level: number,
    phase: LoopPhase,
    run: Run,
    step: number,
    before: number,
    slots: Map<number, Accumulator>,
    blocked: boolean,
  ): boolean {
    const { f, nest, values } = this;
    const { extent } = nest.axes[loop.axis]!;
    const vectors = nest.mode === "reduced";
    const body = (): void => {
      values.active = run.lanes;
      this.statements(phase.body, nest.mode === "scalar" ? 0 : run.copies, slots);
    };
    let stop: number;
    let certain: boolean;
    let maxSteps = Infinity;
    if (isImmediate(extent)) {
      const from = before === 0 ? 0 : extent - (extent % before);
      const to = extent - (extent % step);
      if (to <= from) return false;
      maxSteps = (to - from) / step;
      certain = true;
      stop = f.freshLocal("i32");
      this.setInPrologue(stop, () => f.i32(to));
    } else {
      certain = !vectors;
      stop = f.freshLocal("i32");
      this.setInPrologue(stop, () => {
        this.scopes.dim(extent);
        f.i32(-step);
        f.op(Op.i32_and);
      });
    }
    this.guarded(certain, loop.counter, stop, () => {
      if (!blocked || maxSteps <= BLOCK || before > 0) {
        this.run(loop, level, step, stop, body);
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
        this.run(loop, level, step, blockEnd, body);
        for (const a of slots.values()) a.flush();
        f.get(loop.counter);
        f.get(stop);
        f.op(Op.i32_lt_u);
        f.brIf(again);
      });
    });
    return true;
  }

  /** After a walk along the innermost of several reduced axes: flushes partial sums when they have grown long. */
  private countSteps(axis: number, phase: LoopPhase, slots: Map<number, Accumulator>, steps: number): void {
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
      for (const a of slots.values()) a.flush();
      f.i32(0);
      f.set(steps);
    });
  }

  private setInPrologue(local: number, push: () => void): void {
    this.scopes.hoist(0, () => {
      push();
      this.f.set(local);
    });
  }

  private extentLocal(axis: number): number {
    const local = this.f.freshLocal("i32");
    this.setInPrologue(local, () => this.scopes.dim(this.nest.axes[axis]!.extent));
    return local;
  }

  // ---- statements

  /** Statements at one point, or (copies > 0) in the vectors of one step. */
  private statements(list: readonly LoopStatement[], copies: number, slots: Map<number, Accumulator>): void {
    const { values, nest } = this;
    for (let copy = 0; copy < Math.max(1, copies); copy++) {
      values.copy = copy;
      // Stores wait until all values are computed: the plan may have put a result where an operand lies.
      const waiting: { readonly access: Access; readonly local: number }[] = [];
      list.forEach((s, k) => {
        if (s.kind === "store" && !nest.sequential && k < list.length - 1) waiting.push({ access: s.access, local: this.hold(s.value, copies > 0) });
        else this.statement(s, copies > 0, copy, slots);
      });
      for (const { access, local } of waiting) {
        this.store(access, () => this.f.get(local), copies > 0);
        this.f.free(local);
      }
      values.endCopy();
    }
    values.copy = 0;
  }

  /** A local with a value. */
  private hold(n: Node, vector: boolean): number {
    const local = this.f.local(vector ? "v128" : scalarValType(n.type));
    this.push(n, vector);
    this.f.set(local);
    return local;
  }

  private push(n: Node, vector: boolean): void {
    this.values.prepare(n);
    if (vector) this.values.vector(n);
    else this.values.scalar(n);
  }

  private statement(s: LoopStatement, vector: boolean, copy: number, slots: Map<number, Accumulator>): void {
    const { f, nest, values } = this;
    switch (s.kind) {
      case "accumulate": {
        const a = slots.get(s.slot);
        invariant(a, `slot ${s.slot} is accumulated outside the bodies of its phase`);
        values.prepare(s.value);
        a.step(copy, s.value);
        return;
      }
      case "store":
        values.prepare(s.value);
        this.store(s.access, () => (vector ? values.vector(s.value) : values.scalar(s.value)), vector);
        if (nest.sequential) this.scopes.release(() => true);
        return;
      case "keep": {
        const bytes = keepBytes(nest.keeps[s.keep]!, nest.lanes);
        values.prepare(s.value);
        f.get(values.keepPointer(s.keep));
        if (vector) {
          values.vector(s.value);
          storeRun(f, bytes, values.active, copy * nest.lanes * bytes);
        } else {
          values.scalar(s.value);
          f.store(scalarStoreOp[s.value.type]);
        }
        return;
      }
      case "update":
        this.update(s, vector);
    }
  }

  private store(access: Access, push: () => void, vector: boolean): void {
    const { f, values } = this;
    if (vector) {
      values.withAddresses(access, (at) => storeLanes(values.target, access, at, values.active, push));
      return;
    }
    const offset = values.scalarAddress(access);
    push();
    f.store(scalarStoreOp[access.type], offset);
  }

  private update(s: Extract<LoopStatement, { readonly kind: "update" }>, vector: boolean): void {
    const { f, values, scopes } = this;
    const { combine } = s;
    const local = this.hold(s.value, vector);
    const write = (): void => {
      const { type } = s.access;
      if (!combine) {
        this.store(s.access, () => f.get(local), vector);
        return;
      }
      this.store(
        s.access,
        () => {
          if (vector) values.loadVector(s.access);
          else values.loadScalar(s.access);
          f.get(local);
          if (vector) vectorOp(values.target, combine, type, type);
          else scalarOp(f, combine, type, type, values.relaxed);
        },
        vector,
      );
    };
    if (s.when) {
      invariant(!values.varies(s.when), "an update's condition may not differ between lanes");
      values.prepare(s.when);
      values.scalar(s.when);
      f.if(() => write());
    } else write();
    f.free(local);
    scopes.release(() => true);
  }
}

function newLoop(axis: number, counter: number, offset: boolean): Loop {
  return { axis, counter, offset, pointers: new Map(), movers: [], closed: false };
}
