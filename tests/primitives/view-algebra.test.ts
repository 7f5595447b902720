import { describe, expect, test } from "vitest";
import type { ConcreteArray, NDArray } from "../../src/core/array.js";
import { aval, sizeOf } from "../../src/core/aval.js";
import { getEngine } from "../../src/core/engine.js";
import { evalJaxpr } from "../../src/core/interpreter.js";
import { lit } from "../../src/core/literal.js";
import { stage } from "../../src/core/staging.js";
import { CallPolicy } from "../../src/compiler/calls.js";
import { simplify } from "../../src/compiler/simplify.js";
import * as p from "../../src/primitives/all.js";
import "../../src/runtime/install.js";

type View = (x: NDArray) => NDArray;

/** Equations left of a function of one array, after the primitives' algebra; the value must stay. */
function equationsOf(f: View, shape: readonly number[]): string[] {
  const type = aval(shape, "float32");
  const { jaxpr } = stage(([x]) => [f(x!)], [type]);
  const simple = simplify(jaxpr, new CallPolicy(jaxpr));
  const x = getEngine().fromHost({ aval: type, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i) });
  const [before] = evalJaxpr(jaxpr, [x]) as ConcreteArray[];
  const [after] = evalJaxpr(simple, [x]) as ConcreteArray[];
  expect(after!.aval).toEqual(before!.aval);
  expect(after!.storage.readSync()).toEqual(before!.storage.readSync());
  return simple.eqns.map((e) => e.primitive.name);
}

describe("the algebra of views", () => {
  const cases: readonly [name: string, f: View, shape: readonly number[], left: readonly string[]][] = [
    ["a transpose undone", (x) => p.transpose(p.transpose(x, [2, 0, 1]), [1, 2, 0]), [2, 3, 4], []],
    ["two transposes", (x) => p.transpose(p.transpose(x, [2, 0, 1]), [2, 0, 1]), [2, 3, 4], ["transpose"]],
    ["a reshape undone", (x) => p.reshape(p.reshape(x, [6]), [2, 3]), [2, 3], []],
    ["reshapes and squeezes", (x) => p.squeeze(p.reshape(p.squeeze(x, [1]), [1, 6, 1]), [0]), [2, 1, 3], ["reshape"]],
    ["a reversal undone", (x) => p.rev(p.rev(x, [0, 1]), [1, 0]), [2, 3], []],
    ["reversals of different axes", (x) => p.rev(p.rev(x, [0]), [1]), [2, 3], ["rev"]],
    [
      "a broadcast of a broadcast",
      (x) => p.broadcastInDim(p.broadcastInDim(x, [2, 3], [1]), [4, 2, 3], [1, 2]),
      [3],
      ["broadcast_in_dim"],
    ],
    [
      "a slice of a slice",
      (x) => p.slice(p.slice(x, [1, 2], [9, 10], [2, 3]), [1, 0], [4, 3], [2, 1]),
      [9, 10],
      ["slice"],
    ],
    [
      "a view of a constant",
      (x) => p.add(x, p.transpose(p.reshape(p.broadcastInDim(lit(2, "float32"), [6], []), [3, 2]), [1, 0])),
      [2, 3],
      ["broadcast_in_dim", "add"],
    ],
    ["a concatenation of one", (x) => p.concatenate([x], 0), [3], []],
    ["padding with nothing", (x) => p.pad(x, lit(0, "float32"), [[0, 0, 0]]), [3], []],
  ];
  for (const [name, f, shape, left] of cases) test(name, () => expect(equationsOf(f, shape)).toEqual(left));

  test("random chains keep their values", () => {
    let state = 11;
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 4294967296) * n);
    };
    const step = (x: NDArray): NDArray => {
      const { shape, ndim } = x;
      const axes = shape.map((_, k) => k);
      switch (below(6)) {
        case 0:
          return p.transpose(
            x,
            [...axes].sort(() => below(3) - 1),
          );
        case 1:
          return p.reshape(x, below(2) ? [...shape].reverse() : [x.size]);
        case 2:
          return p.rev(
            x,
            axes.filter(() => below(2) === 0),
          );
        case 3: {
          const starts = shape.map((d) => below(Math.min(d, 2)));
          const limits = shape.map((d, k) => starts[k]! + 1 + below(d - starts[k]!));
          return p.slice(
            x,
            starts,
            limits,
            shape.map(() => 1 + below(2)),
          );
        }
        case 4:
          return p.squeeze(
            x,
            axes.filter((k) => shape[k] === 1 && below(2) === 0),
          );
        default:
          return ndim > 4
            ? x
            : p.broadcastInDim(
                x,
                [1 + below(2), ...shape],
                axes.map((k) => k + 1),
              );
      }
    };
    for (let n = 0; n < 200; n++) {
      const seed = state;
      equationsOf(
        (x) => {
          // the same chain each time the function is traced
          state = seed;
          let y = x;
          for (let k = 0; k < 6; k++) y = step(y);
          return y;
        },
        [3, 4, 2],
      );
      state = seed + n + 1;
    }
  });
});
