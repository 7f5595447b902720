import { emitDot } from "../dot/dot.js";
import { relaxedSimd } from "../engine.js";
import { ModuleBuilder } from "../module-builder.js";
import { emitNest } from "../nest/emit.js";
import { isImmediate } from "../nest/nodes.js";
import { Op } from "../opcodes.js";
import { emitRounds } from "../rounds/emit.js";
import { emitSort } from "../sort/sort.js";
import { FrameWriter, PARAMS } from "./frame.js";
import type { Call, Frame, LaidStep, ProgramLayout } from "./laid-out.js";
import { emitLoop, emitScan } from "./loops.js";

/**
 * Emits a program as one module with one entry: run(arguments[, params]).
 *
 * Every function of the program takes the address of its argument block: word 0 is its arena base, then the addresses of its
 * inputs and outputs. Callers write blocks for their callees into their own frames. What calls back imports "host"."call",
 * which takes the number of the callback and a block with the addresses of its inputs and outputs.
 */
export function emitProgram(layout: ProgramLayout, generic: boolean): ModuleBuilder {
  const m = new ModuleBuilder();
  const host = layout.callbacks.length > 0 ? m.importFunction("host", "call", ["i32", "i32"], []) : -1;
  const relaxed = relaxedSimd();
  const routines = layout.routines.map(({ code }) => {
    switch (code.kind) {
      case "nest":
        return emitNest(m, code.nest.nest, generic).index;
      case "dot":
        return emitDot(m, code.kernel, { relaxed, generic });
      case "sort":
        return emitSort(m, code.kernel, generic);
      case "rounds":
        return emitRounds(m, code.rounds);
    }
  });
  const builders = layout.functions.map(
    (f) => f.called && m.func(`program ${f.source.name}`, generic ? ["i32", "i32"] : ["i32"]),
  );
  const functions = builders.map((f) => (f ? f.index : -1));
  layout.functions.forEach((f, k) => {
    const builder = builders[k];
    if (builder) new FunctionEmitter(builder, layout, routines, functions, host, generic).emit(f.steps);
  });
  m.exportFunction("run", functions[0]!);
  return m;
}

class FunctionEmitter extends FrameWriter {
  emit(steps: readonly LaidStep[]): void {
    this.enter();
    for (const s of steps) this.step(s);
  }

  private step(s: LaidStep): void {
    switch (s.kind) {
      case "launch":
        this.launch(s);
        return;
      case "copy":
        this.moveUnlessInPlace(s.move);
        return;
      case "call":
        this.call(s.call, s.frame);
        return;
      case "if":
        this.branch(s);
        return;
      case "loop":
        emitLoop(this, s);
        return;
      case "scan":
        emitScan(this, s);
        return;
      case "rounds":
        this.roundsWhile(s);
        return;
      case "callback":
        this.callback(s);
    }
  }

  /** Rounds until their condition ends them, in chunks as well. */
  private roundsWhile(s: Extract<LaidStep, { readonly kind: "rounds" }>): void {
    const { f } = this;
    f.loop((again) => {
      f.i32(0);
      f.i32(s.chunk);
      for (const a of s.args) this.place(a);
      this.inArena(0);
      f.call(this.routines[s.routine]!);
      f.brIf(again);
    });
  }

  /** Launches in chunks, so that a kernel's optimised code is picked up when it is ready. */
  private launch(s: Extract<LaidStep, { readonly kind: "launch" }>): void {
    const { f } = this;
    if (s.rows === 0) return;
    const invoke = (lo: () => void, hi: () => void): void => {
      lo();
      hi();
      for (const a of s.args) this.place(a);
      this.inArena(s.scratch);
      if (this.generic) {
        f.get(PARAMS);
        f.i32(s.params * 4);
        f.op(Op.i32_add);
      }
      f.call(this.routines[s.routine]!);
    };
    if (isImmediate(s.rows) && isImmediate(s.chunk) && s.rows <= s.chunk) {
      invoke(
        () => f.i32(0),
        () => this.dim(s.rows),
      );
      return;
    }
    const lo = f.local("i32");
    const hi = f.local("i32");
    f.i32(0);
    f.set(lo);
    f.block((done) => {
      f.loop((next) => {
        f.get(lo);
        this.dim(s.rows);
        f.op(Op.i32_ge_u);
        f.brIf(done);
        // hi = min(lo + chunk, rows)
        f.get(lo);
        this.dim(s.chunk);
        f.op(Op.i32_add);
        f.tee(hi);
        this.dim(s.rows);
        f.get(hi);
        this.dim(s.rows);
        f.op(Op.i32_lt_u);
        f.op(Op.select);
        f.set(hi);
        invoke(
          () => f.get(lo),
          () => f.get(hi),
        );
        f.get(hi);
        f.set(lo);
        f.br(next);
      });
    });
    f.free(lo);
    f.free(hi);
  }

  private call(c: Call, frame: Frame): void {
    this.invoke(
      c.fn,
      frame,
      c.arguments.map((p) => () => this.place(p)),
    );
    for (const m of c.copies) this.move(m);
  }

  private callback(s: Extract<LaidStep, { readonly kind: "callback" }>): void {
    const { f } = this;
    const block = f.local("i32");
    this.inArena(s.block);
    f.set(block);
    s.arguments.forEach((p, k) => {
      f.get(block);
      this.place(p);
      f.store(Op.i32_store, 4 * k);
    });
    f.i32(s.callback);
    f.get(block);
    f.call(this.host);
    f.free(block);
  }

  /** The first branch whose number is not below the index, else the last. */
  private branch({ index, branches, frame }: Extract<LaidStep, { readonly kind: "if" }>): void {
    const { f } = this;
    const at = f.local("i32");
    this.place(index);
    f.load(Op.i32_load);
    f.set(at);
    const from = (k: number): void => {
      if (k === branches.length - 1) return this.call(branches[k]!, frame);
      f.get(at);
      f.i32(k);
      f.op(Op.i32_le_s);
      f.if(
        () => this.call(branches[k]!, frame),
        () => from(k + 1),
      );
    };
    from(0);
    f.free(at);
  }
}
