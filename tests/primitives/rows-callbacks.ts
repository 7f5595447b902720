import type { NDArray } from "../../src/core/array.js";
import { bind } from "../../src/core/trace.js";
import { flatten } from "../../src/core/tree.js";
import * as p from "../../src/primitives/all.js";
import * as debug from "../../src/transforms/callbacks/debug.js";
import { ioCallback, pureCallback } from "../../src/transforms/callbacks/host-functions.js";
import { debugPrintPrimitive } from "../../src/transforms/callbacks/primitives.js";
import { type ContractRow, floats } from "./contract.js";

/** What debug.print binds, but for what it prints. */
const quietly = (x: NDArray): void => {
  const callback = { op: "debug.print", f: () => undefined, def: flatten([x])[1], leaves: [undefined] };
  bind(debugPrintPrimitive, [x], { callback, ordered: false, fmt: "{}" });
};

/** A function of the host, of as many elements as there are. */
const hypot = (a: NDArray, b: NDArray): NDArray => p.sqrt(p.add(p.square(a), p.square(b)));
const typeOf = (x: NDArray) => ({ shape: x.shape, dtype: x.dtype });

/** Calls of functions of the host. */
export const rows: readonly ContractRow[] = [
  {
    primitive: "debug_callback",
    args: [floats([2, 3])],
    apply: ([x]) => {
      debug.callback(() => undefined, x!);
      return p.sin(x!);
    },
    smooth: 2,
  },
  {
    primitive: "debug_print",
    args: [floats([3])],
    apply: ([x]) => {
      quietly(x!);
      return p.sin(x!);
    },
    smooth: 2,
  },
  ...(["sequential", "sequentialUnrolled", "broadcastAll"] as const).map((vmapMethod): ContractRow => ({
    primitive: "pure_callback",
    variant: vmapMethod,
    args: [floats([2, 3]), floats([2, 3])],
    apply: ([x, y]) => pureCallback(hypot, typeOf(x!), x!, y!, { vmapMethod }),
    smooth: 0,
    because: "what the host computes is hidden",
  })),
  {
    primitive: "pure_callback",
    variant: "of scalars and a tree",
    args: [floats([]), floats([4])],
    apply: ([x, y]) => {
      const out = pureCallback(
        (t: { readonly a: NDArray; readonly b: readonly NDArray[] }) => [
          p.add(t.b[0]!, p.broadcastInDim(t.a, [4], [])),
          { c: t.a },
        ],
        [typeOf(y!), { c: typeOf(x!) }],
        { a: x!, b: [y!] },
        { vmapMethod: "sequential" },
      );
      return [out[0], out[1].c];
    },
    smooth: 0,
    because: "what the host computes is hidden",
  },
  {
    primitive: "io_callback",
    args: [floats([2, 3])],
    apply: ([x]) => ioCallback((y: NDArray) => p.neg(y), typeOf(x!), x!),
    smooth: 0,
    because: "an effect has no derivative",
  },
];
