import { emitDot } from "../dot/dot.js";
import { relaxedSimd } from "../engine.js";
import { type FunctionBuilder, ModuleBuilder } from "../module-builder.js";
import { emitNest } from "../nest/emit.js";
import { type Dim, isImmediate } from "../nest/nodes.js";
import { Op } from "../opcodes.js";
import { emitSort } from "../sort/sort.js";
import type { Call, Frame, LaidSlices, LaidStep, Move, Place, ProgramLayout } from "./laid-out.js";

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
  const routines = layout.routines.map(({ kernel, nest }) => {
    if (nest) return emitNest(m, nest.nest, generic).index;
    return kernel.kind === "dot"
      ? emitDot(m, kernel, { relaxed, generic })
      : kernel.kind === "sort"
        ? emitSort(m, kernel, generic)
        : -1;
  });
  const builders = layout.functions.map((f) => m.func(`program ${f.source.name}`, generic ? ["i32", "i32"] : ["i32"]));
  const functions = builders.map((f) => f.index);
  layout.functions.forEach((f, k) =>
    new FunctionEmitter(builders[k]!, layout, routines, functions, host, generic).emit(f.steps),
  );
  m.exportFunction("run", functions[0]!);
  return m;
}

const BLOCK = 0;
const PARAMS = 1;

class FunctionEmitter {
  private readonly arena: number;

  constructor(
    private readonly f: FunctionBuilder,
    private readonly layout: ProgramLayout,
    private readonly routines: readonly number[],
    private readonly functions: readonly number[],
    /** Of the imported function that calls back: (callback, its block of addresses). */
    private readonly host: number,
    private readonly generic: boolean,
  ) {
    this.arena = f.local("i32");
  }

  emit(steps: readonly LaidStep[]): void {
    const { f } = this;
    f.get(BLOCK);
    f.load(Op.i32_load);
    f.set(this.arena);
    for (const s of steps) this.step(s);
  }

  private dim(d: Dim): void {
    if (isImmediate(d)) this.f.i32(d);
    else {
      this.f.get(PARAMS);
      this.f.load(Op.i32_load, d.slot * 4);
    }
  }
  /** Pushes arena base + d. */
  private inArena(d: Dim): void {
    this.f.get(this.arena);
    if (d === 0) return;
    this.dim(d);
    this.f.op(Op.i32_add);
  }
  private place(p: Place): void {
    if (p.kind === "arena") this.inArena(p.offset);
    else {
      this.f.get(BLOCK);
      this.f.load(Op.i32_load, p.word * 4);
    }
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
        this.loop(s);
        return;
      case "scan":
        this.scan(s);
        return;
      case "callback":
        this.callback(s);
    }
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

  private move({ from, to, bytes }: Move): void {
    this.copy(
      () => this.place(to),
      () => this.place(from),
      bytes,
    );
  }
  /** An output may lie where the input lies that it begins as. */
  private moveUnlessInPlace(move: Move): void {
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
  private copy(to: () => void, from: () => void, bytes: Dim): void {
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
  private invoke(fn: number, frame: Frame, args: readonly (() => void)[]): void {
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

  /**
   * Rounds of a body over slices that lie where they are. Of its argument block only what changes is written again: the two
   * storages of each carry, which change places, and the slices.
   */
  private scan(s: Extract<LaidStep, { readonly kind: "scan" }>): void {
    const { f } = this;
    if (s.length === 0) return;
    const pointer = (push: () => void): number => {
      const local = f.local("i32");
      push();
      f.set(local);
      return local;
    };
    const first = (x: LaidSlices): number =>
      pointer(() => {
        this.place(x.place);
        if (!s.reverse || s.length === 1 || x.stride === 0) return;
        f.i32((x.stride * (s.length - 1)) | 0);
        f.op(Op.i32_add);
      });
    const now = s.carry.map((p) => pointer(() => this.place(p)));
    const next = s.spare.map((p, k) => (p === s.carry[k] ? now[k]! : pointer(() => this.place(p))));
    const xs = s.xs.map(first);
    const ys = s.ys.map(first);
    const left = pointer(() => f.i32(s.length));
    const block = pointer(() => this.inArena(s.frame.block));
    let word = 0;
    const argument = (push: () => void): void => {
      f.get(block);
      push();
      f.store(Op.i32_store, 4 * word++);
    };
    argument(() => this.inArena(s.frame.arena));
    for (const p of s.consts) argument(() => this.place(p));
    f.loop((again) => {
      for (const local of [...now, ...xs, ...next, ...ys]) argument(() => f.get(local));
      f.get(block);
      if (this.generic) f.get(PARAMS);
      f.call(this.functions[s.body]!);
      now.forEach((local, k) => {
        if (next[k] === local) return;
        f.get(local);
        f.get(next[k]!);
        f.set(local);
        f.set(next[k]!);
      });
      [...s.xs, ...s.ys].forEach(({ stride }, k) => {
        if (stride === 0) return;
        const local = k < xs.length ? xs[k]! : ys[k - xs.length]!;
        f.get(local);
        f.i32(s.reverse ? -stride : stride);
        f.op(Op.i32_add);
        f.set(local);
      });
      f.get(left);
      f.i32(1);
      f.op(Op.i32_sub);
      f.tee(left);
      f.brIf(again);
    });
    if (s.length % 2 === 1) {
      s.carry.forEach((p, k) => {
        if (next[k] === now[k]) return;
        this.copy(
          () => this.place(p),
          () => f.get(now[k]!),
          s.bytes[k]!,
        );
      });
    }
    for (const local of new Set([...now, ...next, ...xs, ...ys, left, block])) f.free(local);
  }

  /** while (condition(consts, state)) state = body(consts, state). New state goes to the spare storage, then the two change places. */
  private loop(s: Extract<LaidStep, { readonly kind: "loop" }>): void {
    const { f } = this;
    const condition = this.layout.functions[s.condition]!.source;
    const body = this.layout.functions[s.body]!.source;
    const now = s.state.map(() => f.local("i32"));
    const isInPlace = (k: number): boolean => s.spare[k] === s.state[k];
    const next = s.state.map((_, k) => (isInPlace(k) ? now[k]! : f.local("i32")));
    s.state.forEach((p, k) => {
      this.place(p);
      f.set(now[k]!);
      if (isInPlace(k)) return;
      this.place(s.spare[k]!);
      f.set(next[k]!);
    });
    const state = now.map((local) => () => f.get(local));
    // a function may leave out what is constant
    const inputs = (n: number): (() => void)[] =>
      n === state.length ? state : [...s.consts.map((p) => () => this.place(p)), ...state];
    const bodyInputs = inputs(body.inputs.length);
    const conditionInputs = inputs(condition.inputs.length);
    const handedOn = (k: number): boolean => body.outputIsInput[k] === bodyInputs.length - state.length + k;
    f.block((done) => {
      f.loop((again) => {
        this.invoke(s.condition, s.frame, [...conditionInputs, () => this.place(s.verdict)]);
        const input = condition.outputIsInput[0];
        if (input == null) this.place(s.verdict);
        else conditionInputs[input]!();
        f.load(Op.i32_load);
        f.op(Op.i32_eqz);
        f.brIf(done);
        this.invoke(s.body, s.frame, [...bodyInputs, ...next.map((local) => () => f.get(local))]);
        body.outputIsInput.forEach((from, k) => {
          if (from !== null && !handedOn(k)) this.copy(() => f.get(next[k]!), bodyInputs[from]!, s.bytes[k]!);
        });
        for (let k = 0; k < now.length; k++) {
          if (handedOn(k) || isInPlace(k)) continue;
          f.get(now[k]!);
          f.get(next[k]!);
          f.set(now[k]!);
          f.set(next[k]!);
        }
        f.br(again);
      });
    });
    s.state.forEach((p, k) => {
      if (handedOn(k) || isInPlace(k)) return;
      f.get(now[k]!);
      this.place(p);
      f.op(Op.i32_ne);
      f.if(() =>
        this.copy(
          () => this.place(p),
          () => f.get(now[k]!),
          s.bytes[k]!,
        ),
      );
    });
    for (const local of new Set([...now, ...next])) f.free(local);
  }
}
