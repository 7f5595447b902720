import { InternalError } from "../core/errors.js";
import type { Atom, Index } from "./index-expr.js";
import type { Expr, ScalarType } from "./scalar.js";
import { type FmaRounding, scalarFunction, type ScalarValue, toScalar } from "./scalar-eval.js";

/** What an expression reads from the kernel around it. */
export interface ExprContext {
  axis(axis: number): number;
  load(buffer: number, index: number): ScalarValue;
  slot(slot: number): ScalarValue;
  keep(keep: number): ScalarValue;
}

/**
 * Expressions as a list of instructions over one array of values: each node of the DAG is computed once in a run.
 * Both sides of a select are computed, as machines do, so that a broken precondition on either side shows.
 */
export class ExprTape {
  private readonly values: ScalarValue[] = [];
  private readonly instructions: (() => void)[] = [];
  private readonly ids = new Map<Expr, number>();

  constructor(
    private readonly context: ExprContext,
    private readonly rounding: FmaRounding,
  ) {}

  /** Number of instructions so far: `run` takes ranges of them. */
  get length(): number {
    return this.instructions.length;
  }

  run(from = 0, to = this.instructions.length): void {
    for (let i = from; i < to; i++) this.instructions[i]!();
  }

  /** Appends what computes an expression; gives a reader of its value. */
  add(e: Expr): () => ScalarValue {
    const id = this.node(e);
    return () => this.values[id]!;
  }

  private node(e: Expr): number {
    const known = this.ids.get(e);
    if (known !== undefined) return known;
    const compute = this.compute(e);
    const id = this.values.length;
    this.values.push(0);
    this.ids.set(e, id);
    if (e.kind === "const") this.values[id] = compute();
    else this.instructions.push(() => void (this.values[id] = compute()));
    return id;
  }

  private compute(e: Expr): () => ScalarValue {
    const { context, values } = this;
    switch (e.kind) {
      case "const": {
        const value = toScalar(e.type, e.value);
        return () => value;
      }
      case "index": {
        const index = this.index(e.index);
        return () => index() | 0;
      }
      case "load": {
        const index = this.index(e.index);
        return () => context.load(e.buffer, index());
      }
      case "slot":
        return () => context.slot(e.slot);
      case "keep":
        return () => context.keep(e.keep);
      case "op": {
        const operand: ScalarType = (e.op === "select" ? e.args[1] : e.args[0])!.type;
        const f = scalarFunction(e.op, operand, e.type, this.rounding);
        if (f === undefined) throw new InternalError(`there is no ${e.op} of ${operand} to ${e.type}`);
        const [a, b, c] = e.args.map((x) => this.node(x));
        if (b === undefined) return () => f(values[a!]!);
        if (c === undefined) return () => f(values[a!]!, values[b]!);
        return () => f(values[a!]!, values[b]!, values[c]!);
      }
    }
  }

  /** A function that computes an index and checks that it lies in the range it claims. */
  index(i: Index): () => number {
    const terms = i.terms.map(({ coeff, atom }) => ({ coeff, atom: this.atom(atom) }));
    const { base, lo, hi } = i;
    return () => {
      let sum = base;
      for (const { coeff, atom } of terms) sum += coeff * atom();
      if (sum < lo || sum > hi) {
        throw new InternalError(`index ${i.key} is ${sum}, out of its own range [${lo}, ${hi}]`);
      }
      return sum;
    };
  }

  private atom(atom: Atom): () => number {
    switch (atom.kind) {
      case "axis":
        return () => this.context.axis(atom.axis);
      case "value": {
        const id = this.node(atom.expr);
        return () => Number(this.values[id]!);
      }
      case "div": {
        const x = this.index(atom.x);
        return () => Math.floor(x() / atom.d);
      }
      case "mod": {
        const x = this.index(atom.x);
        return () => {
          const v = x();
          return v - atom.d * Math.floor(v / atom.d);
        };
      }
      case "clamp": {
        const x = this.index(atom.x);
        return () => Math.min(Math.max(x(), atom.lo), atom.hi);
      }
    }
  }
}

/** Computes one expression; what `context` leaves out must not occur in it. */
export function evalExpr(e: Expr, context: Partial<ExprContext> = {}, rounding: FmaRounding = "twice"): ScalarValue {
  return compileExpr(e, context, rounding)();
}

/** The same for many evaluations: a function that computes the expression anew each time. */
export function compileExpr(
  e: Expr,
  context: Partial<ExprContext> = {},
  rounding: FmaRounding = "twice",
): () => ScalarValue {
  const missing = (what: string) => (): never => {
    throw new InternalError(`the expression reads ${what}, which its context lacks`);
  };
  const tape = new ExprTape(
    {
      axis: context.axis ?? missing("an axis"),
      load: context.load ?? missing("a buffer"),
      slot: context.slot ?? missing("a slot"),
      keep: context.keep ?? missing("a row buffer"),
    },
    rounding,
  );
  const value = tape.add(e);
  return () => {
    tape.run();
    return value();
  };
}
