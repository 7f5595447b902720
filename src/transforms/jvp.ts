import type { ConcreteArray, NDArray } from "../core/array.js";
import type { Aval } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import { invariant } from "../core/errors.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { memoize } from "../core/memo.js";
import { type AnyPrimitive, ruleOf, type Tangent } from "../core/primitive.js";
import { stage } from "../core/staging.js";
import { Trace, Tracer, withTrace } from "../core/trace.js";
import { flatten, sameStructure, unflatten } from "../core/tree.js";
import type { ArraysOf, Ins, Structure } from "../core/types.js";
import { isZero, Zero } from "../core/zero.js";
import { instantiate } from "../primitives/all.js";
import { differentiable, fitTangent, flattenArrays, nameOf, requireFloatInput, requireFunction } from "./arguments.js";

/** A value with its tangent. */
export class JvpTracer extends Tracer {
  constructor(
    trace: JvpTrace,
    readonly primal: NDArray,
    readonly tangent: Tangent,
  ) {
    super(trace);
  }
  get aval(): Aval {
    return this.primal.aval;
  }
  override concrete(): ConcreteArray | undefined {
    return this.primal.concrete();
  }
}

/** From primals and tangents to results and theirs; `level` is that of the trace from which on values are none of the rule's. */
export type JvpRule = (
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  level: number,
) => { readonly outs: readonly NDArray[]; readonly tangents: readonly Tangent[] };

/** Forward-mode differentiation: carries tangents along with values. */
export class JvpTrace extends Trace {
  constructor(
    level: number,
    readonly kind: string,
  ) {
    super(level);
  }

  lift(x: NDArray): JvpTracer {
    return new JvpTracer(this, x, new Zero(x.aval));
  }

  process(primitive: AnyPrimitive, inputs: readonly Tracer[], params: unknown): readonly NDArray[] {
    const tracers = inputs as readonly JvpTracer[];
    const { outs, tangents } = this.differentiate(
      primitive,
      tracers.map((t) => t.primal),
      tracers.map((t) => t.tangent),
      params,
    );
    return outs.map((x, i) => {
      const t = tangents[i]!;
      return isZero(t) || !isFloat(x.dtype) ? x : new JvpTracer(this, x, t);
    });
  }

  protected differentiate(
    primitive: AnyPrimitive,
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
    params: unknown,
  ): { readonly outs: readonly NDArray[]; readonly tangents: readonly Tangent[] } {
    return ruleOf(primitive.jvp, primitive, "jvp")(primals, tangents, params as never);
  }

  /** Results and tangents as a rule that somebody wrote gives them. */
  apply(rule: JvpRule, primals: readonly NDArray[], tangents: readonly Tangent[]): ReturnType<JvpRule> {
    return rule(primals, tangents, this.level);
  }

  /** The value and tangent of a result. */
  split(x: NDArray): [primal: NDArray, tangent: Tangent] {
    return x instanceof JvpTracer && x.tracedBy === this ? [x.primal, x.tangent] : [x, new Zero(x.aval)];
  }
}

/** Pushes tangents through a function of flat arrays; errors about values of it say that they are under `kind`. */
export function jvpFlat(
  f: (xs: readonly NDArray[]) => readonly NDArray[],
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  kind = "jvp",
): [outs: NDArray[], tangents: Tangent[]] {
  return withTrace(
    (level) => new JvpTrace(level, kind),
    false,
    (trace) => {
      const outs = f(primals.map((x, i) => (isZero(tangents[i]!) ? x : new JvpTracer(trace, x, tangents[i]!))));
      const pairs = outs.map((x) => trace.split(x));
      return [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
    },
  );
}

/**
 * The jaxpr of a jaxpr's jvp with respect to the inputs marked `nonzero`: from its inputs and their tangents to its outputs
 * and those tangents that are not zero for sure.
 */
export const jvpJaxpr = memoize(
  (jaxpr: Jaxpr, nonzero: readonly boolean[]): { readonly jaxpr: Jaxpr; readonly outNonzero: readonly boolean[] } => {
    const avals = jaxpr.inVars.map((v) => v.aval);
    const moving = avals.filter((_, i) => nonzero[i]);
    let outNonzero: readonly boolean[] = [];
    const { jaxpr: result, consts } = stage(
      (args) => {
        let next = avals.length;
        const tangents = avals.map((a, i) => (nonzero[i] ? args[next++]! : new Zero(a)));
        const [outs, ts] = jvpFlat((xs) => evalJaxpr(jaxpr, xs), args.slice(0, avals.length), tangents);
        outNonzero = ts.map((t) => !isZero(t));
        return [...outs, ...ts.filter((t): t is NDArray => !isZero(t))];
      },
      [...avals, ...moving.map((a) => ({ ...a, weakType: false }))],
    );
    invariant(consts.length === 0, "a jvp captured a value");
    return { jaxpr: result, outNonzero };
  },
);

/**
 * Evaluates `f` at `primals` and pushes `tangents` forward: `[f(x), ∂f(x)·t]`.
 *
 * Each tangent has the shape and dtype of its primal; a JS number among the primals is a float.
 * @throws DTypeError `grad-dtype` for integer primals, TreeError `tree-mismatch`, ShapeError `tangent-shape`.
 * @example
 * jvp((x) => x.mul(x), [3], [1]); // [9, 6]
 */
export function jvp<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
  primals: Readonly<Ins<NoInfer<A>>>,
  tangents: Readonly<Ins<NoInfer<A>>>,
): [value: ArraysOf<R>, tangent: ArraysOf<R>] {
  requireFunction(f, "jvp");
  if (!Array.isArray(primals) || !Array.isArray(tangents)) {
    throw new ArgumentError({
      code: "jvp-lists",
      message: "jvp takes the primals and the tangents as two lists, one entry an argument",
      hint: "jvp(f, [x], [t])",
    });
  }
  const { leaves, def } = flattenArrays(primals, "jvp: primals");
  const [tangentLeaves, tangentDef] = flatten(tangents);
  sameStructure(def, tangentDef, "jvp: tangents");
  const xs = leaves.map(differentiable);
  xs.forEach((x, i) => requireFloatInput(x, "jvp", `primal ${i}`));
  const ts = xs.map((x, i) => fitTangent(tangentLeaves[i], x.aval, `jvp: tangent ${i}`));
  let outDef = def;
  const [outs, outTangents] = jvpFlat(
    (args) => {
      const out = flattenArrays(f(...(unflatten(def, args) as unknown as A)), `the result of ${nameOf(f)}`);
      outDef = out.def;
      return out.leaves;
    },
    xs,
    ts,
    `jvp of ${nameOf(f)}`,
  );
  return [unflatten(outDef, outs) as ArraysOf<R>, unflatten(outDef, outTangents.map(instantiate)) as ArraysOf<R>];
}
