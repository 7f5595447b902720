import type { NDArray } from "../../src/core/array.js";
import * as p from "../../src/primitives/all.js";
import { checkify } from "../../src/transforms/checkify/checkify.js";
import { type ContractRow, floats } from "./contract.js";

const checked = (x: NDArray): NDArray => {
  checkify.check(p.reduceAnd(p.lt(x, 3), [0, 1]), "{} is too much", p.reduceMax(x, [0, 1]));
  return p.sin(x);
};

/** Checks: programs have them until `checkify` has made results of them. */
export const rows: readonly ContractRow[] = [
  {
    primitive: "check",
    args: [floats([2, 3])],
    inside: (stage) => stage(() => checked(p.broadcastInDim(p.exp(p.iota("float32", [1], 0)), [2, 3], [1]))),
    apply: ([x]) => checkify(checked, checkify.allChecks)(x!)[1],
    smooth: 2,
  },
];
