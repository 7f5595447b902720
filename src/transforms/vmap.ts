import { type ConcreteArray, NDArray } from "../core/array.js";
import { type Aval, formatAval, normalizeAxis } from "../core/aval.js";
import { ArgumentError, counted, InternalError, invariant, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { describeValue } from "../core/literal.js";
import { memoize } from "../core/memo.js";
import { type AnyPrimitive, type BatchResult, ruleOf } from "../core/primitive.js";
import { stage } from "../core/staging.js";
import type { NamedAxis } from "../core/named-axes.js";
import { Trace, Tracer, withTrace } from "../core/trace.js";
import { broadcastPrefix, leafPaths, unflatten } from "../core/tree.js";
import type { ArraysOf, Ins, Structure } from "../core/types.js";
import { batchInFront, moveAxis } from "../primitives/all.js";
import { signature } from "../core/calling.js";
import { flattenArrays, nameOf, requireFunction } from "./arguments.js";

/** Where the mapped axis of a value stands; null: it has none. */
export type BatchDim = number | null;

/** A value of one example, standing for a whole batch of them along `dim` of `value`. */
export class BatchTracer extends Tracer {
  readonly aval: Aval;
  constructor(
    trace: BatchTrace,
    readonly value: NDArray,
    readonly dim: number,
  ) {
    super(trace);
    const { shape, dtype, weakType } = value.aval;
    this.aval = { shape: shape.filter((_, i) => i !== dim), dtype, weakType };
  }
}

/** Batching: applies operations to all examples at once. */
export class BatchTrace extends Trace {
  override readonly axis: NamedAxis | undefined;
  /** Whose rule is running. */
  private running: string | undefined;
  constructor(
    level: number,
    readonly size: number,
    readonly kind: string,
    axisName?: string,
  ) {
    super(level);
    this.axis = axisName === undefined ? undefined : { name: axisName, size };
  }

  lift(x: NDArray): Tracer {
    return new UnbatchedTracer(this, x);
  }

  process(primitive: AnyPrimitive, inputs: readonly Tracer[], params: unknown): readonly NDArray[] {
    const pairs = inputs.map((t) => this.split(t));
    const rule = ruleOf(primitive.batch, primitive, "batching");
    // Rules bind operations of lower traces; one that hands on the name of this axis would come back for ever.
    if (this.running !== undefined)
      throw new InternalError(`the batching rule of ${this.running} left ${primitive.name} on the mapped axis`);
    this.running = primitive.name;
    let result: BatchResult;
    try {
      result = rule(
        this.size,
        pairs.map((p) => p[0]),
        pairs.map((p) => p[1]),
        params as never,
        this.axis?.name,
      );
    } finally {
      this.running = undefined;
    }
    const { outs, dims } = result;
    return outs.map((x, i) => {
      const dim = dims[i] ?? null;
      return dim === null ? x : new BatchTracer(this, x, dim);
    });
  }

  split(x: NDArray): [value: NDArray, dim: BatchDim] {
    if (x instanceof BatchTracer && x.tracedBy === this) return [x.value, x.dim];
    if (x instanceof UnbatchedTracer && x.tracedBy === this) return [x.value, null];
    return [x, null];
  }
}

/** A value of a lower trace among the operands of a batched operation. */
class UnbatchedTracer extends Tracer {
  constructor(
    trace: BatchTrace,
    readonly value: NDArray,
  ) {
    super(trace);
  }
  get aval(): Aval {
    return this.value.aval;
  }
  override concrete(): ConcreteArray | undefined {
    return this.value.concrete();
  }
}

/** Moves the batch axis of `x` from `from` to `to`; an unbatched value (null) is repeated `size` times along it. */
export function moveBatchAxis(x: NDArray, from: BatchDim, to: number, size: number): NDArray {
  return from === null ? moveAxis(batchInFront(x, null, size), 0, to) : moveAxis(x, from, to);
}

/** Maps a function of flat arrays over the given axes; operations in it may speak of the mapped axis by `axisName`. */
export function vmapFlat(
  f: (xs: readonly NDArray[]) => readonly NDArray[],
  size: number,
  inputs: readonly NDArray[],
  dims: readonly BatchDim[],
  kind = "vmap",
  axisName?: string,
): [outs: NDArray[], dims: BatchDim[]] {
  return withTrace(
    (level) => new BatchTrace(level, size, kind, axisName),
    false,
    (trace) => {
      const outs = f(inputs.map((x, i) => (dims[i] === null ? x : new BatchTracer(trace, x, dims[i]!))));
      const pairs = outs.map((x) => trace.split(x));
      return [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
    },
  );
}

/**
 * The jaxpr of a jaxpr mapped over `size` examples, whose inputs are batched along `dims`; batched results lead with the axis.
 * Its operations on the axis `axisName` are resolved; those on other names stay.
 */
export const batchJaxpr = memoize(
  (
    jaxpr: Jaxpr,
    size: number,
    dims: readonly BatchDim[],
    axisName?: string,
  ): { readonly jaxpr: Jaxpr; readonly outDims: readonly BatchDim[] } => {
    let outDims: readonly BatchDim[] = [];
    const { jaxpr: result, consts } = stage(
      (args) => {
        const [outs, found] = vmapFlat((xs) => evalJaxpr(jaxpr, xs), size, args, dims, "vmap", axisName);
        outDims = found.map((d) => (d === null ? null : 0));
        return outs.map((x, i) => (found[i] === null ? x : moveBatchAxis(x, found[i]!, 0, size)));
      },
      jaxpr.inVars.map((v, i) => insertAxis(v.aval, dims[i]!, size)),
    );
    invariant(consts.length === 0, "a batching captured a value");
    return { jaxpr: result, outDims };
  },
);

function insertAxis(a: Aval, dim: BatchDim, size: number): Aval {
  return dim === null ? a : { ...a, shape: [...a.shape.slice(0, dim), size, ...a.shape.slice(dim)] };
}

/** Axes of a pytree of arrays: a number, null for "not mapped", or a container that is a prefix of the tree. */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

export interface VmapOptions {
  readonly inAxes?: Axes;
  readonly outAxes?: Axes;
  /** Name of the mapped axis, by which `lax.psum` and its family combine examples; null: it has none. */
  readonly axisName?: string | null;
  /** Number of examples, where no argument is mapped. */
  readonly axisSize?: number;
}

const vmapParams = signature<{ readonly f: (...args: never[]) => unknown } & VmapOptions>("vmap", 1, [
  "f",
  "inAxes",
  "outAxes",
  "axisName",
  "axisSize",
]);

const isAxis = (x: unknown): x is number | null => x === null || typeof x === "number";

/**
 * Vectorises a function over an axis of its arguments: the result computes all examples at once.
 *
 * `inAxes` says which axis of each argument is mapped (a list has one entry an argument; each may be a pytree prefix; null:
 * the argument is the same for all), `outAxes` where the mapped axis of each result goes (null: the result is the same for
 * all). Under an `axisName` examples may speak to each other: `lax.psum(x, "i")` is the sum over all of them.
 * @throws ArgumentError `vmap-axes`, `vmap-out-axes`, `axis-range`, `axis-name`; ShapeError `vmap-sizes`; TreeError
 * `tree-prefix`.
 * @example
 * const rows = vmap((w, x) => np.dot(w, x), { inAxes: [null, 0] });
 * rows(np.array([1, 10]), np.array([[1, 2], [3, 4]])); // [21, 43]
 * vmap((x) => x.sub(lax.pmean(x, "i")), { axisName: "i" })(np.array([1, 2, 6])); // [-2, -1, 3]
 */
export function vmap<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
  inAxes?: Axes | VmapOptions,
  outAxes?: Axes | VmapOptions,
  axisName?: string | null | VmapOptions,
  axisSize?: number | VmapOptions,
  options?: VmapOptions,
): (...args: Ins<A>) => ArraysOf<R>;
export function vmap(...given: unknown[]): (...args: unknown[]) => unknown {
  const { f, inAxes = 0, outAxes = 0, axisName = null, axisSize } = vmapParams(given);
  requireFunction(f, "vmap");
  const name = nameOf(f);
  if (inAxes instanceof NDArray) {
    throw new ArgumentError({
      code: "vmap-axes",
      message: `vmap(${name}): inAxes says which axes are mapped, got ${describeValue(inAxes)}`,
      hint: "vmap(f) is a function, which takes the arguments: vmap(f)(xs)",
    });
  }
  if (axisName !== null && (typeof axisName !== "string" || axisName === "")) {
    throw new ArgumentError({
      code: "axis-name",
      message: `vmap(${name}): axisName must be a string that is not empty, got ${describeValue(axisName)}`,
    });
  }
  return (...args) => {
    const { leaves, def } = flattenArrays(args, `vmap(${name}): argument `);
    if (Array.isArray(inAxes) && inAxes.length !== args.length) {
      throw new ArgumentError({
        code: "vmap-axes",
        message: `vmap(${name}): inAxes has ${counted(inAxes.length, "entry", "entries")} for ${counted(args.length, "argument")}`,
        hint: "a list given as inAxes has one entry an argument; give one number for all of them",
      });
    }
    const axes = broadcastPrefix(inAxes, def, isAxis, `vmap(${name}): inAxes`);
    const dims = leaves.map((x, i) =>
      axes[i] === null
        ? null
        : normalizeAxis(axes[i]!, x.ndim, `vmap(${name}): inAxes of argument ${leafPaths(def)[i]!}`),
    );
    const size = mappedSize(leaves, dims, axisSize, name, () => leafPaths(def));
    let outDef = def;
    const [outs, outDims] = vmapFlat(
      (xs) => {
        const out = flattenArrays(f(...(unflatten(def, xs) as never[])), `the result of ${name}`);
        outDef = out.def;
        return out.leaves;
      },
      size,
      leaves,
      dims,
      `vmap of ${name}`,
      axisName ?? undefined,
    );
    const targets = broadcastPrefix(outAxes, outDef, isAxis, `vmap(${name}): outAxes`);
    const placed = outs.map((x, i) => {
      const target = targets[i]!;
      if (target === null) {
        if (outDims[i] === null) return x;
        throw new ArgumentError({
          code: "vmap-out-axes",
          message: `vmap(${name}): result ${leafPaths(outDef)[i] || "0"} depends on the mapped axis, but its outAxes is null`,
          hint: "give it an axis, or reduce over the examples outside of vmap",
        });
      }
      const ndim = x.ndim + (outDims[i] === null ? 1 : 0);
      return moveBatchAxis(x, outDims[i]!, normalizeAxis(target, ndim, `vmap(${name}): outAxes`), size);
    });
    return unflatten(outDef, placed);
  };
}

function mappedSize(
  leaves: readonly NDArray[],
  dims: readonly BatchDim[],
  axisSize: unknown,
  name: string,
  paths: () => string[],
): number {
  const sizes = leaves.flatMap((x, i) => (dims[i] === null ? [] : [x.shape[dims[i]!]!]));
  if (axisSize !== undefined) {
    if (typeof axisSize !== "number" || !Number.isInteger(axisSize) || axisSize < 0) {
      throw new ArgumentError({
        code: "vmap-axes",
        message: `vmap(${name}): axisSize must be a whole number, got ${describeValue(axisSize)}`,
      });
    }
    sizes.push(axisSize);
  }
  const size = sizes[0];
  if (size === undefined) {
    throw new ArgumentError({
      code: "vmap-axes",
      message: `vmap(${name}) must have at least one mapped argument`,
      hint: "give an inAxes that is not null, or axisSize",
    });
  }
  if (sizes.some((s) => s !== size)) {
    throw new ShapeError({
      code: "vmap-sizes",
      message: `vmap(${name}): mapped axes have different sizes`,
      details: [
        ...leaves.flatMap((x, i): [string, string][] =>
          dims[i] === null
            ? []
            : [[`argument ${paths()[i]!}`, `${formatAval(x.aval)}, axis ${dims[i]}: ${x.shape[dims[i]!]}`]],
        ),
        ...(axisSize === undefined ? [] : [["axisSize", String(axisSize)] as [string, string]]),
      ],
      hint: "use inAxes to say which axis of each argument holds the examples; null for arguments shared by all",
    });
  }
  return size;
}
