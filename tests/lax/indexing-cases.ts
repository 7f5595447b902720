import { lax, type NDArray, numpy as np } from "../../src/index.js";
import recorded from "./indexing.data.json" with { type: "json" };

/** What JAX gives: recorded by indexing_values.py. */
export interface Recorded {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly (number | string)[];
}
export interface Case {
  readonly fn: "gather" | "scatter" | "scatterAdd" | "scatterSub" | "scatterMul" | "scatterMin" | "scatterMax";
  readonly layout: string;
  readonly windows: readonly number[];
  readonly dropped: readonly number[];
  readonly map: readonly number[];
  readonly batch: readonly number[];
  readonly indexBatch: readonly number[];
  readonly sizes: readonly number[];
  readonly mode: "clip" | "fill" | "promiseInBounds";
  readonly unique?: boolean;
  readonly indices: Recorded;
  readonly args: readonly Recorded[];
  readonly axes?: readonly (number | null)[];
  readonly out: Recorded;
  readonly tangents?: readonly Recorded[];
  readonly jvp?: Recorded | null;
  readonly ct?: Recorded;
  readonly vjp?: readonly Recorded[] | null;
}
export const cases = recorded as unknown as readonly Case[];

export const array = ({ data, shape, dtype }: Recorded): NDArray =>
  np.array(data.map(Number), { shape, dtype: dtype as "float32" | "int32" });

/** The case's function of its arrays: operand and updates, with the indices between them where those are batched. */
export function functionOf(c: Case): (...xs: NDArray[]) => NDArray {
  const all = c.axes !== undefined;
  const options: lax.GatherOptions & lax.ScatterOptions = {
    mode: c.mode,
    ...(c.unique ? { uniqueIndices: true } : {}),
  };
  if (c.fn === "gather") {
    const numbers = {
      offsetDims: c.windows,
      collapsedSliceDims: c.dropped,
      startIndexMap: c.map,
      operandBatchingDims: c.batch,
      startIndicesBatchingDims: c.indexBatch,
    };
    const filled = { ...options, ...(c.mode === "fill" ? { fillValue: 2 } : {}) };
    const f = (x: NDArray, i: NDArray): NDArray => lax.gather(x, i, numbers, c.sizes, filled);
    return all ? (x, i) => f(x!, i!) : (x) => f(x!, array(c.indices));
  }
  const numbers = {
    updateWindowDims: c.windows,
    insertedWindowDims: c.dropped,
    scatterDimsToOperandDims: c.map,
    operandBatchingDims: c.batch,
    scatterIndicesBatchingDims: c.indexBatch,
  };
  const f = (x: NDArray, i: NDArray, u: NDArray): NDArray => lax[c.fn as "scatter"](x, i, u, numbers, options);
  return all ? (x, i, u) => f(x!, i!, u!) : (x, u) => f(x!, array(c.indices), u!);
}

export const label = (c: Case): string =>
  `${c.fn}, ${c.layout}, ${c.mode}${c.axes ? `, batched ${c.axes.join(" ")}` : ""}`;
