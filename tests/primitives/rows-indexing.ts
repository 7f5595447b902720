import * as p from "../../src/primitives/all.js";
import { bools, type ContractRow, distinct, floats, given, ints, keys } from "./contract.js";

/** Windows of a [5, 4] operand: one index vector a row, whole rows. */
const rowsOf = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] };
/** Single elements of a [5, 4] operand. */
const elements = { offsetDims: [], collapsedSliceDims: [0, 1], startIndexMap: [1, 0] };
/** Windows of shape [2, 2] with starts along both axes. */
const boxes = { offsetDims: [0, 2], collapsedSliceDims: [], startIndexMap: [0, 1] };
/** Row b of the operand is indexed by row b of the indices. */
const alongRows = {
  offsetDims: [],
  collapsedSliceDims: [1],
  startIndexMap: [1],
  operandBatchingDims: [0],
  startIndicesBatchingDims: [0],
};
const scatterRows = { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
const scatterElements = { updateWindowDims: [], insertedWindowDims: [0, 1], scatterDimsToOperandDims: [1, 0] };
const scatterBoxes = { updateWindowDims: [0, 2], insertedWindowDims: [], scatterDimsToOperandDims: [0, 1] };
const scatterAlongRows = {
  updateWindowDims: [],
  insertedWindowDims: [1],
  scatterDimsToOperandDims: [1],
  operandBatchingDims: [0],
  scatterIndicesBatchingDims: [0],
};
const rowIndices = given([3, 1], "int32", [4, 0, 4]);
const farOutside = given([4, 1], "int32", [-2147483648, 2147483647, 3, 1 << 30]);
const largeWords = given([4, 1], "uint32", [4294967295, 2147483648, 1, 5]);
const outside = given([4, 1], "int32", [-1, 2, 5, 2]);
const pairs = given([3, 2], "int32", [3, 1, 0, 4, 2, 2]);
const starts = given([3, 2], "int32", [0, 1, 3, 2, 4, 3]);
const perRow = given([2, 3, 1], "int32", [0, 2, 2, 3, 1, 0]);

export const rows: readonly ContractRow[] = [
  {
    primitive: "gather",
    variant: "rows",
    args: [floats([5, 4]), rowIndices],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "clip",
    args: [floats([5, 4]), outside],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "fill",
    args: [floats([5, 4]), outside],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "fill", fillValue: 7 }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "promised",
    args: [floats([5, 4]), rowIndices],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "promiseInBounds" }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "elements",
    args: [floats([5, 4]), pairs],
    apply: ([x, i]) => p.gather(x!, i!, elements, [1, 1], { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "boxes",
    args: [floats([5, 4]), starts],
    apply: ([x, i]) => p.gather(x!, i!, boxes, [2, 2], { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "boxes fill",
    args: [floats([5, 4]), starts],
    apply: ([x, i]) => p.gather(x!, i!, boxes, [2, 2], { mode: "fill", fillValue: 0 }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "batch axes",
    args: [floats([2, 4]), perRow],
    apply: ([x, i]) => p.gather(x!, i!, alongRows, [1, 1], { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "uint indices",
    args: [floats([5, 4]), given([2, 1], "uint32", [4294967295, 1])],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "fill", fillValue: -1 }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "uint indices, clip",
    args: [floats([5, 4]), given([2, 1], "uint32", [4294967295, 1])],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "gather",
    variant: "int fill",
    args: [ints([5, 4]), outside],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "fill" }),
    smooth: 0,
    because: "int",
  },
  {
    primitive: "gather",
    variant: "bool fill",
    args: [bools([5, 4]), outside],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "fill" }),
    smooth: 0,
    because: "bool",
  },
  {
    primitive: "gather",
    variant: "keys",
    args: [keys([5, 4]), outside],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "fill" }),
    smooth: 0,
    because: "keys",
  },
  {
    primitive: "gather",
    variant: "no indices",
    args: [floats([5, 4]), given([0, 1], "int32", [])],
    apply: ([x, i]) => p.gather(x!, i!, rowsOf, [1, 4], { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "duplicates",
    args: [floats([5, 4]), rowIndices, floats([3, 4])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "outside",
    args: [floats([5, 4]), outside, floats([4, 4])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "far outside",
    args: [floats([5, 4]), farOutside, floats([4, 4])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "far outside, promised apart",
    args: [floats([5, 4]), farOutside, floats([4, 4])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterRows, { mode: "promiseInBounds", uniqueIndices: true }),
    smooth: 2,
  },
  {
    primitive: "scatter-add",
    variant: "far outside",
    args: [floats([5, 4]), farOutside, floats([4, 4])],
    apply: ([x, i, u]) => p.scatterAdd(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter-add",
    variant: "far outside, of words",
    args: [floats([5, 4]), largeWords, floats([4, 4])],
    apply: ([x, i, u]) => p.scatterAdd(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "clip",
    args: [floats([5, 4]), outside, floats([4, 4])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterRows, { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "unique",
    args: [floats([5, 4]), pairs, floats([3])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterElements, { mode: "fill", uniqueIndices: true }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "overlapping boxes",
    args: [floats([5, 4]), starts, floats([2, 3, 2])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterBoxes, { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "batch axes",
    args: [floats([2, 4]), perRow, floats([2, 3])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, scatterAlongRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter",
    variant: "keys",
    args: [keys([5]), rowIndices, keys([3])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, { ...scatterRows, updateWindowDims: [] }, { mode: "fill" }),
    smooth: 0,
    because: "keys",
  },
  {
    primitive: "scatter",
    variant: "bool",
    args: [bools([5]), rowIndices, bools([3])],
    apply: ([x, i, u]) => p.scatter(x!, i!, u!, { ...scatterRows, updateWindowDims: [] }, { mode: "fill" }),
    smooth: 0,
    because: "bool",
  },
  {
    primitive: "scatter-add",
    variant: "duplicates",
    args: [floats([5, 4]), rowIndices, floats([3, 4])],
    apply: ([x, i, u]) => p.scatterAdd(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter-add",
    variant: "outside",
    args: [floats([5, 4]), outside, floats([4, 4])],
    apply: ([x, i, u]) => p.scatterAdd(x!, i!, u!, scatterRows, { mode: "promiseInBounds" }),
    smooth: 2,
  },
  {
    primitive: "scatter-add",
    variant: "clip boxes",
    args: [floats([5, 4]), starts, floats([2, 3, 2])],
    apply: ([x, i, u]) => p.scatterAdd(x!, i!, u!, scatterBoxes, { mode: "clip" }),
    smooth: 2,
  },
  {
    primitive: "scatter-add",
    variant: "batch axes",
    args: [floats([2, 4]), perRow, floats([2, 3])],
    apply: ([x, i, u]) => p.scatterAdd(x!, i!, u!, scatterAlongRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter-add",
    variant: "int",
    args: [ints([5]), rowIndices, ints([3])],
    apply: ([x, i, u]) => p.scatterAdd(x!, i!, u!, { ...scatterRows, updateWindowDims: [] }, { mode: "fill" }),
    smooth: 0,
    because: "int",
  },
  {
    primitive: "scatter-mul",
    args: [floats([5, 4]), pairs, floats([3])],
    apply: ([x, i, u]) => p.scatterMul(x!, i!, u!, scatterElements, { mode: "fill", uniqueIndices: true }),
    smooth: 2,
  },
  {
    primitive: "scatter-mul",
    variant: "duplicates",
    args: [floats([5, 4]), rowIndices, { ...floats([3, 4]), constant: true }],
    apply: ([x, i, u]) => p.scatterMul(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter-min",
    args: [
      distinct([5, 4]),
      rowIndices,
      given([3, 4], "float", [-1.83, 0.31, 1.17, 0.033, 0.41, -1.07, 1.91, -0.63, 0.77, -0.33, -1.41, 1.37]),
    ],
    apply: ([x, i, u]) => p.scatterMin(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "scatter-max",
    args: [
      distinct([5, 4]),
      outside,
      given(
        [4, 4],
        "float",
        [1.5, 1.6, 1.7, 1.8, -1.83, 0.31, 1.17, 0.033, 0.41, -1.07, 1.91, -0.63, 0.77, -0.33, -1.41, 1.37],
      ),
    ],
    apply: ([x, i, u]) => p.scatterMax(x!, i!, u!, scatterRows, { mode: "fill" }),
    smooth: 2,
  },
  {
    primitive: "dynamic_slice",
    args: [floats([5, 4]), given([], "int32", [1]), given([], "int32", [2])],
    apply: ([x, i, j]) => p.dynamicSlice(x!, [i!, j!], [2, 2]),
    smooth: 2,
  },
  {
    primitive: "dynamic_slice",
    variant: "clamped",
    args: [floats([5, 4]), given([], "int32", [4]), given([], "int32", [-3])],
    apply: ([x, i, j]) => p.dynamicSlice(x!, [i!, j!], [2, 3]),
    smooth: 2,
  },
  {
    primitive: "dynamic_slice",
    variant: "keys",
    args: [keys([5]), given([], "uint32", [7])],
    apply: ([x, i]) => p.dynamicSlice(x!, [i!], [2]),
    smooth: 0,
    because: "keys",
  },
  {
    primitive: "dynamic_update_slice",
    args: [floats([5, 4]), floats([2, 3]), given([], "int32", [1]), given([], "int32", [0])],
    apply: ([x, u, i, j]) => p.dynamicUpdateSlice(x!, u!, [i!, j!]),
    smooth: 2,
  },
  {
    primitive: "dynamic_update_slice",
    variant: "clamped",
    args: [floats([5, 4]), floats([2, 3]), given([], "int32", [9]), given([], "int32", [-1])],
    apply: ([x, u, i, j]) => p.dynamicUpdateSlice(x!, u!, [i!, j!]),
    smooth: 2,
  },
  {
    primitive: "dynamic_update_slice",
    variant: "keys",
    args: [keys([5]), keys([2]), given([], "int32", [3])],
    apply: ([x, u, i]) => p.dynamicUpdateSlice(x!, u!, [i!]),
    smooth: 0,
    because: "keys",
  },
];
