import { conv, type ConvParams, windows } from "../../src/primitives/all.js";
import { type ArgSpec, type ContractRow, floats, ints, uints } from "./contract.js";

const plain = (rank: number, more: Partial<ConvParams> = {}): ConvParams => ({
  strides: Array<number>(rank).fill(1),
  padding: Array.from({ length: rank }, () => [0, 0] as const),
  lhsDilation: Array<number>(rank).fill(1),
  rhsDilation: Array<number>(rank).fill(1),
  ...more,
});

const row = (variant: string, x: ArgSpec, w: ArgSpec, params: ConvParams): ContractRow => ({
  primitive: "conv_general_dilated",
  variant,
  args: [x, w],
  apply: ([a, b]) => conv(a!, b!, params),
  smooth: 2,
  ulps: 32,
});
const whole = (variant: string, x: ArgSpec, w: ArgSpec, params: ConvParams): ContractRow => ({
  ...row(variant, x, w, params),
  smooth: 0,
  because: "integers",
});

const window = (variant: string, x: ArgSpec, w: Parameters<typeof windows>[1]): ContractRow => ({
  primitive: "windows",
  variant,
  args: [x],
  apply: ([a]) => windows(a!, w),
  smooth: 2,
});

export const rows: readonly ContractRow[] = [
  row("one axis", floats([1, 2, 3, 7]), floats([1, 2, 3, 3]), plain(1)),
  row("strides that leave a rest", floats([1, 1, 2, 8]), floats([1, 2, 2, 3]), plain(1, { strides: [3] })),
  row("padded", floats([1, 2, 1, 5]), floats([1, 1, 1, 3]), plain(1, { padding: [[2, 1]] })),
  row("cropped", floats([1, 1, 1, 7]), floats([1, 2, 1, 2]), plain(1, { padding: [[-1, -2]] })),
  row("images dilated", floats([1, 1, 2, 4]), floats([1, 1, 2, 2]), plain(1, { lhsDilation: [3], padding: [[1, 0]] })),
  row(
    "images dilated along two axes, longer kernels",
    floats([1, 2, 2, 3, 2]),
    floats([1, 2, 2, 5, 4]),
    plain(2, {
      lhsDilation: [2, 3],
      padding: [
        [2, 3],
        [-1, 4],
      ],
    }),
  ),
  row(
    "images dilated, kernels of one element along an axis",
    floats([1, 1, 2, 3, 4]),
    floats([1, 2, 2, 1, 2]),
    plain(2, {
      lhsDilation: [2, 2],
      padding: [
        [1, -1],
        [0, 1],
      ],
    }),
  ),
  row(
    "images dilated, windows apart",
    floats([2, 1, 1, 6]),
    floats([2, 1, 1, 3]),
    plain(1, { lhsDilation: [2], strides: [2] }),
  ),
  row(
    "channels last",
    floats([1, 2, 3, 4, 3]),
    floats([1, 2, 3, 2, 2]),
    plain(2, {
      channelsLast: true,
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
  ),
  row(
    "channels last, many places",
    floats([1, 2, 2, 70]),
    floats([1, 3, 2, 3]),
    plain(1, { channelsLast: true, strides: [1] }),
  ),
  row(
    "channels last, images dilated",
    floats([1, 2, 3, 5]),
    floats([1, 2, 3, 4]),
    plain(1, { channelsLast: true, lhsDilation: [3], padding: [[2, 3]] }),
  ),
  row(
    "channels last, a feature a channel",
    floats([3, 2, 1, 4, 5]),
    floats([3, 1, 1, 3, 2]),
    plain(2, {
      channelsLast: true,
      strides: [2, 1],
      padding: [
        [1, 1],
        [0, 1],
      ],
    }),
  ),
  row("channels last, groups", floats([2, 2, 2, 6]), floats([2, 3, 2, 2]), plain(1, { channelsLast: true })),
  row(
    "few features of many channels",
    floats([2, 2, 6, 4, 3]),
    floats([2, 2, 6, 2, 3]),
    plain(2, {
      rhsDilation: [2, 1],
      padding: [
        [1, 0],
        [-1, 2],
      ],
    }),
  ),
  row("one feature, channels last", floats([1, 3, 4, 5]), floats([1, 1, 4, 3]), plain(1, { channelsLast: true })),
  row("kernels dilated", floats([1, 1, 2, 8]), floats([1, 2, 2, 3]), plain(1, { rhsDilation: [2], strides: [2] })),
  row("two axes, all at once", floats([2, 1, 2, 5, 6]), floats([2, 1, 2, 2, 3]), {
    strides: [2, 1],
    padding: [
      [1, 2],
      [-1, 1],
    ],
    lhsDilation: [1, 2],
    rhsDilation: [2, 1],
  }),
  row("groups", floats([3, 2, 1, 4, 4]), floats([3, 1, 1, 2, 2]), plain(2)),
  row("large images", floats([1, 2, 1, 10, 10]), floats([1, 2, 1, 3, 3]), plain(2)),
  row("three axes", floats([1, 1, 1, 3, 3, 3]), floats([1, 2, 1, 2, 2, 2]), plain(3)),
  row("no axes", floats([1, 2, 3]), floats([1, 2, 3]), plain(0)),
  row("kernels larger than images", floats([1, 1, 1, 2]), floats([1, 1, 1, 3]), plain(1)),
  row("no channels", floats([1, 2, 0, 4]), floats([1, 1, 0, 2]), plain(1)),
  whole("int", ints([1, 2, 2, 5]), ints([1, 2, 2, 3]), plain(1, { padding: [[1, 1]] })),
  whole("uint wraps", uints([1, 1, 2, 5]), uints([1, 1, 2, 2]), plain(1)),
  window("one axis", floats([3, 7]), { axes: [1], sizes: [3], strides: [2], dilations: [1] }),
  window("dilated", floats([7, 2]), { axes: [0], sizes: [2], strides: [1], dilations: [3] }),
  window("two axes", floats([4, 2, 5]), { axes: [0, 2], sizes: [2, 3], strides: [1, 2], dilations: [2, 1] }),
  window("axes in another order", floats([4, 5]), { axes: [1, 0], sizes: [2, 3], strides: [1, 1], dilations: [1, 1] }),
  window("none fits", floats([2, 2]), { axes: [0], sizes: [3], strides: [1], dilations: [1] }),
];
