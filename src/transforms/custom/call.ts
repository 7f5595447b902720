import type { NDArray } from "../../core/array.js";
import { formatAval, sameShape } from "../../core/aval.js";
import { ArgumentError, TransformError } from "../../core/errors.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { describeValue } from "../../core/literal.js";
import type { Tangent } from "../../core/primitive.js";
import { currentStaging, type Trace, Tracer, withTrace } from "../../core/trace.js";
import { type TreeDef, unflatten } from "../../core/tree.js";
import { isZero } from "../../core/zero.js";
import { flattenArrays } from "../arguments.js";
import { JvpTracer } from "../jvp.js";
import { type BatchDim, BatchTrace, BatchTracer, moveBatchAxis } from "../vmap.js";

/**
 * What functions with rules of their own share. Such a function is no equation while values are at hand: it runs as it is,
 * or its rule does, where the trace that is highest meets it. Only staging makes an equation of it, with the function as
 * inner jaxpr and the rules beside it.
 */
export type FlatFunction = (xs: readonly NDArray[]) => readonly NDArray[];

/** The trace that `bind` would hand an operation on these values to. */
export function topTrace(inputs: readonly NDArray[]): Trace | undefined {
  let top = currentStaging();
  for (const x of inputs)
    if (x instanceof Tracer && (top === undefined || x.tracedBy.level > top.level)) top = x.tracedBy;
  return top;
}

/**
 * Batching of a function that runs later, or below another trace, than the batching that met it: values which it closes over
 * and which that one batches are batched in it too.
 */
class SubBatchTrace extends BatchTrace {
  private readonly root: BatchTrace;
  constructor(level: number, of: BatchTrace) {
    super(level, of.size, of.kind, of.axis?.name);
    this.root = of instanceof SubBatchTrace ? of.root : of;
  }
  private owns(x: NDArray): x is BatchTracer {
    if (!(x instanceof BatchTracer)) return false;
    const by = x.tracedBy;
    return by === this.root || (by instanceof SubBatchTrace && by.root === this.root);
  }
  override lift(x: NDArray): Tracer {
    return this.owns(x) ? new BatchTracer(this, x.value, x.dim) : super.lift(x);
  }
  override split(x: NDArray): [value: NDArray, dim: BatchDim] {
    return this.owns(x) ? [x.value, x.dim] : super.split(x);
  }
}

/** A batching of one size, by which functions are run one example at a time. */
export interface Batching {
  readonly size: number;
  run<R>(body: (batch: OpenBatch) => R): R;
}

/** A batching while it runs. */
export interface OpenBatch {
  wrap(x: NDArray, dim: BatchDim): NDArray;
  split(x: NDArray): [value: NDArray, dim: BatchDim];
  /** The value with its batch axis (repeated if it has none) at `to`. */
  at(x: NDArray, to: number): NDArray;
}

/** Batching as `of` does it, or anew for `size` examples along an axis that may have a name. */
export function batchingOf(of: BatchTrace | number, axisName?: string): Batching {
  const size = typeof of === "number" ? of : of.size;
  return {
    size,
    run: (body) =>
      withTrace(
        (level) =>
          typeof of === "number" ? new BatchTrace(level, of, "vmap", axisName) : new SubBatchTrace(level, of),
        false,
        (trace) =>
          body({
            wrap: (x, dim) => (dim === null ? x : new BatchTracer(trace, x, dim)),
            split: (x) => trace.split(x),
            at(x, to) {
              const [value, dim] = trace.split(x);
              return moveBatchAxis(value, dim, to, size);
            },
          }),
      ),
  };
}

/** A flat function over a whole batch; all its results are batched, along axis 0. */
export const batched =
  (f: FlatFunction, batching: Batching, dims: readonly BatchDim[]): FlatFunction =>
  (values) =>
    batching.run((b) => f(values.map((x, i) => b.wrap(x, dims[i]!))).map((y) => b.at(y, 0)));

/** Refuses results that depend on a traced value which the function, or its rule, was not given. */
export function refuseClosedOver(results: readonly Tangent[], level: number | undefined, name: string): void {
  for (const x of results) {
    if (isZero(x) || !(x instanceof Tracer)) continue;
    if (level === undefined ? x instanceof JvpTracer : x.tracedBy.level >= level) throw closedOver(name);
  }
}

/** A staged function keeps what it closed over as its first operands: they must not move. */
export function refuseMovingConsts(tangents: readonly Tangent[], numConsts: number, name: string): void {
  for (let i = 0; i < numConsts; i++) if (!isZero(tangents[i]!)) throw closedOver(name);
}

function closedOver(name: string): TransformError {
  return new TransformError({
    code: "custom-closure",
    message: `${name} is differentiated with respect to a value that it closes over; its rule is about its arguments only`,
    hint: "make the value an argument of the function, and of its rule",
  });
}

/** The rule's results must have the types of the function's own. */
export function requireSameTypes(outs: readonly NDArray[], jaxpr: Jaxpr, name: string, rule: string): void {
  const fits =
    outs.length === jaxpr.outs.length &&
    outs.every((x, i) => {
      const a = jaxpr.outs[i]!.aval;
      return x.dtype === a.dtype && sameShape(x.shape, a.shape);
    });
  if (fits) return;
  throw new TransformError({
    code: "custom-types",
    message: `the ${rule} rule of ${name} must give the same results as the function`,
    details: [
      ["function", jaxpr.outs.map((a) => formatAval(a.aval)).join(", ")],
      ["rule", outs.map((x) => formatAval(x.aval)).join(", ")],
    ],
  });
}

/** Positions of arguments that are handed to rules as they are. */
export function nondiffPositions(
  argnums: readonly number[],
  count: number,
  name: string,
  option = "nondiffArgnums",
): number[] {
  return argnums.map((i) => {
    const k = i < 0 ? i + count : i;
    if (k >= 0 && k < count) return k;
    throw new ArgumentError({
      code: "argnums",
      message: `${name}: ${option} names argument ${i}, but the call has ${count}`,
    });
  });
}

/** Checks the list given as nondiffArgnums. */
export function argnumsList(x: unknown, what: string, option = "nondiffArgnums"): readonly number[] {
  if (x === undefined) return [];
  const list: unknown = typeof x === "number" ? [x] : x;
  if (Array.isArray(list) && list.every((i) => Number.isInteger(i))) return list as number[];
  throw new ArgumentError({
    code: "argnums",
    message: `${what}: ${option} must be a whole number or a list of them, got ${describeValue(x)}`,
  });
}

/** Puts differentiated arguments back between those that are not. */
export function merged(args: readonly unknown[], positions: readonly number[], dynamic: readonly unknown[]): unknown[] {
  let next = 0;
  return args.map((a, i) => (positions.includes(i) ? a : dynamic[next++]));
}

/** The arguments of one call: those that rules get as they are, and the arrays of the others. */
export interface SplitArguments {
  readonly positions: readonly number[];
  readonly fixed: readonly unknown[];
  readonly leaves: readonly NDArray[];
  readonly def: TreeDef;
  /** All arguments again, with other values as arrays. */
  all(leaves: readonly NDArray[]): never[];
}

/** @throws ArgumentError `argnums`, TreeError where an argument that is to be differentiated is no tree of arrays. */
export function splitArguments(args: readonly unknown[], nondiff: readonly number[], name: string): SplitArguments {
  const positions = nondiffPositions(nondiff, args.length, name);
  const { leaves, def } = flattenArrays(
    args.filter((_, i) => !positions.includes(i)),
    `${name}: argument `,
    "name arguments that are no arrays in nondiffArgnums",
  );
  return {
    positions,
    fixed: positions.map((k) => args[k]),
    leaves,
    def,
    all: (xs) => merged(args, positions, unflatten(def, xs) as unknown[]) as never[],
  };
}

/** A function that was given no rule. */
export function missingRule(name: string, kind: string, how: string): TransformError {
  return new TransformError({
    code: "custom-rule-missing",
    message: `${kind} of ${name} has no rule yet`,
    hint: `define it with ${how}`,
  });
}
