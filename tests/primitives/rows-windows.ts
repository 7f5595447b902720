import {
  type SlidingWindows,
  windowMax,
  windowMin,
  windowPlace,
  windowPut,
  windowSum,
  windowTake,
} from "../../src/primitives/all.js";
import { bools, type ContractRow, distinct, floats, given, ints, uints } from "./contract.js";

const along = (axis: number, size: number, stride = 1, dilation = 1): SlidingWindows => ({
  axes: [axis],
  sizes: [size],
  strides: [stride],
  dilations: [dilation],
});
const shapes: readonly (readonly [string, readonly number[], SlidingWindows])[] = [
  ["overlapping", [2, 6], along(1, 3)],
  ["side by side", [6, 2], along(0, 2, 2)],
  ["with gaps", [9, 2], along(0, 2, 4)],
  ["dilated", [8], along(0, 3, 2, 2)],
  ["two axes", [2, 5, 6], { axes: [1, 2], sizes: [2, 3], strides: [2, 1], dilations: [1, 2] }],
  ["none fits", [2], along(0, 3)],
];

const reductions = (["reduce_window_sum", "reduce_window_max", "reduce_window_min"] as const).flatMap((primitive) => {
  const f = { reduce_window_sum: windowSum, reduce_window_max: windowMax, reduce_window_min: windowMin }[primitive];
  return [
    ...shapes.map(([variant, shape, w]): ContractRow => ({
      primitive,
      variant,
      args: [distinct(shape)],
      apply: ([x]) => f(x!, w),
      smooth: 2,
      ulps: 8,
    })),
    ...[ints([2, 6]), uints([2, 6], [0, 100]), ...(primitive === "reduce_window_sum" ? [] : [bools([2, 6])])].map(
      (arg): ContractRow => ({
        primitive,
        variant: arg.dtype,
        args: [arg],
        apply: ([x]) => f(x!, along(1, 3)),
        smooth: 0,
        because: "integers",
      }),
    ),
  ];
});

const places = [true, false].flatMap((isMin) =>
  shapes.map(([variant, shape, w]): ContractRow => ({
    primitive: "window_place",
    variant: `${isMin ? "least" : "largest"}, ${variant}`,
    args: [distinct(shape)],
    apply: ([x]) => windowPlace(x!, { ...w, isMin }),
    smooth: 0,
    because: "places are integers",
  })),
);

export const rows: readonly ContractRow[] = [
  ...reductions,
  ...places,
  {
    primitive: "window_place",
    variant: "ties and NaN",
    args: [given([7], "float", [1, 3, 3, NaN, 2, NaN, 2])],
    apply: ([x]) => windowPlace(x!, { ...along(0, 3, 2), isMin: false }),
    smooth: 0,
    because: "places are integers",
  },
  {
    primitive: "window_take",
    args: [floats([2, 7]), given([2, 3], "int32", [0, 2, 1, 1, 1, 0])],
    apply: ([x, at]) => windowTake(x!, at!, along(1, 3, 2)),
    smooth: 2,
  },
  {
    primitive: "window_take",
    variant: "two axes",
    args: [floats([4, 4]), given([3, 2], "int32", [0, 3, 1, 2, 2, 0])],
    apply: ([x, at]) => windowTake(x!, at!, { axes: [0, 1], sizes: [2, 2], strides: [1, 2], dilations: [1, 1] }),
    smooth: 2,
  },
  {
    primitive: "window_put",
    args: [floats([2, 3]), given([2, 3], "int32", [2, 0, 1, 1, 1, 0])],
    apply: ([y, at]) => windowPut(y!, at!, { ...along(1, 3, 2), shape: [2, 8] }),
    smooth: 2,
  },
  {
    primitive: "window_put",
    variant: "two axes",
    args: [floats([3, 2]), given([3, 2], "int32", [0, 3, 1, 2, 2, 0])],
    apply: ([y, at]) =>
      windowPut(y!, at!, { axes: [0, 1], sizes: [2, 2], strides: [1, 2], dilations: [1, 1], shape: [4, 4] }),
    smooth: 2,
  },
  {
    primitive: "window_put",
    variant: "side by side",
    args: [floats([4, 3]), given([4, 3], "int32", [0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 0])],
    apply: ([y, at]) => windowPut(y!, at!, { ...along(1, 2, 2), shape: [4, 7] }),
    smooth: 2,
  },
  {
    primitive: "window_put",
    variant: "int",
    args: [ints([4]), given([4], "int32", [2, 1, 0, 0])],
    apply: ([y, at]) => windowPut(y!, at!, { ...along(0, 3), shape: [6] }),
    smooth: 0,
    because: "integers",
  },
];
