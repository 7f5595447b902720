import { NDArray } from "../../core/array.js";
import { type Aval, strengthen } from "../../core/aval.js";
import { signature } from "../../core/calling.js";
import { isFloat } from "../../core/dtype.js";
import { TracerError, TransformError, TreeError } from "../../core/errors.js";
import { describeValue } from "../../core/literal.js";
import { isLinear, none, type Tangent } from "../../core/primitive.js";
import { bind, currentStaging, Tracer } from "../../core/trace.js";
import { flatten, type TreeDef, unflatten } from "../../core/tree.js";
import type { ArraysOf, In, Ins, Structure } from "../../core/types.js";
import { isZero, Zero } from "../../core/zero.js";
import { instantiate, type PrimitiveDefinition, reduceSum } from "../../primitives/all.js";
import { nameOf, requireFunction } from "../arguments.js";
import { argnumsList, missingRule, refuseClosedOver, splitArguments } from "./call.js";
import type { At, CustomRuleOptions, Without } from "./jvp.js";
import { defineRuled } from "./rules.js";
import { leavesGiven, requirePair, Results, tangentGiven } from "./trees.js";

/** Cotangents of the arguments, from the residuals and the cotangents of the results (null for those that are no floats). */
export type FlatPull = (residuals: readonly NDArray[], cts: readonly (NDArray | null)[]) => readonly Tangent[];
/** A flat function's forward half as somebody wrote it: results, what the backward half needs, and that half. */
export type FlatForward = (xs: readonly NDArray[]) => {
  readonly outs: readonly NDArray[];
  readonly residuals: readonly NDArray[];
  readonly pull: FlatPull;
};

/** Functions with a vjp of their own. */
const ruled = defineRuled<FlatForward>({
  name: "custom_vjp_call",
  maker: "customVjp",
  rule: "forward",
  forward: false,
  differentiate(name, forward, primals, given, level) {
    const { outs, residuals, pull } = forward(primals);
    refuseClosedOver([...outs, ...residuals], level, name);
    const moving = given.map((t) => !isZero(t));
    const present = given.filter((t): t is NDArray => !isZero(t));
    if (currentStaging() === undefined && !present.some((t) => t instanceof Tracer)) throw forwardMode(name);
    const types = outs.map((x) => strengthen(x.aval));
    const results = bind(customLin, [...residuals, ...present], { name, pull, moving, types });
    let next = 0;
    return { outs, tangents: types.map((a) => (isFloat(a.dtype) ? results[next++]! : new Zero(a))) };
  },
  batch: (forward, batching, dims) => (primals) =>
    batching.run((b) => {
      const { outs, residuals, pull } = forward(primals.map((x, i) => b.wrap(x, dims[i]!)));
      const pairs = residuals.map((r) => b.split(r));
      return {
        outs: outs.map((x) => b.at(x, 0)),
        residuals: pairs.map((p) => p[0]),
        pull: (given, cts) =>
          batching.run((back) => {
            const grads = pull(
              given.map((r, i) => back.wrap(r, pairs[i]![1])),
              cts.map((ct) => ct && back.wrap(ct, 0)),
            );
            return grads.map((g, i): Tangent => {
              if (isZero(g)) return new Zero(primals[i]!.aval);
              const dim = dims[i]!;
              return dim === null ? reduceSum(back.at(g, 0), [0]) : back.at(g, dim);
            });
          }),
      };
    }),
  prefix: (forward, extra) => (primals) => {
    const { outs, residuals, pull } = forward(primals);
    const more = extra();
    return { outs: [...more, ...outs], residuals, pull: (given, cts) => pull(given, cts.slice(more.length)) };
  },
});

/** Applies a function with its own vjp, under whatever is running. */
export const applyCustomVjp = ruled.apply;

const cannotPush =
  "forward-mode differentiation (jvp, jacfwd) cannot be applied to a customVjp function, which has a rule for reverse mode only";

const forwardMode = (name: string): TransformError =>
  new TransformError({
    code: "custom-vjp-jvp",
    message: `${name}: ${cannotPush}`,
    hint: "use vjp, grad or jacrev, or give the function a jvp rule with customJvp",
  });

interface LinearParams {
  readonly name: string;
  readonly pull: FlatPull;
  /** The arguments that have tangents. */
  readonly moving: readonly boolean[];
  readonly types: readonly Aval[];
}

/**
 * The derivative of a function of which only the transpose is known: from residuals and tangents to tangents. It is in no table
 * of primitives, for nothing can evaluate it: it stands on tapes until they are transposed.
 */
const customLin: PrimitiveDefinition<LinearParams> = {
  name: "custom_lin",
  abstract: (_avals, { types }) => types.filter((a) => isFloat(a.dtype)),
  evaluate: none(cannotPush),
  jvp: none(cannotPush),
  transpose(cts, inputs, { name, pull, moving, types }) {
    const residuals = inputs.filter((x): x is NDArray => !isLinear(x));
    let next = 0;
    const all = types.map((a) => (isFloat(a.dtype) ? instantiate(cts[next++]!) : null));
    const grads = pull(residuals, all).filter((_, i) => moving[i]);
    if (inputs.length - residuals.length !== grads.length)
      throw new TransformError({ code: "custom-types", message: `${name}: a residual depends on a tangent` });
    return [...residuals.map(() => null), ...grads];
  },
  batch: none(cannotPush),
  lower: none(cannotPush),
  facts: {},
  printParams: ({ name }) => ({ bwd: name }),
};

/** Cotangents of an argument list: for each argument its tree, null for nothing. */
type Cotangents<A extends readonly unknown[]> = { readonly [K in keyof A]: In<A[K]> | null | undefined };

/** A function whose reverse-mode derivative is what its rules say. */
export interface CustomVjp<A extends readonly unknown[], R, N extends readonly number[]> {
  (...args: Ins<A>): ArraysOf<R>;
  /**
   * Defines the rules: `forward(...args) => [result, residuals]` and
   * `backward(...nondiff, residuals, cotangent) => [cotangent of each argument, or null]`.
   */
  defvjp<S>(
    forward: (...args: A) => readonly [In<R>, S],
    backward: (...args: [...At<A, N>, residuals: S, cotangent: ArraysOf<R>]) => Cotangents<Without<A, N[number]>>,
  ): CustomVjp<A, R, N>;
}

type AnyFunction = (...args: never[]) => unknown;
const customVjpParams = signature<{ readonly fun: AnyFunction } & CustomRuleOptions>("customVjp", 1, [
  "fun",
  "nondiffArgnums",
]);

/**
 * A function with its own rules for reverse differentiation: define them with `defvjp`. Forward mode is refused.
 *
 * Residuals are any pytree; what is no array in it comes back as it is.
 * @throws TransformError `custom-rule-missing`, `custom-vjp-jvp`, `custom-pair`, `custom-closure`, TreeError `custom-arity`,
 * `custom-structure`, ShapeError `custom-type` where what the rules return does not fit, TracerError `nondiff-tracer`.
 * @example
 * const clipGradient = customVjp((x) => x);
 * clipGradient.defvjp((x) => [x, null], (_, g) => [np.clip(g, -1, 1)]);
 * const slope = grad((x) => clipGradient(x).mul(5))(3); // 1
 */
export function customVjp<
  A extends readonly unknown[] = readonly NDArray[],
  R extends Structure = unknown,
  const N extends readonly number[] = readonly [],
>(fun: (...args: A) => R, nondiffArgnums?: N | CustomRuleOptions<N>): CustomVjp<A, R, N>;
export function customVjp(...given: unknown[]): unknown {
  const { fun, nondiffArgnums } = customVjpParams(given);
  requireFunction(fun, "customVjp");
  const name = nameOf(fun);
  const nondiff = argnumsList(nondiffArgnums, "customVjp");
  let rules: { readonly forward: AnyFunction; readonly backward: AnyFunction } | undefined;

  const call = (...args: unknown[]): unknown => {
    if (!rules) throw missingRule(name, "customVjp", "defvjp");
    const { forward, backward } = rules;
    const { positions, fixed, leaves, def, all } = splitArguments(args, nondiff, name);
    fixed.forEach((x, i) => refuseTracers(x, positions[i]!, name));
    const results = new Results();
    const outs = applyCustomVjp(
      {
        name,
        numConsts: 0,
        fun: (xs) => results.leaves(fun(...all(xs)), `the result of ${name}`),
        rule: (xs) => {
          const [y, kept] = requirePair(
            forward(...all(xs)),
            `the forward rule of ${name}`,
            "return [result, residuals]; null for no residuals",
          );
          const ys = results.leaves(y, `the first result of the forward rule of ${name}`);
          const ctDef = results.def;
          const [parts, keptDef] = flatten(kept);
          const types = xs.map((x) => strengthen(x.aval));
          return {
            outs: ys,
            residuals: parts.filter((p): p is NDArray => p instanceof NDArray),
            pull(residuals, cts) {
              let next = 0;
              const tree = unflatten(
                keptDef,
                parts.map((p) => (p instanceof NDArray ? residuals[next++]! : p)),
              );
              const cotangents = backward(...([...fixed, tree, unflatten(ctDef, cts as unknown[])] as never[]));
              return cotangentsGiven(cotangents, def, types, name);
            },
          };
        },
      },
      leaves,
    );
    return unflatten(results.def, outs);
  };
  Object.defineProperty(call, "name", { value: name });
  return Object.assign(call, {
    defvjp(forward: AnyFunction, backward: AnyFunction) {
      requireFunction(forward, "defvjp");
      requireFunction(backward, "defvjp");
      rules = { forward, backward };
      return call;
    },
  });
}

/** What a backward rule returned, for the leaves of the arguments. @throws TreeError `custom-arity`, `custom-structure`. */
export function cotangentsGiven(given: unknown, def: TreeDef, types: readonly Aval[], name: string): Tangent[] {
  const what = `the backward rule of ${name}`;
  if (!Array.isArray(given) || given.length !== def.children.length) {
    throw new TreeError({
      code: "custom-arity",
      message: `${what} must return a list of ${def.children.length}, one cotangent for each argument`,
      details: [
        ["arguments", def.key],
        ["got", Array.isArray(given) ? flatten(given)[1].key : describeValue(given)],
      ],
      hint: "give null for an argument that has no cotangent",
    });
  }
  const leaves = leavesGiven(given, def, `what ${what} gave`, "the arguments");
  return types.map((a, i) => tangentGiven(leaves[i], a, `cotangent ${i} given by ${what}`));
}

function refuseTracers(x: unknown, position: number, name: string): void {
  const traced = flatten(x)[0].find((leaf) => leaf instanceof Tracer);
  if (!traced) return;
  throw new TracerError({
    code: "nondiff-tracer",
    message: `${name}: argument ${position} is named in nondiffArgnums, but is a traced value`,
    details: [["value", (traced as Tracer).describe()]],
    hint: "nondiffArgnums is for functions and other values that are no arrays; take arrays as ordinary arguments, with null as their cotangent",
  });
}
