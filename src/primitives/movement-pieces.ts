import type { NDArray } from "../core/array.js";
import { hostZeros, sameShape, stridesOf } from "../core/aval.js";
import { dtypeInfo } from "../core/dtype.js";
import { bind, bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import * as ix from "../kernel-ir/index-expr.js";
import { constant, type Expr, indexValue, op } from "../kernel-ir/scalar.js";
import { areAxes, isCount, list, requireArgument, requireOneDType, requireShape } from "./checks.js";
import { instantiate, ops, zerosOf } from "./define.js";
import { copyBlock, readBlock } from "./host.js";
import { linearJvp, linearTranspose } from "./linear-rules.js";
import { batchInFront, broadcastInDimPrimitive } from "./movement-views.js";
import { box } from "./regions.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

export interface SliceParams {
  readonly starts: readonly number[];
  readonly limits: readonly number[];
  readonly strides: readonly number[];
}

export const slicePrimitive: PrimitiveDefinition<SliceParams> = definePrimitive<SliceParams>({
  name: "slice",
  abstract: ([x], { starts, limits, strides }) => {
    const n = x!.shape.length;
    requireArgument(starts.length === n && limits.length === n && strides.length === n, () => ({
      code: "slice-rank",
      message: `slice: starts ${list(starts)}, limits ${list(limits)} and strides ${list(strides)} need one entry an axis`,
      operands: [["operand", x!]],
    }));
    const fits = x!.shape.every(
      (d, k) => isCount(starts[k]!) && isCount(limits[k]!, starts[k]) && limits[k]! <= d && isCount(strides[k]!, 1),
    );
    requireArgument(fits, () => ({
      code: "slice-range",
      message: `slice: 0 ≤ start ≤ limit ≤ length and stride ≥ 1 must hold on every axis; starts ${list(starts)}, limits ${list(limits)}, strides ${list(strides)}`,
      operands: [["operand", x!]],
    }));
    return [{ ...x!, shape: sliceShape(starts, limits, strides) }];
  },
  evaluate: ([x], { starts, limits, strides }) => {
    const own = stridesOf(x!.aval.shape);
    const offset = starts.reduce((sum, s, k) => sum + s * own[k]!, 0);
    const out = { ...x!.aval, shape: sliceShape(starts, limits, strides) };
    return [readBlock(x!, out, { offset, strides: own.map((s, k) => s * strides[k]!) })];
  },
  jvp: linearJvp((x, p) => slice(x, p.starts, p.limits, p.strides)),
  transpose: linearTranspose((ct, x, { starts, strides }) => {
    const config = x.shape.map((d, k) => {
      const n = ct.shape[k]!;
      const covered = n === 0 ? 0 : (n - 1) * strides[k]! + 1;
      const lo = n === 0 ? 0 : starts[k]!;
      return [lo, d - lo - covered, strides[k]! - 1] as const;
    });
    return ops.pad(ct, zerosOf({ ...ct.aval, shape: [] }), config);
  }),
  batch: (_size, [x], [d], { starts, limits, strides }) => ({
    outs: [slice(x!, insert(starts, d!, 0), insert(limits, d!, x!.shape[d!]!), insert(strides, d!, 1))],
    dims: [d!],
  }),
  lower: {
    kind: "element",
    element: ([x], index, { starts, strides }) =>
      x!.at(index.map((i, k) => ix.addConst(ix.scale(i, strides[k]!), starts[k]!))),
  },
  facts: {
    view: true,
    simplify: ({ starts, limits, strides }, { inAvals, outAval, madeBy }) => {
      if (sameShape(inAvals[0]!.shape, outAval.shape)) return { same: 0 };
      const inner = madeBy(0, slicePrimitive);
      if (inner) {
        const params: SliceParams = {
          starts: starts.map((s, k) => inner.starts[k]! + s * inner.strides[k]!),
          // one past the last element taken, so that it stays within the operand
          limits: limits.map((l, k) => inner.starts[k]! + (l === 0 ? 0 : (l - 1) * inner.strides[k]! + 1)),
          strides: strides.map((s, k) => s * inner.strides[k]!),
        };
        const empty = outAval.shape.some((d) => d === 0);
        return empty ? null : { through: 0, primitive: slicePrimitive as PrimitiveDefinition<never>, params };
      }
      if (madeBy(0, broadcastInDimPrimitive)?.dims.length !== 0) return null;
      return {
        through: 0,
        primitive: broadcastInDimPrimitive as PrimitiveDefinition<never>,
        params: { shape: outAval.shape, dims: [] },
      };
    },
  },
});

/** Elements starts[k], starts[k] + strides[k], … below limits[k] along each axis k. */
export function slice(
  x: NDArray,
  starts: readonly number[],
  limits: readonly number[],
  strides?: readonly number[],
): NDArray {
  const params = { starts, limits, strides: strides ?? starts.map(() => 1) };
  const whole =
    starts.length === x.ndim && x.shape.every((d, k) => starts[k] === 0 && limits[k] === d && params.strides[k] === 1);
  return whole ? x : bind1(slicePrimitive, [x], params);
}

const sliceShape = (starts: readonly number[], limits: readonly number[], strides: readonly number[]): number[] =>
  starts.map((s, k) => Math.ceil((limits[k]! - s) / strides[k]!));

const insert = <T>(items: readonly T[], at: number, item: T): T[] => [...items.slice(0, at), item, ...items.slice(at)];

export interface ConcatenateParams {
  readonly dim: number;
}

export const concatenatePrimitive: PrimitiveDefinition<ConcatenateParams> = definePrimitive<ConcatenateParams>({
  name: "concatenate",
  abstract: (xs, { dim }) => {
    requireArgument(xs.length > 0, () => ({ code: "no-operands", message: "concatenate needs at least one array" }));
    const named = xs.map((x, i) => [`operand ${i}`, x] as const);
    const first = xs[0]!;
    requireOneDType("concatenate", named);
    requireArgument(areAxes([dim], first.shape.length), () => ({
      code: "axis-range",
      message: `concatenate: axis ${dim} is no axis of the operands`,
      operands: named,
      hint: first.shape.length === 0 ? "scalars cannot be concatenated; stack them" : undefined,
    }));
    requireShape(
      xs.every(
        (x) => x.shape.length === first.shape.length && x.shape.every((d, k) => k === dim || d === first.shape[k]),
      ),
      () => ({
        code: "concatenate-shapes",
        message: `concatenate: operands may differ along axis ${dim} only`,
        operands: named,
      }),
    );
    const total = xs.reduce((sum, x) => sum + x.shape[dim]!, 0);
    return [
      { ...first, shape: first.shape.map((d, k) => (k === dim ? total : d)), weakType: xs.every((x) => x.weakType) },
    ];
  },
  evaluate: (xs, { dim }) => {
    const total = xs.reduce((sum, x) => sum + x.aval.shape[dim]!, 0);
    const first = xs[0]!.aval;
    const out = hostZeros({
      ...first,
      shape: first.shape.map((d, k) => (k === dim ? total : d)),
      weakType: xs.every((x) => x.aval.weakType),
    });
    const strides = stridesOf(out.aval.shape);
    let start = 0;
    for (const x of xs) {
      const { shape, dtype } = x.aval;
      copyBlock(
        shape,
        x.data,
        { offset: 0, strides: stridesOf(shape) },
        out.data,
        { offset: start * strides[dim]!, strides },
        dtypeInfo[dtype].words,
      );
      start += shape[dim]!;
    }
    return [out];
  },
  jvp: (xs, ts, { dim }) => {
    const y = concatenate(xs, dim);
    return { outs: [y], tangents: [ts.every(isZero) ? new Zero(y.aval) : concatenate(ts.map(instantiate), dim)] };
  },
  transpose: ([ct], xs, { dim }) => {
    if (isZero(ct)) return xs.map((x) => new Zero(x.aval));
    return startsOf(xs.map((x) => x.aval.shape[dim]!)).map((start, i) => {
      const end = start + xs[i]!.aval.shape[dim]!;
      return slice(
        ct!,
        ct!.shape.map((_, k) => (k === dim ? start : 0)),
        ct!.shape.map((d, k) => (k === dim ? end : d)),
      );
    });
  },
  batch: (size, xs, dims, { dim }) => ({
    outs: [
      concatenate(
        xs.map((x, i) => batchInFront(x, dims[i]!, size)),
        dim + 1,
      ),
    ],
    dims: [0],
  }),
  lower: {
    kind: "element",
    element: (xs, index, { dim }) => {
      const starts = startsOf(xs.map((x) => x.aval.shape[dim]!));
      let result: Expr | undefined;
      for (let i = xs.length - 1; i >= 0; i--) {
        const n = xs[i]!.aval.shape[dim]!;
        if (n === 0) continue;
        const here = xs[i]!.at(index.map((j, k) => (k === dim ? ix.clamp(ix.addConst(j, -starts[i]!), 0, n - 1) : j)));
        result =
          result === undefined
            ? here
            : op("select", [op("lt", [indexValue(index[dim]!), constant("i32", starts[i]! + n)]), here, result]);
      }
      return result ?? xs[0]!.at(index);
    },
    regions: (xs, { dim }) => {
      const starts = startsOf(xs.map((x) => x.aval.shape[dim]!));
      return xs.flatMap((x, i) =>
        x.aval.shape[dim] === 0
          ? []
          : [
              box(
                x.aval.shape,
                x.aval.shape.map((_, k) => (k === dim ? starts[i]! : 0)),
                (j) => x.at(j),
              ),
            ],
      );
    },
  },
  facts: { simplify: (_params, { inAvals }) => (inAvals.length === 1 ? { same: 0 } : null) },
});

/** The arrays one after another along axis `dim`. */
export function concatenate(xs: readonly NDArray[], dim: number): NDArray {
  return bind1(concatenatePrimitive, xs, { dim });
}

const startsOf = (lengths: readonly number[]): number[] => {
  let sum = 0;
  return lengths.map((n) => (sum += n) - n);
};

export interface SplitParams {
  readonly sizes: readonly number[];
  readonly axis: number;
}

export const splitPrimitive: PrimitiveDefinition<SplitParams> = definePrimitive<SplitParams>({
  name: "split",
  abstract: ([x], { sizes, axis }) => {
    requireArgument(areAxes([axis], x!.shape.length), () => ({
      code: "axis-range",
      message: `split: axis ${axis} is no axis of the operand`,
      operands: [["operand", x!]],
    }));
    requireShape(sizes.every((n) => isCount(n)) && sizes.reduce((a, b) => a + b, 0) === x!.shape[axis], () => ({
      code: "split-sizes",
      message: `split: sizes ${list(sizes)} must add up to the length of axis ${axis}`,
      operands: [["operand", x!]],
    }));
    return sizes.map((n) => ({ ...x!, shape: x!.shape.map((d, k) => (k === axis ? n : d)) }));
  },
  evaluate: ([x], { sizes, axis }) => {
    const strides = stridesOf(x!.aval.shape);
    return startsOf(sizes).map((start, i) =>
      readBlock(
        x!,
        { ...x!.aval, shape: x!.aval.shape.map((d, k) => (k === axis ? sizes[i]! : d)) },
        { offset: start * strides[axis]!, strides },
      ),
    );
  },
  jvp: ([x], [t], { sizes, axis }) => {
    const outs = split(x!, sizes, axis);
    return { outs, tangents: isZero(t) ? outs.map((y) => new Zero(y.aval)) : split(t!, sizes, axis) };
  },
  transpose: (cts, [x], { axis }) => [cts.every(isZero) ? new Zero(x!.aval) : concatenate(cts.map(instantiate), axis)],
  batch: (_size, [x], [d], { sizes, axis }) => ({
    outs: split(x!, sizes, axis >= d! ? axis + 1 : axis),
    dims: sizes.map(() => d!),
  }),
  lower: {
    kind: "element",
    element: ([x], index, { sizes, axis }, output) =>
      x!.at(index.map((i, k) => (k === axis ? ix.addConst(i, startsOf(sizes)[output]!) : i))),
  },
  facts: { view: true },
});

/** `x` in pieces of the given lengths along an axis. */
export function split(x: NDArray, sizes: readonly number[], axis: number): readonly NDArray[] {
  return bind(splitPrimitive, [x], { sizes, axis });
}
