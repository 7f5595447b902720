import type { NDArray } from "../../core/array.js";
import type { Aval, HostArray } from "../../core/aval.js";
import { debugEffect, ioEffect, orderedDebugEffect, orderedIoEffect } from "../../core/effects.js";
import { TransformError } from "../../core/errors.js";
import { type BatchResult, none } from "../../core/primitive.js";
import { bind } from "../../core/trace.js";
import {
  batchInFront,
  concatenate,
  definePrimitive,
  expandDims,
  moveAxis,
  slice,
  squeeze,
} from "../../primitives/all.js";
import type { PrimitiveDefinition } from "../../primitives/all.js";
import { scanPrimitive } from "../control/scan.js";
import { stageClosed, stacked } from "../control/shared.js";
import { nameOf } from "../arguments.js";
import { callHost, type HostCallback, type HostResults } from "./host.js";

/** How a callback is called for a batch of examples; see `pureCallback`. */
export type VmapMethod = "sequential" | "sequentialUnrolled" | "expandDims" | "broadcastAll" | "legacyVectorized";

export interface DebugParams {
  readonly callback: HostCallback;
  readonly ordered: boolean;
  /** Of debug.print. */
  readonly fmt?: string | undefined;
}
export interface PureParams {
  readonly callback: HostCallback;
  readonly results: HostResults;
  readonly vmapMethod: VmapMethod | null;
}
export interface IoParams {
  readonly callback: HostCallback;
  /** undefined: it gives nothing. */
  readonly results: HostResults | undefined;
  readonly ordered: boolean;
}

/** How a primitive that calls back becomes steps. */
function lowered<P extends { readonly callback: HostCallback }>(
  evaluate: (inputs: readonly HostArray[], params: P) => readonly HostArray[],
) {
  return {
    kind: "callback" as const,
    host: (params: P, inputs: readonly Aval[], outputs: readonly Aval[]) => ({
      name: nameOf(params.callback.f),
      inputs,
      outputs,
      call: (given: readonly HostArray[]) => evaluate(given, params),
    }),
  };
}

/** Example i of operands that are batched along `dims`. */
const example = (inputs: readonly NDArray[], dims: readonly (number | null)[], i: number): NDArray[] =>
  inputs.map((x, k) => {
    const dim = dims[k]!;
    if (dim === null) return x;
    const part = slice(
      x,
      x.shape.map((_, j) => (j === dim ? i : 0)),
      x.shape.map((n, j) => (j === dim ? i + 1 : n)),
    );
    return squeeze(part, [dim]);
  });

/** One call an example, one after another, as rounds of a scan. */
function inRounds<P>(
  primitive: PrimitiveDefinition<P>,
  size: number,
  inputs: readonly NDArray[],
  dims: readonly (number | null)[],
  params: P,
): BatchResult {
  const shared = inputs.flatMap((_, i) => (dims[i] === null ? [i] : []));
  const own = inputs.flatMap((_, i) => (dims[i] === null ? [] : [i]));
  const order = [...shared, ...own];
  const fronted = own.map((i) => moveAxis(inputs[i]!, dims[i]!, 0));
  const jaxpr = stageClosed(
    (args) =>
      bind(
        primitive,
        inputs.map((_, i) => args[order.indexOf(i)]!),
        params,
      ),
    [...shared.map((i) => inputs[i]!.aval), ...fronted.map((x) => ({ ...x.aval, shape: x.shape.slice(1) }))],
    `vmap of ${primitive.name}`,
  );
  const outs = bind(scanPrimitive, [...shared.map((i) => inputs[i]!), ...fronted], {
    jaxpr,
    length: size,
    reverse: false,
    consts: shared.length,
    carry: 0,
  });
  return { outs, dims: outs.map(() => 0) };
}

function debugPrimitive(name: string): PrimitiveDefinition<DebugParams> {
  const evaluate = (inputs: readonly HostArray[], { callback }: DebugParams): readonly HostArray[] =>
    callHost(callback, inputs, undefined);
  const primitive: PrimitiveDefinition<DebugParams> = definePrimitive<DebugParams>({
    name,
    abstract: () => [],
    evaluate,
    jvp: (primals, _tangents, params) => ({ outs: bind(primitive, primals, params), tangents: [] }),
    transpose: (_cts, inputs) => inputs.map(() => null),
    batch(size, inputs, dims, params) {
      for (let i = 0; i < size; i++) bind(primitive, example(inputs, dims, i), params);
      return { outs: [], dims: [] };
    },
    lower: lowered(evaluate),
    facts: {},
    effects: ({ ordered }) => (ordered ? orderedDebugEffect : debugEffect),
    printParams: ({ callback, fmt, ordered }) =>
      fmt === undefined ? { callback: nameOf(callback.f), ordered } : { fmt: JSON.stringify(fmt), ordered },
  });
  return primitive;
}

/** Calls a function that looks at values; it gives nothing. */
export const debugCallbackPrimitive: PrimitiveDefinition<DebugParams> = debugPrimitive("debug_callback");

/** Prints values. */
export const debugPrintPrimitive: PrimitiveDefinition<DebugParams> = debugPrimitive("debug_print");

const batchedResults = ({ def, avals }: HostResults, size: number): HostResults => ({
  def,
  avals: avals.map((a) => stacked(a, size)),
});

const hidden = (mode: string) =>
  none(`it hides what it computes from ${mode}`, () => {
    return new TransformError({
      code: "callback-derivative",
      message: `pureCallback has no derivative: what its function computes is hidden from ${mode}`,
      hint: "wrap the call in customJvp or customVjp, with a rule of your own, or take stopGradient of its arguments",
    });
  });

const evaluatePure = (inputs: readonly HostArray[], { callback, results }: PureParams): readonly HostArray[] =>
  callHost(callback, inputs, results);

/** Calls a function whose results depend on its arguments alone. */
export const pureCallbackPrimitive: PrimitiveDefinition<PureParams> = definePrimitive<PureParams>({
  name: "pure_callback",
  abstract: (_avals, { results }) => results.avals,
  evaluate: evaluatePure,
  jvp: hidden("forward mode"),
  transpose: hidden("reverse mode"),
  batch(size, inputs, dims, params) {
    const once = (operands: readonly NDArray[]): BatchResult => {
      const outs = bind(pureCallbackPrimitive, operands, { ...params, results: batchedResults(params.results, size) });
      return { outs, dims: outs.map(() => 0) };
    };
    const front = (shared: (x: NDArray) => NDArray): NDArray[] =>
      inputs.map((x, i) => (dims[i] === null ? shared(x) : moveAxis(x, dims[i]!, 0)));
    switch (params.vmapMethod) {
      case "sequential":
        return inRounds(pureCallbackPrimitive, size, inputs, dims, params);
      case "sequentialUnrolled": {
        const rounds = Array.from({ length: size }, (_, i) =>
          bind(pureCallbackPrimitive, example(inputs, dims, i), params),
        );
        if (size === 0) return inRounds(pureCallbackPrimitive, size, inputs, dims, params);
        const outs = params.results.avals.map((_, k) =>
          concatenate(
            rounds.map((r) => expandDims(r[k]!, [0])),
            0,
          ),
        );
        return { outs, dims: outs.map(() => 0) };
      }
      case "expandDims":
        return once(front((x) => expandDims(x, [0])));
      case "broadcastAll":
        return once(front((x) => batchInFront(x, null, size)));
      case "legacyVectorized":
        return once(front((x) => x));
      case null:
        throw new TransformError({
          code: "callback-vmap",
          message: "vmap of pureCallback needs to know how the function takes a batch of examples",
          hint: 'say so with vmapMethod: "sequential" (a call an example), or "expandDims" or "broadcastAll" (one call with a leading axis)',
        });
    }
  },
  lower: lowered(evaluatePure),
  facts: {},
  printParams: ({ callback, vmapMethod }) => ({ callback: nameOf(callback.f), vmapMethod }),
});

const evaluateIo = (inputs: readonly HostArray[], { callback, results }: IoParams): readonly HostArray[] =>
  callHost(callback, inputs, results);

const noDerivative = none("an effect has no derivative", () => {
  return new TransformError({
    code: "callback-derivative",
    message: "ioCallback has no derivative: what its function does is hidden from differentiation",
    hint: "take stopGradient of its arguments, or wrap the call in customVjp with a rule of your own",
  });
});

/** Calls a function that does something in the world. */
export const ioCallbackPrimitive: PrimitiveDefinition<IoParams> = definePrimitive<IoParams>({
  name: "io_callback",
  abstract: (_avals, { results }) => results?.avals ?? [],
  evaluate: evaluateIo,
  jvp: noDerivative,
  transpose: noDerivative,
  batch(size, inputs, dims, params) {
    if (params.ordered) {
      throw new TransformError({
        code: "callback-vmap",
        message: "vmap of an ordered ioCallback: examples have no order",
        hint: "leave `ordered` out where any order will do, or call it in a lax.scan over the examples",
      });
    }
    return inRounds(ioCallbackPrimitive, size, inputs, dims, params);
  },
  lower: lowered(evaluateIo),
  facts: {},
  effects: ({ ordered }) => (ordered ? orderedIoEffect : ioEffect),
  printParams: ({ callback, ordered }) => ({ callback: nameOf(callback.f), ordered }),
});
