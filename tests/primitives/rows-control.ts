import type { NDArray } from "../../src/core/array.js";
import { cond, foriLoop, scan, switch as switchTo, whileLoop } from "../../src/lax/index.js";
import * as p from "../../src/primitives/all.js";
import { type ContractRow, floats, given } from "./contract.js";

const when = (pred: NDArray, x: NDArray, y: NDArray): readonly NDArray[] =>
  cond(
    pred,
    (a: NDArray, b: NDArray) => [p.mul(p.sin(a), b), b],
    (a: NDArray, b: NDArray) => [p.add(a, p.square(b)), p.neg(b)],
    x,
    y,
  );
const among = (i: NDArray, x: NDArray): NDArray =>
  switchTo(i, [(a: NDArray) => p.sin(a), (a: NDArray) => p.neg(a), (a: NDArray) => p.mul(a, p.reduceSum(a, [0]))], x);

/** An affine map iterated over rows: what is constant, what is carried and what is sliced all have derivatives. */
const rounds =
  (reverse: boolean) =>
  ([w, c, xs]: readonly NDArray[]): readonly NDArray[] => {
    const [last, ys] = scan(
      (carry: NDArray, x: NDArray) => {
        const next = p.tanh(p.add(p.mul(carry, w!), x));
        return [next, { sum: p.reduceSum(next, [0]), last: carry }] as const;
      },
      c!,
      xs!,
      { reverse },
    );
    return [last, ys.sum, ys.last];
  };

/** x to the power that n counts down from. */
const power = ([n, x]: readonly NDArray[]): readonly NDArray[] => {
  const [, y] = whileLoop(
    ([k]: readonly [NDArray, NDArray]) => p.gt(k, 0),
    ([k, y]: readonly [NDArray, NDArray]) => [p.sub(k, 1), p.mul(y, x!)] as const,
    [n!, p.sin(x!)] as const,
  );
  return [y];
};

/** Primitives that hold jaxprs and run them as often as values say. */
export const rows: readonly ContractRow[] = [
  {
    primitive: "cond",
    args: [{ ...given([], "bool", [1]), examples: [[1], [0]] }, floats([3]), floats([3])],
    apply: ([c, x, y]) => when(c!, x!, y!),
    smooth: 2,
  },
  {
    primitive: "cond",
    variant: "of three",
    args: [{ ...given([], "int32", [7]), examples: [[7], [0], [1]] }, floats([3])],
    apply: ([i, x]) => among(i!, x!),
    smooth: 2,
  },
  { primitive: "scan", args: [floats([2]), floats([2]), floats([4, 2])], apply: rounds(false), smooth: 2, ulps: 16 },
  {
    primitive: "scan",
    variant: "in reverse",
    args: [floats([2]), floats([2]), floats([3, 2])],
    apply: rounds(true),
    smooth: 2,
    ulps: 16,
  },
  {
    primitive: "scan",
    variant: "of nothing",
    args: [floats([2]), floats([2]), floats([0, 2])],
    apply: rounds(false),
    smooth: 2,
  },
  {
    primitive: "scan",
    variant: "that counts",
    args: [floats([3])],
    apply: ([x]) =>
      foriLoop(0, 3, (i: NDArray, v: NDArray) => p.mul(v, p.add(x!, p.convertElementType(i, x!.dtype))), p.sin(x!)),
    smooth: 2,
    ulps: 16,
  },
  {
    primitive: "while",
    args: [{ ...given([], "int32", [3]), examples: [[3], [0], [2]] }, floats([2])],
    apply: power,
    smooth: 0,
    because: "reverse mode is refused",
    ulps: 8,
  },
];
