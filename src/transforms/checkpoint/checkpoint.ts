import { NDArray } from "../../core/array.js";
import { formatAval } from "../../core/aval.js";
import { checkedCall } from "../../core/checks.js";
import { config } from "../../core/config.js";
import { signature } from "../../core/calling.js";
import { isRepeatable } from "../../core/effects.js";
import { ArgumentError, TransformError } from "../../core/errors.js";
import { evaluateJaxpr } from "../../core/host-interpreter.js";
import type { ClosedJaxpr, Jaxpr } from "../../core/jaxpr.js";
import { asArray, describeValue } from "../../core/literal.js";
import { isLinear, type Tangent } from "../../core/primitive.js";
import { stage } from "../../core/staging.js";
import { bind, boundAxesKey } from "../../core/trace.js";
import { flatten, type TreeDef, unflatten } from "../../core/tree.js";
import type { ArraysOf, In, Ins, Structure } from "../../core/types.js";
import { isZero, Zero } from "../../core/zero.js";
import { definePrimitive, type PrimitiveDefinition, unary } from "../../primitives/all.js";
import { flattenArrays, nameOf, requireFunction } from "../arguments.js";
import { type CheckpointPolicy, nameOp } from "./policies.js";
import { splitCheckpoint } from "./split.js";
import { argnumsList, merged, nondiffPositions } from "../custom/call.js";
import { jvpJaxpr } from "../jvp.js";
import { transposeJaxpr } from "../transpose.js";
import { batchJaxpr } from "../vmap.js";

export interface CheckpointParams {
  readonly name: string;
  readonly jaxpr: Jaxpr;
  readonly policy?: CheckpointPolicy | undefined;
  readonly preventCse: boolean;
  /** It computes a forward pass again, for a backward one. */
  readonly differentiated: boolean;
}

const effectsAgain = (name: string): TransformError =>
  new TransformError({
    code: "checkpoint-effects",
    message: `checkpoint(${name}) has an ioCallback inside, which its backward pass would call again`,
    hint: "call it outside of the checkpointed function",
  });

const present = (ts: readonly Tangent[]): NDArray[] => ts.filter((t): t is NDArray => !isZero(t));

function spread(values: readonly NDArray[], nonzero: readonly boolean[], zero: (i: number) => Zero): Tangent[] {
  let next = 0;
  return nonzero.map((is, i) => (is ? values[next++]! : zero(i)));
}

/**
 * A function whose backward pass computes the forward one again from its inputs and what its policy keeps. Where it has been
 * differentiated it is a barrier: nothing in it is shared with what stands outside, and it runs when its cotangents are there.
 */
const checkpointPrimitive: PrimitiveDefinition<CheckpointParams> = definePrimitive<CheckpointParams>({
  name: "checkpoint",
  abstract: (_avals, { jaxpr }) => jaxpr.outs.map((a) => a.aval),
  evaluate: (inputs, { jaxpr }) => evaluateJaxpr(jaxpr, inputs),
  jvp(primals, tangents, params) {
    const inner = jvpJaxpr(
      params.jaxpr,
      tangents.map((t) => !isZero(t)),
    );
    const results = bind(checkpointPrimitive, [...primals, ...present(tangents)], { ...params, jaxpr: inner.jaxpr });
    const outs = results.slice(0, params.jaxpr.outs.length);
    return { outs, tangents: spread(results.slice(outs.length), inner.outNonzero, (i) => new Zero(outs[i]!.aval)) };
  },
  linearize(primals, nonzero, params) {
    if (!isRepeatable(params.jaxpr.effects)) throw effectsAgain(params.name);
    const { forward, linear, numOuts, usedInputs, outNonzero } = splitCheckpoint(params.jaxpr, nonzero, params.policy);
    const results = bind(checkpointPrimitive, primals, { ...params, jaxpr: forward });
    const outs = results.slice(0, numOuts);
    const kept = [...usedInputs.map((i) => primals[i]!), ...results.slice(numOuts)];
    const again = { ...params, jaxpr: linear, differentiated: true };
    return {
      outs,
      linear: (tangents) =>
        outNonzero.some(Boolean)
          ? spread(
              bind(checkpointPrimitive, [...kept, ...present(tangents)], again),
              outNonzero,
              (i) => new Zero(outs[i]!.aval),
            )
          : outs.map((x) => new Zero(x.aval)),
    };
  },
  transpose(cts, inputs, params) {
    const linear = inputs.map(isLinear);
    const inner = transposeJaxpr(
      params.jaxpr,
      linear,
      cts.map((ct) => !isZero(ct)),
    );
    const known = inputs.filter((x): x is NDArray => !isLinear(x));
    const grads = inner.outNonzero.some(Boolean)
      ? bind(checkpointPrimitive, [...known, ...present(cts)], { ...params, jaxpr: inner.jaxpr })
      : [];
    const types = inputs.filter(isLinear).map((x) => x.aval);
    const all = spread(grads, inner.outNonzero, (i) => new Zero(types[i]!));
    let next = 0;
    return linear.map((is) => (is ? all[next++]! : null));
  },
  batch(size, inputs, dims, params, axisName) {
    const inner = batchJaxpr(params.jaxpr, size, dims, axisName);
    return { outs: bind(checkpointPrimitive, inputs, { ...params, jaxpr: inner.jaxpr }), dims: inner.outDims };
  },
  lower: { kind: "call", jaxpr: (p) => p.jaxpr },
  facts: { barrier: (p) => p.differentiated && p.preventCse },
  checked: checkedCall((inputs, params) => bind(checkpointPrimitive, inputs, params)),
  printParams: ({ differentiated, jaxpr, policy, preventCse }) => ({
    differentiated,
    jaxpr,
    policy: policy && (policy.name || "policy"),
    preventCse,
  }),
  jaxprs: (p) => [p.jaxpr],
});

/** A value under a name that checkpoint policies know. */
const namePrimitive: PrimitiveDefinition<{ readonly name: string }> = definePrimitive<{ readonly name: string }>({
  name: nameOp,
  abstract: ([x]) => [x!],
  evaluate: ([x]) => [x!],
  jvp: ([x], [t], { name }) => ({ outs: [named(x!, name)], tangents: [t!] }),
  transpose: ([ct]) => [ct!],
  batch: (_size, [x], [d], { name }) => ({ outs: [named(x!, name)], dims: [d!] }),
  lower: { kind: "element", element: ([x], index) => x!.at(index) },
  facts: { elementwise: true, view: true, reshapes: true, simplify: () => ({ same: 0 }) },
});
const named = (x: NDArray, name: string): NDArray => unary(namePrimitive, { name })(x);

/**
 * Names a value, or all arrays of a pytree, for checkpoint policies such as `saveOnlyTheseNames`. The values are unchanged.
 * @example
 * const f = checkpoint((x) => np.sin(checkpointName(np.sin(x), "inner")), {
 *   policy: checkpointPolicies.saveOnlyTheseNames("inner"),
 * });
 * grad(f)(1); // 0.36004
 */
export function checkpointName<T>(tree: In<T>, name: string): ArraysOf<T> {
  if (typeof name !== "string") {
    throw new ArgumentError({
      code: "checkpoint-names",
      message: `checkpointName takes a name, not ${describeValue(name)}`,
      hint: 'checkpointName(x, "activations")',
    });
  }
  const [leaves, def] = flatten(tree);
  return unflatten(
    def,
    leaves.map((x) => (x instanceof NDArray || typeof x === "number" ? named(asArray(x), name) : x)),
  ) as ArraysOf<T>;
}

export interface CheckpointOptions {
  /** Keep what is computed again apart from the forward pass; default true. False is safe inside `lax.scan`, and faster. */
  readonly preventCse?: boolean;
  /** What is kept for the backward pass beside the arguments; see `checkpointPolicies`. Default: nothing. */
  readonly policy?: CheckpointPolicy | null;
  /** Arguments that are not traced. */
  readonly staticArgnums?: number | readonly number[];
}

/** Traces kept of one checkpointed function, which is run again and again with operands of the same types. */
const maxTraces = 64;

const traceKey = (leaves: readonly NDArray[], def: TreeDef): string =>
  [def.key, ...leaves.map((x) => formatAval(x.aval)), String(config.enableX64), boundAxesKey()].join("|");

type AnyFunction = (...args: never[]) => unknown;
const checkpointParams = signature<{ readonly fun: AnyFunction } & CheckpointOptions>("checkpoint", 1, ["fun"], {
  byName: ["preventCse", "policy", "staticArgnums"],
});

/**
 * Trades time for memory: the same function, whose derivative keeps its arguments only (and what `policy` says) and computes
 * the values in between again when the backward pass needs them.
 * @throws ArgumentError `checkpoint-policy`, `argnums`.
 * @example
 * const layer = checkpoint((w, x) => np.tanh(np.dot(x, w)));
 * grad((w, x) => np.sum(layer(w, x)))(np.eye(3), np.ones([2, 3])); // float32[3, 3]
 */
export function checkpoint<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  fun: (...args: A) => R,
  options?: CheckpointOptions,
): (...args: Ins<A>) => ArraysOf<R>;
export function checkpoint(...given: unknown[]): unknown {
  const { fun, policy = null, preventCse = true, staticArgnums } = checkpointParams(given);
  requireFunction(fun, "checkpoint");
  const name = nameOf(fun);
  const statics = argnumsList(staticArgnums, "checkpoint", "staticArgnums");
  if (policy !== null && typeof policy !== "function") {
    throw new ArgumentError({
      code: "checkpoint-policy",
      message: `checkpoint: policy must be a function, got ${describeValue(policy)}`,
      hint: "use one of checkpointPolicies",
    });
  }
  const traces = new Map<string, ClosedJaxpr & { readonly outDef: TreeDef }>();
  const call = (...args: unknown[]): unknown => {
    const positions = nondiffPositions(statics, args.length, name, "staticArgnums");
    const { leaves, def } = flattenArrays(
      args.filter((_, i) => !positions.includes(i)),
      `checkpoint(${name}): argument `,
      "name arguments that are no arrays in staticArgnums",
    );
    const key = positions.length > 0 ? undefined : traceKey(leaves, def);
    let traced = key === undefined ? undefined : traces.get(key);
    if (!traced) {
      let outDef = def;
      const closed = stage(
        (xs) => {
          const all = merged(args, positions, unflatten(def, xs) as unknown[]);
          const out = flattenArrays(fun(...(all as never[])), `the result of ${name}`);
          outDef = out.def;
          return out.leaves;
        },
        leaves.map((x) => x.aval),
        { kind: `checkpoint of ${name}` },
      );
      traced = { ...closed, outDef };
      // what captures arrays may capture others the next time
      if (key !== undefined && closed.consts.length === 0) {
        if (traces.size >= maxTraces) traces.delete(traces.keys().next().value!);
        traces.set(key, traced);
      }
    }
    const outs = bind(checkpointPrimitive, [...traced.consts, ...leaves], {
      name,
      jaxpr: traced.jaxpr,
      policy: policy ?? undefined,
      preventCse,
      differentiated: false,
    });
    return unflatten(traced.outDef, outs);
  };
  return Object.defineProperty(call, "name", { value: name });
}
