import type { NDArray } from "../core/array.js";
import { type Aval, aval, type Shape, sizeOf } from "../core/aval.js";
import { type BatchResult, none, type Primitive } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { areAxes, list, requireArgument, requireShape } from "./checks.js";
import { full, ops, zerosOf } from "./define.js";
import { type Accepts, numeric, ordered, requireAccepted } from "./elementwise/operands.js";
import { linearJvp, linearTranspose } from "./linear-rules.js";
import { reduceMax, reduceMin } from "./reduce.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

/**
 * Collectives: operations on axes that are mapped over, which they know by name. Inside of the mapped function such an axis
 * is not there; batching over it puts it there and leaves reductions and movement along it, so nothing of them is left to
 * compile. Batching over another axis leaves them what they are. Each has the size of its axis in its params, so that its
 * type does not depend on where it is traced.
 */

const unmapped = none("it runs over a named axis; map over the axis first, with vmap(f, {axisName})");

/** One named axis of which the size is known. */
interface OneAxis {
  readonly axisName: string;
  readonly axisSize: number;
}
const nameOf = ({ axisName }: OneAxis): readonly string[] => [axisName];

/** Binds a collective after its checks, which batching alone would not make. */
function checked<P>(primitive: Primitive<P>, x: NDArray, params: P): NDArray {
  primitive.abstract([x.aval], params);
  return bind1(primitive, [x], params);
}

// Reductions

export interface AllReduceParams {
  /** Names of the axes that are reduced over; distinct. */
  readonly axes: readonly string[];
}

/** Reduction over named axes: every example gets the result. `same`: the reduction of `size` copies of x. */
function allReduce(
  name: string,
  what: Accepts,
  reduce: (x: NDArray, axes: readonly number[]) => NDArray,
  same: (x: NDArray, size: number) => NDArray,
): Pick<Primitive<AllReduceParams>, "name" | "abstract" | "evaluate" | "batch" | "axisNames"> & {
  readonly lower: typeof unmapped;
  readonly facts: Record<string, never>;
} {
  return {
    name,
    abstract: ([x]) => {
      requireAccepted(name, [x!], 0, what);
      return [x!];
    },
    evaluate: unmapped,
    batch: (size, [x], [d], { axes }, axisName) => {
      const again = (y: NDArray, over: readonly string[]): NDArray =>
        over.length === 0 ? y : bind1(allReductions[name]!, [y], { axes: over });
      if (axisName === undefined || !axes.includes(axisName)) return { outs: [again(x!, axes)], dims: [d!] };
      const y = d === null ? same(x!, size) : reduce(x!, [d!]);
      const others = axes.filter((a) => a !== axisName);
      return { outs: [again(y, others)], dims: [null] };
    },
    lower: unmapped,
    axisNames: ({ axes }) => axes,
    facts: {},
  };
}

/** `size` times x. */
const times = (x: NDArray, size: number): NDArray => ops.mul(x, full(size, x.aval));
const ofExtremes = none("as in JAX; take the extreme of what lax.allGather gives, which has one");

export const psumPrimitive: PrimitiveDefinition<AllReduceParams> = definePrimitive<AllReduceParams>({
  ...allReduce("psum", numeric, (x, axes) => ops.reduceSum(x, axes), times),
  jvp: linearJvp((x, { axes }) => psum(x, axes)),
  // The sum that every example gets is used by every example: its cotangents are summed over them.
  transpose: linearTranspose((ct, _x, { axes }) => psum(ct, axes)),
  facts: { hazards: { nan: true } },
});
export const pmaxPrimitive: PrimitiveDefinition<AllReduceParams> = definePrimitive<AllReduceParams>({
  ...allReduce("pmax", ordered, reduceMax, (x) => x),
  jvp: ofExtremes,
  transpose: none("it is not linear"),
});
export const pminPrimitive: PrimitiveDefinition<AllReduceParams> = definePrimitive<AllReduceParams>({
  ...allReduce("pmin", ordered, reduceMin, (x) => x),
  jvp: ofExtremes,
  transpose: none("it is not linear"),
});
const allReductions: Readonly<Record<string, Primitive<AllReduceParams>>> = {
  psum: psumPrimitive,
  pmax: pmaxPrimitive,
  pmin: pminPrimitive,
};

/** Sum over the examples along named axes. */
export const psum = (x: NDArray, axes: readonly string[]): NDArray => checked(psumPrimitive, x, { axes });
/** Maximum over the examples along named axes. */
export const pmax = (x: NDArray, axes: readonly string[]): NDArray => checked(pmaxPrimitive, x, { axes });
/** Minimum over the examples along named axes. */
export const pmin = (x: NDArray, axes: readonly string[]): NDArray => checked(pminPrimitive, x, { axes });

// Movement

export interface PermuteParams extends OneAxis {
  /** Source and destination of each move; no two have the same source or the same destination. */
  readonly perm: readonly (readonly [from: number, to: number])[];
}

export const ppermutePrimitive: PrimitiveDefinition<PermuteParams> = definePrimitive<PermuteParams>({
  name: "ppermute",
  abstract: ([x], { perm, axisSize, axisName }) => {
    const inRange = (k: number): boolean => Number.isInteger(k) && k >= 0 && k < axisSize;
    const sides = [perm.map((m) => m[0]), perm.map((m) => m[1])];
    requireArgument(
      sides.every((side) => side.every(inRange) && new Set(side).size === side.length),
      () => ({
        code: "permutation",
        message: `ppermute: the moves ${list(perm.map((m) => `${m[0]}→${m[1]}`))} do not pair distinct sources with distinct destinations along "${axisName}" of size ${axisSize}`,
        operands: [["operand", x!]],
        hint: "sources that are not named are dropped, destinations that are not named get 0",
      }),
    );
    return [x!];
  },
  evaluate: unmapped,
  jvp: linearJvp((x, p) => ppermute(x, p)),
  transpose: linearTranspose((ct, _x, { perm, ...axis }) =>
    ppermute(ct, { ...axis, perm: perm.map(([from, to]) => [to, from] as const) }),
  ),
  batch: (size, [x], [d], params, axisName): BatchResult => {
    if (axisName !== params.axisName) return { outs: [ppermute(x!, params)], dims: [d!] };
    const sources = new Array<number | undefined>(size).fill(undefined);
    for (const [from, to] of params.perm) sources[to] = from;
    if (d === null && !sources.includes(undefined)) return { outs: [x!], dims: [null] };
    return { outs: [take(ops.batchInFront(x!, d!, size), sources)], dims: [0] };
  },
  lower: unmapped,
  axisNames: nameOf,
  facts: {},
});

/** Sends each example's value to another one; those that none is sent to get 0. */
export const ppermute = (x: NDArray, params: PermuteParams): NDArray => checked(ppermutePrimitive, x, params);

/** Rows of x in the order of `sources`, zeros where there is none: pieces that lie together move together. */
function take(x: NDArray, sources: readonly (number | undefined)[]): NDArray {
  const rest = x.shape.slice(1);
  const rows = (from: number, to: number): NDArray =>
    ops.slice(x, [from, ...rest.map(() => 0)], [to, ...rest], [1, ...rest.map(() => 1)]);
  const pieces: NDArray[] = [];
  for (let i = 0; i < sources.length;) {
    const start = sources[i];
    const step = start === undefined ? 0 : sources[i + 1] === start - 1 ? -1 : 1;
    let n = 1;
    while (i + n < sources.length && sources[i + n] === (start === undefined ? undefined : start + n * step)) n++;
    if (start === undefined) pieces.push(zerosOf({ ...x.aval, shape: [n, ...rest] }));
    else pieces.push(step === 1 ? rows(start, start + n) : ops.rev(rows(start - n + 1, start + 1), [0]));
    i += n;
  }
  return pieces.length === 1 ? pieces[0]! : ops.concatenate(pieces, 0);
}

export interface GatherAxisParams extends OneAxis {
  /** Where the named axis stands in the result. */
  readonly dim: number;
}

export const allGatherPrimitive: PrimitiveDefinition<GatherAxisParams> = definePrimitive<GatherAxisParams>({
  name: "all_gather",
  abstract: ([x], { dim, axisSize }) => {
    requireAxis("all_gather", dim, x!, x!.shape.length + 1);
    return [{ ...x!, shape: [...x!.shape.slice(0, dim), axisSize, ...x!.shape.slice(dim)] }];
  },
  evaluate: unmapped,
  jvp: linearJvp((x, p) => allGather(x, p)),
  transpose: linearTranspose((ct, _x, p) => psumScatter(ct, p)),
  batch: (size, [x], [d], params, axisName) => {
    const { dim } = params;
    if (axisName === params.axisName) {
      const placed = ops.moveAxis(ops.batchInFront(x!, d!, size), 0, dim);
      return { outs: [placed], dims: [null] };
    }
    const before = d! <= dim;
    return { outs: [allGather(x!, { ...params, dim: before ? dim + 1 : dim })], dims: [before ? d! : d! + 1] };
  },
  lower: unmapped,
  axisNames: nameOf,
  facts: {},
});

/** The values of all examples along a new axis, for every example. */
export const allGather = (x: NDArray, params: GatherAxisParams): NDArray => checked(allGatherPrimitive, x, params);

export const psumScatterPrimitive: PrimitiveDefinition<GatherAxisParams> = definePrimitive<GatherAxisParams>({
  name: "reduce_scatter",
  abstract: ([x], { dim, axisSize, axisName }) => {
    requireAccepted("psumScatter", [x!], 0, numeric);
    requireAxis("reduce_scatter", dim, x!, x!.shape.length);
    requireLength("psumScatter", x!, dim, axisName, axisSize);
    return [{ ...x!, shape: x!.shape.filter((_, k) => k !== dim) }];
  },
  evaluate: unmapped,
  jvp: linearJvp((x, p) => psumScatter(x, p)),
  transpose: linearTranspose((ct, _x, p) => allGather(ct, p)),
  batch: (size, [x], [d], params, axisName) => {
    const { dim } = params;
    // What is scattered along the named axis is the axis itself afterwards.
    if (axisName === params.axisName)
      return { outs: [d === null ? times(x!, size) : ops.reduceSum(x!, [d!])], dims: [dim] };
    const before = d! <= dim;
    return { outs: [psumScatter(x!, { ...params, dim: before ? dim + 1 : dim })], dims: [before ? d! : d! - 1] };
  },
  lower: unmapped,
  axisNames: nameOf,
  facts: {},
});

/** The sum over the examples, of which example k gets element k along axis `dim`. */
export const psumScatter = (x: NDArray, params: GatherAxisParams): NDArray => checked(psumScatterPrimitive, x, params);

export const allToAllPrimitive: PrimitiveDefinition<GatherAxisParams> = definePrimitive<GatherAxisParams>({
  name: "all_to_all",
  abstract: ([x], { dim, axisSize, axisName }) => {
    requireAxis("all_to_all", dim, x!, x!.shape.length);
    requireLength("allToAll", x!, dim, axisName, axisSize);
    return [x!];
  },
  evaluate: unmapped,
  jvp: linearJvp((x, p) => allToAll(x, p)),
  transpose: linearTranspose((ct, _x, p) => allToAll(ct, p)),
  batch: (size, [x], [d], params, axisName) => {
    const { dim } = params;
    if (axisName !== params.axisName)
      return { outs: [allToAll(x!, { ...params, dim: d! <= dim ? dim + 1 : dim })], dims: [d!] };
    // The named axis and axis `dim` change roles.
    const inFront = ops.batchInFront(x!, d!, size);
    const perm = inFront.shape.map((_, k) => (k === 0 ? dim + 1 : k === dim + 1 ? 0 : k));
    return { outs: [ops.transpose(inFront, perm)], dims: [0] };
  },
  lower: unmapped,
  axisNames: nameOf,
  facts: {},
});

/** Element k along axis `dim` goes to example k, which has those of all examples along it. */
export const allToAll = (x: NDArray, params: GatherAxisParams): NDArray => checked(allToAllPrimitive, x, params);

export const axisIndexPrimitive: PrimitiveDefinition<OneAxis> = definePrimitive<OneAxis>({
  name: "axis_index",
  abstract: () => [aval([], "int32")],
  evaluate: unmapped,
  jvp: none("it has no operands"),
  transpose: none("it has no operands"),
  batch: (size, _inputs, _dims, params, axisName) =>
    axisName === params.axisName
      ? { outs: [ops.iota("int32", [size], 0)], dims: [0] }
      : { outs: [axisIndex(params)], dims: [null] },
  lower: unmapped,
  axisNames: nameOf,
  facts: {},
});

/** Each example's own place along a named axis. */
export const axisIndex = (params: { readonly axisName: string; readonly axisSize: number }): NDArray =>
  bind1(axisIndexPrimitive, [], params);

function requireAxis(op: string, dim: number, x: Aval, ndim: number): void {
  requireArgument(areAxes([dim], ndim), () => ({
    code: "axis-range",
    message: `${op}: axis ${dim} is no axis of ${ndim} dimensions`,
    operands: [["operand", x]],
  }));
}

/** Demands that an axis of the operand is as long as the named one. */
export function requireLength(op: string, x: Aval, dim: number, axisName: string, axisSize: number): void {
  requireShape(x.shape[dim] === axisSize, () => ({
    code: "axis-length",
    message: `${op}: axis ${dim} of the operand must have the size of the named axis "${axisName}", which is ${axisSize}`,
    operands: [["operand", x]],
    hint: "with tiled: true a multiple of it will do",
  }));
}

/** `x` with axis `dim` as several axes of the given lengths. */
export const splitAxis = (x: NDArray, dim: number, lengths: Shape): NDArray =>
  ops.reshape(x, [...x.shape.slice(0, dim), ...lengths, ...x.shape.slice(dim + 1)]);

/** `x` with `count` axes from `dim` on as one. */
export const mergeAxes = (x: NDArray, dim: number, count: number): NDArray =>
  ops.reshape(x, [...x.shape.slice(0, dim), sizeOf(x.shape.slice(dim, dim + count)), ...x.shape.slice(dim + count)]);
