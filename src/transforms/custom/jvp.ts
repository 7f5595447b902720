import type { NDArray } from "../../core/array.js";
import { strengthen } from "../../core/aval.js";
import { signature } from "../../core/calling.js";
import { defaultFloat } from "../../core/config.js";
import { isFloat } from "../../core/dtype.js";
import { ArgumentError } from "../../core/errors.js";
import type { Tangent } from "../../core/primitive.js";
import { unflatten } from "../../core/tree.js";
import type { ArraysOf, In, Ins, Structure } from "../../core/types.js";
import { isZero, Zero } from "../../core/zero.js";
import { addTangents, instantiate, zerosOf } from "../../primitives/all.js";
import { flattenArrays, nameOf, requireFunction } from "../arguments.js";
import { argnumsList, missingRule, refuseClosedOver, splitArguments } from "./call.js";
import { defineRuled, type Moved } from "./rules.js";
import { leavesGiven, requirePair, Results, tangentGiven } from "./trees.js";
import { JvpTracer } from "../jvp.js";

/** The jvp of a flat function as somebody wrote it. */
export type FlatJvpRule = (primals: readonly NDArray[], tangents: readonly Tangent[]) => Moved;

/** Functions with a jvp of their own. */
const ruled = defineRuled<FlatJvpRule>({
  name: "custom_jvp_call",
  maker: "customJvp",
  rule: "jvp",
  forward: true,
  differentiate(name, rule, primals, given, level) {
    const { outs, tangents } = rule(primals, given);
    if (level === undefined) return { outs, tangents };
    refuseClosedOver([...outs, ...tangents.filter((t) => t instanceof JvpTracer)], level, name);
    return { outs, tangents: tangents.map((t, i) => (isFloat(outs[i]!.dtype) ? t : new Zero(outs[i]!.aval))) };
  },
  batch: (rule, batching, dims) => (primals, tangents) =>
    batching.run((b) => {
      const xs = primals.map((x, i) => b.wrap(x, dims[i]!));
      const moved = rule(
        xs,
        tangents.map((t, i) => (isZero(t) ? new Zero(xs[i]!.aval) : b.wrap(t, dims[i]!))),
      );
      const outs = moved.outs.map((x) => b.at(x, 0));
      return { outs, tangents: moved.tangents.map((t, i) => (isZero(t) ? new Zero(outs[i]!.aval) : b.at(t, 0))) };
    }),
  prefix: (rule, extra) => (primals, tangents) => {
    const moved = rule(primals, tangents);
    const more = extra();
    return { outs: [...more, ...moved.outs], tangents: [...more.map((x) => new Zero(x.aval)), ...moved.tangents] };
  },
});

/** Applies a function with its own jvp, under whatever is running. */
export const applyCustomJvp = ruled.apply;

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
  R extends Structure = unknown,
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
    const { fixed, leaves, def, all } = splitArguments(args, nondiff, name);
    const results = new Results();
    const outs = applyCustomJvp(
      {
        name,
        numConsts: 0,
        fun: (xs) => results.leaves(fun(...all(xs)), `the result of ${name}`),
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
