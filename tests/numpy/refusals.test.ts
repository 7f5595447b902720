import { describe, expect, it } from "vitest";
import { lax, nn, numpy as np, ops, random, scipy } from "../../src/index.js";
import { codeOf } from "../numbers.js";

const bools = np.array([true, false], { dtype: "bool" });
const ints = np.array([0, 1], { dtype: "int32" });
const floats = np.array([
  [1, 2],
  [3, 4],
]);

/** Calls that JAX refuses. */
const refused: readonly (readonly [name: string, code: string, call: () => unknown])[] = [
  ["segmentSum of booleans", "number-needed", () => ops.segmentSum(bools, ints, 2)],
  ["segmentProd of booleans", "number-needed", () => ops.segmentProd(bools, ints, 2)],
  [
    "segmentProd of ids that do not fit",
    "segment-shape",
    () => ops.segmentProd(np.ones([2, 3]), np.zeros([2, 3], { dtype: "int32" }), 3),
  ],
  ["take with mode drop", "index-mode", () => np.take(floats, ints, { mode: "drop" as never })],
  ["takeAlongAxis with mode wrap", "index-mode", () => np.takeAlongAxis(bools, ints, 0, { mode: "wrap" })],
  ["kron of booleans", "number-needed", () => np.kron(bools, bools)],
  ["partition of booleans", "number-needed", () => np.partition(bools, 1)],
  ["argpartition of booleans", "number-needed", () => np.argpartition(bools, 1)],
  ["variance in booleans", "number-needed", () => np.var_(floats, { dtype: "bool" })],
  ["cumsum of a scalar along an axis", "axis-range", () => np.cumsum(2.5, 0)],
  ["sigmoid of integers", "float-needed", () => nn.sigmoid(ints)],
  ["silu of booleans", "float-needed", () => nn.silu(bools)],
  ["glu of integers", "float-needed", () => nn.glu(ints)],
  ["logSigmoid of booleans", "number-needed", () => nn.logSigmoid(bools)],
  ["softmax of booleans", "number-needed", () => nn.softmax(bools)],
  ["logSoftmax of booleans", "number-needed", () => nn.logSoftmax(bools)],
  ["quantiles of integers", "float-needed", () => scipy.stats.norm.ppf(ints)],
  ["ndtri of integers", "float-needed", () => scipy.special.ndtri(ints)],
  ["a fraction as padding of booleans", "number-dtype", () => lax.pad(bools, 0.5, [[1, 1, 0]])],
  ["negative axes of reductions", "axis-negative", () => lax.reduceSum(floats, [-1])],
  ["negative axes of running reductions", "axis-negative", () => lax.cumsum(floats, -1)],
  ["negative axes of argmax", "axis-negative", () => lax.argmax(floats, -1, "int32")],
  ["negative axes of rev", "axis-negative", () => lax.rev(floats, [-1])],
  ["negative axes of concatenate", "axis-negative", () => lax.concatenate([floats, floats], -1)],
  ["bernoulli of integers", "float-needed", () => random.bernoulli(random.key(0), ints)],
  ["categorical of integers", "float-needed", () => random.categorical(random.key(0), ints)],
  ["foldIn of a negative number", "fold-in-range", () => random.foldIn(random.key(0), -1)],
  ["negative axes of permuteDims", "axis-negative", () => np.permuteDims(floats, [-1, 0])],
  ["negative dimensions of broadcastedIota", "axis-range", () => lax.broadcastedIota("int32", [2, 3], -1)],
  [
    "a mode of padding that does not exist, of a scalar too",
    "option-value",
    () => np.pad(1, 1, { mode: "foo" as never }),
  ],
  ["an option of another mode of padding", "pad-option", () => np.pad(ints, 1, { mode: "edge", constantValues: 2 })],
  ["a method of search that does not exist", "option-value", () => np.digitize(ints, ints, { method: "x" as never })],
  ["a key of several seeds", "key-seed", () => random.key(ints)],
  ["an axis that numbers to permute do not have", "axis-range", () => random.permutation(random.key(0), 5, 1)],
  [
    "a mode of draws that does not exist",
    "option-value",
    () => random.gumbel(random.key(0), [2], { mode: "x" as never }),
  ],
  ["foldIn of a vector", "rank", () => random.foldIn(random.key(0), ints)],
];

describe("refused as by JAX", () => {
  it.each(refused)("%s", (_, code, call) => expect(codeOf(call)).toBe(code));
  it("but whole JS numbers count as floats", () => {
    expect(nn.sigmoid(0).item()).toBe(0.5);
    expect(random.bernoulli(random.key(0), 1).item()).toBe(true);
  });
});

describe("weak types", () => {
  it("survive in scalars only where formulas have constants of the operand's shape", () => {
    const vector = np.full([2], 2.5);
    expect(vector.weakType).toBe(true);
    for (const f of [np.hypot, np.logaddexp2, np.heaviside]) {
      expect(f(vector, vector).weakType).toBe(false);
      expect(f(2.5, 2.5).weakType).toBe(true);
    }
    for (const f of [np.sinc, np.deg2rad]) expect([f(vector).weakType, f(2.5).weakType]).toEqual([false, true]);
    expect(np.nanToNum(2.5).weakType).toBe(false);
    expect(np.power(2, bools).weakType).toBe(false);
  });
  it("are what activations of integers have where JAX adds a float", () => {
    for (const f of [nn.relu6, nn.elu, nn.hardSigmoid]) expect(f(ints).weakType).toBe(true);
    expect(nn.softplus(ints).weakType).toBe(false);
  });
});
