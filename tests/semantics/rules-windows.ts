import { grad, lax, nn, type NDArray, numpy as np, vjp } from "../../src/index.js";
import type { Fact } from "./rules.js";
import { f32, i32, int, scalar } from "../arrays.js";

/** JAX's numbers about indices out of bounds, convolutions and windows. */

type Options = Parameters<typeof lax.convGeneralDilated>[4];
interface Convolution {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly stride?: number;
  readonly padding: "SAME" | "VALID" | [number, number][];
  readonly options?: Options;
  /** Of x and w, where they have more than one channel. */
  readonly shapes?: readonly [number[], number[]];
  /** The result, and the gradients of its sum. */
  readonly y?: readonly number[];
  readonly gx?: readonly unknown[];
  readonly gw?: readonly unknown[];
}

const one = [1, 2, 3, 4, 5];
const convolutions: readonly Convolution[] = [
  {
    name: "stride 2 SAME",
    x: one,
    w: [1, 2, 3],
    stride: 2,
    padding: "SAME",
    y: [8, 20, 14],
    gx: [2, 4, 2, 4, 2],
    gw: [6, 9, 6],
  },
  {
    name: "rhs dilation 2, pad 1",
    x: one,
    w: [1, 2, 3],
    padding: [[1, 1]],
    options: { rhsDilation: [2] },
    gx: [1, 3, 2, 5, 3],
    gw: [3, 9, 9],
  },
  {
    name: "lhs dilation 2, pad 1",
    x: one,
    w: [1, 2, 3],
    padding: [[1, 1]],
    options: { lhsDilation: [2] },
    y: [2, 7, 4, 11, 6, 15, 8, 19, 10],
  },
  {
    name: "stride 2 VALID with a remainder",
    x: [1, 2, 3, 4, 5, 6],
    w: [1, 2, 3],
    stride: 2,
    padding: "VALID",
    gx: [1, 2, 4, 2, 3, 0],
  },
  {
    name: "two groups",
    x: [0, 1, 2, 3, 4, 5, 6, 7],
    w: [1, 2, 3, 4],
    shapes: [
      [1, 2, 4],
      [2, 1, 2],
    ],
    padding: "VALID",
    options: { featureGroupCount: 2 },
    gx: [1, 3, 3, 2, 3, 7, 7, 4],
    gw: [3, 6, 15, 18],
  },
];

export const windowFacts: readonly Fact[] = [
  {
    name: "gradient of reads out of bounds drops",
    f: (x, i) => grad((y: NDArray) => np.sum(y.slice(i!)))(x!),
    args: () => [f32(1, 2, 3), i32(11)],
    expected: [0, 0, 0],
  },
  {
    name: "gradient of a read out of bounds by one index goes where it is clamped to",
    f: (x, i) => grad((y: NDArray) => y.slice(i!))(x!),
    args: () => [f32(1, 2, 3), int(11)],
    expected: [0, 0, 1],
  },
  {
    name: "gradient of a take that clips",
    f: (x) => grad((y: NDArray) => np.sum(np.take(y, np.array([0, 11], { dtype: "int32" }), { mode: "clip" })))(x!),
    args: () => [f32(1, 2, 3)],
    expected: [1, 0, 1],
  },
  {
    name: "a set out of bounds is dropped",
    f: (x, i) => x!.at(i!).set(7),
    args: () => [f32(1, 2, 3), int(3)],
    expected: [1, 2, 3],
  },
  {
    name: "gradients of a set out of bounds",
    f: (x, v) => vjp((y: NDArray, u: NDArray) => y.at(int(3)).set(u), x!, v!)[1](f32(1, 2, 4)),
    args: () => [f32(1, 2, 3), scalar(7)],
    expected: [[1, 2, 4], 0],
  },
  {
    name: "gradient of max-pool: the first maximum wins",
    f: (x) => grad((y: NDArray) => np.sum(nn.maxPool(y.reshape([1, 4, 1]), [2], { strides: [1] })))(x!),
    args: () => [f32(1, 3, 3, 2)],
    expected: [0, 2, 1, 0],
  },
  ...convolutions.map(({ name, x, w, stride = 1, padding, options, shapes, y, gx, gw }): Fact => {
    const [xShape, wShape] = shapes ?? [
      [1, 1, x.length],
      [1, 1, w.length],
    ];
    const conv = (a: NDArray, b: NDArray): NDArray =>
      lax.convGeneralDilated(a.reshape(xShape), b.reshape(wShape), [stride], padding, options);
    const wanted = [y, gx, gw];
    return {
      name: `convolution, ${name}`,
      f: (a, b) => {
        const gradients = grad((p: NDArray, q: NDArray) => np.sum(conv(p, q)), [0, 1])(a!, b!);
        return [conv(a!, b!).reshape([-1]), ...gradients].filter((_, k) => wanted[k] !== undefined);
      },
      args: () => [f32(...x), f32(...w)],
      expected: wanted.filter((v) => v !== undefined),
    };
  }),
  {
    name: "convTranspose stride 2 SAME",
    f: (x, w) =>
      lax
        .convTranspose(x!.reshape([1, 3, 1]), w!.reshape([3, 1, 1]), [2], "SAME", {
          dimensionNumbers: ["NWC", "WIO", "NWC"],
        })
        .reshape([-1]),
    args: () => [f32(1, 2, 3), f32(1, 10, 100)],
    expected: [100, 10, 201, 20, 302, 30],
  },
];
