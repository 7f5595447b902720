import { lax, type NDArray } from "../../src/index.js";
import type { ArrayLike } from "../../src/core/literal.js";
import type { Index } from "../../src/numpy/index-plan.js";
import type { UpdateOptions } from "../../src/numpy/index-update.js";

/** Methods of arrays and calls with dimension numbers, as functions that cases can name. */

type Indices = readonly Index[];
type Operation = "set" | "add" | "subtract" | "multiply" | "divide" | "power" | "min" | "max";
type Scatter = "scatter" | "scatterAdd" | "scatterSub" | "scatterMul" | "scatterMin" | "scatterMax";

const update =
  (operation: Operation) =>
  (x: NDArray, index: Indices, values: ArrayLike, options: UpdateOptions = {}): NDArray =>
    x.at(...index)[operation](values, options);

export const methods: Readonly<Record<string, unknown>> = {
  "array.slice": (x: NDArray, index: Indices) => x.slice(...index),
  "array.atGet": (x: NDArray, index: Indices, options: UpdateOptions = {}) => x.at(...index).get(options),
  "array.atSet": update("set"),
  "array.atAdd": update("add"),
  "array.atSubtract": update("subtract"),
  "array.atMultiply": update("multiply"),
  "array.atDivide": update("divide"),
  "array.atPower": update("power"),
  "array.atMin": update("min"),
  "array.atMax": update("max"),
  "array.gather": (
    x: NDArray,
    indices: NDArray,
    dimensionNumbers: lax.GatherDimensionNumbers,
    sliceSizes: readonly number[],
    mode: lax.GatherScatterMode | null,
    options: lax.GatherOptions = {},
  ) => lax.gather(x, indices, dimensionNumbers, sliceSizes, { mode, ...options }),
  "array.scatter": (
    x: NDArray,
    indices: NDArray,
    updates: NDArray,
    dimensionNumbers: lax.ScatterDimensionNumbers,
    name: Scatter,
    mode: lax.GatherScatterMode | null,
  ) => lax[name](x, indices, updates, dimensionNumbers, { mode }),
};
