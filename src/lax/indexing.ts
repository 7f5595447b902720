import type { NDArray } from "../core/array.js";
import { isOptions, signature } from "../core/calling.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { fromEnd } from "./from-end.js";

/** Gather and scatter as XLA has them; `x.slice(…)`, `x.at(…)` and `numpy.take` say the same in easier words. */

/**
 * What an index that points outside of the operand does. "clip" moves the window inside. "fill" and "drop" are one: a
 * gather gives `fillValue`, a scatter leaves the window out. "promiseInBounds": a gather clips and a scatter drops, and no
 * derivative flows there.
 */
export type GatherScatterMode = "clip" | "fill" | "drop" | "promiseInBounds" | "promise_in_bounds";

export type { GatherDimensionNumbers, ScatterDimensionNumbers } from "../primitives/all.js";

export interface ScatterOptions {
  /** Default "drop". */
  readonly mode?: GatherScatterMode | null | undefined;
  /** A promise that no element is updated twice. */
  readonly uniqueIndices?: boolean | undefined;
  /** A hint of no consequence here. */
  readonly indicesAreSorted?: boolean | undefined;
}
export interface GatherOptions {
  /** Default "promiseInBounds". */
  readonly mode?: GatherScatterMode | null | undefined;
  /** For the mode "fill"; by default NaN, the least int32, the greatest uint32, true. */
  readonly fillValue?: number | boolean | null | undefined;
  /** A promise that no element is gathered twice. */
  readonly uniqueIndices?: boolean | undefined;
  /** A hint of no consequence here. */
  readonly indicesAreSorted?: boolean | undefined;
}

function modeOf(op: string, mode: GatherScatterMode): p.IndexMode {
  if (mode === "fill" || mode === "drop") return "fill";
  if (mode === "clip" || mode === "promiseInBounds") return mode;
  if (mode === "promise_in_bounds") return "promiseInBounds";
  throw new ArgumentError({
    code: "index-mode",
    message: `${op}: ${JSON.stringify(mode)} is not a mode`,
    hint: `modes: "fill", "drop", "clip", "promiseInBounds"`,
  });
}

/** Index vectors: integers, as 32-bit words. */
function indexVectors(indices: ArrayLike, op: string): NDArray {
  const i = asArray(indices, op, "indices");
  if (isInteger(i.dtype)) return i;
  throw new DTypeError({
    code: "index-dtype",
    message: `${op}: indices are integers, not ${i.dtype}`,
    details: [["indices", i.describe()]],
    hint: `convert with .astype("int32")`,
  });
}

/** Whether a call's dimension numbers stand by name in its options, rather than in their own place. */
const named = (given: readonly unknown[], place: number): boolean => {
  const x = given[place];
  return isOptions(x) && "dimensionNumbers" in x;
};

interface GatherParams extends GatherOptions {
  readonly operand: ArrayLike;
  readonly startIndices: ArrayLike;
  readonly dimensionNumbers: p.GatherDimensionNumbers;
  readonly sliceSizes: readonly number[];
}
const gatherNames = ["operand", "startIndices", "dimensionNumbers", "sliceSizes"] as const;
const gatherByName = ["mode", "fillValue", "uniqueIndices", "indicesAreSorted"] as const;
const gatherInOrder = signature<GatherParams>("lax.gather", 4, gatherNames, { byName: gatherByName, trees: 3 });
const gatherNamed = signature<GatherParams>("lax.gather", 4, gatherNames, { byName: gatherByName });
/**
 * Windows of `operand` of shape `sliceSizes`, one for each index vector along the last axis of `startIndices`. Negative
 * indices are out of bounds.
 *
 * @throws ArgumentError `window-dims`, `index-mode`; ShapeError `window-size`; DTypeError `index-dtype`.
 * @example
 * const rows = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] };
 * const x = np.array([[1, 2], [3, 4], [5, 6]]);
 * lax.gather(x, np.array([[2], [0]], "int32"), rows, [1, 2]);  // [[5, 6], [1, 2]]
 */
export function gather(
  operand: ArrayLike,
  startIndices: ArrayLike,
  dimensionNumbers: p.GatherDimensionNumbers,
  sliceSizes: readonly number[],
  options?: GatherOptions,
): NDArray;
export function gather(...given: unknown[]): NDArray {
  const params = named(given, 2) ? gatherNamed(given) : gatherInOrder(given);
  const { operand, startIndices, dimensionNumbers, sliceSizes, mode, fillValue, uniqueIndices } = params;
  return p.gather(
    asArray(operand, "lax.gather", "operand"),
    indexVectors(startIndices, "lax.gather"),
    dimensionNumbers,
    sliceSizes,
    {
      mode: modeOf("lax.gather", mode ?? "promiseInBounds"),
      fillValue: fillValue == null ? undefined : Number(fillValue),
      uniqueIndices,
    },
  );
}

interface ScatterParams extends ScatterOptions {
  readonly operand: ArrayLike;
  readonly scatterIndices: ArrayLike;
  readonly updates: ArrayLike;
  readonly dimensionNumbers: p.ScatterDimensionNumbers;
}
type Scatter = (
  operand: ArrayLike,
  scatterIndices: ArrayLike,
  updates: ArrayLike,
  dimensionNumbers: p.ScatterDimensionNumbers,
  options?: ScatterOptions,
) => NDArray;

const scatterNames = ["operand", "scatterIndices", "updates", "dimensionNumbers"] as const;
const scatterByName = ["mode", "uniqueIndices", "indicesAreSorted"] as const;

function scatterOf(
  name: string,
  primitive: () => typeof p.scatter,
  prepare: (updates: NDArray) => NDArray = (updates) => updates,
): Scatter {
  const op = `lax.${name}`;
  const inOrder = signature<ScatterParams>(op, 4, scatterNames, { byName: scatterByName, trees: 4 });
  const byName = signature<ScatterParams>(op, 4, scatterNames, { byName: scatterByName });
  return (...given) => {
    const params = named(given, 3) ? byName(given) : inOrder(given);
    const { operand, scatterIndices, updates, dimensionNumbers, mode, uniqueIndices } = params;
    const x = asArray(operand, op, "operand");
    const u =
      typeof updates === "number" || typeof updates === "boolean"
        ? lit(updates, x.dtype)
        : asArray(updates, op, "updates");
    return primitive()(x, indexVectors(scatterIndices, op), prepare(u), dimensionNumbers, {
      mode: modeOf(op, mode ?? "drop"),
      uniqueIndices,
    });
  };
}

/**
 * `operand` with windows replaced by those of `updates`, one for each index vector along the last axis of `scatterIndices`.
 * Negative indices are out of bounds. Of several updates of one element the last wins.
 *
 * @throws ShapeError `scatter-updates`; DTypeError `index-dtype`, `dtype-mismatch`.
 * @example
 * const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatter(np.zeros([4]), np.array([[2], [9]], "int32"), np.array([5, 6]), elements);  // [0, 0, 5, 0]
 */
export const scatter: Scatter = /* @__PURE__ */ scatterOf("scatter", () => p.scatter);
/**
 * As `scatter`, but adds the updates; several of one element all count.
 *
 * @example
 * const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatterAdd(np.ones([3]), np.array([[2], [2]], "int32"), np.array([5, 6]), elements);  // [1, 1, 12]
 */
export const scatterAdd: Scatter = /* @__PURE__ */ scatterOf("scatterAdd", () => p.scatterAdd);
/** As `scatter`, but subtracts the updates. */
export const scatterSub: Scatter = /* @__PURE__ */ scatterOf("scatterSub", () => p.scatterAdd, p.neg);
/** As `scatter`, but multiplies by the updates. Its derivative in the updates needs `uniqueIndices`. */
export const scatterMul: Scatter = /* @__PURE__ */ scatterOf("scatterMul", () => p.scatterMul);
/** As `scatter`, but keeps the lesser of element and update. Those that tie share the derivative. */
export const scatterMin: Scatter = /* @__PURE__ */ scatterOf("scatterMin", () => p.scatterMin);
/** As `scatter`, but keeps the greater of element and update. Those that tie share the derivative. */
export const scatterMax: Scatter = /* @__PURE__ */ scatterOf("scatterMax", () => p.scatterMax);

const indexTakeParams = signature<{
  src: ArrayLike;
  idxs: readonly ArrayLike[];
  axes: readonly number[];
}>("lax.indexTake", 3, ["src", "idxs", "axes"]);
/**
 * The parts of an array at index vectors: entry i of the result is `src` at `idxs[k][i]` along each axis `axes[k]`. All
 * indices wrap around.
 *
 * @example
 * const x = np.array([[1, 2], [3, 4]]);
 * lax.indexTake(x, [np.array([0, -1, 2], "int32")], [1]);  // [[1, 3], [2, 4], [1, 3]]
 */
export function indexTake(src: ArrayLike, idxs: readonly ArrayLike[], axes: readonly number[]): NDArray;
export function indexTake(...given: unknown[]): NDArray {
  const { src, idxs, axes } = indexTakeParams(given);
  const x = asArray(src, "lax.indexTake", "src");
  const columns = idxs.map((i, k) => {
    const n = x.shape[axes[k] ?? -1] ?? 1;
    const index = p.convertElementType(indexVectors(i, "lax.indexTake"), "int32");
    const r = p.rem(index, n);
    return p.expandDims(fromEnd(r, n), [1]);
  });
  return p.gather(
    x,
    p.concatenate(columns, 1),
    {
      offsetDims: Array.from({ length: x.ndim - axes.length }, (_, k) => k + 1),
      collapsedSliceDims: [...axes].sort((a, b) => a - b),
      startIndexMap: axes,
    },
    x.shape.map((n, k) => (axes.includes(k) ? 1 : n)),
    { mode: "promiseInBounds" },
  );
}
