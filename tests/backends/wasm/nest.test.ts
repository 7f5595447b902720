import { describe, expect, test } from "vitest";
import type { TypedArray } from "../../../src/core/dtype.js";
import {
  addConst,
  axisIndex,
  clamp,
  div,
  flatten,
  type Index,
  indexDependsOn,
  lit,
  mod,
  scale,
  sub,
  unflatten,
  valueIndex,
} from "../../../src/kernel-ir/index-expr.js";
import type { NestKernel } from "../../../src/kernel-ir/kernel.js";
import { constant, type Expr, indexValue, keepRef, load, op, slotRef } from "../../../src/kernel-ir/scalar.js";
import {
  accumulate,
  affine,
  axes,
  buffer,
  type BufferType,
  difference,
  nest,
  numbers,
  phase,
  slot,
  store,
} from "./build.js";
import { evaluateNest } from "./evaluate.js";
import type { LoweredNest } from "../../../src/backends/wasm/nest/lower.js";
import { runNest, type RunOptions } from "./harness.js";

const sizes = [1, 2, 3, 5, 8, 31, 33, 65];

/** Runs a kernel compiled for its shape and generically, whole and in chunks; all must agree with the evaluation. */
function check(kernel: NestKernel, inputs?: readonly TypedArray[], tolerance = 0): NestKernel {
  const buffers = inputs ?? kernel.buffers.map((b, k) => numbers(b.type, b.length, k + 1));
  const expected = buffers.map((b) => b.slice());
  evaluateNest(kernel, expected);
  const ways: RunOptions[] = [{}, { generic: true }, { chunk: 7 }, { generic: true, chunk: 5 }, { relaxed: false }];
  for (const way of ways) {
    const { buffers: actual } = runNest(kernel, buffers, way);
    actual.forEach((b, k) => {
      const wrong = difference(b, expected[k]!, tolerance);
      if (wrong) throw new Error(`${kernel.name} ${JSON.stringify(way)} buffer ${k}: ${wrong}`);
    });
  }
  return kernel;
}

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);
const strides = (shape: readonly number[]): number[] => shape.map((_, k) => product(shape.slice(k + 1)));
const f32 = (b: number, i: Index): Expr => load("f32", b, i);
const x2 = (e: Expr): Expr => op("add", [op("mul", [e, constant("f32", 2)]), constant("f32", 0.5)]);

/** result[shape] = value, elementwise over row-major axes. */
function map(
  name: string,
  shape: readonly number[],
  inputs: readonly [BufferType, number][],
  result: BufferType,
  value: (i: readonly Index[]) => Expr,
): NestKernel {
  const i = axes(shape);
  const buffers = [...inputs.map(([t, n]) => buffer(t, "read", n)), buffer(result, "write", product(shape))];
  return nest(name, {
    buffers,
    parallel: shape,
    phases: [phase([store(inputs.length, flatten(i, strides(shape)), value(i))])],
  });
}

describe("elementwise", () => {
  test.each(sizes)("%i elements", (n) => {
    check(map("one", [n], [["f32", n]], "f32", ([i]) => x2(f32(0, i!))));
    check(
      map(
        "wide",
        [n],
        [
          ["f64", n],
          ["f32", n],
        ],
        "f64",
        ([i]) => op("add", [load("f64", 0, i!), op("convert", [f32(1, i!)], "f64")]),
      ),
    );
  });

  test("mixed widths and bools in two lanes", () => {
    const n = 37;
    check(
      map(
        "mixed",
        [n],
        [
          ["f64", n],
          ["f32", n],
          ["i32", n],
          ["bool", n],
        ],
        "bool",
        ([i]) =>
          op("or", [
            op("lt", [f32(1, i!), op("convert", [load("i32", 2, i!)], "f32")]),
            op("and", [load("bool", 3, i!), op("gt", [load("f64", 0, i!), constant("f64", 0)])]),
          ]),
      ),
    );
    check(
      map(
        "masks",
        [n],
        [
          ["f64", n],
          ["f32", n],
          ["i32", n],
          ["bool", n],
        ],
        "f32",
        ([i]) =>
          op("select", [
            op("xor", [load("bool", 3, i!), op("eq", [load("i32", 2, i!), constant("i32", 3)])]),
            f32(1, i!),
            op("convert", [load("f64", 0, i!)], "f32"),
          ]),
      ),
    );
  });

  test("adjacent axes merge where every access allows it", () => {
    const shape = [3, 5, 7];
    const all = map(
      "merged",
      shape,
      [
        ["f32", 105],
        ["f32", 105],
      ],
      "f32",
      (i) => op("add", [f32(0, flatten(i, strides(shape))), f32(1, flatten(i, strides(shape)))]),
    );
    expect(
      runNest(
        check(all),
        all.buffers.map((b) => numbers(b.type, b.length)),
      ).lowered.nest.axes,
    ).toHaveLength(1);
  });

  test.each([
    [3, 5],
    [8, 33],
    [65, 4],
    [2, 1],
    [1, 9],
  ])("broadcast [%i,%i] with a row, a column and a scalar", (n, m) => {
    const ij = (i: readonly Index[]): Index => affine(i, [m, 1]);
    check(
      map(
        "row",
        [n, m],
        [
          ["f32", n * m],
          ["f32", m],
        ],
        "f32",
        (i) => op("mul", [f32(0, ij(i)), x2(f32(1, i[1]!))]),
      ),
    );
    check(
      map(
        "column",
        [n, m],
        [
          ["f32", n * m],
          ["f32", n],
        ],
        "f32",
        (i) => op("mul", [f32(0, ij(i)), x2(f32(1, i[0]!))]),
      ),
    );
    check(
      map(
        "scalar",
        [n, m],
        [
          ["f32", n * m],
          ["f32", 1],
        ],
        "f32",
        (i) => op("mul", [f32(0, ij(i)), x2(f32(1, lit(0)))]),
      ),
    );
    check(
      map(
        "outer",
        [n, m],
        [
          ["i32", n],
          ["bool", m],
        ],
        "i32",
        (i) => op("select", [load("bool", 1, i[1]!), load("i32", 0, i[0]!), indexValue(i[0]!)]),
      ),
    );
  });

  test.each([
    [5, 7],
    [33, 8],
    [4, 65],
  ])("transposed, strided and reversed [%i,%i]", (n, m) => {
    check(map("transpose", [n, m], [["f32", n * m]], "f32", (i) => x2(f32(0, affine(i, [1, n])))));
    check(map("strided", [n, m], [["f32", n * m * 3]], "f32", (i) => f32(0, affine(i, [3 * m, 3], 1))));
    check(map("reversed", [n, m], [["f32", n * m]], "f32", (i) => f32(0, affine(i, [-m, -1], n * m - 1))));
    check(
      map("reversed bools", [n, m], [["bool", n * m]], "bool", (i) =>
        op("not", [load("bool", 0, affine(i, [m, -1], m - 1))]),
      ),
    );
    check(map("reversed f64", [n, m], [["f64", n * m]], "f64", (i) => load("f64", 0, affine(i, [m, -1], m - 1))));
    check(
      map(
        "reversed mixed",
        [n, m],
        [
          ["f64", n * m],
          ["f32", n * m],
        ],
        "f64",
        (i) =>
          op("add", [load("f64", 0, affine(i, [m, 1])), op("convert", [f32(1, affine(i, [m, -1], m - 1))], "f64")]),
      ),
    );
    const i = axes([n, m]);
    check(
      nest("reversed store", {
        buffers: [buffer("f32", "read", n * m), buffer("f32", "write", n * m)],
        parallel: [n, m],
        phases: [phase([store(1, affine(i, [m, -1], m - 1), f32(0, affine(i, [m, 1])))])],
      }),
    );
    check(
      nest("spread store", {
        buffers: [buffer("f32", "read", n * m), buffer("f32", "write", 2 * n * m)],
        parallel: [n, m],
        phases: [phase([store(1, affine(i, [2 * m, 2], 1), f32(0, affine(i, [m, 1])))])],
      }),
    );
  });

  test.each([
    [
      [0, 1],
      [150, 131],
    ],
    [
      [1, 0],
      [150, 131],
    ],
    [
      [2, 0, 1],
      [33, 20, 35],
    ],
    [
      [2, 1, 0],
      [37, 6, 81],
    ],
    [
      [1, 2, 0],
      [5, 70, 67],
    ],
    [
      [0, 2, 1],
      [3, 80, 90],
    ],
    [
      [3, 1, 0, 2],
      [9, 10, 11, 24],
    ],
  ])("permuted by %j: large ones in tiles", (order, shape) => {
    const from = strides(shape);
    const to = order.map((k) => shape[k]!);
    const kernel = map("permuted", to, [["f32", product(shape)]], "f32", (i) =>
      x2(
        f32(
          0,
          affine(
            i,
            order.map((k) => from[k]!),
          ),
        ),
      ),
    );
    check(kernel);
    check({
      ...map("wide", to, [["f64", product(shape)]], "f64", (i) =>
        load(
          "f64",
          0,
          affine(
            i,
            order.map((k) => from[k]!),
          ),
        ),
      ),
    });
    const { nest: lowered } = runNest(
      kernel,
      kernel.buffers.map((b) => numbers(b.type, b.length)),
    ).lowered;
    expect(lowered.tile > 0).toBe(order[order.length - 1] !== order.length - 1);
  });

  test("indices with div, mod, clamp, and their splitting", () => {
    const n = 60;
    const i = axisIndex(0, n);
    check(
      map("reshape of a transpose", [n], [["f32", n]], "f32", ([k]) =>
        f32(0, flatten(unflatten(k!, [12, 5]), [1, 12])),
      ),
    );
    check(map("roll", [n], [["f32", n]], "f32", ([k]) => f32(0, mod(addConst(k!, 17), n))));
    check(map("roll by less", [n], [["f32", n]], "f32", ([k]) => f32(0, mod(addConst(k!, -17), n))));
    check(map("repeat", [n], [["f32", 9]], "f32", ([k]) => f32(0, div(k!, 7))));
    check(map("edge", [n], [["f32", 30]], "f32", ([k]) => f32(0, clamp(addConst(k!, -9), 0, 29))));
    check(map("iota", [n], [], "i32", ([k]) => indexValue(addConst(scale(mod(div(addConst(k!, -31), 4), 6), 5), 2))));
    check(map("floor of negatives", [n], [], "i32", ([k]) => indexValue(div(addConst(scale(k!, 3), -100), 7))));
    const split = runNest(
      nest("split", {
        buffers: [buffer("f32", "read", n), buffer("f32", "write", n)],
        parallel: [n],
        phases: [phase([store(1, i, f32(0, flatten(unflatten(i, [12, 5]), [1, 12])))])],
      }),
      [numbers("f32", n), numbers("f32", n)],
    );
    expect(split.lowered.nest.axes).toHaveLength(2);
  });

  test("gathered: rows, elements, and an index that depends on both axes", () => {
    const [n, m, rows] = [9, 13, 6];
    const ids = numbers("i32", n * m).map((v) => Math.abs(v) % rows);
    const table = numbers("f32", rows * m);
    const value = (i: Index): Index => valueIndex(load("i32", 0, i), 0, rows - 1);
    const withIds = (k: NestKernel): void => void check(k, [ids, table, numbers("f32", k.buffers[2]!.length)]);
    const inputs: [BufferType, number][] = [
      ["i32", n * m],
      ["f32", rows * m],
    ];
    withIds(map("rows", [n, m], inputs, "f32", (i) => f32(1, affine([value(i[0]!), i[1]!], [m, 1]))));
    withIds(map("elements", [n * m], inputs, "f32", (i) => f32(1, value(i[0]!))));
    withIds(map("both", [n, m], inputs, "f32", (i) => f32(1, affine([value(affine(i, [m, 1])), i[1]!], [m, 1]))));
    const wide = map(
      "wide",
      [n, m],
      [
        ["i32", n * m],
        ["f64", rows * m],
      ],
      "f64",
      (i) => load("f64", 1, affine([value(affine(i, [m, 1])), i[1]!], [m, 1])),
    );
    check(wide, [ids, numbers("f64", rows * m), numbers("f64", n * m)]);
  });

  test("scattered to places of their own", () => {
    const n = 29;
    const [i] = axes([n]);
    const places = new Int32Array(n).map((_, k) => (k * 11) % n);
    const at = valueIndex(load("i32", 0, i!), 0, n - 1);
    check(
      nest("permute", {
        buffers: [buffer("i32", "read", n), buffer("f32", "read", n), buffer("f32", "write", n)],
        parallel: [n],
        phases: [phase([store(2, at, f32(1, i!))])],
      }),
      [places, numbers("f32", n), numbers("f32", n)],
    );
  });

  test("several outputs, one of them where an operand lies", () => {
    const n = 43;
    const i = axisIndex(0, n);
    const [x, y] = [f32(0, i), f32(1, i)];
    check(
      nest("swap", {
        buffers: [buffer("f32", "readwrite", n), buffer("f32", "readwrite", n), buffer("bool", "write", n)],
        parallel: [n],
        phases: [phase([store(0, i, y), store(1, i, op("add", [x, y])), store(2, i, op("lt", [x, y]))])],
      }),
    );
  });

  test("neighbours of one buffer", () => {
    const n = 50;
    check(
      map("stencil", [n], [["f32", n + 4]], "f32", ([i]) =>
        [1, 2, 3, 4].reduce<Expr>((sum, k) => op("add", [sum, f32(0, addConst(i!, k))]), f32(0, i!)),
      ),
    );
  });

  test("rows short of a vector, empty domains", () => {
    check(
      map(
        "short",
        [17, 3],
        [
          ["f32", 51],
          ["f32", 3],
        ],
        "f32",
        (i) => op("sub", [f32(0, affine(i, [3, 1])), f32(1, i[1]!)]),
      ),
    );
    check(map("empty", [0], [["f32", 0]], "f32", ([i]) => f32(0, i!)));
    check(map("empty rows", [4, 0], [["f32", 0]], "f32", (i) => f32(0, affine(i, [0, 1]))));
    check(map("one", [], [["f32", 1]], "f32", () => x2(f32(0, lit(0)))));
  });

  test("more than 64K elements in chunks", () => {
    const n = 70_001;
    const kernel = map("long", [n], [["f32", n]], "f32", ([i]) => x2(f32(0, i!)));
    const buffers = [numbers("f32", n), new Float32Array(n)];
    const expected = buffers.map((b) => b.slice());
    evaluateNest(kernel, expected);
    expect(difference(runNest(kernel, buffers, { chunk: 65536 }).buffers[1]!, expected[1]!)).toBeNull();
  });

  test("a chain of thousands of operations", () => {
    const n = 9;
    const kernel = map("chain", [n], [["f32", n]], "f32", ([i]) => {
      let e: Expr = f32(0, i!);
      for (let k = 0; k < 20_000; k++) e = op(k % 2 ? "add" : "mul", [e, constant("f32", k % 2 ? 0.25 : 0.5)]);
      return e;
    });
    const { buffers } = runNest(kernel, [numbers("f32", n), new Float32Array(n)]);
    let x = numbers("f32", n)[4]!;
    for (let k = 0; k < 20_000; k++) x = Math.fround(k % 2 ? x + 0.25 : x * 0.5);
    expect(buffers[1]![4]).toBe(x);
  });

  test("a shared node is computed once", () => {
    const n = 8;
    const kernel = map("doublings", [n], [["f32", n]], "f32", ([i]) => {
      let e: Expr = f32(0, i!);
      for (let k = 0; k < 60; k++) e = op("add", [e, e]);
      return e;
    });
    const { buffers } = runNest(kernel, [new Float32Array(n).fill(1), new Float32Array(n)]);
    expect(buffers[1]![0]).toBe(2 ** 60);
  });
});

describe("what few elements need", () => {
  const [one, two] = [constant("f32", 1), constant("f32", 2)];
  /** A long chain of operations on x. */
  const long = (x: Expr, n = 60): Expr => {
    let e = x;
    for (let k = 0; k < n; k++) e = op(k % 2 ? "sub" : "add", [op("mul", [e, constant("f32", 0.5)]), k % 3 ? one : x]);
    return e;
  };
  const short = (x: Expr): Expr => {
    let e = x;
    for (let k = 0; k < 9; k++) e = op("sub", [op("mul", [e, constant("f32", 0.25)]), x]);
    return e;
  };
  const textOf = (k: NestKernel): LoweredNest["nest"] =>
    runNest(
      k,
      k.buffers.map((b) => numbers(b.type, b.length)),
    ).lowered.nest;

  test.each([1, 5, 8, 33, 65])("is computed in a branch, of %i elements", (n) => {
    for (const limit of [-100, 0, 3.9, 100]) {
      const at = (x: Expr): Expr => op("gt", [x, constant("f32", limit)]);
      const cases: Record<string, (x: Expr) => Expr> = {
        then: (x) => op("select", [at(x), long(x), short(x)]),
        else: (x) => op("select", [at(x), short(x), long(x)]),
        both: (x) => op("select", [at(x), long(x), long(op("neg", [x]))]),
        "two of one condition": (x) => {
          const shared = long(x, 50);
          const p = op("select", [at(x), op("add", [shared, one]), short(x)]);
          const q = op("select", [at(x), op("mul", [shared, two]), short(op("neg", [x]))]);
          return op("sub", [op("mul", [p, q]), p]);
        },
        "one in another": (x) => {
          const inner = op("select", [op("lt", [x, one]), long(op("add", [x, two])), short(x)]);
          return op("select", [at(x), op("add", [long(x), inner]), short(op("add", [x, one]))]);
        },
        "of one condition, one on another": (x) => {
          const inner = op("select", [at(x), long(x), short(x)]);
          return op("add", [op("select", [at(x), long(inner), short(inner)]), inner]);
        },
        "shared by what is in another branch and what is not": (x) => {
          const cut = op("lt", [x, one]);
          const inside = op("select", [cut, long(op("add", [x, two])), short(op("sub", [x, two]))]);
          const outside = op("select", [cut, long(op("sub", [x, one])), short(op("neg", [x]))]);
          return op("add", [op("select", [at(x), op("add", [long(x), inside]), short(op("add", [x, one]))]), outside]);
        },
        "of what is needed elsewhere": (x) => {
          const shared = op("mul", [long(x, 30), two]);
          return op("add", [op("select", [at(x), long(shared), short(shared)]), shared]);
        },
      };
      for (const [name, value] of Object.entries(cases)) {
        const kernel = map(name, [n], [["f32", n]], "f32", ([i]) => value(f32(0, i!)));
        check(kernel, undefined, 1e-5);
        if (n >= 33) expect(textOf(kernel).branches.size, name).toBeGreaterThan(0);
        const wide = map(
          name,
          [n],
          [
            ["f32", n],
            ["f64", n],
          ],
          "f64",
          ([i]) => op("add", [op("convert", [value(f32(0, i!))], "f64"), load("f64", 1, i!)]),
        );
        check(wide, undefined, 1e-5);
      }
    }
  });

  test("in reductions, along rows and columns, and in row buffers", () => {
    const [n, m] = [9, 37];
    const [i, r] = axes([n, m]);
    for (const at of [affine([i!, r!], [m, 1]), affine([i!, r!], [1, n])]) {
      const x = f32(0, at);
      const value = op("select", [op("gt", [x, one]), long(x), short(x)]);
      check(
        nest("sum", {
          buffers: [buffer("f32", "read", n * m), buffer("f32", "write", n), buffer("f32", "write", n * m)],
          parallel: [n],
          reduced: [m],
          slots: [slot("f32", "add", 0)],
          keeps: ["f32"],
          phases: [
            phase([{ kind: "keep", keep: 0, value }, accumulate(0, value)], [store(1, i!, slotRef("f32", 0))]),
            phase([
              store(
                2,
                at,
                op("select", [op("lt", [x, slotRef("f32", 0)]), long(keepRef("f32", 0)), short(slotRef("f32", 0))]),
              ),
            ]),
          ],
        }),
        undefined,
        2e-5,
      );
    }
  });

  test.each([1, 4, 9])("of one condition in several phases and behind them, %i rows", (n) => {
    const m = 6;
    const [i, r] = axes([n, m]);
    const x = f32(0, affine([i!, r!], [m, 1]));
    const row = op("gt", [f32(1, i!), one]);
    const by = (value: Expr): Expr => op("select", [row, long(value), short(value)]);
    check(
      nest("phases", {
        buffers: [buffer("f32", "read", n * m), buffer("f32", "read", n), buffer("f32", "write", n)],
        parallel: [n],
        reduced: [m],
        slots: [slot("f32", "max", -Infinity), slot("f32", "max", -Infinity)],
        phases: [
          phase([accumulate(0, by(x))]),
          phase([accumulate(1, by(op("sub", [x, slotRef("f32", 0)])))], [store(2, i!, by(slotRef("f32", 1)))]),
        ],
      }),
      undefined,
      2e-5,
    );
  });

  test("but not where the other value is a mere constant", () => {
    const kernel = map("special", [64], [["f32", 64]], "f32", ([i]) =>
      op("select", [op("gt", [f32(0, i!), one]), long(f32(0, i!)), two]),
    );
    expect(textOf(kernel).branches.size).toBe(0);
  });
});

describe("reductions", () => {
  const combines = [
    ["f32", "add", 0],
    ["f32", "mul", 1],
    ["f32", "min", Infinity],
    ["f32", "max", -Infinity],
    ["f64", "add", 0],
    ["f64", "max", -Infinity],
    ["f64", "mul", 1],
    ["i32", "add", 0],
    ["i32", "mul", 1],
    ["i32", "min", 2147483647],
    ["i32", "max", -2147483648],
    ["i32", "and", -1],
    ["i32", "or", 0],
    ["i32", "xor", 0],
    ["u32", "add", 7],
    ["u32", "min", 4294967295],
    ["u32", "max", 0],
    ["bool", "and", 1],
    ["bool", "or", 0],
    ["bool", "xor", 0],
  ] as const;
  /** Sums may differ in the last bits: the order of additions is the emitter's. */
  const tolerance = (t: BufferType, c: string): number =>
    t === "f32" ? (c === "add" || c === "mul" ? 5e-6 : 0) : t === "f64" && (c === "add" || c === "mul") ? 1e-14 : 0;

  const reduce = (
    t: BufferType,
    c: (typeof combines)[number][1],
    initial: number,
    rows: readonly number[],
    reduced: readonly number[],
    strideOf: readonly number[],
  ): NestKernel => {
    const i = axes([...rows, ...reduced]);
    return nest(`${t} ${c} ${rows.join("x")} over ${reduced.join("x")}`, {
      buffers: [buffer(t, "read", product(rows) * product(reduced)), buffer(t, "write", product(rows))],
      parallel: rows,
      reduced,
      slots: [slot(t, c, initial)],
      phases: [
        phase(
          [accumulate(0, load(t, 0, affine(i, strideOf)))],
          [store(1, flatten(i.slice(0, rows.length), strides(rows)), slotRef(t, 0))],
        ),
      ],
    });
  };
  const inputOf = (k: NestKernel): TypedArray[] => {
    const x = numbers(k.buffers[0]!.type, k.buffers[0]!.length, 3);
    // products that stay near 1
    if (k.slots[0]!.combine === "mul" && k.buffers[0]!.type !== "i32")
      for (let i = 0; i < x.length; i++) x[i] = 1 + ((i % 7) - 3) / 16;
    if (k.slots[0]!.combine === "and" && k.buffers[0]!.type === "bool")
      for (let i = 0; i < x.length; i++) x[i] = i % 31 === 7 ? 0 : 1;
    return [x, numbers(k.buffers[1]!.type, k.buffers[1]!.length)];
  };

  describe.each(combines)("%s %s from %d", (t, c, initial) => {
    test.each([0, ...sizes, 300])("everything, %i elements", (n) => {
      const k = reduce(t, c, initial, [], [n], [1]);
      check(k, inputOf(k), tolerance(t, c));
    });
    test.each([
      [3, 5],
      [5, 33],
      [9, 65],
      [4, 1],
      [33, 3],
    ])("along the rows of [%i,%i]", (n, m) => {
      const k = reduce(t, c, initial, [n], [m], [m, 1]);
      check(k, inputOf(k), tolerance(t, c));
    });
    test.each([
      [3, 5],
      [5, 33],
      [9, 65],
      [200, 70],
      [33, 3],
      [40, 11],
    ])("along the columns of [%i,%i]", (n, m) => {
      const k = reduce(t, c, initial, [m], [n], [1, m]);
      check(k, inputOf(k), tolerance(t, c));
    });
    test("outer and inner axes of three", () => {
      const [a, b, d] = [6, 5, 9];
      const k = reduce(t, c, initial, [b], [a, d], [d, b * d, 1]);
      check(k, inputOf(k), tolerance(t, c));
      const j = reduce(t, c, initial, [a, d], [b], [b * d, 1, d]);
      check(j, inputOf(j), tolerance(t, c));
    });
  });

  test("min and max: NaN wins, −0 is below 0", () => {
    for (const c of ["min", "max"] as const) {
      for (const t of ["f32", "f64"] as const) {
        for (const special of [NaN, -0, 0]) {
          const k = reduce(t, c, c === "min" ? Infinity : -Infinity, [], [37], [1]);
          const x = inputOf(k)[0]!;
          x.fill(c === "min" ? 0 : -0);
          for (const at of [0, 17, 36]) {
            const y = x.slice();
            y[at] = special;
            check(k, [y, x.slice(0, 1)]);
          }
        }
      }
    }
  });

  test.each(["along lanes", "in rows of lanes"])("min and max %s: a NaN of either sign wins, −0 is below 0", (way) => {
    const nans = { positive: 0x7fc00000, negative: 0xffc00000 | 0, smallest: 0x7f800001, least: 0xff800001 | 0 };
    const fills = [[1, -2], [-1, -2], [Infinity, -Infinity], [0, -0], [-0, -0], [-Infinity, -0], [Infinity, 0]]; // prettier-ignore
    const rows = way === "along lanes" ? 1 : 11;
    for (const c of ["min", "max"] as const) {
      for (const n of [1, 4, 7, 37, 64]) {
        const initial = c === "min" ? Infinity : -Infinity;
        const k = reduce("f32", c, initial, rows === 1 ? [] : [rows], [n], rows === 1 ? [1] : [1, rows]);
        const run = (x: Float32Array): Float32Array =>
          runNest(k, [x, new Float32Array(rows)]).buffers[1]! as Float32Array;
        for (const [even, odd] of fills) {
          const x = Float32Array.from({ length: n * rows }, (_, i) => (Math.floor(i / rows) % 2 === 0 ? even! : odd!));
          const expected = x.reduce((a, b) => (c === "min" ? Math.min(a, b) : Math.max(a, b)));
          expect(run(x), `${c} of ${even}, ${odd}, … (${n})`).toEqual(new Float32Array(rows).fill(expected));
          for (const [name, word] of Object.entries(nans))
            for (const at of new Set([0, n >> 1, n - 1])) {
              const y = x.slice();
              const row = (at * 5) % rows;
              new Int32Array(y.buffer)[at * rows + row] = word;
              const wanted = new Float32Array(rows).fill(expected);
              wanted[row] = NaN;
              expect(run(y), `${name} NaN at ${at} of ${n}`).toEqual(wanted);
            }
        }
      }
    }
  });

  test("long sums stay accurate", () => {
    const n = 1_000_000;
    const sum = (
      rows: readonly number[],
      reduced: readonly number[],
      strideOf: readonly number[],
      generic = false,
    ): number => {
      const k = reduce("f32", "add", 0, rows, reduced, strideOf);
      return runNest(
        k,
        [new Float32Array(product(rows) * product(reduced)).fill(0.1), new Float32Array(product(rows))],
        { generic },
      ).buffers[1]![0]!;
    };
    for (const generic of [false, true]) {
      expect(Math.abs(sum([], [n], [1], generic) / (n * Math.fround(0.1)) - 1)).toBeLessThan(6e-7);
      expect(Math.abs(sum([5], [n / 4], [1, 5], generic) / ((n / 4) * Math.fround(0.1)) - 1)).toBeLessThan(2e-6);
      // reduced axes that do not merge: [outer, 3 of 5]
      expect(Math.abs(sum([2], [n / 4, 3], [3, 6, 1], generic) / ((n / 4) * 3 * Math.fround(0.1)) - 1)).toBeLessThan(
        2e-6,
      );
      expect(Math.abs(sum([3], [n / 4], [n / 4, 1], generic) / ((n / 4) * Math.fround(0.1)) - 1)).toBeLessThan(6e-7);
    }
  });

  test("a sum of products, with a scale per row and an epilogue", () => {
    const [n, m] = [7, 45];
    const [i, r] = axes([n, m]);
    const at = affine([i!, r!], [m, 1]);
    check(
      nest("dots", {
        buffers: [
          buffer("f32", "read", n * m),
          buffer("f32", "read", n * m),
          buffer("f32", "read", n),
          buffer("f32", "write", n),
          buffer("bool", "write", n),
        ],
        parallel: [n],
        reduced: [m],
        slots: [slot("f32", "add", 1)],
        phases: [
          phase(
            [accumulate(0, op("mul", [f32(0, at), op("mul", [f32(1, at), f32(2, i!)])]))],
            [
              store(3, i!, op("mul", [slotRef("f32", 0), f32(2, i!)])),
              store(4, i!, op("gt", [slotRef("f32", 0), constant("f32", 0)])),
            ],
          ),
        ],
      }),
      undefined,
      1e-5,
    );
  });

  test("the index of the maximum", () => {
    const [n, m] = [6, 37];
    const [i, r] = axes([n, m]);
    const at = affine([i!, r!], [m, 1]);
    for (const swap of [false, true]) {
      const place = swap ? affine([i!, r!], [1, n]) : at;
      check(
        nest("argmax", {
          buffers: [buffer("f32", "read", n * m), buffer("i32", "write", n)],
          parallel: [n],
          reduced: [m],
          slots: [slot("f32", "max", -Infinity), slot("i32", "min", 2147483647)],
          phases: [
            phase([accumulate(0, f32(0, place))]),
            phase(
              [
                accumulate(
                  1,
                  op("select", [
                    op("eq", [f32(0, place), slotRef("f32", 0)]),
                    indexValue(r!),
                    constant("i32", 2147483647),
                  ]),
                ),
              ],
              [store(1, i!, slotRef("i32", 1))],
            ),
          ],
        }),
      );
    }
  });
});

describe("phases", () => {
  /** max, then values kept and summed, then divided; a row output besides. */
  function normalise(
    rows: number,
    reduced: readonly number[],
    rowStride: number,
    reducedStrides: readonly number[],
    t: "f32" | "f64",
  ): NestKernel {
    const i = axes([rows, ...reduced]);
    const at = affine(i, [rowStride, ...reducedStrides]);
    const n = rows * product(reduced);
    const shifted = op("abs", [op("sub", [load(t, 0, at), slotRef(t, 0)])]);
    return nest("normalise", {
      buffers: [buffer(t, "read", n), buffer(t, "write", n), buffer(t, "write", rows), buffer("bool", "write", n)],
      parallel: [rows],
      reduced,
      slots: [slot(t, "max", -Infinity), slot(t, "add", 1)],
      keeps: [t, "bool"],
      phases: [
        phase([accumulate(0, load(t, 0, at))], [store(2, i[0]!, slotRef(t, 0))]),
        phase([
          { kind: "keep", keep: 0, value: shifted },
          { kind: "keep", keep: 1, value: op("gt", [shifted, constant(t, 1)]) },
          accumulate(1, shifted),
        ]),
        phase([store(1, at, op("div", [keepRef(t, 0), slotRef(t, 1)])), store(3, at, keepRef("bool", 1))]),
      ],
    });
  }
  describe.each(["f32", "f64"] as const)("%s", (t) => {
    test.each([
      [5, 33],
      [3, 4],
      [4, 3],
      [33, 10],
      [2, 1],
      [1, 65],
    ])("rows of [%i,%i]", (n, m) => void check(normalise(n, [m], m, [1], t), undefined, 1e-6));
    test.each([
      [5, 33],
      [3, 4],
      [4, 3],
      [20, 41],
    ])("columns of [%i,%i]", (n, m) => void check(normalise(m, [n], 1, [m], t), undefined, 1e-6));
    test("two reduced axes", () => void check(normalise(5, [6, 9], 9, [45, 1], t), undefined, 1e-6));
  });

  test("a loop with phases but no reduced axes", () => {
    const n = 21;
    const i = axisIndex(0, n);
    check(
      nest("two steps", {
        buffers: [buffer("f32", "readwrite", n), buffer("f32", "write", n)],
        parallel: [n],
        keeps: ["f32"],
        phases: [
          phase([{ kind: "keep", keep: 0, value: x2(f32(0, i)) }]),
          phase([store(0, i, constant("f32", 5))]),
          phase([store(1, i, op("add", [keepRef("f32", 0), f32(0, i)]))]),
        ],
      }),
    );
  });
});

describe("in order", () => {
  const running = (
    rows: readonly number[],
    n: number,
    rowStrides: readonly number[],
    stride: number,
    base: number,
    t: BufferType,
    c: "add" | "max" | "mul",
  ): NestKernel => {
    const i = axes([...rows, n]);
    const at = affine(i, [...rowStrides, stride], base);
    const total = product(rows) * n;
    return nest("scan", {
      buffers: [buffer(t, "read", total), buffer(t, "write", total)],
      parallel: rows,
      reduced: [n],
      slots: [slot(t, c, c === "max" ? -1000 : c === "mul" ? 1 : 0, true)],
      phases: [phase([accumulate(0, load(t, 0, at)), store(1, at, slotRef(t, 0))])],
    });
  };
  test.each(sizes)("running sums and maxima of %i", (n) => {
    for (const t of ["f32", "f64", "i32"] as const) {
      check(running([], n, [], 1, 0, t, "add"));
      check(running([9], n, [1], 9, 0, t, "max"));
      check(running([5], n, [n], 1, 0, t, "add"));
      check(running([3, 6], n, [6 * n, 1], -6, 6 * (n - 1), t, "add"));
    }
  });

  test("updates one after another, with and without a condition", () => {
    const [n, rows, m] = [40, 7, 9];
    const [i, j] = axes([n, m]);
    const ids = numbers("i32", n).map((v) => Math.abs(v) % (rows + 2));
    const id = load("i32", 1, i!);
    const place = affine([valueIndex(op("min", [id, constant("i32", rows - 1)]), 0, rows - 1), j!], [m, 1]);
    const when = op("lt", [id, constant("i32", rows)]);
    for (const combine of ["add", "max", "mul", null] as const) {
      for (const t of ["f32", "f64", "i32"] as const) {
        const k = nest("scatter rows", {
          buffers: [buffer(t, "readwrite", rows * m), buffer("i32", "read", n), buffer(t, "read", n * m)],
          parallel: [n, m],
          sequential: true,
          phases: [
            phase([
              { kind: "update", buffer: 0, index: place, value: load(t, 2, affine([i!, j!], [m, 1])), combine, when },
            ]),
          ],
        });
        check(k, [numbers(t, rows * m), ids, numbers(t, n * m).map((v) => (combine === "mul" ? Math.sign(v) : v))]);
        expect(runNest(k, [numbers(t, rows * m), ids, numbers(t, n * m)]).lowered.nest.mode).toBe("parallel");
      }
    }
    const one = nest("scatter", {
      buffers: [buffer("i32", "readwrite", rows), buffer("i32", "read", n)],
      parallel: [n],
      sequential: true,
      phases: [
        phase([
          {
            kind: "update",
            buffer: 0,
            index: valueIndex(op("rem", [id, constant("i32", rows)]), 0, rows - 1),
            value: op("add", [indexValue(i!), constant("i32", 1)]),
            combine: "add",
            when: op("ne", [id, constant("i32", 3)]),
          },
        ]),
      ],
    });
    check(one, [numbers("i32", rows), ids]);
  });

  test("later rows see what earlier ones wrote", () => {
    const n = 30;
    const i = axisIndex(0, n);
    check(
      nest("recurrence", {
        buffers: [buffer("f32", "readwrite", n + 1), buffer("f32", "read", n)],
        parallel: [n],
        sequential: true,
        phases: [
          phase([store(0, addConst(i, 1), op("add", [op("mul", [f32(0, i), constant("f32", 0.5)]), f32(1, i)]))]),
        ],
      }),
    );
    // a triangular solve: each row sums over those before it
    const m = 12;
    const [p, r] = axes([m, m]);
    check(
      nest("forward substitution", {
        buffers: [buffer("f32", "read", m * m), buffer("f32", "readwrite", m)],
        parallel: [m],
        reduced: [m],
        sequential: true,
        slots: [slot("f32", "add", 0)],
        phases: [
          phase(
            [
              accumulate(
                0,
                op("select", [
                  op("lt", [indexValue(r!), indexValue(p!)]),
                  op("mul", [f32(0, affine([p!, r!], [m, 1])), f32(1, r!)]),
                  constant("f32", 0),
                ]),
              ),
            ],
            [store(1, p!, op("mul", [op("sub", [f32(1, p!), slotRef("f32", 0)]), constant("f32", 0.125)]))],
          ),
        ],
      }),
      undefined,
      1e-5,
    );
  });

  test("a sequential nest of several statements keeps their order", () => {
    const n = 17;
    const i = axisIndex(0, n);
    check(
      nest("in turn", {
        buffers: [buffer("i32", "readwrite", n + 1), buffer("i32", "readwrite", n + 1)],
        parallel: [n],
        sequential: true,
        phases: [
          phase([
            store(0, addConst(i, 1), op("add", [load("i32", 0, i), load("i32", 1, i)])),
            store(1, addConst(i, 1), op("sub", [load("i32", 0, addConst(i, 1)), load("i32", 1, i)])),
          ]),
        ],
      }),
    );
  });
});

describe("generic kernels", () => {
  const keyOf = (k: NestKernel): string =>
    runNest(
      k,
      k.buffers.map((b) => numbers(b.type, b.length)),
      { generic: true },
    ).lowered.key;
  const sum = (shape: readonly number[]): NestKernel =>
    map(
      "add",
      shape,
      [
        ["f32", product(shape)],
        ["f32", product(shape)],
      ],
      "f32",
      (i) => op("add", [f32(0, flatten(i, strides(shape))), f32(1, flatten(i, strides(shape)))]),
    );
  const bias = (n: number, m: number): NestKernel =>
    map(
      "bias",
      [n, m],
      [
        ["f32", n * m],
        ["f32", m],
      ],
      "f32",
      (i) => op("add", [f32(0, affine(i, [m, 1])), f32(1, i[1]!)]),
    );
  test("one structure, one key", () => {
    expect(new Set([sum([100]), sum([7, 8]), sum([3, 4, 5]), sum([64, 64]), sum([1000])].map(keyOf)).size).toBe(1);
    expect(new Set([bias(5, 6), bias(70, 64), bias(9, 1000)].map(keyOf)).size).toBe(1);
    expect(keyOf(sum([100]))).not.toBe(keyOf(bias(10, 10)));
    const t = (n: number, m: number): NestKernel =>
      map("transpose", [n, m], [["f32", n * m]], "f32", (i) => f32(0, affine(i, [1, n])));
    expect(new Set([t(8, 9), t(100, 20), t(30, 30)].map(keyOf)).size).toBe(1);
  });
  test("differences of structure show in the key", () => {
    const k = (value: Expr): string => keyOf(map("k", [50], [["f32", 50]], "f32", () => value));
    const i = axisIndex(0, 50);
    expect(k(op("add", [f32(0, i), constant("f32", 1)]))).not.toBe(k(op("add", [f32(0, i), constant("f32", 2)])));
    expect(k(op("add", [f32(0, i), constant("f32", 0)]))).not.toBe(k(op("add", [f32(0, i), constant("f32", -0)])));
    expect(k(op("neg", [f32(0, i)]))).not.toBe(k(op("abs", [f32(0, i)])));
    expect(k(f32(0, sub(lit(49), i)))).not.toBe(k(f32(0, i)));
    expect(indexDependsOn(i, 0)).toBe(true);
  });
});
