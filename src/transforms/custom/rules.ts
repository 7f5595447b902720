import type { NDArray } from "../../core/array.js";
import { checkedResults, stateSize, stateTypes } from "../../core/checks.js";
import { evaluateJaxpr } from "../../core/host-interpreter.js";
import { evalJaxpr } from "../../core/interpreter.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { ruleOf, type Tangent } from "../../core/primitive.js";
import { stage } from "../../core/staging.js";
import { bind } from "../../core/trace.js";
import { isZero } from "../../core/zero.js";
import { definePrimitive, type PrimitiveDefinition, zerosOf } from "../../primitives/all.js";
import {
  batched,
  type Batching,
  batchingOf,
  type FlatFunction,
  refuseClosedOver,
  refuseMovingConsts,
  requireSameTypes,
  topTrace,
} from "./call.js";
import { jitPrimitive } from "../jit-primitive.js";
import { type JvpRule, JvpTrace, JvpTracer } from "../jvp.js";
import { type BatchDim, BatchTrace, BatchTracer } from "../vmap.js";

/** A flat function with its own derivative. The first `numConsts` operands are what it closed over: its rule does not get them. */
export interface RuledCall<R> {
  readonly name: string;
  readonly fun: FlatFunction;
  readonly numConsts: number;
  readonly rule: R;
}

/** The same, staged. */
export interface RuledParams<R> extends Omit<RuledCall<R>, "fun"> {
  readonly jaxpr: Jaxpr;
}

/** Results, and the tangents that they move by. */
export interface Moved {
  readonly outs: readonly NDArray[];
  readonly tangents: readonly Tangent[];
}

/** What one kind of rule is. */
export interface RuleKind<R> {
  /** Of the primitive that stands for such a function in a jaxpr. */
  readonly name: string;
  /** What makes such functions, and what their rule is called. */
  readonly maker: string;
  readonly rule: string;
  /** Whether what the rule gives can itself be derived in the tangents. */
  readonly forward: boolean;
  /** The derivative by the rule; `level` is that of the trace that met the function, undefined where an equation did. */
  differentiate(
    name: string,
    rule: R,
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
    level: number | undefined,
  ): Moved;
  /** The rule over a batch: it sees one example. Results are batched along axis 0. */
  batch(rule: R, batching: Batching, dims: readonly BatchDim[]): R;
  /** The rule of the function that gives further results before its own, which are `extra` to its derivative. */
  prefix(rule: R, extra: () => readonly NDArray[]): R;
}

/** Functions with one kind of rule: how they are applied, and the primitive that they are when staged. */
export interface RuledFunctions<R> {
  /** Applies a function under whatever is running: as it is, by its rule, or as an equation. */
  apply(call: RuledCall<R>, inputs: readonly NDArray[]): readonly NDArray[];
  readonly primitive: PrimitiveDefinition<RuledParams<R>>;
}

/** Defines functions with their own derivatives; everything but a derivative sees the function. */
export function defineRuled<R>(kind: RuleKind<R>): RuledFunctions<R> {
  const differentiate = (
    { name, rule, numConsts }: Omit<RuledCall<R>, "fun">,
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
    level: number | undefined,
  ): Moved => {
    refuseMovingConsts(tangents, numConsts, name);
    return kind.differentiate(name, rule, primals.slice(numConsts), tangents.slice(numConsts), level);
  };

  const batch = (call: RuledCall<R>, batching: Batching, dims: readonly BatchDim[]): RuledCall<R> => ({
    ...call,
    fun: batched(call.fun, batching, dims),
    rule: kind.batch(call.rule, batching, dims.slice(call.numConsts)),
  });

  function apply(call: RuledCall<R>, inputs: readonly NDArray[]): readonly NDArray[] {
    const top = topTrace(inputs);
    if (top === undefined) {
      const outs = call.fun(inputs);
      refuseClosedOver(outs, undefined, call.name);
      return outs;
    }
    if (top instanceof JvpTrace) {
      const pairs = inputs.map((x) => top.split(x));
      const [primals, tangents] = [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
      const rule: JvpRule = (xs, ts, level) => differentiate(call, xs, ts, level);
      const moved = kind.forward ? top.apply(rule, primals, tangents) : rule(primals, tangents, top.level);
      return moved.outs.map((x, i) => {
        const t = moved.tangents[i]!;
        return isZero(t) ? x : new JvpTracer(top, x, t);
      });
    }
    if (top instanceof BatchTrace) {
      const pairs = inputs.map((x) => top.split(x));
      const [values, dims] = [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
      return apply(batch(call, batchingOf(top), dims), values).map((x) => new BatchTracer(top, x, 0));
    }
    const { name, rule } = call;
    const types = inputs.map((x) => x.aval);
    const { jaxpr, consts } = stage(call.fun, types, { kind: `${kind.maker} of ${name}` });
    const numConsts = consts.length + call.numConsts;
    return bind(primitive, [...consts, ...inputs], { name, jaxpr, rule, numConsts });
  }

  const primitive: PrimitiveDefinition<RuledParams<R>> = definePrimitive<RuledParams<R>>({
    name: kind.name,
    abstract: (_avals, { jaxpr }) => jaxpr.outs.map((a) => a.aval),
    evaluate: (inputs, { jaxpr }) => evaluateJaxpr(jaxpr, inputs),
    jvp(primals, tangents, params) {
      const moved = differentiate(params, primals, tangents, undefined);
      requireSameTypes(moved.outs, params.jaxpr, params.name, kind.rule);
      return moved;
    },
    transpose: (cts, inputs, { name, jaxpr }) =>
      ruleOf(jitPrimitive.transpose, jitPrimitive as never, "transpose")(cts, inputs, { name, jaxpr }),
    batch(size, inputs, dims, { jaxpr, ...call }, axisName) {
      const over = batch({ ...call, fun: (xs) => evalJaxpr(jaxpr, xs) }, batchingOf(size, axisName), dims);
      const outs = apply(over, inputs);
      return { outs, dims: outs.map(() => 0) };
    },
    lower: { kind: "call", jaxpr: (p) => p.jaxpr },
    facts: { ruled: kind.forward },
    checked(inputs, params, check) {
      const inner = check(params.jaxpr);
      // as in JAX, rules are not checked: under a derivative nothing fails in the function
      const rule =
        stateSize(inner) === 0 ? params.rule : kind.prefix(params.rule, () => stateTypes(inner).map(zerosOf));
      return checkedResults(inner, bind(primitive, inputs, { ...params, jaxpr: inner.jaxpr, rule }));
    },
    printParams: ({ name, jaxpr, numConsts }) => ({ name, callJaxpr: jaxpr, numConsts }),
    jaxprs: (p) => [p.jaxpr],
  });

  return { apply, primitive };
}
