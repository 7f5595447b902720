import * as p from "../../src/primitives/all.js";
import { jit } from "../../src/transforms/jit.js";
import type { NDArray } from "../../src/core/array.js";
import { type ContractRow, floats, given } from "./contract.js";

const inner = jit((x: NDArray, y: NDArray) => [p.mul(p.sin(x), y), p.reduceSum(y, [0])]);
const chosen = jit((which: NDArray, x: NDArray) => p.select(which, p.exp(x), x));

/** Primitives that call a jaxpr. */
export const rows: readonly ContractRow[] = [
  { primitive: "jit", args: [floats([3]), floats([3])], apply: ([x, y]) => inner(x!, y!) as NDArray[], smooth: 2 },
  {
    primitive: "jit",
    variant: "with a boolean",
    args: [given([3], "bool", [0, 1, 1]), floats([3])],
    apply: ([c, x]) => chosen(c!, x!) as NDArray,
    smooth: 2,
  },
];
