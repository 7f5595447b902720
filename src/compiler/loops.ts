import { type Atom, type Eqn, type Jaxpr, noEffects, type Var } from "../core/jaxpr.js";
import { type AnyPrimitive, none, type Primitive } from "../core/primitive.js";
import type { LoopLowering, Lowering, RoundsLowering } from "../kernel-ir/lowering.js";

/**
 * Loops without what they need not carry: state that every round hands on as it is becomes a constant, and state, results
 * and operands that nobody looks at are left out.
 */

type Rounds = ReturnType<RoundsLowering<unknown>["rounds"]>;
type Loop = ReturnType<LoopLowering<unknown>["loop"]>;

/** A loop of either kind: jaxprs of the same operands (constants, state, elements), of which the last is the body. */
interface View {
  readonly jaxprs: readonly Jaxpr[];
  readonly consts: number;
  readonly state: number;
  readonly params: Rounds | Loop;
}

/** A loop as equations hold it once it was changed here: its params are what its lowering would say. */
const changed = new WeakMap<AnyPrimitive, AnyPrimitive>();

const compiled = none("it is only compiled");
const rules = { evaluate: compiled, jvp: compiled, transpose: compiled, batch: compiled, facts: {} };

function roundsPrimitive({ name }: AnyPrimitive): Primitive<Rounds> {
  return {
    name,
    ...rules,
    abstract: (_: unknown, { body, length, carry }: Rounds) =>
      body.outs.map(({ aval }, i) => (i < carry ? aval : { ...aval, shape: [length, ...aval.shape] })),
    lower: { kind: "rounds", rounds: (params: Rounds) => params } as RoundsLowering<Rounds>,
    jaxprs: ({ body }: Rounds) => [body],
  };
}
function loopPrimitive({ name }: AnyPrimitive): Primitive<Loop> {
  return {
    name,
    ...rules,
    abstract: (_: unknown, { body }: Loop) => body.outs.map(({ aval }) => aval),
    lower: { kind: "loop", loop: (params: Loop) => params } as LoopLowering<Loop>,
    jaxprs: ({ condition, body }: Loop) => [condition, body],
  };
}

function changedPrimitive(p: AnyPrimitive): AnyPrimitive {
  const known = changed.get(p);
  if (known) return known;
  const { kind } = p.lower as Lowering<never>;
  const own = (kind === "rounds" ? roundsPrimitive(p) : loopPrimitive(p)) as unknown as AnyPrimitive;
  changed.set(p, own);
  changed.set(own, own);
  return own;
}

function viewOf({ primitive, params, outs }: Pick<Eqn, "primitive" | "params" | "outs">): View | undefined {
  const lower = "kind" in primitive.lower ? (primitive.lower as Lowering<never>) : undefined;
  if (lower?.kind === "rounds") {
    const rounds = lower.rounds(params as never);
    return { jaxprs: [rounds.body], consts: rounds.consts, state: rounds.carry, params: rounds };
  }
  if (lower?.kind !== "loop") return undefined;
  const loop = lower.loop(params as never);
  return { jaxprs: [loop.condition, loop.body], consts: loop.consts, state: outs.length, params: loop };
}

function paramsOf({ params }: View, jaxprs: readonly Jaxpr[], consts: number, state: number): Rounds | Loop {
  return "condition" in params
    ? { condition: jaxprs[0]!, body: jaxprs[1]!, consts }
    : { ...params, body: jaxprs[0]!, consts, carry: state };
}

/** Looks at a body to find the state that is needed. */
const maxRounds = 8;

/** What loops of a program become. */
export class LoopRewriter {
  /** Jaxprs made of others, by what was done to them. */
  private readonly made = new WeakMap<Jaxpr, Map<string, Jaxpr>>();

  /** `simplified` gives what a jaxpr is once it is simplified, `done` is told of those that are. */
  constructor(
    private readonly simplified: (jaxpr: Jaxpr) => Jaxpr,
    private readonly done: (jaxpr: Jaxpr) => void,
  ) {}

  /** Keeps equations with effects and those whose results are used, of loops only what is used of them. */
  withoutUnused(eqns: readonly Eqn[], outs: readonly Atom[]): Eqn[] {
    const live = new Set<Atom>(outs);
    const kept: Eqn[] = [];
    for (let k = eqns.length - 1; k >= 0; k--) {
      const eqn = eqns[k]!;
      if (eqn.effects.size === 0 && !eqn.outs.some((v) => live.has(v))) continue;
      const used = this.pruned(eqn, live);
      for (const a of used.inputs) live.add(a);
      kept.push(used);
    }
    return kept.reverse();
  }

  /**
   * A loop of simplified jaxprs, in which state that is handed on is constant. `result(i)`: of result i of the old loop, the
   * operand that it is, or the number of the new loop's result.
   */
  handedOn(
    eqn: Pick<Eqn, "primitive" | "params" | "outs">,
    inputs: readonly Atom[],
  ):
    | {
        readonly primitive: AnyPrimitive;
        readonly inputs: readonly Atom[];
        readonly params: unknown;
        readonly outs: readonly Var[];
        readonly result: (i: number, outs: readonly Atom[]) => Atom;
      }
    | undefined {
    const view = viewOf(eqn);
    if (!view) return undefined;
    const { consts, state } = view;
    const jaxprs = view.jaxprs.map(this.simplified);
    const body = jaxprs.at(-1)!;
    const isHandedOn = (k: number): boolean => body.outs[k] === body.inVars[consts + k];
    const range = Array.from({ length: state }, (_, k) => k);
    const fixed = range.filter(isHandedOn);
    const moving = range.filter((k) => !isHandedOn(k));
    const order = (list: readonly Atom[]): Atom[] => [
      ...list.slice(0, consts),
      ...[...fixed, ...moving].map((k) => list[consts + k]!),
      ...list.slice(consts + state),
    ];
    const outsLeft = [...moving, ...eqn.outs.keys()].filter((i, at) => at < moving.length || i >= state);
    const reordered = jaxprs.map((j, n) =>
      this.make(j, `fixed ${consts} ${fixed.join()}`, () => ({
        ...j,
        inVars: order(j.inVars) as Var[],
        outs: n < jaxprs.length - 1 ? j.outs : outsLeft.map((i) => j.outs[i]!),
      })),
    );
    const newNumber = new Map(outsLeft.map((i, at) => [i, at]));
    return {
      primitive: changedPrimitive(eqn.primitive),
      inputs: order(inputs),
      params: paramsOf(view, reordered, consts + fixed.length, moving.length),
      outs: outsLeft.map((i) => eqn.outs[i]!),
      result: (i, outs) => outs[newNumber.get(i) ?? -1] ?? inputs[consts + i]!,
    };
  }

  /** A loop without state, results and operands on which none of its live results depends. */
  private pruned(eqn: Eqn, live: ReadonlySet<Atom>): Eqn {
    const view = eqn.effects.size === 0 ? viewOf(eqn) : undefined;
    if (!view) return eqn;
    const { jaxprs, consts, state } = view;
    const body = jaxprs.at(-1)!;
    const keptOuts = new Set([...eqn.outs.keys()].filter((i) => live.has(eqn.outs[i]!)));
    const needed = this.needed(jaxprs, keptOuts, consts, state);
    const keptInputs = [...body.inVars.keys()].filter((i) => needed.has(i));
    if (keptInputs.length === body.inVars.length && keptOuts.size === eqn.outs.length) return eqn;
    const outs = [...eqn.outs.keys()].filter((i) => keptOuts.has(i));
    const key = `kept ${keptInputs.join()} ${outs.join()}`;
    const smaller = jaxprs.map((j, n) =>
      this.make(j, key, () => {
        const results = n < jaxprs.length - 1 ? j.outs : outs.map((i) => j.outs[i]!);
        const inVars = keptInputs.map((i) => j.inVars[i]!);
        return { inVars, eqns: this.withoutUnused(j.eqns, results), outs: results, effects: noEffects };
      }),
    );
    return {
      primitive: changedPrimitive(eqn.primitive),
      inputs: keptInputs.map((i) => eqn.inputs[i]!),
      params: paramsOf(
        view,
        smaller,
        keptInputs.filter((i) => i < consts).length,
        outs.filter((i) => i < state).length,
      ),
      outs: outs.map((i) => eqn.outs[i]!),
      effects: eqn.effects,
    };
  }

  /**
   * The inputs that some results of a body, and the condition, are made of; to these results is added what makes the state
   * among them.
   */
  private needed(jaxprs: readonly Jaxpr[], keptOuts: Set<number>, consts: number, state: number): ReadonlySet<number> {
    const body = jaxprs.at(-1)!;
    for (let round = 0; ; round++) {
      const inputs = new Set<number>();
      jaxprs.forEach((j, n) => {
        const outs = n < jaxprs.length - 1 ? j.outs : [...keptOuts].map((i) => body.outs[i]!);
        const used = new Set(outs);
        for (const eqn of this.withoutUnused(j.eqns, outs)) for (const a of eqn.inputs) used.add(a);
        j.inVars.forEach((v, i) => {
          if (used.has(v)) inputs.add(i);
        });
      });
      const before = keptOuts.size;
      for (let k = 0; k < state; k++) if (keptOuts.has(k) || inputs.has(consts + k)) keptOuts.add(k);
      for (const k of keptOuts) if (k < state) inputs.add(consts + k);
      if (keptOuts.size === before) return inputs;
      // state that is made of other state, and so on: all of it is kept rather than looking for long
      if (round > maxRounds) for (let k = 0; k < state; k++) keptOuts.add(k);
    }
  }

  private make(from: Jaxpr, key: string, build: () => Jaxpr): Jaxpr {
    let known = this.made.get(from);
    if (!known) this.made.set(from, (known = new Map()));
    let jaxpr = known.get(key);
    if (!jaxpr) {
      known.set(key, (jaxpr = build()));
      this.done(jaxpr);
    }
    return jaxpr;
  }
}
