import { emitDot } from "../dot/dot.js";
import { relaxedSimd } from "../engine.js";
import { ModuleBuilder } from "../module-builder.js";
import { emitNest } from "../nest/emit.js";
import { isImmediate } from "../nest/nodes.js";
import { emitRounds } from "../rounds/emit.js";
import { emitSort } from "../sort/sort.js";
import type { Value } from "../words.js";
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
        this.calls(s.call, s.frame);
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
    const args = s.args.map((a) => this.place(a));
    const all = this.called(this.routines[s.routine]!, this.i32(0), this.i32(s.chunk), ...args, this.arena);
    this.repeat(() => undefined, all);
  }

  /** Launches in chunks, so that a kernel's optimised code is picked up when it is ready. */
  private launch(s: Extract<LaidStep, { readonly kind: "launch" }>): void {
    const { f } = this;
    if (s.rows === 0) return;
    const rows = this.dim(s.rows);
    const launched = (lo: Value, hi: Value): void => {
      const params = this.generic ? [this.add(PARAMS, this.i32(s.params * 4))] : [];
      const args = s.args.map((a) => this.place(a));
      this.call(this.routines[s.routine]!, lo, hi, ...args, this.inArena(s.scratch), ...params);
    };
    if (isImmediate(s.rows) && isImmediate(s.chunk) && s.rows <= s.chunk) {
      launched(this.i32(0), rows);
      return;
    }
    const lo = this.word(this.i32(0));
    const hi = this.word();
    this.whilst(this.less(lo, rows), () => {
      this.set(hi, this.add(lo, this.dim(s.chunk)));
      this.set(hi, this.min(hi, rows));
      launched(lo, hi);
      this.set(lo, hi);
    });
    f.free(lo);
    f.free(hi);
  }

  private calls(c: Call, frame: Frame): void {
    this.invoke(
      c.fn,
      frame,
      c.arguments.map((p) => this.place(p)),
    );
    for (const m of c.copies) this.move(m);
  }

  private callback(s: Extract<LaidStep, { readonly kind: "callback" }>): void {
    const block = this.word(this.inArena(s.block));
    s.arguments.forEach((p, k) => this.storeWord(block, this.place(p), 4 * k));
    this.call(this.host, this.i32(s.callback), block);
    this.f.free(block);
  }

  /** The first branch whose number is not below the index, else the last. */
  private branch({ index, branches, frame }: Extract<LaidStep, { readonly kind: "if" }>): void {
    const at = this.word(this.loadWord(this.place(index)));
    const from = (k: number): void => {
      if (k === branches.length - 1) return this.calls(branches[k]!, frame);
      this.when(
        this.atMostSigned(at, this.i32(k)),
        () => this.calls(branches[k]!, frame),
        () => from(k + 1),
      );
    };
    from(0);
    this.f.free(at);
  }
}
