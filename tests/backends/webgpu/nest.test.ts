import { describe, expect, test } from "vitest";
import { defaultLimits } from "../../../src/backends/webgpu/dispatch.js";
import { lowerNest } from "../../../src/backends/webgpu/nest/lower.js";
import { InternalError } from "../../../src/core/errors.js";
import { add, addConst, axisIndex, flatten, type Index, lit, mod, scale } from "../../../src/kernel-ir/index-expr.js";
import type { CombineOp } from "../../../src/kernel-ir/scalar.js";
import { constant, type Expr, keepRef, load, op, slotRef } from "../../../src/kernel-ir/scalar.js";
import { testGpuDevice } from "../../gpu/adapter.js";
import { launchOf } from "../../gpu/run-code.js";
import { cumsumKernel, mapKernel, softmaxKernel } from "../../kernel-ir/kernels.js";
import { accumulate, axes, buffer, type BufferType, nest, phase, slot, store } from "../wasm/build.js";
import { check, contents } from "./nest-harness.js";

const sizes = [1, 3, 31, 33, 65, 300];
const f32 = (b: number, i: Index): Expr => load("f32", b, i);
const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);
const strides = (shape: readonly number[]): number[] => shape.map((_, k) => product(shape.slice(k + 1)));
const f = (e: Expr): Expr => op("add", [op("mul", [e, constant("f32", 2)]), constant("f32", 0.5)]);

/** b1[rows] = combine of b0[rows, points], the reduced axis last or (columns) first. */
function reduction(rows: number, points: number, combine: CombineOp, type: BufferType, initial = 0, columns = false) {
  const [r, p] = axes([rows, points]);
  const at = columns ? add(scale(p!, rows), r!) : add(scale(r!, points), p!);
  return nest(`${combine} of ${rows} x ${points}${columns ? " columns" : ""}`, {
    buffers: [buffer(type, "read", rows * points), buffer(type, "write", rows)],
    parallel: [rows],
    reduced: [points],
    slots: [slot(type, combine, initial)],
    phases: [phase([accumulate(0, load(type, 0, at))], [store(1, r!, slotRef(type, 0))])],
  });
}

describe("elementwise", () => {
  test.each(sizes)("%i elements, and backwards", async (n) => {
    await check(mapKernel(n, f));
    await check(mapKernel(n, f, (i) => addConst(scale(i, -1), n - 1)));
  });

  test("fours where all of a buffer's accesses allow them", async () => {
    expect(await check(mapKernel(64, f))).toContain("rows fours");
    expect(await check(mapKernel(65, f))).toEqual(["rows"]);
    const [i] = axes([64]);
    const shifted = nest("shifted", {
      buffers: [buffer("f32", "read", 68), buffer("f32", "write", 64)],
      parallel: [64],
      phases: [phase([store(1, i!, op("add", [f32(0, i!), f32(0, addConst(i!, 1))]))])],
    });
    expect(await check(shifted, { ways: ["slices"] })).toEqual(["rows"]);
  });

  test("broadcast, transposed, strided, several results", async () => {
    const [a, b, c] = axes([5, 12, 8]) as [Index, Index, Index];
    const out = flatten([a, b, c], strides([5, 12, 8]));
    const kernel = nest("views", {
      buffers: [
        buffer("f32", "read", 8),
        buffer("f32", "read", 12 * 5),
        buffer("i32", "read", 5 * 12 * 8),
        buffer("f32", "write", 480),
        buffer("bool", "write", 480),
      ],
      parallel: [5, 12, 8],
      phases: [
        phase([
          store(3, out, op("add", [f32(0, c), f32(1, add(scale(b, 5), a))])),
          store(4, out, op("gt", [load("i32", 2, out), constant("i32", 3)])),
        ]),
      ],
    });
    expect(await check(kernel)).toEqual(expect.arrayContaining(["rows", "rows fours"]));
  });

  test("transposes in tiles", async () => {
    for (const [h, w] of [
      [33, 65],
      [64, 32],
      [9, 300],
    ] as const) {
      const [i, j, k] = axes([h, 3, w]) as [Index, Index, Index];
      const kernel = nest("transpose", {
        buffers: [buffer("f32", "read", 3 * h * w), buffer("f32", "write", 3 * h * w)],
        parallel: [h, 3, w],
        phases: [phase([store(1, flatten([i, j, k], [3 * w, w, 1]), f32(0, flatten([j, k, i], [h * w, h, 1])))])],
      });
      expect(await check(kernel, { ways: ["default", "slices"] })).toContain("tiles");
      expect(await check(kernel, { ways: ["default"], launch: { maxComputeWorkgroupsPerDimension: 9 } })).toHaveLength(
        1,
      );
    }
  });

  test("more workgroups than a dimension holds", async () => {
    const launch = { maxComputeWorkgroupsPerDimension: 13 };
    await check(mapKernel(1300, f), { launch });
    await check(reduction(37, 33, "add", "i32"), { launch });
    await check(reduction(1, 700, "add", "i32"), { launch });
  });

  test("in place: arguments that share storage", async () => {
    await check(mapKernel(64, f), { sameAs: [0, 0] });
    await check(mapKernel(33, f), { sameAs: [0, 0] });
  });

  test("no points, and none to reduce", async () => {
    await check(mapKernel(0, f));
    await check(reduction(0, 5, "add", "f32"));
    await check(reduction(5, 0, "max", "f32", -3));
    await check(reduction(1, 0, "add", "f32", 7), { ways: ["default", "chunks"] });
  });
});

describe("reductions", () => {
  test.each(sizes)("rows of %i", async (n) => {
    await check(reduction(7, n, "max", "f32", -Infinity));
    await check(reduction(1, n, "add", "i32", 5));
    await check(reduction(70, n, "xor", "u32", 9), { ways: ["default", "slices"] });
  });

  test.each(sizes)("columns of %i", async (n) => {
    await check(reduction(36, n, "min", "f32", Infinity, true));
    await check(reduction(5, n, "mul", "i32", 3, true));
  });

  test("each strategy has its turn", async () => {
    expect(await check(reduction(3, 300, "add", "i32"))).toEqual([
      "points workgroup",
      "points workgroup fours",
      "points workgroup fours chunks, 2 dispatches",
    ]);
    expect(await check(reduction(64, 300, "add", "i32", 0, true))).toEqual([
      "rows",
      "rows fours chunks, 2 dispatches",
      "rows slices",
      "rows slices fours",
    ]);
    expect(await check(reduction(100, 9, "add", "i32"))).toContain("points slices");
  });

  test("initial values count once", async () => {
    for (const combine of ["add", "mul", "xor"] as const) {
      await check(reduction(3, 65, combine, "i32", 7));
      await check(reduction(6, 65, combine, "u32", 7, true));
    }
    for (const combine of ["and", "or", "xor"] as const) await check(reduction(3, 65, combine, "bool", 1));
  });

  test("extremes keep NaN and the sign of zero, sums that of −0", async () => {
    for (const combine of ["max", "min", "add"] as const) {
      for (const columns of [false, true]) {
        const kernel = reduction(
          8,
          65,
          combine,
          "f32",
          combine === "add" ? -0 : combine === "max" ? -Infinity : Infinity,
          columns,
        );
        const at = (r: number, p: number): number => (columns ? p * 8 + r : r * 65 + p);
        const data = new Float32Array(8 * 65).fill(-0);
        data[at(1, 40)] = NaN;
        data[at(2, 7)] = 0;
        data[at(3, 64)] = Infinity;
        data[at(4, 0)] = -Infinity;
        for (let p = 0; p < 65; p++) data[at(5, p)] = 0;
        data[at(5, 33)] = -0;
        for (let p = 0; p < 65; p++) data[at(6, p)] = combine === "min" ? Infinity : -Infinity;
        await check(kernel, { inputs: [data, new Float32Array(8)] });
      }
    }
  });

  test("long sums are exact to a few units in the last place", async () => {
    const n = 20_000;
    const kernel = reduction(1, n, "add", "f32");
    const data = Float32Array.from({ length: n }, (_, i) => 0.1 + (i % 7) * 0.01);
    const exact = data.reduce((sum, x) => sum + x, 0);
    const { runCode, sharedDevice } = await import("../../gpu/run-code.js");
    const { tunings } = await import("./nest-harness.js");
    const device = await sharedDevice();
    if (!device) return;
    for (const tuning of Object.values(tunings)) {
      const [, out] = await runCode(device, lowerNest(kernel, launchOf(kernel), tuning), [data, new Float32Array(1)]);
      expect(Math.abs(out![0]! - exact) / exact).toBeLessThan(1e-6);
    }
  });

  test("several reduced axes, apart and strided", async () => {
    for (const [a, b, c] of [
      [4, 5, 12],
      [3, 33, 8],
      [2, 7, 31],
    ] as const) {
      const [j, i, k] = axes([b, a, c]) as [Index, Index, Index];
      const kernel = nest("batch statistics", {
        buffers: [buffer("i32", "read", a * b * c), buffer("i32", "write", b), buffer("i32", "write", b)],
        parallel: [b],
        reduced: [a, c],
        slots: [slot("i32", "add", 0), slot("i32", "max", -1000)],
        phases: [
          phase(
            [0, 1].map((s) => accumulate(s, load("i32", 0, flatten([i, j, k], [b * c, c, 1])))),
            [store(1, j, slotRef("i32", 0)), store(2, j, slotRef("i32", 1))],
          ),
        ],
      });
      await check(kernel);
    }
  });

  test("more slots than workgroup memory holds at once", async () => {
    const [i, j] = axes([2, 256]) as [Index, Index];
    const x = load("i32", 0, add(scale(i, 256), j));
    const kernel = nest("many slots", {
      buffers: [buffer("i32", "read", 512), buffer("i32", "write", 2 * 20)],
      parallel: [2],
      reduced: [256],
      slots: Array.from({ length: 20 }, () => slot("i32", "add", 1)),
      phases: [
        phase(
          Array.from({ length: 20 }, (_, k) => accumulate(k, op("mul", [x, constant("i32", k)]))),
          Array.from({ length: 20 }, (_, k) => store(1, addConst(scale(i, 20), k), slotRef("i32", k))),
        ),
      ],
    });
    await check(kernel, { ways: ["default"] });
    const code = lowerNest(kernel, launchOf(kernel));
    expect(code.dispatches[0]!.cost.workgroupBytes).toBeLessThanOrEqual(defaultLimits.maxComputeWorkgroupStorageSize);
  });
});

describe("chains of reductions", () => {
  test.each([
    [1, 300],
    [5, 33],
    [17, 64],
    [65, 10],
    [2, 1024],
  ])("softmax of %i x %i", async (rows, cols) => {
    await check(softmaxKernel(rows, cols), { tolerance: 1e-6 });
  });

  test("row buffers: in variables, or not at all", async () => {
    expect(await check(softmaxKernel(2, 300), { tolerance: 1e-6 })).toEqual([
      "points workgroup fours chunks, 3 dispatches keeps again",
      "points workgroup fours keeps private",
      "points workgroup keeps again",
      "points workgroup keeps private",
    ]);
    expect(await check(softmaxKernel(2, 9000), { tolerance: 1e-6, ways: ["default"] })).toEqual([
      "points workgroup fours keeps again",
    ]);
  });

  /** Two phases through memory: sums of rows, then each element and what another point of the row has stored. */
  function throughMemory(rows: number, n: number) {
    const [i, j] = axes([rows, n]) as [Index, Index];
    const at = add(scale(i, n), j);
    const next = add(scale(i, n), mod(addConst(j, 1), n));
    return nest("through memory", {
      buffers: [
        buffer("i32", "read", rows * n),
        buffer("i32", "readwrite", rows * n),
        buffer("i32", "readwrite", rows),
        buffer("i32", "write", rows * n),
      ],
      parallel: [rows],
      reduced: [n],
      slots: [slot("i32", "add", 0)],
      keeps: ["i32"],
      phases: [
        phase([{ kind: "keep", keep: 0, value: load("i32", 1, at) }, accumulate(0, load("i32", 0, at))]),
        phase(
          [store(1, at, op("sub", [load("i32", 0, at), slotRef("i32", 0)]))],
          [store(2, i, op("add", [load("i32", 1, scale(i, n)), slotRef("i32", 0)]))],
        ),
        phase([store(3, at, op("add", [op("mul", [load("i32", 1, next), keepRef("i32", 0)]), load("i32", 2, i)]))]),
      ],
    });
  }
  test("later phases read what other points of the row stored", async () => {
    for (const [rows, n] of [
      [3, 65],
      [20, 8],
      [2, 300],
    ] as const)
      await check(throughMemory(rows, n), { ways: ["default", "slices"] });
    expect(await check(throughMemory(2, 200), { ways: ["walks"] })).toEqual(["points workgroup keeps workgroup"]);
    expect(await check(throughMemory(1, 9000), { ways: ["default"] })).toEqual([
      "points workgroup fours keeps scratch",
    ]);
  });

  test("column chains: centred by the columns' means", async () => {
    for (const [n, cols] of [
      [33, 64],
      [5, 31],
      [300, 4],
    ] as const) {
      const [j, i] = axes([cols, n]) as [Index, Index];
      const x = f32(0, add(scale(i, cols), j));
      const kernel = nest("centred", {
        buffers: [buffer("f32", "read", n * cols), buffer("f32", "write", n * cols), buffer("f32", "write", cols)],
        parallel: [cols],
        reduced: [n],
        slots: [slot("f32", "max", -Infinity), slot("f32", "min", Infinity)],
        phases: [
          phase([accumulate(0, x)], [store(2, j, slotRef("f32", 0))]),
          phase([accumulate(1, op("sub", [x, slotRef("f32", 0)]))]),
          phase([store(1, add(scale(i, cols), j), op("add", [op("sub", [x, slotRef("f32", 0)]), slotRef("f32", 1)]))]),
        ],
      });
      await check(kernel);
    }
  });
});

describe("running slots", () => {
  const integers = (kernel: ReturnType<typeof cumsumKernel>) =>
    contents(kernel).map((b) => b.map((x) => Math.round(x * 4)) as typeof b);
  test.each([
    [1, 300],
    [1, 1000],
    [3, 33],
    [5, 64],
    [40, 7],
    [70, 65],
  ])("cumsum of %i x %i", async (rows, cols) => {
    const kernel = cumsumKernel(rows, cols);
    await check(kernel, { inputs: integers(kernel) });
  });

  test("each strategy has its turn", async () => {
    const rows = cumsumKernel(3, 300);
    expect(await check(rows, { inputs: integers(rows) })).toEqual([
      "points workgroup scan fours",
      "points workgroup scan fours chunks, 3 dispatches",
    ]);
    const odd = cumsumKernel(2, 301);
    expect(await check(odd, { inputs: integers(odd) })).toContain("points workgroup scan four lanes");
  });

  /** Along the first axis, backwards, with a sum that does not run. */
  const columns = (n: number, cols: number) => {
    const [j, i] = axes([cols, n]) as [Index, Index];
    const at = add(scale(addConst(scale(i, -1), n - 1), cols), j);
    return nest("cummax of columns", {
      buffers: [buffer("i32", "read", n * cols), buffer("i32", "write", n * cols), buffer("i32", "write", cols)],
      parallel: [cols],
      reduced: [n],
      slots: [slot("i32", "max", -5, true), slot("i32", "add", 3)],
      phases: [
        phase(
          [accumulate(0, load("i32", 0, at)), store(1, at, slotRef("i32", 0)), accumulate(1, load("i32", 0, at))],
          [store(2, j, op("add", [slotRef("i32", 0), slotRef("i32", 1)]))],
        ),
      ],
    });
  };
  test("along columns", async () => {
    expect(await check(columns(65, 31))).toContain("rows chunks, 3 dispatches");
    await check(columns(300, 2));
  });

  test("a running slot that depends on another runs in order", async () => {
    const [i, j] = axes([2, 65]) as [Index, Index];
    const at = add(scale(i, 65), j);
    const kernel = nest("sums of sums", {
      buffers: [buffer("i32", "read", 130), buffer("i32", "write", 130)],
      parallel: [2],
      reduced: [65],
      slots: [slot("i32", "add", 1, true), slot("i32", "add", 0, true)],
      phases: [
        phase([accumulate(0, load("i32", 0, at)), accumulate(1, slotRef("i32", 0)), store(1, at, slotRef("i32", 1))]),
      ],
    });
    expect(await check(kernel)).toEqual(["rows"]);
  });
});

describe("limits", () => {
  test("a device with the specification's default limits runs all of it", async () => {
    const device = await testGpuDevice({ defaultLimits: true });
    if (!device) return;
    const way = { device, tolerance: 1e-6 };
    await check(mapKernel(300, f), way);
    await check(softmaxKernel(3, 300), way);
    await check(cumsumKernel(2, 600), { ...way, tolerance: 1e-5 });
    await check(reduction(36, 65, "add", "i32", 1, true), way);
    device.destroy();
  });

  test("rows stay whole where there is no binding left for scratch memory", async () => {
    const kernel = reduction(1, 300, "add", "i32");
    expect(await check(kernel, { ways: ["chunks"] })).toEqual(["points workgroup fours chunks, 2 dispatches"]);
    expect(await check(kernel, { ways: ["chunks"], launch: { maxStorageBuffersPerShaderStage: 2 } })).toEqual([
      "points workgroup fours",
    ]);
  });

  test("more buffers than the device binds is a bug that says so", () => {
    const kernel = nest("wide", {
      buffers: [...Array.from({ length: 9 }, () => buffer("f32", "read", 4)), buffer("f32", "write", 4)],
      parallel: [4],
      phases: [
        phase([
          store(
            9,
            axisIndex(0, 4),
            Array.from({ length: 9 }, (_, k) => f32(k, lit(0))).reduce((a, b) => op("add", [a, b])),
          ),
        ]),
      ],
    });
    expect(() => lowerNest(kernel, launchOf(kernel))).toThrow(InternalError);
    expect(() => lowerNest(kernel, launchOf(kernel))).toThrow("kernel wide has 10 buffers, and the device binds 8");
  });
});
