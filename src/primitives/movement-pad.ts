import type { NDArray } from "../core/array.js";
import { hostZeros, type Shape, stridesOf } from "../core/aval.js";
import { dtypeInfo } from "../core/dtype.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Operand, Region } from "../kernel-ir/lowering.js";
import { constant, type Expr, indexValue, op } from "../kernel-ir/scalar.js";
import { isCount, requireArgument, requireOneDType, requireShape } from "./checks.js";
import { full, instantiate, ops, zerosOf } from "./define.js";
import { copyBlock } from "./host.js";
import { slice } from "./movement-pieces.js";
import { batchInFront, broadcastInDim } from "./movement-views.js";
import { box } from "./regions.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

/** [lo, hi, interior]: elements added before, after and between those of an axis; lo and hi may be negative. */
export type PadConfig = readonly (readonly [lo: number, hi: number, interior: number])[];
export interface PadParams {
  readonly config: PadConfig;
}

export const padPrimitive: PrimitiveDefinition<PadParams> = definePrimitive<PadParams>({
  name: "pad",
  abstract: ([x, value], { config }) => {
    requireOneDType("pad", [
      ["operand", x!],
      ["padding value", value!],
    ]);
    requireShape(value!.shape.length === 0, () => ({
      code: "pad-value",
      message: "pad: the padding value must be a scalar",
      operands: [["padding value", value!]],
    }));
    const valid =
      config.length === x!.shape.length &&
      config.every(([lo, hi, mid]) => Number.isInteger(lo) && Number.isInteger(hi) && isCount(mid));
    requireArgument(valid, () => ({
      code: "pad-config",
      message: `pad: the padding must be [low, high, interior], whole numbers with interior ≥ 0, for each axis; got ${JSON.stringify(config)}`,
      operands: [["operand", x!]],
    }));
    const shape = padShape(x!.shape, config);
    requireShape(
      shape.every((d) => d >= 0),
      () => ({
        code: "pad-negative",
        message: `pad: ${JSON.stringify(config)} takes more elements away than there are`,
        operands: [
          ["operand", x!],
          ["result", shape],
        ],
      }),
    );
    return [{ ...x!, shape, weakType: x!.weakType && value!.weakType }];
  },
  evaluate: ([x, value], { config }) => {
    const out = hostZeros({
      ...x!.aval,
      shape: padShape(x!.aval.shape, config),
      weakType: x!.aval.weakType && value!.aval.weakType,
    });
    const { words } = dtypeInfo[x!.aval.dtype];
    for (let i = 0; i < out.data.length; i++) out.data[i] = value!.data[i % words]!;
    const kept = keptRange(x!.aval.shape, out.aval.shape, config);
    const from = stridesOf(x!.aval.shape);
    const to = stridesOf(out.aval.shape);
    copyBlock(
      kept.map((r) => r.count),
      x!.data,
      { offset: kept.reduce((sum, r, k) => sum + r.first * from[k]!, 0), strides: from },
      out.data,
      {
        offset: kept.reduce((sum, r, k) => sum + r.place * to[k]!, 0),
        strides: to.map((s, k) => s * (config[k]![2] + 1)),
      },
      words,
    );
    return [out];
  },
  jvp: ([x, value], [dx, dv], { config }) => {
    const y = pad(x!, value!, config);
    return {
      outs: [y],
      tangents: [isZero(dx) && isZero(dv) ? new Zero(y.aval) : pad(instantiate(dx!), instantiate(dv!), config)],
    };
  },
  transpose: ([ct], [x, value], { config }) => {
    if (isZero(ct)) return [new Zero(x!.aval), new Zero(value!.aval)];
    const zero = zerosOf({ ...ct!.aval, shape: [] });
    // undo low and high padding, then the interior one
    const trimmed = pad(
      ct!,
      zero,
      config.map(([lo, hi]) => [-lo, -hi, 0]),
    );
    const dx = slice(
      trimmed,
      config.map(() => 0),
      trimmed.shape,
      config.map(([, , mid]) => mid + 1),
    );
    const all = (t: NDArray): NDArray =>
      ops.reduceSum(
        t,
        t.shape.map((_, k) => k),
      );
    const filled = pad(full(0, { ...ct!.aval, shape: x!.aval.shape }), full(1, { ...ct!.aval, shape: [] }), config);
    // cotangents of the padding alone, summed: taking the operand's share from the whole sum would cancel badly
    return [dx, all(ops.mul(ct!, filled))];
  },
  batch: (size, [x, value], [dx, dv], { config }) => {
    if (dv === null)
      return { outs: [pad(x!, value!, [...config.slice(0, dx!), [0, 0, 0], ...config.slice(dx!)])], dims: [dx!] };
    const front = batchInFront(x!, dx!, size);
    const config1: PadConfig = [[0, 0, 0], ...config];
    const scalar = { shape: [], dtype: "bool", weakType: false } as const;
    const isOperand = pad(full(1, { ...scalar, shape: front.shape }), full(0, scalar), config1);
    const filler = ops.reshape(value!, [size, ...config.map(() => 1)]);
    const everywhere = isOperand.shape.map((_, k) => k);
    return {
      outs: [
        ops.select(
          isOperand,
          pad(front, zerosOf({ ...x!.aval, shape: [] }), config1),
          broadcastInDim(filler, isOperand.shape, everywhere),
        ),
      ],
      dims: [0],
    };
  },
  lower: {
    kind: "element",
    element: ([x, value], index, { config }) => padElement(x!, value!, index, config),
    regions: ([x, value], { config }, out) =>
      config.some(([, , mid]) => mid > 0)
        ? [{ shape: out.shape, place: (i) => i, element: (i) => padElement(x!, value!, i, config) }]
        : padRegions(x!, value!, out.shape, config),
  },
  facts: {
    hazards: { nan: true },
    simplify: ({ config }, { inAvals, outAval }) => {
      const nothing = config.every(([lo, hi, mid]) => lo === 0 && hi === 0 && mid === 0);
      return nothing && inAvals[0]!.weakType === outAval.weakType ? { same: 0 } : null;
    },
  },
});

/** Adds elements of one value before, after and between those of each axis; negative low and high padding takes elements away. */
export function pad(x: NDArray, value: NDArray, config: PadConfig): NDArray {
  return bind1(padPrimitive, [x, value], { config });
}

const padShape = (shape: Shape, config: PadConfig): number[] =>
  shape.map((d, k) => {
    const [lo, hi, mid] = config[k]!;
    return lo + hi + d + Math.max(0, d - 1) * mid;
  });

/** Along each axis: the first element of the operand that is kept, how many are, and where the first lies in the result. */
function keptRange(shape: Shape, out: Shape, config: PadConfig) {
  return shape.map((d, k) => {
    const [lo, , mid] = config[k]!;
    const step = mid + 1;
    const first = lo < 0 ? Math.ceil(-lo / step) : 0;
    const last = Math.min(d - 1, Math.floor((out[k]! - 1 - lo) / step));
    return { first, count: Math.max(0, last - first + 1), place: lo + first * step };
  });
}

function padElement(x: Operand, value: Operand, index: readonly ix.Index[], config: PadConfig): Expr {
  const { shape } = x.aval;
  if (shape.some((d) => d === 0)) return value.at([]);
  const conditions: Expr[] = [];
  const at = index.map((i, k) => {
    const [lo, , mid] = config[k]!;
    const c = ix.addConst(i, -lo);
    const end = (shape[k]! - 1) * (mid + 1);
    if (c.lo < 0) conditions.push(op("ge", [indexValue(c), constant("i32", 0)]));
    if (c.hi > end) conditions.push(op("le", [indexValue(c), constant("i32", end)]));
    const within = ix.mod(c, mid + 1);
    if (!(ix.isLit(within) && within.base === 0)) conditions.push(op("eq", [indexValue(within), constant("i32", 0)]));
    return ix.clamp(ix.div(c, mid + 1), 0, shape[k]! - 1);
  });
  const element = x.at(at);
  if (conditions.length === 0) return element;
  return op("select", [conditions.reduce((a, b) => op("and", [a, b])), element, value.at([])]);
}

/** The operand's own box, and the slabs around it: axis by axis, what lies before and after it within the box so far. */
function padRegions(x: Operand, value: Operand, out: Shape, config: PadConfig): Region[] {
  const kept = keptRange(x.aval.shape, out, config);
  if (kept.some((r) => r.count === 0))
    return [
      box(
        out,
        out.map(() => 0),
        () => value.at([]),
      ),
    ];
  const regions: Region[] = [
    box(
      kept.map((r) => r.count),
      kept.map((r) => r.place),
      (i) => x.at(i.map((j, k) => ix.addConst(j, kept[k]!.first))),
    ),
  ];
  for (let axis = 0; axis < out.length; axis++) {
    const { place, count } = kept[axis]!;
    for (const [from, to] of [
      [0, place],
      [place + count, out[axis]!],
    ] as const) {
      if (from >= to) continue;
      const shape = out.map((d, k) => (k < axis ? kept[k]!.count : k === axis ? to - from : d));
      const start = out.map((_, k) => (k < axis ? kept[k]!.place : k === axis ? from : 0));
      regions.push(box(shape, start, () => value.at([])));
    }
  }
  return regions;
}
