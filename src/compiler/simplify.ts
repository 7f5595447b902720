import type { NDArray } from "../core/array.js";
import { type Aval, sizeOf } from "../core/aval.js";
import { invariant } from "../core/errors.js";
import { evaluatePrimitive, hostScalar } from "../core/host-interpreter.js";
import { type Atom, type Eqn, type Jaxpr, Literal, makeEqn, Var } from "../core/jaxpr.js";
import type { AnyPrimitive, Primitive, SimplifyContext } from "../core/primitive.js";
import { stage } from "../core/staging.js";
import { structuralKey } from "../core/structural-key.js";
import type { Lowering } from "../kernel-ir/lowering.js";
import type { CallPolicy } from "./calls.js";
import { LoopRewriter } from "./loops.js";

/**
 * Simplifies a jaxpr: inlines calls that are used once or small, writes primitives that expand with others, applies the
 * primitives' own algebra, folds scalar constants, shares common subexpressions, drops what nobody uses.
 * One walk forward and one back: linear in the number of equations.
 */
export function simplify(jaxpr: Jaxpr, calls: CallPolicy): Jaxpr {
  const { done, loops } = progressOf(calls);
  const known = done.get(jaxpr);
  if (known) return known;
  const rewriter = new Rewriter(calls, loops);
  const inVars = jaxpr.inVars.map((v) => new Var(v.aval));
  const outs = rewriter.run(jaxpr, inVars);
  const result = { inVars, outs, eqns: loops.withoutUnused(rewriter.eqns, outs), effects: jaxpr.effects };
  done.set(jaxpr, result).set(result, result);
  return result;
}

/** What is simplified of a program, so that bodies of loops are once, however deep they lie. */
interface Progress {
  readonly done: WeakMap<Jaxpr, Jaxpr>;
  readonly loops: LoopRewriter;
}

const progress = new WeakMap<CallPolicy, Progress>();

function progressOf(calls: CallPolicy): Progress {
  let found = progress.get(calls);
  if (!found) {
    const done = new WeakMap<Jaxpr, Jaxpr>();
    const loops = new LoopRewriter(
      (jaxpr) => simplify(jaxpr, calls),
      (jaxpr) => void done.set(jaxpr, jaxpr),
    );
    progress.set(calls, (found = { done, loops }));
  }
  return found;
}

const loweringOf = (p: AnyPrimitive): Lowering<never> | undefined =>
  "kind" in p.lower ? (p.lower as Lowering<never>) : undefined;

class Rewriter {
  readonly eqns: Eqn[] = [];
  private readonly madeBy = new Map<Var, Eqn>();
  private readonly numbers = new Map<Var, number>();
  private readonly known = new Map<string, readonly Atom[]>();

  constructor(
    private readonly calls: CallPolicy,
    private readonly loops: LoopRewriter,
  ) {}

  run(jaxpr: Jaxpr, args: readonly Atom[]): Atom[] {
    const env = new Map<Var, Atom>();
    jaxpr.inVars.forEach((v, i) => env.set(v, args[i]!));
    const read = (a: Atom): Atom => {
      if (a instanceof Literal) return a;
      const x = env.get(a);
      invariant(x, "simplify reads a variable before it is written");
      return x;
    };
    for (const eqn of jaxpr.eqns) {
      const outs = this.apply(eqn, eqn.inputs.map(read));
      eqn.outs.forEach((v, i) => env.set(v, outs[i]!));
    }
    return jaxpr.outs.map(read);
  }

  private apply(eqn: Eqn, inputs: readonly Atom[]): readonly Atom[] {
    const { primitive, params } = eqn;
    const lower = loweringOf(primitive);
    if (lower?.kind === "call") {
      const inner = lower.jaxpr(params as never);
      if (this.calls.inlinesAt(eqn, inner)) return this.run(inner, inputs);
    } else if (lower?.kind === "expand") {
      return this.run(
        expansion(
          primitive,
          inputs.map((a) => a.aval),
          params,
          lower.expand,
        ),
        inputs,
      );
    }
    if (eqn.effects.size > 0) return this.emit(primitive, inputs, params, eqn.outs, eqn.effects);
    const reduced = this.algebra(primitive, inputs, params, eqn.outs) ?? this.fold(primitive, inputs, params, eqn.outs);
    if (reduced) return [reduced];
    const loop = this.loops.handedOn(eqn, inputs);
    if (loop) {
      const results = this.shared(loop.primitive, loop.inputs, loop.params, loop.outs, eqn.effects);
      return eqn.outs.map((_, i) => loop.result(i, results));
    }
    return this.shared(primitive, inputs, params, eqn.outs, eqn.effects);
  }

  /** The results of an equation, which may have been computed already. */
  private shared(
    primitive: AnyPrimitive,
    inputs: readonly Atom[],
    params: unknown,
    types: readonly Var[],
    effects: ReadonlySet<string>,
  ): readonly Atom[] {
    const key = `${primitive.name}|${inputs.map((a) => this.atomKey(a)).join(",")}|${structuralKey(params)}`;
    const same = this.known.get(key);
    if (same) return same;
    const outs = this.emit(primitive, inputs, params, types, effects);
    this.known.set(key, outs);
    return outs;
  }

  private emit(
    primitive: AnyPrimitive,
    inputs: readonly Atom[],
    params: unknown,
    types: readonly Var[],
    effects: ReadonlySet<string>,
  ): readonly Var[] {
    const outs = types.map((v) => new Var(v.aval));
    const eqn: Eqn = { primitive, inputs, params, outs, effects };
    this.eqns.push(eqn);
    for (const v of outs) this.madeBy.set(v, eqn);
    return outs;
  }

  private atomKey(a: Atom): string {
    if (a instanceof Literal) return `${a.aval.dtype}${a.aval.weakType ? "~" : ""}:${structuralKey(a.value)}`;
    let n = this.numbers.get(a);
    if (n === undefined) this.numbers.set(a, (n = this.numbers.size));
    return `v${n}`;
  }

  /** The primitive's own algebra, repeated while it finds something. */
  private algebra(
    primitive: AnyPrimitive,
    inputs: readonly Atom[],
    params: unknown,
    outs: readonly Var[],
  ): Atom | undefined {
    const rule = primitive.facts.simplify;
    if (!rule || outs.length !== 1) return undefined;
    const outAval = outs[0]!.aval;
    const result = rule(params as never, this.context(inputs, outAval));
    if (result === null) return undefined;
    if ("same" in result) return inputs[result.same]!;
    if ("constant" in result) return outAval.shape.length === 0 ? new Literal(result.constant, outAval) : undefined;
    const inner = this.madeBy.get(inputs[result.through] as Var);
    invariant(inner, `${primitive.name} simplifies through an operand that no equation made`);
    return this.apply(makeEqn(result.primitive, inner.inputs, result.params), inner.inputs)[0];
  }

  private context(inputs: readonly Atom[], outAval: Aval): SimplifyContext {
    return {
      inAvals: inputs.map((a) => a.aval),
      outAval,
      constant: (i) => this.constantOf(inputs[i]!),
      madeBy: <Q>(i: number, primitive: Primitive<Q>) => {
        const a = inputs[i]!;
        const eqn = a instanceof Literal ? undefined : this.madeBy.get(a);
        return eqn && (eqn.primitive as unknown) === primitive ? (eqn.params as Q) : undefined;
      },
    };
  }

  /** The one value that an atom has everywhere, looking through views of literals. */
  private constantOf(a: Atom): number | undefined {
    if (a instanceof Literal) return a.value;
    const eqn = this.madeBy.get(a);
    return eqn?.primitive.facts.view && eqn.inputs.length === 1 ? this.constantOf(eqn.inputs[0]!) : undefined;
  }

  /** Evaluates scalar operations of literals now. */
  private fold(
    primitive: AnyPrimitive,
    inputs: readonly Atom[],
    params: unknown,
    outs: readonly Var[],
  ): Atom | undefined {
    const out = outs[0]!.aval;
    if (
      !primitive.facts.elementwise ||
      outs.length !== 1 ||
      inputs.length === 0 ||
      out.shape.length !== 0 ||
      sizeOf(out.shape) !== 1
    )
      return undefined;
    if (!inputs.every((a): a is Literal => a instanceof Literal)) return undefined;
    const [result] = evaluatePrimitive(
      primitive,
      inputs.map((a) => hostScalar(a.value, a.aval)),
      params,
      [out],
    );
    return new Literal(result!.data[0]!, out);
  }
}

const expansions = new Map<string, Jaxpr>();
const maxExpansions = 512;

/** The jaxpr of a primitive that is written with others, for operands of given types. */
function expansion(
  primitive: AnyPrimitive,
  avals: readonly Aval[],
  params: unknown,
  expand: (operands: readonly NDArray[], params: never) => readonly NDArray[],
): Jaxpr {
  const key = `${primitive.name}|${structuralKey(avals)}|${structuralKey(params)}`;
  let jaxpr = expansions.get(key);
  if (!jaxpr) {
    const closed = stage((xs) => expand(xs, params as never), avals, { kind: primitive.name });
    invariant(closed.consts.length === 0, `the expansion of ${primitive.name} captured a value`);
    jaxpr = closed.jaxpr;
    if (expansions.size >= maxExpansions) expansions.delete(expansions.keys().next().value!);
    expansions.set(key, jaxpr);
  }
  return jaxpr;
}
