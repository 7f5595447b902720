import type { NDArray } from "../../core/array.js";
import { strengthen } from "../../core/aval.js";
import { isFloat } from "../../core/dtype.js";
import { evalJaxpr } from "../../core/interpreter.js";
import { stage } from "../../core/staging.js";
import { Tracer } from "../../core/trace.js";
import { type TreeDef, unflatten } from "../../core/tree.js";
import type { ArraysOf, In, Ins, Structure } from "../../core/types.js";
import { isZero, Zero } from "../../core/zero.js";
import { flattenArrays, nameOf, requireFunction } from "../arguments.js";
import { requirePair } from "./trees.js";
import { applyCustomVjp, cotangentsGiven } from "./vjp.js";

type AnyFunction = (...args: never[]) => unknown;

/** What a function gives to `customGradient`: its result, and the function from cotangents of it to those of the arguments. */
export type WithGradient<A extends readonly unknown[], R> = readonly [
  result: R,
  gradient: (cotangent: ArraysOf<R>) => In<A[0]> | null | readonly (In<A[number]> | null)[],
];

/**
 * A function that gives its own gradient along with its value: `fun` returns `[value, g => cotangents]`, a list of them if it
 * has several arguments. Reverse mode only; values that the gradient closes over are kept for it.
 * @throws as customVjp.
 * @example
 * const f = customGradient((x) => [np.square(x), (g: NDArray) => g.mul(3).mul(x)]);
 * const slope = grad(f)(2); // 6
 */
export function customGradient<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  fun: (...args: A) => WithGradient<A, R>,
): (...args: Ins<A>) => ArraysOf<R> {
  requireFunction(fun, "customGradient");
  const name = nameOf(fun);
  const hint = "return [result, cotangent => [cotangents of the arguments]]";
  return (...args: Ins<A>): ArraysOf<R> => {
    const { leaves, def } = flattenArrays(args, `${name}: argument `);
    let outDef: TreeDef | undefined;
    const run = (xs: readonly NDArray[]): { readonly outs: readonly NDArray[]; readonly gradient: AnyFunction } => {
      const [y, gradient] = requirePair(fun(...(unflatten(def, xs) as never)), name, hint);
      requireFunction(gradient, "customGradient");
      const out = flattenArrays(y, `the result of ${name}`);
      outDef = out.def;
      return { outs: out.leaves, gradient: gradient as AnyFunction };
    };
    const outs = applyCustomVjp(
      {
        name,
        numConsts: 0,
        fun: (xs) => run(xs).outs,
        rule(xs) {
          const { outs, gradient } = run(xs);
          const shape = outDef!;
          const types = xs.map((x) => strengthen(x.aval));
          let nonzero: readonly boolean[] = [];
          // staged: what it closes over become residuals, which later traces may follow
          const { jaxpr, consts } = stage(
            (cts) => {
              let next = 0;
              const tree = unflatten(
                shape,
                outs.map((y) => (isFloat(y.dtype) ? cts[next++]! : null)),
              );
              const given = gradient(...([tree] as never[]));
              const listed = def.children.length === 1 && !isListOfOne(given) ? [given] : given;
              const grads = cotangentsGiven(listed, def, types, name);
              nonzero = grads.map((g) => !isZero(g));
              return grads.filter((g): g is NDArray => !isZero(g));
            },
            outs.filter((y) => isFloat(y.dtype)).map((y) => strengthen(y.aval)),
            { kind: `the gradient of ${name}` },
          );
          return {
            outs,
            residuals: consts,
            pull(residuals, cts) {
              const grads = evalJaxpr(jaxpr, [...residuals, ...cts.filter((ct): ct is NDArray => ct !== null)]);
              let next = 0;
              return types.map((a, i) => (nonzero[i] ? grads[next++]! : new Zero(a)));
            },
          };
        },
      },
      leaves,
    );
    return unflatten(outDef!, outs) as ArraysOf<R>;
  };
}

const isListOfOne = (x: unknown): boolean => Array.isArray(x) && x.length === 1;

/**
 * Makes the values that a function closes over and that are being differentiated its arguments: gives
 * `[converted, values]`, where `converted(...args, ...values)` is `fun(...args)`.
 *
 * For functions that take functions and have rules of their own: a rule is about arguments only.
 * @example
 * const [g, values] = closureConvert((x) => x.mul(2), 1);
 * const y = g(3, ...values); // 6
 */
export function closureConvert<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  fun: (...args: A) => R,
  ...examples: Ins<NoInfer<A>>
): [converted: (...args: readonly unknown[]) => ArraysOf<R>, values: NDArray[]] {
  requireFunction(fun, "closureConvert");
  const { leaves, def } = flattenArrays(examples, "closureConvert: example ");
  let outDef: TreeDef = def;
  const { jaxpr, consts } = stage(
    (xs) => {
      const out = flattenArrays(fun(...(unflatten(def, xs) as unknown as A)), `the result of ${nameOf(fun)}`);
      outDef = out.def;
      return out.leaves;
    },
    leaves.map((x) => x.aval),
    { kind: `closureConvert of ${nameOf(fun)}` },
  );
  const hoisted = consts.map((x) => x instanceof Tracer && isFloat(x.dtype));
  const count = def.children.length;
  const converted = (...args: readonly unknown[]): ArraysOf<R> => {
    const values = args.slice(count) as NDArray[];
    let next = 0;
    const all = consts.map((x, i) => (hoisted[i] ? values[next++]! : x));
    const { leaves: xs } = flattenArrays(args.slice(0, count), `${nameOf(fun)}: argument `);
    return unflatten(outDef, evalJaxpr(jaxpr, [...all, ...xs])) as ArraysOf<R>;
  };
  return [converted, consts.filter((_, i) => hoisted[i])];
}
