import type { NDArray } from "../core/array.js";
import { sameShape, sizeOf, stridesOf, type Shape } from "../core/aval.js";
import { bind1 } from "../core/trace.js";
import * as ix from "../kernel-ir/index-expr.js";
import { areAxes, isCount, isIncreasing, list, requireArgument, requireShape } from "./checks.js";
import { broadcastExtents, transposeExtents } from "./extents.js";
import { copyAs, readBlock } from "./host.js";
import { linearJvp, linearTranspose } from "./linear-rules.js";
import { ops } from "./define.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

export interface BroadcastParams {
  readonly shape: Shape;
  /** Axis k of the operand becomes axis dims[k] of the result; increasing. */
  readonly dims: readonly number[];
}

export const broadcastInDimPrimitive: PrimitiveDefinition<BroadcastParams> = definePrimitive<BroadcastParams>({
  name: "broadcast_in_dim",
  abstract: ([x], { shape, dims }) => {
    requireArgument(dims.length === x!.shape.length && areAxes(dims, shape.length) && isIncreasing(dims), () => ({
      code: "broadcast-dims",
      message: `broadcastInDim: dims ${list(dims)} must name, in increasing order, one axis of the result for each axis of the operand`,
      operands: [
        ["operand", x!],
        ["result", shape],
      ],
    }));
    requireShape(
      x!.shape.every((d, k) => d === 1 || d === shape[dims[k]!]),
      () => ({
        code: "shape-broadcast",
        message: `broadcastInDim: an axis of the operand has neither length 1 nor the length of the axis it becomes (dims ${list(dims)})`,
        operands: [
          ["operand", x!],
          ["result", shape],
        ],
        hint: "align the axes with reshape or expandDims",
      }),
    );
    return [{ ...x!, shape }];
  },
  evaluate: ([x], { shape, dims }) => {
    const strides = new Array<number>(shape.length).fill(0);
    stridesOf(x!.aval.shape).forEach((s, k) => (strides[dims[k]!] = x!.aval.shape[k] === 1 ? 0 : s));
    return [readBlock(x!, { ...x!.aval, shape }, { offset: 0, strides })];
  },
  jvp: linearJvp((x, { shape, dims }) => broadcastInDim(x, shape, dims)),
  transpose: linearTranspose((ct, x, { shape, dims }) => {
    const summed = shape.flatMap((n, axis) => {
      const k = dims.indexOf(axis);
      return k < 0 || (x.shape[k] === 1 && n !== 1) ? [axis] : [];
    });
    return reshape(summed.length === 0 ? ct : ops.reduceSum(ct, summed), x.shape);
  }),
  batch: (size, [x], [d], { shape, dims }) => ({
    outs: [broadcastInDim(moveAxis(x!, d!, 0), [size, ...shape], [0, ...dims.map((k) => k + 1)])],
    dims: [0],
  }),
  lower: {
    kind: "element",
    element: ([x], index, { dims }) => x!.at(x!.aval.shape.map((n, k) => (n === 1 ? ix.lit(0) : index[dims[k]!]!))),
  },
  facts: {
    view: true,
    repeats: ({ shape }) => shape,
    reshapes: ({ shape }, x) => sizeOf(shape) === sizeOf(x.shape),
    extents: broadcastExtents,
    simplify: ({ dims }, { inAvals, outAval, madeBy }) => {
      if (sameShape(inAvals[0]!.shape, outAval.shape)) return { same: 0 };
      const inner = madeBy(0, broadcastInDimPrimitive);
      if (!inner) return null;
      return through(broadcastInDimPrimitive, { shape: outAval.shape, dims: inner.dims.map((k) => dims[k]!) });
    },
  },
});

/** Repeats `x` along new axes and axes of length 1; axis k of `x` becomes axis dims[k] of the result. */
export function broadcastInDim(x: NDArray, shape: Shape, dims: readonly number[]): NDArray {
  if (dims.length === shape.length && isIdentity(dims) && sameShape(x.shape, shape)) return x;
  return bind1(broadcastInDimPrimitive, [x], { shape, dims });
}

export interface ReshapeParams {
  readonly shape: Shape;
}

export const reshapePrimitive: PrimitiveDefinition<ReshapeParams> = definePrimitive<ReshapeParams>({
  name: "reshape",
  abstract: ([x], { shape }) => {
    requireShape(shape.every((n) => isCount(n)) && sizeOf(shape) === sizeOf(x!.shape), () => ({
      code: "reshape-size",
      message: `reshape: ${sizeOf(x!.shape)} elements cannot be arranged as ${list(shape)}`,
      operands: [
        ["operand", x!],
        ["result", shape],
      ],
    }));
    return [{ ...x!, shape }];
  },
  evaluate: ([x], { shape }) => [copyAs(x!, { ...x!.aval, shape })],
  jvp: linearJvp((x, { shape }) => reshape(x, shape)),
  transpose: linearTranspose((ct, x) => reshape(ct, x.shape)),
  batch: (size, [x], [d], { shape }) => ({ outs: [reshape(moveAxis(x!, d!, 0), [size, ...shape])], dims: [0] }),
  lower: {
    kind: "element",
    element: ([x], index, { shape }) =>
      x!.at(ix.unflatten(ix.flatten(index, stridesOf(shape)), nonEmpty(x!.aval.shape))),
  },
  facts: {
    view: true,
    reshapes: true,
    simplify: ({ shape }, { inAvals, madeBy }) => {
      if (sameShape(inAvals[0]!.shape, shape)) return { same: 0 };
      if (madeBy(0, reshapePrimitive) || madeBy(0, squeezePrimitive)) return through(reshapePrimitive, { shape });
      return madeBy(0, broadcastInDimPrimitive)?.dims.length === 0
        ? through(broadcastInDimPrimitive, { shape, dims: [] })
        : null;
    },
  },
});

/** The elements of `x` in row-major order under another shape of the same size. */
export function reshape(x: NDArray, shape: Shape): NDArray {
  return sameShape(x.shape, shape) ? x : bind1(reshapePrimitive, [x], { shape });
}

/** `x` with a new axis of length 1 at each of `dims`, which count axes of the result. */
export function expandDims(x: NDArray, dims: readonly number[]): NDArray {
  const ndim = x.ndim + dims.length;
  requireArgument(areAxes(dims, ndim), () => ({
    code: "axis-range",
    message: `expandDims: dims ${list(dims)} are not distinct axes of a result of ${ndim} dimensions`,
    operands: [["operand", x.aval]],
  }));
  let k = 0;
  return reshape(
    x,
    Array.from({ length: ndim }, (_, axis) => (dims.includes(axis) ? 1 : x.shape[k++]!)),
  );
}

export interface SqueezeParams {
  readonly dims: readonly number[];
}

export const squeezePrimitive: PrimitiveDefinition<SqueezeParams> = definePrimitive<SqueezeParams>({
  name: "squeeze",
  abstract: ([x], { dims }) => {
    requireArgument(areAxes(dims, x!.shape.length), () => ({
      code: "axis-range",
      message: `squeeze: dims ${list(dims)} are not distinct axes of the operand`,
      operands: [["operand", x!]],
    }));
    requireShape(
      dims.every((d) => x!.shape[d] === 1),
      () => ({
        code: "squeeze-length",
        message: `squeeze: only axes of length 1 can be dropped, but dims are ${list(dims)}`,
        operands: [["operand", x!]],
      }),
    );
    return [{ ...x!, shape: without(x!.shape, dims) }];
  },
  evaluate: ([x], { dims }) => [copyAs(x!, { ...x!.aval, shape: without(x!.aval.shape, dims) })],
  jvp: linearJvp((x, { dims }) => squeeze(x, dims)),
  transpose: linearTranspose((ct, x) => reshape(ct, x.shape)),
  batch: (_size, [x], [d], { dims }) => {
    const moved = dims.map((k) => (k >= d! ? k + 1 : k));
    return { outs: [squeeze(x!, moved)], dims: [d! - moved.filter((k) => k < d!).length] };
  },
  lower: {
    kind: "element",
    element: ([x], index, { dims }) => {
      let k = 0;
      return x!.at(x!.aval.shape.map((_, axis) => (dims.includes(axis) ? ix.lit(0) : index[k++]!)));
    },
  },
  facts: {
    view: true,
    reshapes: true,
    simplify: ({ dims }, { outAval, madeBy }) => {
      if (dims.length === 0) return { same: 0 };
      if (madeBy(0, reshapePrimitive) || madeBy(0, squeezePrimitive))
        return through(reshapePrimitive, { shape: outAval.shape });
      return madeBy(0, broadcastInDimPrimitive)?.dims.length === 0
        ? through(broadcastInDimPrimitive, { shape: outAval.shape, dims: [] })
        : null;
    },
  },
});

/** `x` without the axes `dims`, each of length 1. */
export function squeeze(x: NDArray, dims: readonly number[]): NDArray {
  return dims.length === 0 ? x : bind1(squeezePrimitive, [x], { dims });
}

export interface TransposeParams {
  /** Axis k of the result is axis perm[k] of the operand. */
  readonly perm: readonly number[];
}

export const transposePrimitive: PrimitiveDefinition<TransposeParams> = definePrimitive<TransposeParams>({
  name: "transpose",
  abstract: ([x], { perm }) => {
    requireArgument(perm.length === x!.shape.length && areAxes(perm, perm.length), () => ({
      code: "permutation",
      message: `transpose: ${list(perm)} is not a permutation of the axes`,
      operands: [["operand", x!]],
      hint: `name each of the ${x!.shape.length} axes once`,
    }));
    return [{ ...x!, shape: perm.map((k) => x!.shape[k]!) }];
  },
  evaluate: ([x], { perm }) => {
    const strides = stridesOf(x!.aval.shape);
    const out = { ...x!.aval, shape: perm.map((k) => x!.aval.shape[k]!) };
    return [readBlock(x!, out, { offset: 0, strides: perm.map((k) => strides[k]!) })];
  },
  jvp: linearJvp((x, { perm }) => transpose(x, perm)),
  transpose: linearTranspose((ct, _x, { perm }) => transpose(ct, invert(perm))),
  batch: (_size, [x], [d], { perm }) => ({
    outs: [transpose(x!, [d!, ...perm.map((k) => (k >= d! ? k + 1 : k))])],
    dims: [0],
  }),
  lower: { kind: "element", element: ([x], index, { perm }) => x!.at(invert(perm).map((k) => index[k]!)) },
  facts: {
    view: true,
    reshapes: ({ perm }, x) => isIncreasing(perm.filter((k) => x.shape[k] !== 1)),
    extents: transposeExtents,
    simplify: ({ perm }, { outAval, madeBy }) => {
      if (isIdentity(perm)) return { same: 0 };
      const inner = madeBy(0, transposePrimitive);
      if (inner) return through(transposePrimitive, { perm: perm.map((k) => inner.perm[k]!) });
      return madeBy(0, broadcastInDimPrimitive)?.dims.length === 0
        ? through(broadcastInDimPrimitive, { shape: outAval.shape, dims: [] })
        : null;
    },
  },
});

/** `x` with its axes in another order: axis k of the result is axis perm[k] of `x`. */
export function transpose(x: NDArray, perm: readonly number[]): NDArray {
  return perm.length === x.ndim && isIdentity(perm) ? x : bind1(transposePrimitive, [x], { perm });
}

/** `x` with axis `from` at place `to`, the others in order. */
export function moveAxis(x: NDArray, from: number, to: number): NDArray {
  const perm = Array.from({ length: x.ndim }, (_, k) => k).filter((k) => k !== from);
  perm.splice(to, 0, from);
  return transpose(x, perm);
}

/** An operand of a batching rule with its batch axis in front; one that is not batched is repeated `size` times. */
export function batchInFront(x: NDArray, dim: number | null, size: number): NDArray {
  return dim === null
    ? broadcastInDim(
        x,
        [size, ...x.shape],
        x.shape.map((_, k) => k + 1),
      )
    : moveAxis(x, dim, 0);
}

export interface RevParams {
  readonly dims: readonly number[];
}

export const revPrimitive: PrimitiveDefinition<RevParams> = definePrimitive<RevParams>({
  name: "rev",
  abstract: ([x], { dims }) => {
    requireArgument(areAxes(dims, x!.shape.length), () => ({
      code: "axis-range",
      message: `rev: dims ${list(dims)} are not distinct axes of the operand`,
      operands: [["operand", x!]],
    }));
    return [x!];
  },
  evaluate: ([x], { dims }) => {
    const { shape } = x!.aval;
    const strides = stridesOf(shape);
    const offset = dims.reduce((sum, k) => sum + (shape[k]! - 1) * strides[k]!, 0);
    return [readBlock(x!, x!.aval, { offset, strides: strides.map((s, k) => (dims.includes(k) ? -s : s)) })];
  },
  jvp: linearJvp((x, { dims }) => rev(x, dims)),
  transpose: linearTranspose((ct, _x, { dims }) => rev(ct, dims)),
  batch: (_size, [x], [d], { dims }) => ({
    outs: [
      rev(
        x!,
        dims.map((k) => (k >= d! ? k + 1 : k)),
      ),
    ],
    dims: [d!],
  }),
  lower: {
    kind: "element",
    element: ([x], index, { dims }) =>
      x!.at(index.map((i, k) => (dims.includes(k) ? ix.sub(ix.lit(x!.aval.shape[k]! - 1), i) : i))),
  },
  facts: {
    view: true,
    simplify: ({ dims }, { inAvals, outAval, madeBy }) => {
      if (dims.every((k) => inAvals[0]!.shape[k]! <= 1)) return { same: 0 };
      const inner = madeBy(0, revPrimitive);
      if (inner) {
        const once = [...dims.filter((k) => !inner.dims.includes(k)), ...inner.dims.filter((k) => !dims.includes(k))];
        return through(revPrimitive, { dims: once });
      }
      return madeBy(0, broadcastInDimPrimitive)?.dims.length === 0
        ? through(broadcastInDimPrimitive, { shape: outAval.shape, dims: [] })
        : null;
    },
  },
});

/** `x` with the elements along `dims` in reverse order. */
export function rev(x: NDArray, dims: readonly number[]): NDArray {
  return dims.length === 0 ? x : bind1(revPrimitive, [x], { dims });
}

/** A simplification: `primitive` applied to what the equation before took. */
function through<P>(primitive: PrimitiveDefinition<P>, params: P) {
  return { through: 0, primitive: primitive as PrimitiveDefinition<never>, params };
}

const without = (shape: Shape, dims: readonly number[]): number[] => shape.filter((_, k) => !dims.includes(k));
const isIdentity = (perm: readonly number[]): boolean => perm.every((k, i) => k === i);

function invert(perm: readonly number[]): number[] {
  const inverse = new Array<number>(perm.length);
  perm.forEach((k, i) => (inverse[k] = i));
  return inverse;
}

/** A shape to divide by: what has no elements is never indexed. */
const nonEmpty = (shape: Shape): Shape => shape.map((n) => Math.max(n, 1));
