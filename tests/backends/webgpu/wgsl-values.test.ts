import { afterAll, describe, expect, test } from "vitest";
import { Code } from "../../../src/backends/webgpu/wgsl/code.js";
import { ModuleBuilder } from "../../../src/backends/webgpu/wgsl/module.js";
import { Values, type ValueSource, type ValuesOptions } from "../../../src/backends/webgpu/wgsl/values.js";
import * as index from "../../../src/kernel-ir/index-expr.js";
import type { BufferArg } from "../../../src/kernel-ir/kernel.js";
import * as math from "../../../src/kernel-ir/math/index.js";
import { constant, type Expr, indexValue, load, op, type ScalarOp, slotRef } from "../../../src/kernel-ir/scalar.js";
import { randomSource } from "../../kernel-ir/math/evaluate.js";
import { launchOf, sharedDevice } from "../../gpu/run-code.js";
import { byDefinition, type Column, column, moduleOf, onDevice } from "./wgsl-harness.js";

const device = await sharedDevice();
afterAll(() => device?.destroy());

/** Values over two f32 buffers of 64 elements, and the code that they are written to. */
function writing(options: ValuesOptions = {}, more: Partial<ValueSource> = {}) {
  const buffers: BufferArg[] = [
    { type: "f32", access: "read", length: 64 },
    { type: "i32", access: "read", length: 64 },
  ];
  const module = new ModuleBuilder(buffers, launchOf({ buffers }));
  const code = new Code();
  const source: ValueSource = {
    axis: (k) => `a${k}`,
    load: (buffer, at) => module.load(buffer, at),
    slot: (k) => `s${k}`,
    keep: (k) => `keep${k}[i]`,
    ...more,
  };
  return { values: new Values(module, code, source, options), code, module };
}
const at = index.axisIndex(0, 64);
const x = load("f32", 0, at);
const c = (v: number): Expr => constant("f32", v);
const add = (a: Expr, b: Expr): Expr => op("add", [a, b]);
const mul = (a: Expr, b: Expr): Expr => op("mul", [a, b]);

describe("values as text", () => {
  test("a small expression stands where it is used; a load and what is shared have names", () => {
    const { values, code } = writing();
    expect(values.expr(mul(add(x, c(1)), c(2)))).toBe("((v0 + 1f) * 2f)");
    const shared = add(x, c(3));
    expect(values.expr(mul(shared, shared))).toBe("(v1 * v1)");
    expect(code.toString()).toBe("let v0 = b0[a0];\nlet v1 = v0 + 3f;\n");
  });

  test("what later values share is named where they are planned together", () => {
    const inner = mul(add(x, c(1)), x);
    const [first, second] = [add(inner, c(1)), add(inner, c(2))];
    const { values } = writing();
    values.plan([first, second]);
    expect([values.expr(first), values.expr(second)]).toEqual(["(v1 + 1f)", "(v1 + 2f)"]);
  });

  test("a scope forgets what was named in it, and only that", () => {
    const { values, code } = writing();
    const outer = values.named(add(x, c(1)));
    const y = load("i32", 1, at);
    values.scope(() => {
      expect(values.named(add(x, c(1)))).not.toBe(outer);
      expect(values.expr(y)).toBe("v3");
    });
    expect(values.expr(y)).toBe("v4");
    expect(code.toString().match(/b0\[a0\]/g)).toHaveLength(1);
    expect(code.toString().match(/b1\[a0\]/g)).toHaveLength(2);
  });

  test("equal loads are one, however they were made", () => {
    const { values, code } = writing();
    values.expr(add(load("f32", 0, at), load("f32", 0, index.axisIndex(0, 64))));
    expect(code.toString()).toBe("let v0 = b0[a0];\n");
  });

  test("text grows with the number of nodes, not of paths, and stays shallow", () => {
    const { values, code } = writing();
    let e: Expr = x;
    for (let i = 0; i < 200; i++) e = mul(add(e, e), add(e, c(i + 1)));
    values.expr(e);
    const lines = code.toString().trimEnd().split("\n");
    expect(lines.length).toBeLessThan(250);
    // A chain as long as no stack is deep.
    let chain: Expr = x;
    for (let i = 0; i < 20_000; i++) chain = op("sub", [c(i), chain]);
    const long = writing();
    long.values.expr(chain);
    const depth = (line: string): number => {
      let [now, most] = [0, 0];
      for (const ch of line) {
        if (ch === "(") most = Math.max(most, ++now);
        else if (ch === ")") now--;
      }
      return most;
    };
    const text = long.code.toString().split("\n");
    expect(text.length).toBeLessThan(12_000);
    expect(Math.max(...text.map(depth))).toBeLessThan(12);
  });

  test("what the source knows is not loaded, nor is its index computed", () => {
    const gathered = load("f32", 0, index.clamp(index.valueIndex(load("i32", 1, at), -5, 100), 0, 63));
    const { values, code, module } = writing({}, { known: (e) => (e === gathered ? "tile[lid]" : undefined) });
    expect(values.expr(add(gathered, c(1)))).toBe("(tile[lid] + 1f)");
    expect(code.empty).toBe(true);
    expect(module.bindings).toEqual([]);
  });

  test("indices: shifts for powers of two, plain division where nothing is negative", () => {
    const { values } = writing();
    const [i, j] = [index.axisIndex(0, 100), index.axisIndex(1, 7)];
    expect(values.index(index.add(index.scale(i, 7), j))).toBe("(a0 * 7 + a1)");
    expect(values.index(index.div(i, 8))).toBe("(a0 >> 3u)");
    expect(values.index(index.mod(i, 8))).toBe("(a0 & 7)");
    expect(values.index(index.div(i, 10))).toBe("(a0 / 10)");
    expect(values.index(index.mod(i, 10))).toBe("(a0 % 10)");
    expect(values.index(index.div(index.sub(j, i), 10))).toBe("floor_div(-a0 + a1, 10)");
    expect(values.index(index.scale(i, -1))).toBe("(-a0)");
    expect(values.index(index.lit(-3))).toBe("(-3)");
  });

  test("lanes: what is the same in all of them stays a scalar", () => {
    const { values, code } = writing(
      { laneAxis: 1 },
      { load4: (buffer, i) => (buffer === 0 ? `four(${i})` : undefined), lanesOf: (e) => (e.kind === "slot" ? 4 : 1) },
    );
    const [row, col] = [index.axisIndex(0, 8), index.axisIndex(1, 8)];
    const along = load("f32", 0, index.add(index.scale(row, 8), col));
    const across = load("i32", 1, index.scale(col, 2));
    const one = load("f32", 0, row);
    expect(values.expr(add(one, c(1)))).toBe("(v0 + 1f)");
    expect(values.expr(add(along, one))).toBe("(v1 + vec4f(v0))");
    expect(values.expr(across)).toBe("v3");
    expect(values.lanes(one)).toBe(1);
    expect(values.vector(one)).toBe("vec4f(v0)");
    expect(values.expr(indexValue(col))).toBe("(vec4i(a1) + vec4i(0, 1, 2, 3))");
    expect(values.expr(add(slotRef("f32", 0), c(2)))).toBe("(s0 + vec4f(2f))");
    // Fours never cross a multiple of a multiple of four.
    const flat = index.add(index.scale(row, 4), col);
    expect(values.indices(index.div(flat, 12))).toEqual(["v4", "v4", "v4", "v4"]);
    expect(values.indices(index.mod(flat, 12))).toEqual(["v6", "v6 + 1", "v6 + 2", "v6 + 3"]);
    expect(values.index(index.div(col, 3))).toBe("((vec4i(a1) + vec4i(0, 1, 2, 3)) / vec4i(3)).x");
    expect(code.toString()).toBe(
      [
        "let v0 = b0[a0];",
        "let v1 = four((a0 * 8 + a1));",
        "let v2 = a1 * 2;",
        "let v3 = vec4i(b1[v2], b1[v2 + 2], b1[v2 + 4], b1[v2 + 6]);",
        "let v4 = (a0 * 4 + a1) / 12;",
        "let v5 = a0 * 4 + a1;",
        "let v6 = v5 % 12;",
        "",
      ].join("\n"),
    );
  });

  test("float64 never gets here", () => {
    const { values } = writing();
    expect(() => values.expr(constant("f64", 1))).toThrow("WGSL has no f64");
  });
});

describe("branches", () => {
  const costly = (from: Expr, salt: number): Expr => {
    let e = from;
    for (let i = 0; i < 45; i++) e = mul(add(e, c(salt + i)), c(1.0625));
    return e;
  };
  const isLarge = op("lt", [c(8), x]);

  test("a costly value beside another way to compute it is computed where it is needed", () => {
    const { values, code } = writing();
    const e = op("select", [isLarge, costly(x, 1), math.exp(x)]);
    const text = values.expr(e);
    expect(code.toString()).toMatch(/var v10: f32;\nif \(8f < v0\) \{\n {2}let v11 = [^]* {2}v10 = .*;\n\}\n/);
    expect(code.toString().match(/\bif \(/g)).toHaveLength(1);
    expect(text).toBe("select(v9, v10, (8f < v0))");
  });
  test("not beside a special value, nor what others need", () => {
    const { values, code } = writing();
    values.expr(op("select", [isLarge, costly(x, 1), c(NaN)]));
    const shared = costly(x, 2);
    values.expr(add(op("select", [isLarge, shared, math.exp(x)]), shared));
    expect(code.toString()).not.toContain("if (");
  });
  test("lanes: where any of them needs it", () => {
    const { values, code } = writing({ laneAxis: 0 }, { load4: (buffer, i) => `b${buffer}[${i}]` });
    values.expr(op("select", [isLarge, costly(x, 1), math.exp(x)]));
    values.expr(op("select", [isLarge, math.exp(x), costly(x, 3)]));
    expect(code.toString()).toMatch(/if \(any\(.*\)\) \{/);
    expect(code.toString()).toMatch(/if \(!all\(.*\)\) \{/);
  });

  describe.skipIf(!device)("on a device", () => {
    const columns: Column[] = [{ type: "i32", data: Int32Array.from({ length: 256 }, (_, i) => (i - 100) * 3) }];
    const v = column(columns, 0);
    const n = (value: number): Expr => constant("i32", value);
    const heavy = (from: Expr, salt: number): Expr => {
      let e = from;
      for (let i = 0; i < 24; i++) e = op("xor", [mul(e, n(2 * i + 3)), n(salt + i)]);
      return e;
    };
    const [p, q] = [op("lt", [v, n(30)]), op("lt", [n(-20), v])];
    const both = op("select", [p, heavy(v, 3), heavy(add(v, n(1)), 4)]);
    const nested = op("select", [q, heavy(both, 5), heavy(v, 6)]);
    const sameAgain = op("select", [p, heavy(both, 7), heavy(mul(both, v), 8)]);
    const common = heavy(v, 9);
    const shares = op("select", [p, heavy(common, 1), heavy(add(common, n(2)), 2)]);
    const roots = [
      both,
      nested,
      sameAgain,
      shares,
      add(common, shares),
      add(op("select", [q, heavy(v, 11), heavy(v, 12)]), nested),
    ];
    test.each([false, true])("give what selects give (four lanes: %s)", async (lanes) => {
      expect(moduleOf(columns, roots, { lanes }).wgsl.match(/ {4}if \(/g)!.length).toBeGreaterThan(3);
      const got = await onDevice(device!, columns, roots, { lanes });
      roots.forEach((r, k) => expect([...got[k]!]).toEqual(byDefinition(columns, r)));
    });
  });
});

describe.skipIf(!device)("on a device", () => {
  test("random indices", async () => {
    const random = randomSource(5);
    const below = (n: number): number => Math.floor(random() * n);
    const n = 240;
    const columns: Column[] = [
      { type: "i32", data: Int32Array.from({ length: n }, () => below(400) - 200) },
      { type: "f32", data: Float32Array.from({ length: n }, (_, i) => i) },
    ];
    const axis = index.axisIndex(0, n);
    const loaded = index.valueIndex(column(columns, 0), -200, 199);
    const make = (depth: number): index.Index => {
      if (depth === 0) return below(4) === 0 ? loaded : axis;
      const a = make(depth - 1);
      switch (below(6)) {
        case 0:
          return index.add(a, index.scale(make(depth - 1), below(7) - 3));
        case 1:
          return index.addConst(index.scale(a, below(5) - 2), below(200) - 100);
        case 2:
          return index.div(a, [2, 3, 4, 7, 12, 16, 100][below(7)]!);
        case 3:
          return index.mod(a, [2, 3, 4, 7, 12, 16, 100][below(7)]!);
        case 4:
          return index.clamp(a, -below(50), below(300));
        default:
          return index.sub(make(depth - 1), a);
      }
    };
    for (let round = 0; round < 4; round++) {
      const indices = Array.from({ length: 10 }, () => make(3));
      const roots = indices.flatMap((i) => [indexValue(i), load("f32", 1, index.mod(i, n))]);
      for (const lanes of [false, true]) {
        const got = await onDevice(device!, columns, roots, { lanes, scattered: [1] });
        roots.forEach((r, k) => {
          expect([...got[k]!], `${indices[k >> 1]!.key}, four lanes: ${lanes}`).toEqual(byDefinition(columns, r));
        });
      }
    }
  });

  test("random expressions of integers", async () => {
    const random = randomSource(6);
    const below = (n: number): number => Math.floor(random() * n);
    const n = 128;
    const word = (): number => Math.floor(random() * 2 ** 32);
    const columns: Column[] = [
      { type: "i32", data: Int32Array.from({ length: n }, () => word() | 0) },
      { type: "i32", data: Int32Array.from({ length: n }, () => below(20) - 10) },
    ];
    const ops: readonly ScalarOp[] = ["add", "sub", "mul", "min", "max", "and", "or", "xor"];
    for (let round = 0; round < 5; round++) {
      const pool: Expr[] = [
        column(columns, 0),
        column(columns, 1),
        constant("i32", below(100)),
        indexValue(index.axisIndex(0, n)),
      ];
      const pick = (): Expr => pool[Math.max(0, pool.length - 1 - below(below(3) === 0 ? pool.length : 6))]!;
      for (let i = 0; i < 120; i++) {
        const kind = below(10);
        if (kind < 6) pool.push(op(ops[below(ops.length)]!, [pick(), pick()]));
        else if (kind === 6) pool.push(op("shl", [pick(), op("and", [pick(), constant("i32", 31)])]));
        else if (kind === 7) pool.push(op("not", [pick()]));
        else pool.push(op("select", [op(below(2) ? "lt" : "eq", [pick(), pick()]), pick(), pick()]));
      }
      const roots = [pool.at(-1)!, pool.at(-7)!, pool.at(-30)!];
      for (const lanes of [false, true]) {
        const got = await onDevice(device!, columns, roots, { lanes });
        roots.forEach((r, k) => expect([...got[k]!], `round ${round}`).toEqual(byDefinition(columns, r)));
      }
    }
  });

  test("a long chain", async () => {
    const columns: Column[] = [{ type: "i32", data: Int32Array.of(1, 2, 3, -4) }];
    let e = column(columns, 0);
    for (let i = 0; i < 1000; i++)
      e = op(i % 3 === 0 ? "mul" : i % 3 === 1 ? "add" : "xor", [e, constant("i32", i + 3)]);
    const [got] = await onDevice(device!, columns, [e]);
    expect([...got!]).toEqual(byDefinition(columns, e));
  });
});
