import type { NDArray } from "../../core/array.js";
import { checkedResults, stateTypes } from "../../core/checks.js";
import { evaluateJaxpr } from "../../core/host-interpreter.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { ruleOf } from "../../core/primitive.js";
import { stage } from "../../core/staging.js";
import { bind } from "../../core/trace.js";
import { broadcastPrefix, unflatten } from "../../core/tree.js";
import type { ArraysOf, In, Ins, Structure } from "../../core/types.js";
import { definePrimitive, moveAxis, type PrimitiveDefinition, zerosOf } from "../../primitives/all.js";
import { flattenArrays, nameOf, requireFunction } from "../arguments.js";
import { type FlatFunction, missingRule, refuseClosedOver, topTrace } from "./call.js";
import { requirePair, Results } from "./trees.js";
import { jitPrimitive } from "../jit-primitive.js";
import { JvpTrace } from "../jvp.js";
import { type BatchDim, BatchTrace, BatchTracer } from "../vmap.js";

/** The batched form of a flat function, as somebody wrote it: batched operands lead with the axis. */
type FlatBatchRule = (
  size: number,
  isBatched: readonly boolean[],
  xs: readonly NDArray[],
) => { readonly outs: readonly NDArray[]; readonly batched: readonly boolean[] };

interface VmapCall {
  readonly name: string;
  readonly fun: FlatFunction;
  readonly rule: FlatBatchRule;
}

function applyCustomVmap({ name, fun, rule }: VmapCall, inputs: readonly NDArray[]): readonly NDArray[] {
  const top = topTrace(inputs);
  // a derivative is one of the function itself
  if (top === undefined || top instanceof JvpTrace) return fun(inputs);
  if (top instanceof BatchTrace) {
    const pairs = inputs.map((x) => top.split(x));
    const { outs, dims } = applyRule(
      rule,
      top.size,
      pairs.map((p) => p[0]),
      pairs.map((p) => p[1]),
    );
    refuseClosedOver(outs, top.level, name);
    return outs.map((x, i) => (dims[i] === null ? x : new BatchTracer(top, x, 0)));
  }
  const { jaxpr, consts } = stage(
    fun,
    inputs.map((x) => x.aval),
    { kind: `customVmap of ${name}` },
  );
  return bind(customVmapCall, [...consts, ...inputs], { name, jaxpr, rule, numConsts: consts.length });
}

function applyRule(
  rule: FlatBatchRule,
  size: number,
  xs: readonly NDArray[],
  dims: readonly BatchDim[],
): { readonly outs: readonly NDArray[]; readonly dims: readonly BatchDim[] } {
  const { outs, batched } = rule(
    size,
    dims.map((d) => d !== null),
    xs.map((x, i) => (dims[i] === null ? x : moveAxis(x, dims[i]!, 0))),
  );
  return { outs, dims: batched.map((is) => (is ? 0 : null)) };
}

interface CustomVmapParams {
  readonly name: string;
  readonly jaxpr: Jaxpr;
  readonly numConsts: number;
  readonly rule: FlatBatchRule;
}

/** A staged function that brings its own batching; everything else sees the function. */
const customVmapCall: PrimitiveDefinition<CustomVmapParams> = definePrimitive<CustomVmapParams>({
  name: "custom_vmap_call",
  abstract: (_avals, { jaxpr }) => jaxpr.outs.map((a) => a.aval),
  evaluate: (inputs, { jaxpr }) => evaluateJaxpr(jaxpr, inputs),
  jvp: (primals, tangents, { name, jaxpr }) =>
    ruleOf(jitPrimitive.jvp, jitPrimitive as never, "jvp")(primals, tangents, { name, jaxpr }),
  linearize: (primals, nonzero, { name, jaxpr }) => jitPrimitive.linearize!(primals, nonzero, { name, jaxpr }),
  transpose: (cts, inputs, { name, jaxpr }) =>
    ruleOf(jitPrimitive.transpose, jitPrimitive as never, "transpose")(cts, inputs, { name, jaxpr }),
  batch(size, inputs, dims, { name, jaxpr, numConsts, rule }, axisName) {
    // the rule knows nothing of values that the function closed over
    if (dims.slice(0, numConsts).some((d) => d !== null))
      return ruleOf(jitPrimitive.batch, jitPrimitive as never, "batching")(
        size,
        inputs,
        dims,
        { name, jaxpr },
        axisName,
      );
    return applyRule(rule, size, inputs.slice(numConsts), dims.slice(numConsts));
  },
  lower: { kind: "call", jaxpr: (p) => p.jaxpr },
  facts: {},
  checked(inputs, params, check) {
    const inner = check(params.jaxpr);
    const extra = stateTypes(inner);
    const rule: FlatBatchRule = (size, isBatched, xs) => {
      const { outs, batched } = params.rule(size, isBatched, xs);
      return { outs: [...extra.map(zerosOf), ...outs], batched: [...extra.map(() => false), ...batched] };
    };
    return checkedResults(inner, bind(customVmapCall, inputs, { ...params, jaxpr: inner.jaxpr, rule }));
  },
  printParams: ({ name, jaxpr }) => ({ name, call: jaxpr }),
  jaxprs: (p) => [p.jaxpr],
});

/** Booleans in place of the arrays of a tree. */
export type BatchedTree<T> = T extends NDArray | number | boolean
  ? boolean
  : T extends object
    ? { [K in keyof T]: BatchedTree<T[K]> }
    : T;

/** A function whose batching is what its rule says. */
export interface CustomVmap<A extends readonly unknown[], R> {
  (...args: Ins<A>): ArraysOf<R>;
  /**
   * Defines the rule: `(axisSize, isBatched, ...args) => [result, resultIsBatched]`. Batched arguments have the mapped axis in
   * front, and so have batched results; `isBatched` says for each array of each argument whether it is batched.
   */
  defVmap(
    rule: (
      axisSize: number,
      isBatched: { readonly [K in keyof A]: BatchedTree<A[K]> },
      ...args: A
    ) => readonly [In<R>, BatchedTree<ArraysOf<R>> | boolean],
  ): CustomVmap<A, R>;
}

type AnyFunction = (...args: never[]) => unknown;

/**
 * A function with its own rule for `vmap`: define it with `defVmap`. Its derivatives are those of the function itself.
 * @throws TransformError `custom-rule-missing`, `custom-pair`.
 * @example
 * const rowSum = customVmap((x) => np.sum(x));
 * rowSum.defVmap((size, [isBatched], x) => [np.sum(x, -1), isBatched]);
 * vmap(rowSum)(np.ones([2, 3])); // [3, 3]
 */
export function customVmap<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  fun: (...args: A) => R,
): CustomVmap<A, R>;
export function customVmap(fun: AnyFunction): unknown {
  requireFunction(fun, "customVmap");
  const name = nameOf(fun);
  let rule: AnyFunction | undefined;
  const call = (...args: unknown[]): unknown => {
    const defined = rule;
    if (!defined) throw missingRule(name, "customVmap", "defVmap");
    const { leaves, def } = flattenArrays(args, `${name}: argument `);
    const results = new Results();
    const outs = applyCustomVmap(
      {
        name,
        fun: (xs) => results.leaves(fun(...(unflatten(def, xs) as never[])), `the result of ${name}`),
        rule(size, isBatched, xs) {
          const given = defined(
            ...([size, unflatten(def, isBatched), ...(unflatten(def, xs) as unknown[])] as never[]),
          );
          const [y, flags] = requirePair(given, `the vmap rule of ${name}`, "return [result, whether it is batched]");
          const ys = results.leaves(y, `the result of the vmap rule of ${name}`);
          const isBoolean = (x: unknown): x is boolean => typeof x === "boolean";
          return {
            outs: ys,
            batched: broadcastPrefix(flags, results.def, isBoolean, `the second result of the vmap rule of ${name}`),
          };
        },
      },
      leaves,
    );
    return unflatten(results.def, outs);
  };
  Object.defineProperty(call, "name", { value: name });
  return Object.assign(call, {
    defVmap(given: AnyFunction) {
      requireFunction(given, "defVmap");
      rule = given;
      return call;
    },
  });
}
