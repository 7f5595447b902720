import * as p from "../../src/primitives/all.js";
import { bools, type ContractRow, distinct, floats, given, ints, keys, uints } from "./contract.js";

const because = "random bits";

export const rows: readonly ContractRow[] = [
  { primitive: "sort", args: [distinct([3, 4])], apply: (xs) => p.sort(xs, 1, 1), smooth: 2 },
  { primitive: "sort", variant: "first axis", args: [distinct([4, 2])], apply: (xs) => p.sort(xs, 0, 1), smooth: 2 },
  { primitive: "sort", variant: "followers", args: [distinct([5]), floats([5]), ints([5])], apply: (xs) => p.sort(xs, 0, 1), smooth: 2 },
  { primitive: "sort", variant: "two keys", args: [ints([6], [0, 2]), distinct([6]), floats([6])], apply: (xs) => p.sort(xs, 0, 2), smooth: 2 },
  { primitive: "sort", variant: "stable", args: [ints([9], [0, 2]), given([9], "int32", [0, 1, 2, 3, 4, 5, 6, 7, 8])], apply: (xs) => p.sort(xs, 0, 1), smooth: 0, because: "int" },
  {
    primitive: "sort",
    variant: "NaN and zeros",
    args: [given([8], "float32", [NaN, 0, -0, Infinity, -Infinity, NaN, -0, 0]), given([8], "int32", [0, 1, 2, 3, 4, 5, 6, 7])],
    apply: (xs) => p.sort(xs, 0, 1),
    smooth: 0,
    because: "NaN",
  },
  { primitive: "sort", variant: "uint", args: [uints([7])], apply: (xs) => p.sort(xs, 0, 1), smooth: 0, because: "uint" },
  { primitive: "sort", variant: "bool", args: [bools([7])], apply: (xs) => p.sort(xs, 0, 1), smooth: 0, because: "bool" },
  { primitive: "sort", variant: "keys follow", args: [ints([4]), keys([4])], apply: (xs) => p.sort(xs, 0, 1), smooth: 0, because: "keys" },
  { primitive: "threefry2x32", args: [uints([]), uints([]), uints([2, 3]), uints([2, 3])], apply: ([a, b, c, d]) => p.threefry2x32(a!, b!, c!, d!), smooth: 0, because },
  { primitive: "random_bits", args: [keys([])], apply: ([k]) => p.randomBits(k!, [2, 3]), smooth: 0, because },
  { primitive: "random_bits", variant: "many keys", args: [keys([2, 2])], apply: ([k]) => p.randomBits(k!, [3]), smooth: 0, because },
  { primitive: "random_split", args: [keys([])], apply: ([k]) => p.randomSplit(k!, [3]), smooth: 0, because },
  { primitive: "random_split", variant: "many keys", args: [keys([2])], apply: ([k]) => p.randomSplit(k!, [2, 2]), smooth: 0, because },
  { primitive: "random_fold_in", args: [keys([]), uints([])], apply: ([k, d]) => p.randomFoldIn(k!, d!), smooth: 0, because },
  { primitive: "random_fold_in", variant: "many keys", args: [keys([3]), uints([])], apply: ([k, d]) => p.randomFoldIn(k!, d!), smooth: 0, because },
  { primitive: "random_fold_in", variant: "many numbers", args: [keys([]), uints([2, 2])], apply: ([k, d]) => p.randomFoldIn(k!, d!), smooth: 0, because },
  { primitive: "random_wrap", args: [uints([3, 2])], apply: ([w]) => p.randomWrap(w!), smooth: 0, because },
  { primitive: "random_unwrap", args: [keys([3])], apply: ([k]) => p.randomUnwrap(k!), smooth: 0, because },
];
