import * as p from "../../src/primitives/all.js";
import { bools, type ContractRow, floats, ints, keys, uints } from "./contract.js";

const none = "it has no operands";

export const rows: readonly ContractRow[] = [
  { primitive: "broadcast_in_dim", args: [floats([3, 1])], apply: ([x]) => p.broadcastInDim(x!, [2, 3, 4], [1, 2]), smooth: 2 },
  { primitive: "broadcast_in_dim", variant: "scalar", args: [floats([])], apply: ([x]) => p.broadcastInDim(x!, [2, 3], []), smooth: 2 },
  { primitive: "broadcast_in_dim", variant: "empty", args: [floats([1])], apply: ([x]) => p.broadcastInDim(x!, [0, 2], [0]), smooth: 2 },
  { primitive: "broadcast_in_dim", variant: "keys", args: [keys([2])], apply: ([x]) => p.broadcastInDim(x!, [2, 3], [0]), smooth: 0, because: "keys" },
  { primitive: "reshape", args: [floats([2, 6])], apply: ([x]) => p.reshape(x!, [3, 1, 4]), smooth: 2 },
  { primitive: "reshape", variant: "factors", args: [floats([4, 3, 5])], apply: ([x]) => p.reshape(x!, [2, 6, 5]), smooth: 2 },
  { primitive: "reshape", variant: "empty", args: [floats([0, 3])], apply: ([x]) => p.reshape(x!, [3, 0, 2]), smooth: 2 },
  { primitive: "reshape", variant: "keys", args: [keys([2, 3])], apply: ([x]) => p.reshape(x!, [6]), smooth: 0, because: "keys" },
  { primitive: "squeeze", args: [floats([1, 3, 1, 2])], apply: ([x]) => p.squeeze(x!, [0, 2]), smooth: 2 },
  { primitive: "transpose", args: [floats([2, 3, 4])], apply: ([x]) => p.transpose(x!, [2, 0, 1]), smooth: 2 },
  { primitive: "transpose", variant: "bool", args: [bools([2, 3])], apply: ([x]) => p.transpose(x!, [1, 0]), smooth: 0, because: "bool" },
  { primitive: "transpose", variant: "keys", args: [keys([2, 3])], apply: ([x]) => p.transpose(x!, [1, 0]), smooth: 0, because: "keys" },
  { primitive: "rev", args: [floats([2, 3, 2])], apply: ([x]) => p.rev(x!, [1, 2]), smooth: 2 },
  { primitive: "rev", variant: "keys", args: [keys([4])], apply: ([x]) => p.rev(x!, [0]), smooth: 0, because: "keys" },
  { primitive: "slice", args: [floats([5, 4])], apply: ([x]) => p.slice(x!, [1, 0], [4, 3]), smooth: 2 },
  { primitive: "slice", variant: "strides", args: [floats([7, 5])], apply: ([x]) => p.slice(x!, [1, 0], [7, 5], [3, 2]), smooth: 2 },
  { primitive: "slice", variant: "empty", args: [floats([5, 2])], apply: ([x]) => p.slice(x!, [3, 0], [3, 2], [2, 1]), smooth: 2 },
  { primitive: "slice", variant: "keys", args: [keys([5])], apply: ([x]) => p.slice(x!, [1], [5], [2]), smooth: 0, because: "keys" },
  { primitive: "pad", args: [floats([2, 3]), floats([])], apply: ([x, v]) => p.pad(x!, v!, [[1, 2, 0], [0, 3, 0]]), smooth: 2 },
  { primitive: "pad", variant: "interior", args: [floats([3, 2]), floats([])], apply: ([x, v]) => p.pad(x!, v!, [[1, 0, 2], [2, 1, 1]]), smooth: 2 },
  { primitive: "pad", variant: "negative", args: [floats([5, 4]), floats([])], apply: ([x, v]) => p.pad(x!, v!, [[-1, 2, 0], [1, -2, 0]]), smooth: 2 },
  { primitive: "pad", variant: "negative interior", args: [floats([4, 5]), floats([])], apply: ([x, v]) => p.pad(x!, v!, [[-1, -2, 1], [-4, 1, 2]]), smooth: 2 },
  { primitive: "pad", variant: "empty", args: [floats([0, 2]), floats([])], apply: ([x, v]) => p.pad(x!, v!, [[1, 1, 0], [0, 1, 1]]), smooth: 2 },
  { primitive: "pad", variant: "all cut away", args: [floats([2]), floats([])], apply: ([x, v]) => p.pad(x!, v!, [[-3, 5, 0]]), smooth: 2 },
  { primitive: "pad", variant: "int", args: [ints([3]), ints([])], apply: ([x, v]) => p.pad(x!, v!, [[1, 1, 1]]), smooth: 0, because: "int" },
  { primitive: "pad", variant: "keys", args: [keys([3]), keys([])], apply: ([x, v]) => p.pad(x!, v!, [[1, 1, 0]]), smooth: 0, because: "keys" },
  { primitive: "concatenate", args: [floats([2, 1]), floats([2, 3]), floats([2, 2])], apply: (xs) => p.concatenate(xs, 1), smooth: 2 },
  { primitive: "concatenate", variant: "empty piece", args: [floats([2, 2]), floats([0, 2]), floats([1, 2])], apply: (xs) => p.concatenate(xs, 0), smooth: 2 },
  { primitive: "concatenate", variant: "uint", args: [uints([2]), uints([1])], apply: (xs) => p.concatenate(xs, 0), smooth: 0, because: "uint" },
  { primitive: "concatenate", variant: "keys", args: [keys([2]), keys([1])], apply: (xs) => p.concatenate(xs, 0), smooth: 0, because: "keys" },
  { primitive: "iota", args: [], apply: () => p.iota("int32", [2, 3, 2], 1), smooth: 0, because: none, batches: false },
  { primitive: "iota", variant: "float", args: [], apply: () => p.iota("float32", [5], 0), smooth: 0, because: none, batches: false },
  { primitive: "iota", variant: "uint", args: [], apply: () => p.iota("uint32", [2, 2], 0), smooth: 0, because: none, batches: false },
  { primitive: "split", args: [floats([2, 6])], apply: ([x]) => p.split(x!, [1, 0, 3, 2], 1), smooth: 2 },
  { primitive: "split", variant: "keys", args: [keys([4])], apply: ([x]) => p.split(x!, [1, 3], 0), smooth: 0, because: "keys" },
];

