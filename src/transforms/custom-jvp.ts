import type { NDArray } from "../core/array.js";
import { strengthen } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import { evaluateJaxpr } from "../core/host-interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { ruleOf, type Tangent } from "../core/primitive.js";
import { stage } from "../core/staging.js";
import { bind } from "../core/trace.js";
import { unflatten } from "../core/tree.js";
import type { ArraysOf, In, Ins } from "../core/types.js";
import { isZero, Zero } from "../core/zero.js";
import { addTangents, definePrimitive, instantiate, zerosOf } from "../primitives/all.js";
import { flattenArrays, nameOf, requireFunction } from "./arguments.js";
import {
  argnumsList,
  batched,
  type Batching,
  batchingOf,
  type FlatFunction,
  merged,
  missingRule,
  nondiffPositions,
  refuseClosedOver,
  refuseMovingConsts,
  requireSameTypes,
  topTrace,
} from "./custom-call.js";
import { leavesGiven, requirePair, Results, tangentGiven } from "./custom-trees.js";
import { jitPrimitive } from "./jit-primitive.js";
import { JvpTrace, JvpTracer } from "./jvp.js";
import { type BatchDim, BatchTrace, BatchTracer } from "./vmap.js";

/** The jvp of a flat function as somebody wrote it. */
export type FlatJvpRule = (
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
) => { readonly outs: readonly NDArray[]; readonly tangents: readonly Tangent[] };

/** A flat function with its own jvp. The first `numConsts` operands are what it closed over: the rule does not get them. */
export interface JvpCall {
  readonly name: string;
  readonly fun: FlatFunction;
  readonly numConsts: number;
  readonly rule: FlatJvpRule;
}

/** Applies a function with its own jvp, under whatever is running. */
export function applyCustomJvp(call: JvpCall, inputs: readonly NDArray[]): readonly NDArray[] {
  const top = topTrace(inputs);
  if (top === undefined) {
    const outs = call.fun(inputs);
    refuseClosedOver(outs, undefined, call.name);
    return outs;
  }
  if (top instanceof JvpTrace) {
    const pairs = inputs.map((x) => top.split(x));
    const { outs, tangents } = differentiate(
      call,
      pairs.map((p) => p[0]),
      pairs.map((p) => p[1]),
    );
    refuseClosedOver([...outs, ...tangents.filter((t) => t instanceof JvpTracer)], top.level, call.name);
    return outs.map((x, i) => {
      const t = tangents[i]!;
      return isZero(t) || !isFloat(x.dtype) ? x : new JvpTracer(top, x, t);
    });
  }
  if (top instanceof BatchTrace) {
    const pairs = inputs.map((x) => top.split(x));
    const dims = pairs.map((p) => p[1]);
    const over = batchedCall(call, batchingOf(top), dims);
    return applyCustomJvp(
      over,
      pairs.map((p) => p[0]),
    ).map((x) => new BatchTracer(top, x, 0));
  }
  const { name, rule } = call;
  const { jaxpr, consts } = stage(
    call.fun,
    inputs.map((x) => x.aval),
    { kind: `customJvp of ${name}` },
  );
  return bind(customJvpCall, [...consts, ...inputs], { name, jaxpr, rule, numConsts: consts.length + call.numConsts });
}

function differentiate(
  { numConsts, rule, name }: Pick<JvpCall, "numConsts" | "rule" | "name">,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
): ReturnType<FlatJvpRule> {
  refuseMovingConsts(tangents, numConsts, name);
  return rule(primals.slice(numConsts), tangents.slice(numConsts));
}

/** The same over a batch: the function and its rule see one example each. */
function batchedCall(call: JvpCall, batching: Batching, dims: readonly BatchDim[]): JvpCall {
  const argDims = dims.slice(call.numConsts);
  return {
    ...call,
    fun: batched(call.fun, batching, dims),
    rule: (primals, tangents) =>
      batching.run((b) => {
        const xs = primals.map((x, i) => b.wrap(x, argDims[i]!));
        const result = call.rule(
          xs,
          tangents.map((t, i) => (isZero(t) ? new Zero(xs[i]!.aval) : b.wrap(t, argDims[i]!))),
        );
        const outs = result.outs.map((x) => b.at(x, 0));
        return { outs, tangents: result.tangents.map((t, i) => (isZero(t) ? new Zero(outs[i]!.aval) : b.at(t, 0))) };
      }),
  };
}

export interface CustomJvpParams {
  readonly name: string;
  readonly jaxpr: Jaxpr;
  readonly numConsts: number;
  readonly rule: FlatJvpRule;
}

/** A staged function that brings its own jvp; everything else sees the function. */
export const customJvpCall = definePrimitive<CustomJvpParams>({
  name: "custom_jvp_call",
  abstract: (_avals, { jaxpr }) => jaxpr.outs.map((a) => a.aval),
  evaluate: (inputs, { jaxpr }) => evaluateJaxpr(jaxpr, inputs),
  jvp(primals, tangents, params) {
    const result = differentiate(params, primals, tangents);
    requireSameTypes(result.outs, params.jaxpr, params.name, "jvp");
    return result;
  },
  transpose: (cts, inputs, { name, jaxpr }) =>
    ruleOf(jitPrimitive.transpose, jitPrimitive as never, "transpose")(cts, inputs, { name, jaxpr }),
  batch(size, inputs, dims, { jaxpr, ...call }, axisName) {
    const over = batchedCall({ ...call, fun: (xs) => evalJaxpr(jaxpr, xs) }, batchingOf(size, axisName), dims);
    const outs = applyCustomJvp(over, inputs);
    return { outs, dims: outs.map(() => 0) };
  },
  lower: { kind: "call", jaxpr: (p) => p.jaxpr },
  facts: {},
  printParams: ({ name, jaxpr, numConsts }) => ({ name, callJaxpr: jaxpr, numConsts }),
  jaxprs: (p) => [p.jaxpr],
});

/** The entries of a list at given positions. */
export type At<A extends readonly unknown[], N extends readonly number[]> = { -readonly [K in keyof N]: A[N[K]] };
/** A list without the entries at given positions. */
export type Without<A extends readonly unknown[], N extends number, I extends readonly 0[] = []> = A extends readonly [
  infer H,
  ...infer T,
]
  ? I["length"] extends N
    ? Without<T, N, [...I, 0]>
    : [H, ...Without<T, N, [...I, 0]>]
  : A;

export interface CustomRuleOptions<N extends readonly number[] = readonly number[]> {
  /** Arguments that are not differentiated and go to the rules as they are, before all others: functions, sizes. */
  readonly nondiffArgnums?: N;
}

/** What a jvp rule may give as tangents: of the result's structure, null for zero. */
export type TangentsOf<R> = In<R> | null;

/** A function whose derivative is what its rule says. */
export interface CustomJvp<A extends readonly unknown[], R, N extends readonly number[]> {
  (...args: Ins<A>): ArraysOf<R>;
  /** Defines the rule: `(...nondiff, primals, tangents) => [result, tangent of the result]`. */
  defjvp(
    rule: (
      ...args: [...At<A, N>, primals: Without<A, N[number]>, tangents: Without<A, N[number]>]
    ) => readonly [In<R>, TangentsOf<R>],
  ): CustomJvp<A, R, N>;
  /** Defines a rule for each argument: `(tangent, result, ...primals) => its share of the result's tangent`; null: none. */
  defjvps(
    ...rules: readonly (((tangent: NDArray, result: ArraysOf<R>, ...primals: A) => TangentsOf<R>) | null)[]
  ): CustomJvp<A, R, N>;
}

type AnyFunction = (...args: never[]) => unknown;
const customJvpParams = signature<{ readonly fun: AnyFunction } & CustomRuleOptions>("customJvp", 1, [
  "fun",
  "nondiffArgnums",
]);

/**
 * A function with its own rule for forward differentiation, from which reverse mode follows: define it with `defjvp`.
 *
 * The rule is linear in the tangents. Tangents of integer arguments are null.
 * @throws TransformError `custom-rule-missing`, `custom-pair`, `custom-closure`, TreeError `custom-structure`,
 * ShapeError `custom-type` where the rule's results do not fit.
 * @example
 * const log1pexp = customJvp((x) => np.log(np.exp(x).add(1)));
 * log1pexp.defjvp(([x], [dx]) => [log1pexp(x), dx.mul(nn.sigmoid(x))]);
 * const slope = grad(log1pexp)(100); // 1, and not NaN
 */
export function customJvp<
  A extends readonly unknown[] = readonly NDArray[],
  R = unknown,
  const N extends readonly number[] = readonly [],
>(fun: (...args: A) => R, nondiffArgnums?: N | CustomRuleOptions<N>): CustomJvp<A, R, N>;
export function customJvp(...given: unknown[]): unknown {
  const { fun, nondiffArgnums } = customJvpParams(given);
  requireFunction(fun, "customJvp");
  const name = nameOf(fun);
  const nondiff = argnumsList(nondiffArgnums, "customJvp");
  let rule: AnyFunction | undefined;

  const call = (...args: unknown[]): unknown => {
    const defined = rule;
    if (!defined) throw missingRule(name, "customJvp", "defjvp");
    const positions = nondiffPositions(nondiff, args.length, name);
    const fixed = positions.map((k) => args[k]);
    const { leaves, def } = flattenArrays(
      args.filter((_, i) => !positions.includes(i)),
      `${name}: argument `,
      "name arguments that are no arrays in nondiffArgnums",
    );
    const results = new Results();
    const outs = applyCustomJvp(
      {
        name,
        numConsts: 0,
        fun: (xs) =>
          results.leaves(
            fun(...(merged(args, positions, unflatten(def, xs) as unknown[]) as never[])),
            `the result of ${name}`,
          ),
        rule: (primals, tangents) => {
          const ts = tangents.map((t, i) => tangentShown(t, primals[i]!));
          const given = defined(...([...fixed, unflatten(def, primals), unflatten(def, ts as unknown[])] as never[]));
          const [y, dy] = requirePair(given, `the jvp rule of ${name}`, "return [result, tangent of the result]");
          const ys = results.leaves(y, `the first result of the jvp rule of ${name}`);
          const dys = leavesGiven(dy, results.def, `the tangent given by the jvp rule of ${name}`, "its result");
          return {
            outs: ys,
            tangents: ys.map((v, i) =>
              tangentGiven(dys[i], strengthen(v.aval), `the tangent given by the jvp rule of ${name}`),
            ),
          };
        },
      },
      leaves,
    );
    return unflatten(results.def, outs);
  };
  Object.defineProperty(call, "name", { value: name });
  return Object.assign(call, {
    defjvp(given: AnyFunction) {
      requireFunction(given, "defjvp");
      rule = given;
      return call;
    },
    defjvps(...rules: readonly (AnyFunction | null)[]) {
      if (nondiff.length > 0) {
        throw new ArgumentError({
          code: "defjvps-nondiff",
          message: `${name}: defjvps cannot be used with nondiffArgnums`,
          hint: "use defjvp",
        });
      }
      rule = (primals: readonly unknown[], tangents: readonly unknown[]) =>
        sumOfRules(call, rules, primals, tangents, name);
      return call;
    },
  });
}

/** What a rule sees of a tangent: zeros are arrays; integers have none, but a JS number counts as a constant float. */
function tangentShown(t: Tangent, x: NDArray): NDArray | null {
  if (isFloat(x.dtype)) return instantiate(t);
  return x.aval.weakType ? zerosOf({ ...x.aval, dtype: defaultFloat() }) : null;
}

function sumOfRules(
  f: (...args: unknown[]) => unknown,
  rules: readonly (AnyFunction | null)[],
  primals: readonly unknown[],
  tangents: readonly unknown[],
  name: string,
): readonly [unknown, unknown] {
  if (rules.length !== primals.length) {
    throw new ArgumentError({
      code: "defjvps-count",
      message: `${name}: defjvps was given ${rules.length} rules for ${primals.length} arguments`,
      hint: "give null for an argument that has no share",
    });
  }
  const y = f(...primals);
  const { leaves, def } = flattenArrays(y, `the result of ${name}`);
  let sums: Tangent[] = leaves.map((v) => new Zero(v.aval));
  rules.forEach((r, k) => {
    if (!r) return;
    const given = leavesGiven(
      r(...([tangents[k], y, ...primals] as never[])),
      def,
      `the tangent given by rule ${k} of ${name}`,
      "the result",
    );
    sums = sums.map((s, i) =>
      addTangents(s, tangentGiven(given[i], leaves[i]!.aval, `the tangent given by rule ${k} of ${name}`)),
    );
  });
  return [y, unflatten(def, sums.map(instantiate))];
}
