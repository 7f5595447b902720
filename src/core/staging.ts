import { ConcreteArray, type NDArray } from "./array.js";
import type { Aval } from "./aval.js";
import { formatAval } from "./aval.js";
import { config } from "./config.js";
import { TracerError } from "./errors.js";
import { type Atom, type ClosedJaxpr, type Eqn, type Jaxpr, Literal, makeEqn, noEffects, Var } from "./jaxpr.js";
import type { AnyPrimitive } from "./primitive.js";
import { currentSource, userLine } from "./source.js";
import { Trace, Tracer, withTrace } from "./trace.js";

/** A value of a function that is being staged: a variable of its jaxpr. */
export class StagedTracer extends Tracer {
  constructor(
    trace: StagingTrace,
    readonly atom: Atom,
    /** The primitive that made it; undefined for arguments. */
    readonly madeBy: AnyPrimitive | undefined,
  ) {
    super(trace);
  }
  get aval(): Aval {
    return this.atom.aval;
  }
  override describe(): string {
    const origin = this.madeBy === undefined ? "an argument" : `made by ${this.madeBy.name}`;
    return `${formatAval(this.aval)}, ${origin}, traced by ${this.tracedBy.kind}`;
  }
}

/** Records equations instead of computing. */
export class StagingTrace extends Trace {
  readonly eqns: Eqn[] = [];
  /** Values of lower traces that the function captured, by identity. */
  private readonly captured = new Map<NDArray, Var>();
  private readonly used = new Set<Atom>();
  private readonly predicates: { readonly atom: Atom; readonly made: Error; readonly by: string }[] = [];

  constructor(
    level: number,
    readonly kind: string,
  ) {
    super(level);
  }

  argument(aval: Aval): StagedTracer {
    return new StagedTracer(this, new Var(aval), undefined);
  }

  lift(x: NDArray): StagedTracer {
    return new StagedTracer(this, this.capture(x), undefined);
  }

  private capture(x: NDArray): Atom {
    if (x instanceof ConcreteArray) {
      const value = x.storage.scalar;
      if (value !== undefined) return new Literal(value, x.aval);
    }
    let v = this.captured.get(x);
    if (!v) this.captured.set(x, (v = new Var(x.aval)));
    return v;
  }

  process(primitive: AnyPrimitive, inputs: readonly Tracer[], params: unknown): readonly NDArray[] {
    const atoms = (inputs as readonly StagedTracer[]).map((t) => t.atom);
    const eqn = makeEqn(primitive, atoms, params);
    const source = currentSource();
    this.eqns.push(source ? { ...eqn, source } : eqn);
    for (const a of atoms) this.used.add(a);
    const outs = eqn.outs.map((v) => new StagedTracer(this, v, primitive));
    const first = outs[0];
    if (
      config.unreadPredicate !== "ignore" &&
      outs.length === 1 &&
      first &&
      first.aval.dtype === "bool" &&
      first.aval.shape.length === 0
    ) {
      this.predicates.push({ atom: first.atom, made: new Error(), by: primitive.name });
    }
    return outs;
  }

  /**
   * Takes back what was recorded from equation `from` on: a jaxpr of all that it reads, which are values that were captured, or
   * recorded before, and what of those it reads. What it did for its effects alone is left out.
   */
  takeBack(
    from: number,
    outs: readonly StagedTracer[],
  ): { readonly jaxpr: Jaxpr; readonly inputs: readonly NDArray[] } {
    const eqns = this.eqns.splice(from).filter((e) => e.outs.length > 0);
    const made = new Set<Atom>(eqns.flatMap((e) => e.outs));
    const inVars = new Set<Var>();
    for (const a of [...eqns.flatMap((e) => e.inputs), ...outs.map((t) => t.atom)])
      if (!(a instanceof Literal) && !made.has(a)) inVars.add(a);
    const values = new Map([...this.captured].map(([x, v]) => [v, x]));
    const inputs = [...inVars].map((v) => values.get(v) ?? new StagedTracer(this, v, undefined));
    return { jaxpr: { inVars: [...inVars], eqns, outs: outs.map((t) => t.atom), effects: effectsOf(eqns) }, inputs };
  }

  /** The jaxpr of what was recorded; captured values become its first inputs. */
  finish(args: readonly StagedTracer[], outs: readonly NDArray[]): ClosedJaxpr {
    const outAtoms = outs.map((x) => (x instanceof StagedTracer && x.tracedBy === this ? x.atom : this.capture(x)));
    this.warnUnread(new Set(outAtoms));
    const jaxpr: Jaxpr = {
      inVars: [...this.captured.values(), ...args.map((a) => a.atom as Var)],
      eqns: this.eqns,
      outs: outAtoms,
      effects: effectsOf(this.eqns),
    };
    return { jaxpr, consts: [...this.captured.keys()] };
  }

  /** JavaScript cannot intercept an object's truth: a comparison nobody used was most likely a branch's condition. */
  private warnUnread(outs: ReadonlySet<Atom>): void {
    for (const p of this.predicates) {
      if (this.used.has(p.atom) || outs.has(p.atom)) continue;
      const error = new TracerError({
        code: "unread-predicate",
        message: `a boolean made by ${p.by} under ${this.kind} was never used`,
        details: [["made at", userLine(p.made)]],
        hint: "`if (x)`, `x ? a : b` and `x && y` see every object as true: use np.where, or read the value outside of jit with .item()",
      });
      if (config.unreadPredicate === "error") throw error;
      config.warn(error.message);
    }
  }
}

function effectsOf(eqns: readonly Eqn[]): ReadonlySet<string> {
  let effects = noEffects;
  for (const e of eqns) if (e.effects.size > 0) effects = new Set([...effects, ...e.effects]);
  return effects;
}

/**
 * Stages a function of arrays: runs it once on tracers of the given types.
 * `stage: false` records only what depends on the arguments; other operations are computed (or go to lower traces).
 */
export function stage(
  f: (args: readonly NDArray[]) => readonly NDArray[],
  avals: readonly Aval[],
  { kind = "jit", stage: all = true }: { readonly kind?: string; readonly stage?: boolean } = {},
): ClosedJaxpr {
  return withTrace(
    (level) => new StagingTrace(level, kind),
    all,
    (trace) => {
      const args = avals.map((a) => trace.argument(a));
      return trace.finish(args, f(args));
    },
  );
}
