import { InternalError } from "../../core/errors.js";
import type { Index } from "../../kernel-ir/index-expr.js";
import type { NestKernel, Statement } from "../../kernel-ir/kernel.js";
import type { CombineOp, Expr, ScalarOp, ScalarType } from "../../kernel-ir/scalar.js";
import { scalarFunction, type ScalarFunction, type ScalarValue, toScalar } from "../../kernel-ir/scalar-eval.js";
import type { Points, View } from "./memory.js";

type Get = () => ScalarValue;

const functionOf = (op: ScalarOp | CombineOp, from: ScalarType, to: ScalarType): ScalarFunction => {
  const f = scalarFunction(op, from, to);
  if (!f) throw new InternalError(`there is no ${op} of ${from}`);
  return f;
};

/** Runs a nest point by point, exactly as its definition says, checking bounds and races. */
export function runNest(kernel: NestKernel, views: readonly View[], points: Points): void {
  new Nest(kernel, views, points).run();
}

class Nest {
  private readonly extents: readonly number[];
  private readonly point: number[];
  private readonly slots: ScalarValue[];
  private keeps: ScalarValue[][] = [];
  /** Which point of the reduced axes runs. */
  private keepAt = 0;
  /** Changes with every statement list that runs: shared nodes are computed once in each. */
  private stamp = 0;
  private readonly compiled = new Map<Expr, Get>();

  constructor(
    private readonly kernel: NestKernel,
    private readonly views: readonly View[],
    private readonly points: Points,
  ) {
    this.extents = [...kernel.parallel, ...kernel.reduced];
    this.point = this.extents.map(() => 0);
    this.slots = kernel.slots.map(({ type, initial }) => toScalar(type, initial));
  }

  run(): void {
    const { kernel } = this;
    const rows = kernel.parallel.length;
    const phases = kernel.phases.map(({ body, after }) => ({
      slots: accumulated(body),
      body: this.list(body),
      after: this.list(after),
    }));
    this.walk(0, rows, () => {
      this.points.nextRow();
      this.keeps = kernel.keeps.map(() => []);
      for (const { slots, body, after } of phases) {
        for (const s of slots) this.slots[s] = toScalar(kernel.slots[s]!.type, kernel.slots[s]!.initial);
        this.points.nextPhase();
        this.keepAt = 0;
        this.walk(rows, this.extents.length, () => {
          this.points.nextPoint();
          body();
          this.keepAt++;
        });
        for (const s of slots) this.slots[s] = toScalar(kernel.slots[s]!.type, this.slots[s]!);
        this.points.nextPhase();
        after();
      }
    });
  }

  private walk(axis: number, end: number, body: () => void): void {
    if (axis === end) {
      body();
      return;
    }
    const extent = this.extents[axis]!;
    for (let i = 0; i < extent; i++) {
      this.point[axis] = i;
      this.walk(axis + 1, end, body);
    }
  }

  /** Statements in order; unless the nest is sequential, stores come after everything is computed. */
  private list(statements: readonly Statement[]): () => void {
    const { sequential } = this.kernel;
    const steps = statements.map((s) => this.statement(s));
    return () => {
      this.stamp++;
      const stores: (() => void)[] = [];
      for (const step of steps) {
        if (sequential) this.stamp++;
        const store = step();
        if (store === undefined) continue;
        if (sequential) store();
        else stores.push(store);
      }
      for (const store of stores) store();
    };
  }

  private statement(s: Statement): () => (() => void) | undefined {
    const value = this.expr(s.value);
    switch (s.kind) {
      case "store": {
        const view = this.views[s.buffer]!;
        const index = this.index(s.index);
        return () => {
          const v = Number(value());
          const i = index();
          return () => view.write(i, v);
        };
      }
      case "update": {
        const view = this.views[s.buffer]!;
        const index = this.index(s.index);
        const when = s.when && this.expr(s.when);
        const type = this.kernel.buffers[s.buffer]!.type;
        const combine = s.combine && functionOf(s.combine, type, type);
        return () => {
          if (when && !when()) return undefined;
          const i = index();
          view.write(i, Number(combine ? combine(view.read(i), value()) : value()));
          return undefined;
        };
      }
      case "keep":
        return () => {
          this.keeps[s.keep]![this.keepAt] = value();
          return undefined;
        };
      case "accumulate": {
        const { type, combine, running } = this.kernel.slots[s.slot]!;
        // Sums of float32 are made in double and rounded once, so that only the compiler's order shows.
        const exact = combine === "add" && type === "f32" && !running;
        const f = functionOf(combine, exact ? "f64" : type, exact ? "f64" : type);
        return () => {
          this.slots[s.slot] = f(this.slots[s.slot]!, value());
          return undefined;
        };
      }
    }
  }

  /** A function that computes a node, once a stamp. */
  private expr(e: Expr): Get {
    const known = this.compiled.get(e);
    if (known) return known;
    const get = this.node(e);
    let stamp = -1;
    let last: ScalarValue = 0;
    const once: Get =
      e.kind === "const"
        ? get
        : () => {
            if (stamp !== this.stamp) {
              last = get();
              stamp = this.stamp;
            }
            return last;
          };
    this.compiled.set(e, once);
    return once;
  }

  private node(e: Expr): Get {
    switch (e.kind) {
      case "const": {
        const v = toScalar(e.type, e.value);
        return () => v;
      }
      case "index":
        return this.index(e.index);
      case "load": {
        const view = this.views[e.buffer]!;
        const index = this.index(e.index);
        return () => view.read(index());
      }
      case "slot":
        return () => this.slots[e.slot]!;
      case "keep":
        return () => {
          const v = this.keeps[e.keep]![this.keepAt];
          if (v === undefined)
            throw new InternalError(`${this.kernel.name}: a row buffer is read before it is written`);
          return v;
        };
      case "op": {
        const args = e.args.map((a) => this.expr(a));
        const from = e.op === "select" ? e.args[1]!.type : e.args[0]!.type;
        const f = functionOf(e.op, from, e.type);
        // A select computes only what it selects: the other side may break a precondition.
        if (e.op === "select") return () => (args[0]!() ? args[1]!() : args[2]!());
        if (args.length === 1) return () => f(args[0]!());
        if (args.length === 2) return () => f(args[0]!(), args[1]!());
        return () => f(...args.map((a) => a()));
      }
    }
  }

  private index({ base, terms, lo, hi, key }: Index): () => number {
    const parts = terms.map(({ coeff, atom }) => ({ coeff, get: this.atom(atom) }));
    return () => {
      let sum = base;
      for (const { coeff, get } of parts) sum += coeff * get();
      if (sum < lo || sum > hi)
        throw new InternalError(`${this.kernel.name}: index ${key} is ${sum}, out of its range [${lo}, ${hi}]`);
      return sum;
    };
  }

  private atom(atom: Index["terms"][number]["atom"]): () => number {
    switch (atom.kind) {
      case "axis":
        return () => this.point[atom.axis]!;
      case "value": {
        const get = this.expr(atom.expr);
        return () => Number(get());
      }
      default: {
        const x = this.index(atom.x);
        if (atom.kind === "div") return () => Math.floor(x() / atom.d);
        if (atom.kind === "clamp") return () => Math.min(Math.max(x(), atom.lo), atom.hi);
        return () => {
          const v = x();
          return v - atom.d * Math.floor(v / atom.d);
        };
      }
    }
  }
}

const accumulated = (body: readonly Statement[]): number[] => [
  ...new Set(body.flatMap((s) => (s.kind === "accumulate" ? [s.slot] : []))),
];
