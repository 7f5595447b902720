import type { NDArray } from "../../src/core/array.js";
import * as p from "../../src/primitives/all.js";
import { vmap } from "../../src/transforms/vmap.js";
import { bools, type ContractRow, floats, ints } from "./contract.js";

const axisSize = 4;
const i = { axisName: "i", axisSize };
type Op = (x: NDArray) => NDArray;

/** A row of a collective along the first axis of its operand, with something nonlinear before it. */
const row = (primitive: string, shape: readonly number[], op: Op, more: Partial<ContractRow> = {}): ContractRow => ({
  primitive,
  args: [floats([axisSize, ...shape])],
  apply: ([x]) => vmap((y: NDArray) => op(p.mul(y, y)), { axisName: "i" })(x!),
  inside: (stage) =>
    void vmap(
      (y: NDArray) => {
        stage(() => op(p.mul(y, y)));
        return y;
      },
      { axisName: "i" },
    )(p.zerosOf({ shape: [axisSize, ...shape], dtype: "float32", weakType: false })),
  smooth: 2,
  ...more,
});
const because = "as in JAX, extremes over named axes have no derivative inside of the mapped function";
const inner = (op: Op): Partial<ContractRow> => ({
  apply: ([x]) => vmap((y: NDArray) => vmap(op, { axisName: "j" })(y), { axisName: "i" })(x!),
});

/** Collectives, each in the vmap that resolves it. */
export const rows: readonly ContractRow[] = [
  row("psum", [3], (x) => p.psum(x, ["i"])),
  row("psum", [3, 2], (x) => p.psum(x, ["i"]), {
    variant: "over two axes",
    ...inner((x) => p.mul(p.psum(p.mul(x, x), ["j", "i"]), x)),
  }),
  row("psum", [3], (x) => p.psum(x, ["i"]), {
    variant: "of integers",
    args: [ints([4, 3])],
    smooth: 0,
    because: "integers",
  }),
  // The extreme is taken of the examples: where these are differentiated, it is a reduction like others.
  row("pmax", [3], (x) => p.pmax(x, ["i"]), { smooth: 0, because }),
  row("pmin", [3], (x) => p.pmin(x, ["i"]), { smooth: 0, because }),
  row("pmax", [3], (x) => p.pmax(x, ["i"]), {
    variant: "of booleans",
    args: [bools([4, 3])],
    apply: ([x]) => vmap((y: NDArray) => p.pmax(y, ["i"]), { axisName: "i" })(x!),
    smooth: 0,
    because,
  }),
  row("ppermute", [3], (x) => p.ppermute(x, { ...i, perm: [[0, 1], [1, 2], [2, 3], [3, 0]] })), // prettier-ignore
  row("ppermute", [3], (x) => p.ppermute(x, { ...i, perm: [[3, 0], [2, 1], [0, 3]] }), { variant: "with a gap" }), // prettier-ignore
  row("all_gather", [3], (x) => p.mul(p.allGather(x, { ...i, dim: 1 }), p.allGather(x, { ...i, dim: 1 }))),
  row("reduce_scatter", [3, 4], (x) => p.psumScatter(x, { ...i, dim: 1 })),
  row("all_to_all", [3, 4], (x) => p.allToAll(x, { ...i, dim: 1 })),
  row("axis_index", [3], (x) => p.mul(x, p.convertElementType(p.axisIndex(i), x.dtype))),
];
