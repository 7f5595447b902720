import { NDArray } from "../core/array.js";
import { sameShape, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { flatten, sameStructure, type TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, In } from "../core/types.js";
import * as p from "../primitives/all.js";
import { extremeOf } from "../primitives/elementwise/operands.js";
import { flattenArrays } from "../transforms/arguments.js";
import { add, bitwiseAnd, bitwiseOr, ge, le, max, min, mul } from "./elementwise.js";
import { type Padding, paddingPairs, requireList, spansOf } from "./window-padding.js";

/** Reductions of windows that slide over an array. */
export interface WindowOptions {
  /** Elements of a window along each axis. */
  readonly windowDimensions: readonly number[];
  /** Steps between windows; 1 by default. */
  readonly windowStrides?: readonly number[] | null | undefined;
  /** "VALID" by default. What is added never counts: it is the reduction's neutral element. */
  readonly padding?: Padding | undefined;
  readonly baseDilation?: readonly number[] | null | undefined;
  readonly windowDilation?: readonly number[] | null | undefined;
}
type WindowArguments = WindowOptions & { readonly operand: ArrayLike };

const names = ["operand", "windowDimensions", "windowStrides", "padding", "baseDilation", "windowDilation"] as const;

interface PaddedWindows {
  readonly padded: NDArray;
  readonly windows: p.SlidingWindows;
  readonly pairs: readonly (readonly [number, number])[];
}

/** The operand dilated and padded with a value, and the windows over it. */
function slide(op: string, x: NDArray, value: NDArray, options: WindowOptions): PaddedWindows {
  const ones = x.shape.map(() => 1);
  const strides = options.windowStrides ?? ones;
  const base = options.baseDilation ?? ones;
  const dilations = options.windowDilation ?? ones;
  const sizes = options.windowDimensions;
  requireList(op, "windowDimensions", sizes, x.ndim);
  requireList(op, "windowStrides", strides, x.ndim);
  requireList(op, "baseDilation", base, x.ndim);
  requireList(op, "windowDilation", dilations, x.ndim);
  // as in JAX, "SAME" counts the windows of the operand before it is dilated
  const asked = paddingPairs(op, options.padding ?? "VALID", x.shape, spansOf(sizes, dilations), strides);
  // padding that takes away more than there is leaves nothing
  const pairs = asked.map(([lo, hi], k) => {
    const length = p.dilated(x.shape[k]!, base[k]!);
    return length + lo + hi < 0 ? ([-length, 0] as const) : ([lo, hi] as const);
  });
  const axes = sizes.flatMap((n, k) => (n > 1 || strides[k]! > 1 ? [k] : []));
  const pick = (l: readonly number[]): number[] => axes.map((k) => l[k]!);
  return {
    padded: p.pad(
      x,
      value,
      pairs.map(([lo, hi], k) => [lo, hi, base[k]! - 1] as const),
    ),
    windows: { axes, sizes: pick(sizes), strides: pick(strides), dilations: pick(dilations) },
    pairs,
  };
}

type WindowReduction = (
  operand: ArrayLike,
  windowDimensions: readonly number[] | WindowOptions,
  windowStrides?: readonly number[] | null,
  padding?: Padding,
  baseDilation?: readonly number[] | null,
  windowDilation?: readonly number[] | null,
) => NDArray;

type Reduce = (x: NDArray, w: p.SlidingWindows) => NDArray;
const scalar = (value: number, dtype: DType): NDArray => p.full(value, { shape: [], dtype, weakType: false });

function windowReduction(name: string, neutral: (dtype: DType) => number, reduce: Reduce): WindowReduction {
  const params = signature<WindowArguments>(`lax.${name}`, 2, names);
  return (...given) => {
    const { operand, ...options } = params(given);
    const x = asArray(operand, `lax.${name}`);
    const { padded, windows } = slide(`lax.${name}`, x, scalar(neutral(x.dtype), x.dtype), options);
    return reduce(padded, windows);
  };
}

/** A reduction of all elements of each window at once. */
const whole =
  (reduce: (x: NDArray, axes: readonly number[]) => NDArray): Reduce =>
  (x, w) =>
    reduce(
      p.windows(x, w),
      w.axes.map((_, k) => x.ndim + k),
    );
const product: Reduce = /* @__PURE__ */ whole(p.reduceProd);
const allOnes = (dtype: DType): number => (dtype === "bool" ? 1 : dtype === "uint32" ? 4294967295 : -1);

/**
 * Sums of windows: of length n, w and stride s, ⌊(n − w)/s⌋ + 1 along each axis without padding.
 *
 * @throws ArgumentError `window-list`, `window-padding`.
 * @example
 * const x = np.array([1, 2, 3, 4]);
 * lax.reduceWindowSum(x, { windowDimensions: [2] }); // [3, 5, 7]
 * lax.reduceWindowSum(x, [2], [2], "SAME"); // [3, 7]
 */
export const reduceWindowSum = /* @__PURE__ */ windowReduction("reduceWindowSum", () => 0, p.windowSum);
/** Products of windows. */
export const reduceWindowMul = /* @__PURE__ */ windowReduction("reduceWindowMul", () => 1, product);
/**
 * Maxima of windows; of equal elements the first has the derivative.
 *
 * @throws as `reduceWindowSum`.
 * @example
 * lax.reduceWindowMax(np.array([1, 3, 2, 0]), [2]); // [3, 3, 2]
 */
export const reduceWindowMax = /* @__PURE__ */ windowReduction(
  "reduceWindowMax",
  (dtype) => extremeOf(dtype, false),
  p.windowMax,
);
/**
 * Minima of windows; of equal elements the first has the derivative.
 *
 * @throws as `reduceWindowSum`.
 * @example
 * lax.reduceWindowMin(np.array([1, 3, 2, 0]), [2]); // [1, 2, 0]
 */
export const reduceWindowMin = /* @__PURE__ */ windowReduction(
  "reduceWindowMin",
  (dtype) => extremeOf(dtype, true),
  p.windowMin,
);

interface Known {
  readonly neutral: (dtype: DType) => number;
  readonly reduce: Reduce;
}
const known: ReadonlyMap<unknown, Known> = /* @__PURE__ */ new Map<unknown, Known>([
  [add, { neutral: () => 0, reduce: p.windowSum }],
  [mul, { neutral: () => 1, reduce: product }],
  [max, { neutral: (dtype) => extremeOf(dtype, false), reduce: p.windowMax }],
  [min, { neutral: (dtype) => extremeOf(dtype, true), reduce: p.windowMin }],
  [bitwiseAnd, { neutral: allOnes, reduce: whole(p.reduceAnd) }],
  [bitwiseOr, { neutral: () => 0, reduce: whole(p.reduceOr) }],
]);

interface ReduceWindowArguments extends WindowOptions {
  readonly operand: unknown;
  readonly initValue: unknown;
  readonly computation: (a: never, b: never) => unknown;
}
const reduceWindowParams = /* @__PURE__ */ signature<ReduceWindowArguments>(
  "lax.reduceWindow",
  4,
  [
    "operand",
    "initValue",
    "computation",
    "windowDimensions",
    "windowStrides",
    "padding",
    "baseDilation",
    "windowDilation",
  ],
  { trees: 3 },
);
/**
 * Reduces windows with any associative computation of two values, starting from `initValue`, with which it also pads. The
 * operand may be a pytree of arrays of one shape: then `initValue` is such a tree of scalars, and the computation takes and
 * gives trees, so that several arrays are reduced together.
 *
 * `computation` is applied to whole arrays, element by element; `lax.add`, `mul`, `max`, `min`, `bitwiseAnd` and `bitwiseOr`
 * from their neutral elements are recognised. Others see the elements of a window one after another, each in a step of its own.
 * @throws ArgumentError `window-computation`; ShapeError `window-operand`, `window-result`; DTypeError `window-init`,
 * `window-result`; TreeError `tree-mismatch` where the trees differ.
 *
 * @example
 * const x = np.array([3, 1, 2]);
 * const largest = lax.reduceWindow(x, -Infinity, lax.max, [2]); // [3, 2]
 * const both = lax.reduceWindow([x, x], [0, -Infinity], ([s, m], [a, b]) => [s.add(a), np.maximum(m, b)], [2]);
 * const [sums, maxima] = both; // [4, 3], [3, 2]
 */
export function reduceWindow<T = NDArray>(
  operand: T,
  initValue: In<ArraysOf<T>>,
  computation: (a: ArraysOf<T>, b: ArraysOf<T>) => In<ArraysOf<T>>,
  windowDimensions: readonly number[] | WindowOptions,
  windowStrides?: readonly number[] | null,
  padding?: Padding,
  baseDilation?: readonly number[] | null,
  windowDilation?: readonly number[] | null,
): ArraysOf<T>;
export function reduceWindow(...given: unknown[]): unknown {
  const { operand, initValue, computation, ...options } = reduceWindowParams(given);
  if (typeof computation !== "function") {
    throw new ArgumentError({
      code: "window-computation",
      message: `${op}: computation must be a function of two values`,
      hint: "for example lax.add",
    });
  }
  const own = known.get(computation);
  if (own !== undefined && operand instanceof NDArray && typeof initValue === "number") {
    if (initValue === own.neutral(operand.dtype)) {
      const { padded, windows } = slide(op, operand, scalar(initValue, operand.dtype), options);
      return own.reduce(padded, windows);
    }
  }
  const { leaves, def } = flattenArrays(operand, `${op}: operand `);
  const initials = initialsOf(initValue, leaves, def);
  const slid = leaves.map((x, k) => {
    const { padded, windows } = slide(op, x, initials[k]!, options);
    const all = p.windows(padded, windows);
    const counts = all.shape.slice(0, x.ndim);
    const size = sizeOf(windows.sizes);
    return { flat: p.reshape(all, [...counts, size]), counts, size };
  });
  const { counts, size } = slid[0]!;
  const part = (flat: NDArray, i: number): NDArray =>
    p.reshape(p.slice(flat, [...counts.map(() => 0), i], [...counts, i + 1]), counts);
  let result = initials.map((x) => p.broadcastInDim(x, counts, []));
  for (let i = 0; i < size; i++) {
    const parts = slid.map(({ flat }) => part(flat, i));
    const next = (computation as (a: unknown, b: unknown) => unknown)(unflatten(def, result), unflatten(def, parts));
    result = resultsOf(next, result, def);
  }
  return unflatten(def, result);
}

const op = "lax.reduceWindow";

/** Scalars to start from, one for each operand and of its dtype; operands of one shape. */
function initialsOf(initValue: unknown, leaves: readonly NDArray[], def: TreeDef): NDArray[] {
  const first = leaves[0];
  if (first === undefined || leaves.some((x) => !sameShape(x.shape, first.shape))) {
    throw new ShapeError({
      code: "window-operand",
      message: `${op} needs one or more arrays of one shape`,
      details: leaves.map((x, k) => [`operand ${k}`, x.describe()] as const),
    });
  }
  const [values, initDef] = flatten(initValue);
  sameStructure(def, initDef, `${op}: initValue`);
  return leaves.map((x, k) => {
    const value = values[k];
    if (typeof value === "number" || typeof value === "boolean") return scalar(Number(value), x.dtype);
    const initial = asArray(value, op, "initValue");
    if (initial.ndim === 0 && initial.dtype === x.dtype) return initial;
    throw new DTypeError({
      code: "window-init",
      message: `${op}: initValue must be a scalar of the operand's dtype`,
      details: [
        ["operand", x.describe()],
        ["initValue", initial.describe()],
      ],
    });
  });
}

/** What a computation gave, of the types of what it was given. */
function resultsOf(next: unknown, before: readonly NDArray[], def: TreeDef): NDArray[] {
  const { leaves, def: nextDef } = flattenArrays(next, `${op}: what the computation gave `);
  sameStructure(def, nextDef, `${op}: what the computation gave`);
  return leaves.map((y, k) => {
    const x = before[k]!;
    const details = [
      ["operand", x.describe()],
      ["result", y.describe()],
    ] as const;
    const message = `${op}: the computation must keep shape and dtype`;
    if (!sameShape(y.shape, x.shape)) throw new ShapeError({ code: "window-result", message, details });
    if (y.dtype !== x.dtype) throw new DTypeError({ code: "window-result", message, details });
    return y;
  });
}

const scatterParams = /* @__PURE__ */ signature<
  WindowOptions & {
    readonly operand: ArrayLike;
    readonly source: ArrayLike;
    readonly selectPrim?: typeof ge | typeof le;
  }
>("lax.selectAndScatterAdd", 4, ["source", "operand", "selectPrim", "windowDimensions", "windowStrides", "padding"]);
/**
 * Adds every element of `source` to the element of the operand's shape that its window selects: the first largest for
 * `lax.ge`, the first least for `lax.le`. It is what the derivative of `reduceWindowMax` transposes to.
 *
 * @example
 * const x = np.array([1, 3, 2, 0]);
 * lax.selectAndScatterAdd(np.array([10, 20]), x, lax.ge, [2], [2], "VALID"); // [0, 10, 20, 0]
 */
export function selectAndScatterAdd(
  source: ArrayLike,
  operand: ArrayLike,
  selectPrim: typeof ge | typeof le,
  windowDimensions: readonly number[] | WindowOptions,
  windowStrides?: readonly number[] | null,
  padding?: Padding,
): NDArray;
export function selectAndScatterAdd(...given: unknown[]): NDArray {
  const op = "lax.selectAndScatterAdd";
  const { source, operand, selectPrim, ...options } = scatterParams(given);
  if (selectPrim !== ge && selectPrim !== le) {
    throw new ArgumentError({
      code: "window-select",
      message: `${op}: selectPrim must be lax.ge (the largest) or lax.le (the least)`,
    });
  }
  const isMin = selectPrim === le;
  const x = asArray(operand, op);
  const { padded, windows, pairs } = slide(op, x, scalar(extremeOf(x.dtype, isMin), x.dtype), options);
  const scattered = p.selectAndScatterAdd(asArray(source, op, "source"), padded, { ...windows, isMin });
  return p.pad(
    scattered,
    scalar(0, scattered.dtype),
    pairs.map(([lo, hi]) => [-lo, -hi, 0] as const),
  );
}
