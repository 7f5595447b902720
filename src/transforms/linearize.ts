import type { NDArray } from "../core/array.js";
import { strengthen } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { invariant } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import type { ClosedJaxpr, Jaxpr } from "../core/jaxpr.js";
import { memoize } from "../core/memo.js";
import type { AnyPrimitive, Tangent } from "../core/primitive.js";
import { stage, StagedTracer, StagingTrace } from "../core/staging.js";
import { withTrace } from "../core/trace.js";
import { flatten, sameStructure, type TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, Ins, Structure } from "../core/types.js";
import { isZero, Zero } from "../core/zero.js";
import { instantiate, zerosOf } from "../primitives/all.js";
import { differentiable, fitTangent, flattenArrays, nameOf, requireFloatInput, requireFunction } from "./arguments.js";
import { type JvpRule, JvpTrace, JvpTracer } from "./jvp.js";

/** Forward mode whose tangents are staged; primitives that hold jaxprs split them into a primal and a linear part. */
class LinearizeTrace extends JvpTrace {
  constructor(
    private readonly tape: StagingTrace,
    level: number,
    kind: string,
  ) {
    super(level, kind);
  }

  protected override differentiate(
    primitive: AnyPrimitive,
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
    params: unknown,
  ): { readonly outs: readonly NDArray[]; readonly tangents: readonly Tangent[] } {
    if (!primitive.linearize) {
      const rule: JvpRule = (xs, ts) => super.differentiate(primitive, xs, ts, params);
      return primitive.facts.ruled === true ? this.apply(rule, primals, tangents) : rule(primals, tangents, this.level);
    }
    const nonzero = tangents.map((t) => !isZero(t));
    const { outs, linear } = primitive.linearize(primals, nonzero, params as never);
    return { outs, tangents: linear(tangents) };
  }

  override apply(rule: JvpRule, primals: readonly NDArray[], tangents: readonly Tangent[]): ReturnType<JvpRule> {
    const { eqns } = this.tape;
    const before = eqns.length;
    const result = rule(primals, tangents, this.level);
    if (!eqns.slice(before).some((e) => e.primitive.jaxprs !== undefined)) return result;
    // Calls of functions, loops and branches stand on the tape with values and tangents in one. The rule has run, effects and
    // all: what it recorded is split, and not the rule. It is linear in tangents: its derivative is the same everywhere.
    const isTaped = (x: Tangent): x is StagedTracer => x instanceof StagedTracer && x.tracedBy === this.tape;
    const { jaxpr, inputs } = this.tape.takeBack(before, [...result.outs, ...result.tangents].filter(isTaped));
    const moving = inputs.map(isTaped);
    const at = inputs.map((x, i) => (moving[i] ? zerosOf(strengthen(x.aval)) : x));
    const lin = linearizeFlat((xs) => evalJaxpr(jaxpr, xs), at, moving, this.kind);
    const pushed = pushForward(lin, inputs.filter(isTaped));
    let next = 0;
    return {
      outs: result.outs.map((x) => (isTaped(x) ? lin.outs[next++]! : x)),
      tangents: result.tangents.map((t) => (isTaped(t) ? pushed[next++]! : t)),
    };
  }
}

/** A function's value and its linear part: a jaxpr whose consts are the residuals, from tangents to tangents. */
export interface Linearized {
  readonly outs: readonly NDArray[];
  /** Inputs: residuals, then the tangents of the moving primals. Outputs: the tangents marked in `outNonzero`. */
  readonly linear: ClosedJaxpr;
  readonly outNonzero: readonly boolean[];
}

/**
 * Evaluates a function of flat arrays while recording its linear part with respect to the primals marked `moving`.
 * What does not depend on tangents is computed once, now; the linear program holds it as residuals. Errors about values of the
 * function say that they are under `kind`.
 */
export function linearizeFlat(
  f: (xs: readonly NDArray[]) => readonly NDArray[],
  primals: readonly NDArray[],
  moving: readonly boolean[] = primals.map((x) => isFloat(x.dtype)),
  kind = "linearize",
): Linearized {
  return withTrace(
    (level) => new StagingTrace(level, kind),
    false,
    (tape) => {
      const args = primals.filter((_, i) => moving[i]).map((x) => tape.argument(strengthen(x.aval)));
      let next = 0;
      const tangents = primals.map((x, i): Tangent => (moving[i] ? args[next++]! : new Zero(x.aval)));
      const pairs = withTrace(
        (level) => new LinearizeTrace(tape, level, kind),
        false,
        (trace) =>
          f(primals.map((x, i) => (moving[i] ? new JvpTracer(trace, x, tangents[i]!) : x))).map((x) => trace.split(x)),
      );
      const outTangents = pairs.map((p) => p[1]);
      return {
        outs: pairs.map((p) => p[0]),
        linear: tape.finish(
          args,
          outTangents.filter((t): t is NDArray => !isZero(t)),
        ),
        outNonzero: outTangents.map((t) => !isZero(t)),
      };
    },
  );
}

/**
 * Splits a jaxpr into its primal part (results, then residuals) and its linear part (residuals and moving tangents to the
 * tangents marked `outNonzero`).
 */
export const linearizeJaxpr = memoize(
  (
    jaxpr: Jaxpr,
    moving: readonly boolean[],
  ): {
    readonly primal: Jaxpr;
    readonly linear: Jaxpr;
    readonly numOuts: number;
    readonly outNonzero: readonly boolean[];
  } => {
    let linear: Jaxpr | undefined;
    let outNonzero: readonly boolean[] = [];
    const { jaxpr: primal, consts } = stage(
      (args) => {
        const result = linearizeFlat((xs) => evalJaxpr(jaxpr, xs), args, moving);
        linear = result.linear.jaxpr;
        outNonzero = result.outNonzero;
        return [...result.outs, ...result.linear.consts];
      },
      jaxpr.inVars.map((v) => v.aval),
    );
    invariant(consts.length === 0 && linear !== undefined, "a linearization captured a value");
    return { primal, linear, numOuts: jaxpr.outs.length, outNonzero };
  },
);

/** Evaluates a linear jaxpr on the tangents of the moving inputs; zeros stay symbolic in the results. */
export function pushForward(lin: Linearized, tangents: readonly NDArray[]): Tangent[] {
  const results = evalJaxpr(lin.linear.jaxpr, [...lin.linear.consts, ...tangents]);
  let next = 0;
  return lin.outs.map((x, i) => (lin.outNonzero[i] ? results[next++]! : new Zero(x.aval)));
}

/** Prepares user-level primals: numbers become floats, integers are refused. */
export function floatPrimals(
  primals: readonly unknown[],
  transform: string,
): { readonly leaves: NDArray[]; readonly def: TreeDef } {
  const { leaves, def } = flattenArrays(primals, `${transform}: primals`);
  const xs = leaves.map(differentiable);
  xs.forEach((x, i) => requireFloatInput(x, transform, `primal ${i}`));
  return { leaves: xs, def };
}

/**
 * Evaluates `f` and gives its derivative at `primals` as a linear function that can be applied many times:
 * `[y, t => ∂f(x)·t]`.
 * @throws as jvp.
 * @example
 * const [y, push] = linearize((x) => x.mul(x), 3);
 * [y, push(1), push(10)]; // [9, 6, 60]
 */
export function linearize<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
  ...primals: Ins<NoInfer<A>>
): [value: ArraysOf<R>, push: (...tangents: Ins<A>) => ArraysOf<R>] {
  requireFunction(f, "linearize");
  const { leaves, def } = floatPrimals(primals, "linearize");
  let outDef = def;
  const lin = linearizeFlat(
    (args) => {
      const out = flattenArrays(f(...(unflatten(def, args) as unknown as A)), `the result of ${nameOf(f)}`);
      outDef = out.def;
      return out.leaves;
    },
    leaves,
    undefined,
    `linearize of ${nameOf(f)}`,
  );
  const push = (...tangents: Ins<A>): ArraysOf<R> => {
    const [tangentLeaves, tangentDef] = flatten(tangents);
    sameStructure(def, tangentDef, "linearize: tangents");
    const ts = leaves.map((x, i) => fitTangent(tangentLeaves[i], x.aval, `linearize: tangent ${i}`));
    return unflatten(outDef, pushForward(lin, ts).map(instantiate)) as ArraysOf<R>;
  };
  return [unflatten(outDef, lin.outs) as ArraysOf<R>, push];
}
