import type { NDArray } from "../../src/core/array.js";
import * as p from "../../src/primitives/all.js";
import { bools, type ContractRow, distinct, floats, given, ints, uints } from "./contract.js";

type Reduction = (x: NDArray, axes: readonly number[]) => NDArray;
const axesOf: readonly (readonly number[])[] = [[0], [2], [1, 2], [0, 2], [0, 1, 2], []];
const kinds = { int32: ints([2, 3, 4], [-9, 9]), uint32: uints([2, 3, 4]), bool: bools([2, 3, 4]) } as const;

function reductions(
  primitive: string,
  f: Reduction,
  arg: ContractRow["args"][number],
  others: readonly (keyof typeof kinds)[],
): ContractRow[] {
  return [
    ...axesOf.map((axes): ContractRow => ({
      primitive,
      variant: `axes ${axes.join(",")}`,
      args: [arg],
      apply: ([x]) => f(x!, axes),
      smooth: 2,
    })),
    {
      primitive,
      variant: "empty axis",
      args: [floats([3, 0])],
      apply: ([x]) => f(x!, [1]),
      smooth: 0,
      because: "nothing to differentiate",
    },
    {
      primitive,
      variant: "no rows",
      args: [floats([0, 3])],
      apply: ([x]) => f(x!, [1]),
      smooth: 0,
      because: "nothing to differentiate",
    },
    ...others.map((k): ContractRow => ({
      primitive,
      variant: k,
      args: [kinds[k]],
      apply: ([x]) => f(x!, [1]),
      smooth: 0,
      because: "integers",
    })),
  ];
}

function bitwise(primitive: string, f: Reduction): ContractRow[] {
  return (["bool", "int32", "uint32"] as const).flatMap((k) =>
    [[1], [0, 2]].map((axes): ContractRow => ({
      primitive,
      variant: `${k} ${axes.join(",")}`,
      args: [kinds[k]],
      apply: ([x]) => f(x!, axes),
      smooth: 0,
      because: "integers",
    })),
  );
}

function places(
  primitive: string,
  f: (x: NDArray, axis: number, dtype?: "int32" | "uint32") => NDArray,
): ContractRow[] {
  const row = (
    variant: string,
    arg: ContractRow["args"][number],
    axis: number,
    dtype?: "int32" | "uint32",
  ): ContractRow => ({
    primitive,
    variant,
    args: [arg],
    apply: ([x]) => f(x!, axis, dtype),
    smooth: 0,
    because: "places are integers",
  });
  return [
    row("first axis", distinct([4, 3]), 0),
    row("last axis", distinct([4, 3]), 1),
    row("ties", given([6], "float", [1, 3, 3, 0, 0, 1]), 0),
    row("NaN", given([2, 4], "float", [1, NaN, 3, NaN, 5, 6, 6, 5]), 1),
    row("infinities", given([2, 2], "float", [-Infinity, -Infinity, Infinity, Infinity]), 1),
    row("ints", ints([3, 4], [-2, 2]), 1),
    row("uints, uint places", uints([3, 4]), 1, "uint32"),
    row("bools", bools([3, 4]), 1),
  ];
}

const cumulative = (["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"] as const).flatMap(
  (name): ContractRow[] => {
    const f = p[name];
    const row = (variant: string, shape: readonly number[], axis: number, reverse: boolean): ContractRow => ({
      primitive: name,
      variant,
      args: [distinct(shape)],
      apply: ([x]) => f(x!, axis, reverse),
      smooth: 2,
    });
    const integers = (k: "int32" | "uint32"): ContractRow => ({
      ...row(k, [2, 3, 4], 1, false),
      args: [kinds[k]],
      smooth: 0,
      because: "integers",
    });
    return [
      row("vector", [5], 0, false),
      row("first axis", [7, 2], 0, false),
      row("middle axis, reverse", [2, 6, 2], 1, true),
      row("last axis, reverse", [2, 3], 1, true),
      row("one element", [2, 1], 1, false),
      { ...row("no elements", [2, 0], 1, false), smooth: 0, because: "nothing to differentiate" },
      ...(name === "cumlogsumexp" ? [] : [integers("int32"), integers("uint32")]),
    ];
  },
);

export const rows: readonly ContractRow[] = [
  ...reductions("reduce_sum", p.reduceSum, floats([2, 3, 4]), ["int32", "uint32"]),
  // a product of 24 factors, in whatever order
  ...reductions("reduce_prod", p.reduceProd, floats([2, 3, 4]), ["int32", "uint32"]).map((row) => ({
    ...row,
    ulps: 16,
  })),
  ...reductions("reduce_max", p.reduceMax, distinct([2, 3, 4]), ["int32", "uint32", "bool"]),
  ...reductions("reduce_min", p.reduceMin, distinct([2, 3, 4]), ["int32", "uint32", "bool"]),
  {
    primitive: "reduce_prod",
    variant: "zeros",
    args: [given([2, 3], "float", [0, 0, 3, 0, 2, 3])],
    apply: ([x]) => p.reduceProd(x!, [1]),
    smooth: 2,
  },
  ...bitwise("reduce_and", p.reduceAnd),
  ...bitwise("reduce_or", p.reduceOr),
  ...bitwise("reduce_xor", p.reduceXor),
  ...places("argmax", p.argmax),
  ...places("argmin", p.argmin),
  ...cumulative,
];
