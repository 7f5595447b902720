import { afterEach, describe, expect, test } from "vitest";
import {
  config,
  grad,
  jit,
  makeJaxpr,
  memoryStats,
  nn,
  type NDArray,
  numpy as np,
  random,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";

/** Eager operations that are computed together: functions of elementwise operations, and what repeats elements. */

const normal = (shape: readonly number[], seed = 0): NDArray => random.normal(random.key(seed), shape);
const bits = (x: NDArray): number[] => Array.from(new Uint32Array((x.dataSync() as Float32Array).slice().buffer));
/** Arrays that live after something, and did not before. */
function kept<T>(work: () => T): { readonly result: T; readonly arrays: number } {
  const before = memoryStats("wasm").liveArrays;
  const result = work();
  return { result, arrays: memoryStats("wasm").liveArrays - before };
}

afterEach(() => {
  config.debugNans = false;
  setDefaultDevice("wasm");
});

describe("functions of elementwise operations", () => {
  test("nothing is made of what lies in between, and one program serves all sizes", () => {
    const [x, y] = [normal([50, 100]), normal([77], 1)];
    nn.gelu(x);
    const { programs } = memoryStats("wasm");
    expect(kept(() => nn.gelu(x)).arrays).toBe(1);
    expect(kept(() => nn.gelu(y)).arrays).toBe(1);
    expect(memoryStats("wasm").programs).toBe(programs);
  });

  test.each<readonly [string, (x: NDArray) => NDArray]>([
    ["relu", (x) => nn.relu(x)],
    ["gelu", (x) => nn.gelu(x)],
    ["gelu by erfc", (x) => nn.gelu(x, false)],
    ["silu", (x) => nn.silu(x)],
    ["elu", (x) => nn.elu(x, 0.5)],
    ["leakyRelu", (x) => nn.leakyRelu(x)],
    ["clip", (x) => np.clip(x, -0.5, 0.5)],
    ["logaddexp", (x) => np.logaddexp(x, 0.5)],
    ["hypot", (x) => np.hypot(x, 2)],
  ])("%s: the same bits as one by one, and as jitted", (_, f) => {
    const x = np.concatenate([normal([60]), np.array([NaN, Infinity, -Infinity, -0, 0])]);
    const whole = bits(f(x));
    expect(bits(jit(f)(x))).toEqual(whole);
    // Every operation by itself, as where NaN is looked for.
    const finite = normal([60]);
    config.debugNans = true;
    expect(bits(f(finite))).toEqual(whole.slice(0, 60));
  });

  test("dtypes and weak types are those of the operations", () => {
    const types = (x: NDArray): string => `${x.dtype} ${x.weakType}`;
    for (const x of [np.array([1, 2, 3], { dtype: "int32" }), np.arange(3), np.array([true, false])])
      for (const f of [nn.relu6, nn.elu, nn.leakyRelu, nn.silu, nn.gelu] as ((x: NDArray) => NDArray)[]) {
        let expected: string;
        try {
          expected = types(vmap(f)(x));
        } catch {
          expect(() => f(x)).toThrow();
          continue;
        }
        expect(types(f(x))).toBe(expected);
      }
  });

  test("the default float follows the configuration", () => {
    const x = np.array([1, 0, 2], { dtype: "int32" });
    expect(nn.oneHot(x, 3).dtype).toBe("float32");
    config.enableX64 = true;
    try {
      expect(nn.oneHot(x, 3).dtype).toBe("float64");
    } finally {
      config.enableX64 = false;
    }
    expect(nn.oneHot(x, 3).dtype).toBe("float32");
  });

  test("traced, they are what they are made of", () => {
    expect(String(makeJaxpr((x: NDArray) => nn.relu(x))(np.ones([3])))).toMatch(/gt[^]*max[^]*select_n/);
    expect(grad((x: NDArray) => nn.relu(x).sum())(np.array([-1, 0, 2])).js()).toEqual([0, 0, 1]);
  });

  test("debugNans names the operation", () => {
    config.debugNans = true;
    expect(() => np.logaddexp(np.array([NaN, 1]), 2)).toThrow(/encountered in logaddexp/);
    expect(() => nn.logSigmoid(np.array([NaN]))).toThrow(/invalid value/);
  });

  test("what they refuse, they refuse as ever, and work on afterwards", () => {
    expect(() => np.hypot(np.ones([3]), np.ones([4]))).toThrow(/\[shape-broadcast\]/);
    expect(() => nn.sigmoid(np.array([1, 2], { dtype: "int32" }))).toThrow(/\[float-needed\]/);
    expect(np.hypot(np.array([3, 0]), np.array([4, 1])).js()).toEqual([5, 1]);
  });

  test("the reference does them one by one", () => {
    setDefaultDevice("reference");
    expect(nn.relu(np.array([-1, 2])).js()).toEqual([0, 2]);
  });
});

describe("arrays that repeat another's elements", () => {
  const [m, n] = [100, 120];

  test("operations repeat as they go: the same bits from the first time on, and one array", () => {
    const [x, row, column] = [normal([m, n]), normal([n], 1), normal([m, 1], 2)];
    const first = bits(x.sub(row).mul(column));
    for (let i = 0; i < 3; i++) expect(bits(x.sub(row).mul(column))).toEqual(first);
    expect(bits(jit((a: NDArray, b: NDArray, c: NDArray) => a.sub(b).mul(c))(x, row, column))).toEqual(first);
    row.add(column);
    const { result, arrays } = kept(() => row.add(column));
    expect(arrays).toBe(1);
    expect(result.at(3, 5).get().item()).toBe(Math.fround(row.at(5).get().item() + column.at(3, 0).get().item()));
    expect(kept(() => np.broadcastTo(row, [m, n])).arrays).toBe(0);
  });

  test("they are as good as any other array", () => {
    const row = normal([n]);
    const wide = np.broadcastTo(row, [m, n]);
    expect(
      wide
        .at(m - 1)
        .get()
        .js(),
    ).toEqual(row.js());
    expect(bits(np.broadcastTo(row, [m, n])).slice(-n)).toEqual(bits(row));
    expect(
      np
        .broadcastTo(np.broadcastTo(row, [m, n]), [2, m, n])
        .sum(1)
        .at(1, 0)
        .get()
        .item(),
    ).toBeCloseTo(m * row.at(0).get().item(), 2);
    const late = np.broadcastTo(row, [m, n]);
    expect(late.reshape([-1]).at(n).get().item()).toBe(row.at(0).get().item());
    expect(bits(jit((x: NDArray) => x.add(0))(np.broadcastTo(row, [m, n]))).slice(0, n)).toEqual(bits(row));
    const given = np.broadcastTo(row, [m, n]);
    expect(jit((x: NDArray) => x.mul(2), { donateArgnums: 0 })(given).shape).toEqual([m, n]);
    expect(() => given.add(1)).toThrow(/dispose/);
    expect(row.add(1).shape).toEqual([n]);
  });

  test("each outlives the other's disposal", () => {
    const row = np.arange(n).astype("float32");
    const wide = np.broadcastTo(row, [m, n]);
    row.dispose();
    expect(wide.at(0, 7).get().item()).toBe(7);
    wide.dispose();
    expect(() => wide.add(1)).toThrow(/dispose/);
    const { arrays } = kept(() => {
      const again = np.arange(n).astype("float32");
      const late = np.broadcastTo(again, [m, n]);
      late.dispose();
      expect(() => late.sum()).toThrow(/dispose/);
      expect(again.add(1).at(2).get().item()).toBe(3);
      again.dispose();
    });
    expect(arrays).toBeLessThanOrEqual(3);
  });

  test("softmax and its kin meet them", () => {
    const x = normal([m, n]);
    const first = bits(nn.softmax(x));
    expect(bits(nn.softmax(x))).toEqual(first);
    expect(bits(nn.softmax(x))).toEqual(first);
    for (const s of nn.softmax(x).sum(1).js() as number[]) expect(s).toBeCloseTo(1, 5);
  });

  test("other shapes are other programs, and what does not fit is refused", () => {
    for (const k of [64, 128, 256]) {
      const x = np.ones([k, k]);
      for (let i = 0; i < 3; i++)
        expect(
          x
            .add(np.arange(k))
            .at(k - 1, k - 1)
            .get()
            .item(),
        ).toBe(k);
      expect(() => x.add(np.ones([k - 1]))).toThrow(/\[shape-broadcast\]/);
    }
  });
});
