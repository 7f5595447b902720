import type { NDArray } from "../../core/array.js";
import { type Aval, type HostArray, strengthen } from "../../core/aval.js";
import { type CheckedJaxpr, type CheckedResults, checkedResults, stateTypes } from "../../core/checks.js";
import { TransformError } from "../../core/errors.js";
import { evaluateJaxpr } from "../../core/host-interpreter.js";
import { evalJaxpr } from "../../core/interpreter.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { identityOf } from "../../core/structural-key.js";
import { touchesWorld } from "../../core/effects.js";
import { none, type Tangent } from "../../core/primitive.js";
import { bind } from "../../core/trace.js";
import { isZero } from "../../core/zero.js";
import {
  batchInFront,
  broadcastInDim,
  definePrimitive,
  instantiate,
  type PrimitiveDefinition,
  reduceOr,
  select,
  zerosOf,
} from "../../primitives/all.js";
import { Collected } from "../checkify/state.js";
import { type BatchDim, batchJaxpr, moveBatchAxis } from "../vmap.js";
import { checkedLoop, stateOf } from "./checked.js";
import { jvpBody } from "./scan-bodies.js";
import { chosen, effectsOfAll, present, requireOperands, spreadOver, stageClosed, widen } from "./shared.js";

/** A loop that ends when a condition fails. Operands: constants, then the first state. Results: the last state. */
export interface WhileParams {
  /** From constants and state to a bool scalar. */
  readonly condition: Jaxpr;
  /** From constants and state to the next state. */
  readonly body: Jaxpr;
  readonly consts: number;
  /** Examples end at different times: they are computed on, and what is computed for one that has ended is not used. */
  readonly perExample?: boolean;
}

function evaluate(inputs: readonly HostArray[], { condition, body, consts }: WhileParams): readonly HostArray[] {
  const fixed = inputs.slice(0, consts);
  let state = inputs.slice(consts);
  while (evaluateJaxpr(condition, [...fixed, ...state])[0]!.data[0] !== 0)
    state = evaluateJaxpr(body, [...fixed, ...state]);
  return state;
}

/** The loop with tangents: its operands, and which of the state has a tangent. */
function withTangents(primals: readonly NDArray[], tangents: readonly Tangent[], params: WhileParams) {
  const { condition, body, consts } = params;
  const size = primals.length - consts;
  const { jaxpr, moving } = jvpBody(
    body,
    consts,
    size,
    tangents.map((t) => !isZero(t)),
  );
  const movingState = moving.slice(consts);
  const tConsts = present(tangents.slice(0, consts));
  const tState = chosen(tangents.slice(consts), movingState).map(instantiate);
  const ofTangents = (list: readonly NDArray[]): Aval[] => list.map((t) => strengthen(t.aval));
  const types: (Aval | null)[] = [
    ...primals.slice(0, consts).map(() => null),
    ...ofTangents(tConsts),
    ...primals.slice(consts).map(() => null),
    ...ofTangents(tState),
  ];
  const operands = [...primals.slice(0, consts), ...tConsts, ...primals.slice(consts), ...tState];
  const loop: WhileParams = {
    ...params,
    condition: widen(condition, types),
    body: jaxpr,
    consts: consts + tConsts.length,
  };
  return {
    movingState,
    run: (): { readonly outs: readonly NDArray[]; readonly tangents: readonly Tangent[] } => {
      const results = bind(whilePrimitive, operands, loop);
      const outs = results.slice(0, size);
      return { outs, tangents: spreadOver(results.slice(size), movingState, (i) => outs[i]!.aval) };
    },
  };
}

interface BatchedLoop {
  readonly params: WhileParams;
  /** Which of the state is batched, in front. */
  readonly batched: readonly boolean[];
  /** The condition over all examples, where they differ in it: it is part of the state then. */
  readonly perExample: Jaxpr | undefined;
}

const batchedLoops = new WeakMap<Jaxpr, Map<string, BatchedLoop>>();

function batchedLoop(
  params: WhileParams,
  size: number,
  dims: readonly BatchDim[],
  axisName: string | undefined,
): BatchedLoop {
  const known = batchedLoops.get(params.body) ?? new Map<string, BatchedLoop>();
  batchedLoops.set(params.body, known);
  const key = `${identityOf(params.condition)}|${size}|${dims.join(",")}|${JSON.stringify(axisName)}`;
  let loop = known.get(key);
  if (!loop) known.set(key, (loop = batchLoop(params, size, dims, axisName)));
  return loop;
}

function batchLoop(
  { condition, body, consts, perExample }: WhileParams,
  size: number,
  dims: readonly BatchDim[],
  axisName: string | undefined,
): BatchedLoop {
  const constDims = dims.slice(0, consts);
  let batched = dims.slice(consts).map((d) => d !== null);
  const front = (): BatchDim[] => [...constDims, ...batched.map((is) => (is ? 0 : null))];
  let inner = batchJaxpr(body, size, front(), axisName);
  while (inner.outDims.some((d, i) => d !== null && !batched[i])) {
    batched = batched.map((is, i) => is || inner.outDims[i] !== null);
    inner = batchJaxpr(body, size, front(), axisName);
  }
  let holds = batchJaxpr(condition, size, front(), axisName);
  const differs = holds.outDims[0] !== null;
  if (differs) {
    if (touchesWorld(condition.effects) || touchesWorld(body.effects)) throw effectsOfAll("lax.whileLoop");
    // examples end at different times: all of the state differs from example to example
    batched = batched.map(() => true);
    inner = batchJaxpr(body, size, front(), axisName);
    holds = batchJaxpr(condition, size, front(), axisName);
  }
  const { jaxpr: step, outDims } = inner;
  const next = (args: readonly NDArray[]): NDArray[] =>
    evalJaxpr(step, args).map((x, i) => (batched[i] && outDims[i] === null ? batchInFront(x, null, size) : x));
  const types = step.inVars.map((v) => v.aval);
  if (!differs) {
    const params = { condition: holds.jaxpr, body: stageClosed(next, types, "batching of while"), consts };
    return { params, batched, perExample: undefined };
  }
  if (perExample) {
    // an example that has ended stays as it is: the loop goes on until all examples of all batches have
    const any = stageClosed((args) => [reduceOr(args[consts]!, args[consts]!.shape.map((_, k) => k))], types, "batching of while"); // prettier-ignore
    const params = { condition: any, body: stageClosed(next, types, "batching of while"), consts, perExample };
    return { params, batched, perExample: undefined };
  }
  const running: Aval = { shape: [size], dtype: "bool", weakType: false };
  const withRunning = [...types.slice(0, consts), running, ...types.slice(consts)];
  const any = stageClosed((args) => [reduceOr(args[consts]!, [0])], withRunning, "batching of while");
  const masked = stageClosed(
    (args) => {
      const fixed = args.slice(0, consts);
      const on = args[consts]!;
      const state = args.slice(consts + 1);
      const after = next([...fixed, ...state]).map((x, i) => select(broadcastInDim(on, x.shape, [0]), x, state[i]!));
      return [...evalJaxpr(holds.jaxpr, [...fixed, ...after]), ...after];
    },
    withRunning,
    "batching of while",
  );
  return { params: { condition: any, body: masked, consts, perExample: true }, batched, perExample: holds.jaxpr };
}

/** The condition is checked where it is computed: before the first round, and after each. */
function checkedWhile(
  inputs: readonly NDArray[],
  params: WhileParams,
  check: (jaxpr: Jaxpr) => CheckedJaxpr,
): CheckedResults {
  const condition = check(params.condition);
  const body = check(params.body);
  if (condition.sites.count + body.sites.count === 0) {
    const outs = bind(whilePrimitive, inputs, { ...params, condition: condition.jaxpr, body: body.jaxpr });
    return { outs, state: undefined };
  }
  if (params.perExample) {
    throw new TransformError({
      code: "checkify-batched-while",
      message: "checkify cannot go through a while loop that vmap has given a condition for each example",
      hint: "let vmap stand outside: vmap(checkify(f)) rather than checkify(vmap(f))",
    });
  }
  const { consts } = params;
  const { sites, slots, ...loop } = checkedLoop(condition, body, consts);
  const first = checkedResults(condition, evalJaxpr(stateOf(condition).jaxpr, inputs)).state;
  const before = stateTypes({ sites, slots }).map(zerosOf);
  const values = bind(whilePrimitive, [...inputs.slice(0, consts), ...before, ...inputs.slice(consts)], {
    ...loop,
    consts,
  });
  const { outs, state } = checkedResults({ sites, slots }, values);
  if (!first) return { outs, state };
  const found = new Collected();
  found.merge(first);
  found.merge(state!);
  return { outs, state: found.state() };
}

export const whilePrimitive: PrimitiveDefinition<WhileParams> = definePrimitive<WhileParams>({
  name: "while",
  abstract(avals, { condition, body, consts }) {
    for (const j of [condition, body])
      requireOperands(
        avals,
        j.inVars.map((v) => v.aval),
        "while",
      );
    return body.inVars.slice(consts).map((v) => v.aval);
  },
  evaluate,
  jvp: (primals, tangents, params) => withTangents(primals, tangents, params).run(),
  // the whole loop is run again with tangents: how often it runs is not known before
  linearize(primals, _nonzero, params) {
    const outs = bind(whilePrimitive, primals, params);
    return { outs, linear: (tangents) => withTangents(primals, tangents, params).run().tangents };
  },
  transpose: none(
    "reverse mode needs to know how many rounds a loop takes; use lax.scan, lax.foriLoop with bounds that are numbers, or lax.boundedWhile",
  ),
  batch(size, inputs, dims, params, axisName) {
    const { consts } = params;
    const { params: loop, batched, perExample } = batchedLoop(params, size, dims, axisName);
    const fixed = inputs.slice(0, consts);
    const state = inputs.slice(consts).map((x, i) => (batched[i] ? moveBatchAxis(x, dims[consts + i]!, 0, size) : x));
    const outDims = batched.map((is) => (is ? 0 : null));
    if (!perExample) return { outs: bind(whilePrimitive, [...fixed, ...state], loop), dims: outDims };
    const running = evalJaxpr(perExample, [...fixed, ...state]);
    return { outs: bind(whilePrimitive, [...fixed, ...running, ...state], loop).slice(1), dims: outDims };
  },
  lower: {
    kind: "loop",
    loop: ({ condition, body, consts }) => ({ condition, body, consts }),
  },
  facts: {},
  jaxprs: (p) => [p.condition, p.body],
  checked: checkedWhile,
});
