import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { ConcreteArray } from "../../src/core/array.js";
import { aval } from "../../src/core/aval.js";
import { config } from "../../src/core/config.js";
import { getEngine } from "../../src/core/engine.js";
import { type FromJsOptions, hostFromJs } from "../../src/core/from-js.js";
import { lit } from "../../src/core/literal.js";
import { stage } from "../../src/core/staging.js";
import "../../src/runtime/install.js";
import { call, plus } from "./tiny.js";

const array = (v: unknown, o?: FromJsOptions): ConcreteArray => getEngine().fromHost(hostFromJs(v, o), "reference");

describe("arrays from JS values", () => {
  test.each<[unknown, FromJsOptions | undefined, string, number[], unknown]>([
    [3, undefined, "float32", [], 3],
    [true, undefined, "bool", [], true],
    [-0, undefined, "float32", [], -0],
    [[1, 2.5], undefined, "float32", [2], [1, 2.5]],
    [[NaN, Infinity], undefined, "float32", [2], [NaN, Infinity]],
    [
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: "int32" },
      "int32",
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [[true, false], undefined, "bool", [2], [true, false]],
    [[true, 2], undefined, "float32", [2], [1, 2]],
    [[0, 2, NaN], { dtype: "bool" }, "bool", [3], [false, true, true]],
    [[], undefined, "float32", [0], []],
    [[[], []], undefined, "float32", [2, 0], [[], []]],
    [
      [1, 2, 3, 4],
      { shape: [2, 2] },
      "float32",
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [new Float32Array([1, 2]), undefined, "float32", [2], [1, 2]],
    [new Float64Array([0.1]), undefined, "float64", [1], [0.1]],
    [new Int32Array([-1]), undefined, "int32", [1], [-1]],
    [new Uint32Array([4294967295]), undefined, "uint32", [1], [4294967295]],
    [new Uint8Array([0, 255]), { dtype: "float32", shape: [2, 1] }, "float32", [2, 1], [[0], [255]]],
    [new BigInt64Array([5n, -3n]), { dtype: "int32" }, "int32", [2], [5, -3]],
    [new Uint8Array([0, 7]), { dtype: "bool" }, "bool", [2], [false, true]],
    [
      [new Float32Array([1, 2]), new Float32Array([3, 4])],
      undefined,
      "float32",
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [[-1.9, 1.9], { dtype: "int32" }, "int32", [2], [-1, 1]],
  ])("%o with %o", (value, options, dtype, shape, js) => {
    const x = array(value, options);
    expect([x.dtype, x.shape, x.weakType]).toEqual([dtype, shape, false]);
    expect(x.js()).toEqual(js);
  });

  test.each<[unknown, FromJsOptions | undefined, RegExp]>([
    [[[1, 2], [3]], undefined, /element \[1\] is a list of 1 where a list of 2 was expected \[ragged\]/],
    [[1, [2]], undefined, /element \[1\] is a list of 1 where a number was expected \[ragged\]/],
    [[[1], 2], undefined, /element \[1\] is number 2 where a list of 1 was expected \[ragged\]/],
    [[[1, "a"]], undefined, /element \[0\]\[1\] is string "a", not a number or boolean \[not-a-number\]/],
    [[[1], [undefined]], undefined, /element \[1\]\[0\] is undefined/],
    [[1, , 3], undefined, /element \[1\] is undefined/], // eslint-disable-line no-sparse-arrays
    [{}, undefined, /the value is an object of class Object/],
    [[1n], undefined, /bigint 1.*\n.*Number/],
    [new Uint8Array(2), undefined, /no dtype of a Uint8Array's own \[dtype-typed-array\]\nhint: .*dtype: "int32"/],
    [[1, 2, 3], { shape: [2, 2] }, /3 elements do not fill the shape \[2, 2\] \[shape-size\]/],
    [[3e9], { dtype: "int32" }, /which int32 does not hold \[number-range\]/],
    [[NaN], { dtype: "int32" }, /element \[0\] is NaN, which int32 does not hold/],
    [[-1], { dtype: "uint32" }, /which uint32 does not hold/],
    [[1], { dtype: "key" }, /\[key-data\]/],
    [[1], { dtype: "float16" as "float32" }, /\[dtype-unsupported\]/],
  ])("%o with %o is refused", (value, options, message) => {
    expect(() => array(value, options)).toThrowError(message);
  });

  test("with x64 numbers are float64", () => {
    config.enableX64 = true;
    try {
      expect(array([0.1]).dtype).toBe("float64");
      expect(array([0.1]).js()).toEqual([0.1]);
    } finally {
      config.enableX64 = false;
    }
  });
});

describe("reading", () => {
  test("typed arrays, nested lists, items; at once and later", async () => {
    const x = array(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: "int32" },
    );
    expect(x.dataSync()).toEqual(Int32Array.of(1, 2, 3, 4));
    expect(await x.data()).toEqual(Int32Array.of(1, 2, 3, 4));
    expect(await x.jsAsync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const b = array([true, false]);
    expect(b.dataSync()).toEqual(Uint8Array.of(1, 0));
    expect(array([[2.5]]).item()).toBe(2.5);
    expect(array([true]).item()).toBe(true);
    expect(lit(0.1, "float32").item()).toBe(Math.fround(0.1));
    expect(JSON.stringify({ x })).toBe('{"x":[[1,2],[3,4]]}');
  });

  test("what is read is a copy", () => {
    const x = array([1, 2]);
    x.dataSync()[0] = 9;
    expect(x.js()).toEqual([1, 2]);
  });

  test("item of several elements, data of keys, deleted arrays", async () => {
    expect(() => array([1, 2]).item()).toThrowError(/reads arrays of one element, and this is f32\[2\] \[item-size\]/);
    const key = getEngine().fromHost({ aval: aval([], "key"), data: new Uint32Array(2) }, "reference");
    expect(() => key.dataSync()).toThrowError(/random keys.*\[key-data\]\nhint: random.keyData/);
    await expect(key.data()).rejects.toThrowError(/\[key-data\]/);
    expect(String(inspect(key))).toBe("Array(shape=[], dtype=key)");
    const x = array([1]);
    x.dispose();
    expect(() => x.js()).toThrowError(/Array has been deleted: float32\[1\].*\[array-deleted\]/);
    expect(inspect(x)).toBe("Array(shape=[1], dtype=float32, deleted)");
  });

  test("traced values are not read, and say what to do", async () => {
    const seen: string[] = [];
    const attempt = (f: () => unknown): void => {
      try {
        f();
      } catch (e) {
        seen.push((e as Error).message);
      }
    };
    let later: Promise<unknown> | undefined;
    stage(
      ([x]) => {
        const y = call(plus, [x!, x!], null);
        attempt(() => y.item());
        attempt(() => y.js());
        attempt(() => y.dataSync());
        attempt(() => +y);
        attempt(() => `${y}`);
        later = y.data().catch((e: Error) => e.message);
        expect(inspect(y)).toBe("Traced(f32[], made by plus, traced by jit)");
        return [y];
      },
      [aval([], "float32")],
    );
    expect(seen).toHaveLength(5);
    for (const m of [...seen, await later])
      expect(m).toMatch(/\[tracer-read\]\n {2}value {2}f32\[\], made by plus, traced by jit\nhint: /);
    expect(seen[0]).toMatch(/item\(\) needs the elements.*\n.*\n.*np\.where.*staticArgnums.*outside/);
  });

  test("JavaScript's operators work on concrete scalars only", () => {
    const x = array(2.5);
    expect(Number(x) * 2).toBe(5);
    expect(`loss ${array(0.1)}`).toBe("loss 0.1");
    expect(+array(true)).toBe(1);
    expect(`${array([1, 2])}`).toBe("Array([1., 2.])");
    expect(() => Number(array([1, 2]))).toThrowError(
      /\[array-as-number\]\n {2}value {2}f32\[2\]\nhint: write x.add\(y\)/,
    );
    expect(() => Number(array([1]))).toThrowError(/\[array-as-number\]/);
  });
});

describe("printing", () => {
  test.each<[string, unknown, FromJsOptions | undefined]>([
    ["Array(3.)", 3, undefined],
    ["Array(3, dtype=int32)", 3, { dtype: "int32" }],
    ["Array([1., 2., 3.])", [1, 2, 3], undefined],
    ["Array([ 0.5       ,  0.33333334, -4.        ])", [0.5, 1 / 3, -4], undefined],
    ["Array([1.e+10, 1.e+00])", [1e10, 1], undefined],
    ["Array([1.00e+00, 1.25e-05])", [1, 1.25e-5], undefined],
    ["Array([ nan,  inf, -inf,  1.5, -0. ])", [NaN, Infinity, -Infinity, 1.5, -0], undefined],
    ["Array([ true, false], dtype=bool)", [true, false], undefined],
    [
      "Array([[  1, -20],\n       [300,   4]], dtype=int32)",
      [
        [1, -20],
        [300, 4],
      ],
      { dtype: "int32" },
    ],
    ["Array([[[1., 2.]],\n\n       [[3., 4.]]])", [[[1, 2]], [[3, 4]]], undefined],
    ["Array([0.1], dtype=float64)", [0.1], { dtype: "float64" }],
    ["Array([0.12345679], dtype=float64)", [0.123456789012], { dtype: "float64" }],
    ["Array([])", [], undefined],
    ["Array([], shape=[2, 0], dtype=int32)", [[], []], { dtype: "int32" }],
  ])("%s", (text, value, options) => {
    expect(array(value, options).toString()).toBe(text);
    expect(inspect(array(value, options))).toBe(text);
  });

  test("weak types are told", () => {
    const weak = getEngine().fromHost({ aval: aval([], "int32", true), data: Int32Array.of(2) }, "reference");
    expect(weak.toString()).toBe("Array(2, dtype=int32, weakType=true)");
  });

  test("big arrays are summarised, long rows wrapped", () => {
    const n = Array.from({ length: 2000 }, (_, i) => i % 10);
    expect(array(n).toString()).toBe("Array([0., 1., 2., ..., 7., 8., 9.])");
    expect(array(n, { shape: [1000, 2], dtype: "int32" }).toString()).toBe(
      `Array([[0, 1],\n       [2, 3],\n       [4, 5],\n       ...,\n       [4, 5],\n       [6, 7],\n       [8, 9]], dtype=int32)`,
    );
    const wide = array(Array.from({ length: 30 }, (_, i) => i)).toString();
    expect(wide.split("\n").every((l) => l.length <= 76)).toBe(true);
    expect(wide).toMatch(/^Array\(\[ 0\., {2}1\., .*,\n {7}1\d\., /);
  });
});
