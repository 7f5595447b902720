import { describe, expect, test } from "vitest";
import { defaultLimits } from "../../../src/backends/webgpu/dispatch.js";
import { lowerDot } from "../../../src/backends/webgpu/dot/dot.js";
import { problemOf } from "../../../src/backends/webgpu/dot/problem.js";
import * as ix from "../../../src/kernel-ir/index-expr.js";
import type { DotKernel } from "../../../src/kernel-ir/kernel.js";
import { launchOf } from "../../gpu/run-code.js";
import { type DotCase, makeDot } from "../wasm/dot-harness.js";

const T = { order: "bcr" };

const lower = (kernel: DotKernel): ReturnType<typeof lowerDot> => lowerDot(kernel, launchOf(kernel));

/** What is chosen for a product, and how much is done with each float that comes from storage. */
function summary(c: DotCase): string {
  const { dispatches } = lower(makeDot(c));
  const total = (of: (d: (typeof dispatches)[number]) => number): number =>
    dispatches.reduce((sum, d) => sum + of(d), 0);
  const intensity = total(({ cost }) => cost.flops) / total(({ cost }) => cost.loadBytes / 4);
  const groups = dispatches.map(({ workgroups }) => workgroups.reduce((a, b) => a * b, 1)).join(" + ");
  return `${dispatches[0]!.label.replace("dot: ", "")}; ${groups} groups; ${intensity.toPrecision(3)} flops a load`;
}

describe("what is chosen", () => {
  test.each<[DotCase, string]>([
    [{ m: 1024, n: 1024, k: 1024 }, "tiled 64×64×16, 8×8 each; 256 groups; 64.0 flops a load"],
    [{ m: 1024, n: 1024, k: 1024, lhs: T, rhs: T }, "tiled 64×64×16, 8×8 each; 256 groups; 64.0 flops a load"],
    [{ m: 512, n: 512, k: 512 }, "tiled 64×64×16, 4×8 each; 64 groups; 64.0 flops a load"],
    [{ m: 256, n: 256, k: 256 }, "tiled 32×64×32, 4×4 each, 2 slices; 32 groups; 42.7 flops a load"],
    [{ m: 128, n: 128, k: 128 }, "tiled 16×16×64, 4×4 each, 8 slices; 64 groups; 16.0 flops a load"],
    [{ m: 8, n: 8, k: 8 }, "tree of 1, 1×4 each; 1 groups; 1.60 flops a load"],
    [{ m: 33, n: 65, k: 31 }, "tiled 16×16×32, 4×4 each, 4 slices; 15 groups; 8.94 flops a load"],
    [{ m: 128, n: 128, k: 784 }, "tiled 16×32×64, 4×4 each, 8 slices; 32 groups; 21.3 flops a load"],
    [{ m: 784, n: 128, k: 128, lhs: T }, "tiled 32×64×32, 4×8 each, 2 slices; 50 groups; 41.8 flops a load"],
    [{ m: 128, n: 784, k: 128, rhs: T }, "tiled 64×32×32, 8×4 each, 2 slices; 50 groups; 41.8 flops a load"],
    [{ m: 128, n: 10, k: 784 }, "tiled 16×12×64, 4×4 each, 8 slices; 8 groups; 11.4 flops a load"],
    [{ m: 784, n: 10, k: 128, lhs: T }, "tiled 16×12×64, 4×4 each, 8 slices; 49 groups; 11.4 flops a load"],
    [{ m: 128, n: 784, k: 10, rhs: T }, "tiled 32×32×10, 4×4 each; 100 groups; 31.4 flops a load"],
    [{ m: 60000, n: 10, k: 784 }, "tiled 64×12×16, 4×4 each, 2 slices; 938 groups; 16.8 flops a load"],
    [{ m: 60000, n: 128, k: 784 }, "tiled 64×64×16, 8×8 each; 1876 groups; 64.0 flops a load"],
    [
      { m: 784, n: 10, k: 60000, lhs: T },
      "tiled 64×12×32, 8×4 each, 4 slices, k in 16; 208 + 123 groups; 15.8 flops a load",
    ],
    [{ m: 64, n: 64, k: 65536 }, "tiled 32×64×32, 4×8 each, 2 slices, k in 32; 64 + 16 groups; 42.2 flops a load"],
    [{ m: 4096, n: 1, k: 4096 }, "tree of 32, 4×1 each; 512 groups; 1.60 flops a load"],
    [{ m: 4096, n: 1, k: 4096, lhs: T }, "sweep of 16, 16 slices, 4 rows each; 64 groups; 1.60 flops a load"],
    [{ m: 1, n: 4096, k: 4096 }, "sweep of 16, 16 slices, 4 rows each; 64 groups; 1.60 flops a load"],
    [{ m: 1, n: 4096, k: 4096, rhs: T }, "tree of 32, 4×1 each; 512 groups; 1.60 flops a load"],
    [{ m: 1, n: 1, k: 1000000 }, "tree of 256, 1×1 each, k in 30; 30 + 1 groups; 1.00 flops a load"],
    [{ m: 1000000, n: 3, k: 3 }, "tree of 1, 4×3 each; 3907 groups; 3.43 flops a load"],
    [{ batch: [1000], m: 8, n: 8, k: 8 }, "tree of 1, 4×4 each; 63 groups; 4.00 flops a load"],
    [{ batch: [12], m: 512, n: 512, k: 64, rhs: T }, "tiled 64×64×16, 8×8 each; 768 groups; 64.0 flops a load"],
    [
      { batch: [100], m: 1, n: 64, k: 32, rhs: { order: "brc", broadcast: [true] } },
      "tiled 16×16×32, 4×4 each, 4 slices; 28 groups; 14.3 flops a load",
    ],
  ])("%j", (c, expected) => {
    expect(summary(c)).toBe(expected);
  });
});

describe("what is counted", () => {
  test("the products, the sums of parts, and the epilogue", () => {
    const [first, second] = lower(makeDot({ m: 64, n: 64, k: 65536 })).dispatches;
    expect(first!.cost.flops).toBe(2 * 64 * 64 * 65536);
    const splits = Number(/k in (\d+)/.exec(first!.label)![1]);
    expect(second!.cost).toMatchObject({
      flops: (splits - 1) * 64 * 64,
      loadBytes: 4 * splits * 64 * 64,
      storeBytes: 4 * 64 * 64,
    });
  });

  test("workgroup memory never passes the default limit, no group is too large", () => {
    const sizes = [1, 3, 8, 12, 33, 128, 1000, 4096];
    for (const m of sizes)
      for (const n of sizes)
        for (const k of sizes)
          for (const layout of [{}, { lhs: T }, { rhs: T }])
            for (const { cost, wgsl } of lower(makeDot({ m, n, k, ...layout })).dispatches) {
              expect(cost.workgroupBytes).toBeLessThanOrEqual(defaultLimits.maxComputeWorkgroupStorageSize);
              const threads = Number(/@workgroup_size\((\d+)\)/.exec(wgsl)![1]);
              expect(threads).toBeLessThanOrEqual(defaultLimits.maxComputeInvocationsPerWorkgroup);
            }
  });

  test("no product reads more than a naive one", () => {
    for (const size of [64, 256, 1000])
      for (const c of [
        { m: size, n: size, k: size },
        { m: size, n: 10, k: size },
        { m: size, n: 1, k: size },
      ]) {
        const loads = lower(makeDot(c)).dispatches.reduce((sum, { cost }) => sum + cost.loadBytes / 4, 0);
        expect(loads).toBeLessThanOrEqual(2 * c.m * c.n * c.k * 1.05);
      }
  });
});

describe("problems", () => {
  test("batches become rows or columns where the layouts allow it", () => {
    const rows = problemOf(
      makeDot({ batch: [3, 2], m: 5, n: 8, k: 8, rhs: { order: "brc", broadcast: [true, true] } }),
    );
    expect([rows.batch, rows.m, rows.n]).toEqual([[], 30, 8]);
    // The results still lie row after row: the index has lost all its divisions.
    expect(rows.stores[0]!.index.key).toBe(ix.flatten([ix.axisIndex(0, 30), ix.axisIndex(1, 8)], [8, 1]).key);
    const columns = problemOf(
      makeDot({ batch: [3], m: 5, n: 6, k: 8, lhs: { order: "brc", broadcast: [true] }, rhs: { order: "rbc" } }),
    );
    expect([columns.batch, columns.m, columns.n]).toEqual([[], 5, 18]);
    const neither = problemOf(makeDot({ batch: [3], m: 5, n: 8, k: 8 }));
    expect([neither.batch.length, neither.m]).toEqual([1, 5]);
  });

  test("a lone row becomes a lone column, and results in columns rows", () => {
    const row = problemOf(makeDot({ m: 1, n: 9, k: 8 }));
    expect([row.m, row.n, row.a.buffer]).toEqual([9, 1, 1]);
    const columns = problemOf(makeDot({ m: 20, n: 30, k: 8, out: T }));
    expect([columns.m, columns.n, columns.a.buffer]).toEqual([30, 20, 1]);
  });
});

describe("texts", () => {
  test("are equal for equal kernels, and say nothing of names", () => {
    const texts = (name: string): string[] =>
      lower({ ...makeDot({ m: 50, n: 40, k: 30 }), name }).dispatches.map(({ wgsl }) => wgsl);
    expect(texts("one")).toEqual(texts("another"));
  });

  test("an operand that holds the results is refused", () => {
    const kernel = makeDot({ m: 8, n: 8, k: 8 });
    expect(() => lowerDot(kernel, launchOf(kernel, [0, 1, 0]))).toThrow(/lies in its operand/);
  });
});
