import { dotGeneral, type DotDims } from "../../src/primitives/all.js";
import { type ArgSpec, type ContractRow, floats, ints, uints } from "./contract.js";

const dims = (
  lhsContract: number[],
  rhsContract: number[],
  lhsBatch: number[] = [],
  rhsBatch: number[] = [],
): DotDims => ({ lhsContract, rhsContract, lhsBatch, rhsBatch });

const row = (variant: string, args: readonly ArgSpec[], d: DotDims): ContractRow => ({
  primitive: "dot_general",
  variant,
  args,
  apply: ([a, b]) => dotGeneral(a!, b!, d),
  smooth: 2,
  ulps: 16,
});
const whole = (variant: string, args: readonly ArgSpec[], d: DotDims): ContractRow => ({
  primitive: "integer_dot_general",
  variant,
  args,
  apply: ([a, b]) => dotGeneral(a!, b!, d),
  smooth: 0,
  because: "integers",
});

export const rows: readonly ContractRow[] = [
  row("matrices", [floats([2, 3]), floats([3, 4])], dims([1], [0])),
  row("both transposed", [floats([3, 2]), floats([4, 3])], dims([0], [1])),
  row("matrix-vector", [floats([3, 4]), floats([4])], dims([1], [0])),
  row("vector-matrix", [floats([3]), floats([3, 2])], dims([0], [0])),
  row("inner", [floats([5]), floats([5])], dims([0], [0])),
  row("outer", [floats([2]), floats([3])], dims([], [])),
  row("scalars", [floats([]), floats([])], dims([], [])),
  row("batched", [floats([2, 3, 4]), floats([2, 4, 2])], dims([2], [1], [0], [0])),
  row("batch axes anywhere", [floats([3, 2, 4]), floats([4, 3, 2])], dims([2], [0], [1], [2])),
  row("two batch axes, crossed", [floats([2, 3, 2, 2]), floats([3, 2, 2])], dims([3], [2], [0, 1], [1, 0])),
  row("two contracted axes, crossed", [floats([2, 3, 4]), floats([4, 2, 3])], dims([1, 2], [2, 0])),
  row("several free axes", [floats([2, 3, 2]), floats([3, 2, 2])], dims([1], [0])),
  row("nothing contracted", [floats([2, 0]), floats([0, 3])], dims([1], [0])),
  whole("int", [ints([2, 3]), ints([3, 4])], dims([1], [0])),
  whole("int batched", [ints([2, 3, 2]), ints([4, 2, 3])], dims([1], [2], [0], [1])),
  whole("uint wraps", [uints([2, 3]), uints([3, 2])], dims([1], [0])),
];
