import type { NDArray } from "../core/array.js";
import { type Aval, type HostArray, type Shape, stridesOf } from "../core/aval.js";
import type { BatchResult, Primitive } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import * as ix from "../kernel-ir/index-expr.js";
import { areAxes, isCount, list, requireArgument } from "./checks.js";
import { zerosOf } from "./define.js";
import { add } from "./elementwise.js";
import { readBlock } from "./host.js";
import { linearJvp, linearTranspose } from "./linear-rules.js";
import { pad, slice } from "./movement.js";
import { reshape } from "./movement-views.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

/** How windows slide along some axes of an operand; entry k of every list is about axis axes[k]. */
export interface SlidingWindows {
  readonly axes: readonly number[];
  /** Elements of a window. */
  readonly sizes: readonly number[];
  /** Steps from one window to the next, in elements. */
  readonly strides: readonly number[];
  /** Steps from one element of a window to the next. */
  readonly dilations: readonly number[];
}

/** Length of an axis with `dilation` − 1 gaps between neighbours. */
export const dilated = (size: number, dilation: number): number => (size === 0 ? 0 : (size - 1) * dilation + 1);

/** How many windows fit along an axis. */
export function windowCount(length: number, size: number, stride: number, dilation: number): number {
  const span = dilated(size, dilation);
  return length < span ? 0 : Math.floor((length - span) / stride) + 1;
}

/** The shape of an operand with each axis replaced by the number of windows along it. */
export function windowCounts(shape: Shape, { axes, sizes, strides, dilations }: SlidingWindows): number[] {
  return shape.map((n, axis) => {
    const k = axes.indexOf(axis);
    return k < 0 ? n : windowCount(n, sizes[k]!, strides[k]!, dilations[k]!);
  });
}

/** Refuses windows that cannot be. */
export function requireWindows(op: string, x: Aval, { axes, sizes, strides, dilations }: SlidingWindows): void {
  const n = axes.length;
  const valid =
    areAxes(axes, x.shape.length) &&
    [sizes, strides, dilations].every((l) => l.length === n && l.every((v) => isCount(v, 1)));
  requireArgument(valid, () => ({
    code: "window-size",
    message: `${op}: windows of ${list(sizes)} with strides ${list(strides)} and dilations ${list(dilations)} along axes ${list(axes)} must have whole numbers of at least 1 for distinct axes`,
    operands: [["operand", x]],
  }));
}

/** Windows of an operand with one more axis at `d`. */
export const batchedWindows = <P extends SlidingWindows>(w: P, d: number): P => ({
  ...w,
  axes: w.axes.map((a) => (a >= d ? a + 1 : a)),
});

/** Batching rule of an operation whose result has the operand's axes, windowed or not, first. */
export function batchWindows<P extends SlidingWindows>(primitive: () => Primitive<P>) {
  return (_: number, [x]: readonly NDArray[], [d]: readonly (number | null)[], w: P): BatchResult => ({
    outs: [bind1(primitive(), [x!], batchedWindows(w, d!))],
    dims: [d!],
  });
}

/**
 * The windows of an array: result[…, o, …, k] = x[…, o·stride + k·dilation, …]. It has the operand's axes, of which `axes`
 * count windows, and then for each of those one that runs within a window.
 */
export const windowsPrimitive: PrimitiveDefinition<SlidingWindows> = definePrimitive<SlidingWindows>({
  name: "windows",
  abstract: ([x], w) => {
    requireWindows("windows", x!, w);
    return [{ ...x!, shape: [...windowCounts(x!.shape, w), ...w.sizes] }];
  },
  evaluate: ([x], w) => [windowsOnHost(x!, w)],
  jvp: linearJvp((x, w) => windows(x, w)),
  transpose: linearTranspose((ct, x, w) => sumOfPlaces(ct, x, w)),
  batch: batchWindows(() => windowsPrimitive),
  lower: {
    kind: "element",
    element: ([x], index, { axes, strides, dilations }) => {
      const ndim = x!.aval.shape.length;
      return x!.at(
        x!.aval.shape.map((_, axis) => {
          const k = axes.indexOf(axis);
          const at = index[axis]!;
          return k < 0 ? at : ix.add(ix.scale(at, strides[k]!), ix.scale(index[ndim + k]!, dilations[k]!));
        }),
      );
    },
  },
  facts: { view: true },
});

export const windows = (x: NDArray, w: SlidingWindows): NDArray => bind1(windowsPrimitive, [x], w);

function windowsOnHost(x: HostArray, w: SlidingWindows): HostArray {
  const own = stridesOf(x.aval.shape);
  const counts = own.map((s, axis) => {
    const k = w.axes.indexOf(axis);
    return k < 0 ? s : s * w.strides[k]!;
  });
  const within = w.axes.map((axis, k) => own[axis]! * w.dilations[k]!);
  const shape = [...windowCounts(x.aval.shape, w), ...w.sizes];
  return readBlock(x, { ...x.aval, shape }, { offset: 0, strides: [...counts, ...within] });
}

/** Every element's sum over its places in windows: one axis after another, one place within a window after another. */
function sumOfPlaces(ct: NDArray, x: Aval, w: SlidingWindows): NDArray {
  let sum = ct;
  const zero = zerosOf({ shape: [], dtype: ct.dtype, weakType: false });
  for (let k = w.axes.length - 1; k >= 0; k--) {
    const axis = w.axes[k]!;
    const [size, stride, dilation] = [w.sizes[k]!, w.strides[k]!, w.dilations[k]!];
    const last = sum.ndim - 1;
    const count = sum.shape[axis]!;
    const length = x.shape[axis]!;
    const shape = sum.shape.slice(0, last);
    if (count === 0) {
      sum = zerosOf({ ...sum.aval, shape: shape.map((n, a) => (a === axis ? length : n)) });
      continue;
    }
    let total: NDArray | undefined;
    for (let place = 0; place < size; place++) {
      const start = sum.shape.map((_, a) => (a === last ? place : 0));
      const end = sum.shape.map((n, a) => (a === last ? place + 1 : n));
      const part = reshape(slice(sum, start, end), shape);
      const before = place * dilation;
      const after = length - before - dilated(count, stride);
      const spread = pad(
        part,
        zero,
        shape.map((_, a) => (a === axis ? ([before, after, stride - 1] as const) : ([0, 0, 0] as const))),
      );
      total = total === undefined ? spread : add(total, spread);
    }
    sum = total!;
  }
  return sum;
}
