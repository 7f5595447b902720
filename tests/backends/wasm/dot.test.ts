import { describe, expect, it } from "vitest";

import {
  dotScratchBytes,
  dotStructure,
  dotUnits,
  type DotOptions,
  emitDot,
} from "../../../src/backends/wasm/dot/dot.js";
import { planDot } from "../../../src/backends/wasm/dot/plan.js";
import { relaxedSimd } from "../../../src/backends/wasm/engine.js";
import { ModuleBuilder } from "../../../src/backends/wasm/module-builder.js";
import type { DotKernel } from "../../../src/kernel-ir/kernel.js";
import {
  type CompiledDot,
  compileDot,
  type DotCase,
  type Floats,
  makeDot,
  noise,
  referenceDot,
  runDot,
} from "./dot-harness.js";

const FILL = -77;
const relaxed = relaxedSimd();

function check(kernel: DotKernel, compiled: CompiledDot, ranges?: readonly (readonly [number, number])[]): void {
  const operands: [Floats, Floats] = [
    noise(kernel.type, kernel.buffers[0]!.length, 1),
    noise(kernel.type, kernel.buffers[1]!.length, 2),
  ];
  const actual = runDot(kernel, compiled, operands, FILL, ranges, 1);
  expect(runDot(kernel, compiled, operands, FILL, ranges, 0)).toEqual(actual);
  const { value, scale } = referenceDot(kernel, operands, FILL);
  const epsilon = kernel.type === "f32" ? 2 ** -23 : 2 ** -52;
  const worst = { index: -1, excess: 1, actual: 0, expected: 0 };
  value.forEach((expected, index) => {
    const bound = epsilon * (2 + Math.sqrt(kernel.k)) * scale[index]! + 1e-300;
    const excess = actual[index] === expected ? 0 : Math.abs(actual[index]! - expected) / bound;
    if (!(excess <= worst.excess)) Object.assign(worst, { index, excess, actual: actual[index]!, expected });
  });
  const { m, n, k, batch, lhs, rhs, out } = kernel;
  expect(worst, JSON.stringify({ m, n, k, batch, lhs, rhs, out, routine: planDot(kernel).routine })).toMatchObject({
    index: -1,
  });
}

const checkCase = (c: DotCase, options: DotOptions = { relaxed }): void => {
  const kernel = makeDot(c);
  check(kernel, compileDot(kernel, options));
};

/** One generic function a structure, as eager execution has them. */
function genericCache(options: Omit<DotOptions, "generic">): (kernel: DotKernel) => CompiledDot {
  const compiled = new Map<string, CompiledDot>();
  return (kernel) => {
    const key = dotStructure(kernel);
    let dot = compiled.get(key);
    if (!dot) compiled.set(key, (dot = compileDot(kernel, { ...options, generic: true })));
    return dot;
  };
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 31, 33, 65];
const orders = ["brc", "bcr"];

describe("dot", () => {
  for (const type of ["f32", "f64"] as const)
    it(`multiplies matrices of all edge sizes (${type})`, () => {
      const generic = genericCache({ relaxed });
      for (const m of sizes)
        for (const n of sizes)
          for (const k of sizes) {
            const kernel = makeDot({ type, m, n, k });
            check(kernel, generic(kernel));
          }
    });

  it("multiplies with constant extents", () => {
    for (const m of [1, 3, 13, 33])
      for (const n of [1, 2, 10, 12, 17, 40]) for (const k of [1, 9, 65]) checkCase({ m, n, k });
  });

  it("multiplies operands of every layout", () => {
    const generic = genericCache({ relaxed });
    for (const lhs of orders)
      for (const rhs of orders)
        for (const out of orders)
          for (const [m, n, k] of [
            [1, 1, 70],
            [1, 33, 31],
            [33, 1, 31],
            [5, 10, 70],
            [30, 11, 40],
            [17, 37, 300],
          ] as const)
            for (const extra of [{}, { padding: 3, offset: 5 }, { inner: 2, offset: 1 }]) {
              const c = {
                m,
                n,
                k,
                lhs: { order: lhs, ...extra },
                rhs: { order: rhs, ...extra },
                out: { order: out, ...extra },
              };
              const kernel = makeDot(c);
              check(kernel, generic(kernel));
              if (k === 40) checkCase(c);
            }
  });

  it("multiplies matrices that take several blocks", () => {
    for (const type of ["f32", "f64"] as const) {
      checkCase({ type, m: 130, n: 270, k: 700 });
      checkCase({ type, m: 9, n: 1700, k: 20 });
      checkCase({ type, m: 97, n: 300, k: 300, lhs: { order: "bcr" } });
      checkCase({ type, m: 120, n: 300, k: 256, lhs: { order: "bcr" } });
      checkCase({ type, m: 50, n: 40, k: 256, lhs: { order: "bcr", padding: 206 } });
      checkCase({ type, m: 300, n: 20, k: 900, lhs: { order: "bcr" }, rhs: { order: "bcr" } });
      checkCase({ type, m: 100, n: 300, k: 300, lhs: { order: "bcr" }, rhs: { order: "bcr" }, out: { order: "bcr" } });
    }
  });

  it("runs without relaxed SIMD", () => {
    const generic = genericCache({ relaxed: false });
    for (const type of ["f32", "f64"] as const)
      for (const [m, n, k] of [
        [1, 40, 33],
        [40, 1, 33],
        [13, 10, 70],
        [65, 33, 300],
        [2, 3, 4],
      ] as const) {
        const kernel = makeDot({ type, m, n, k });
        check(kernel, generic(kernel));
        checkCase({ type, m, n, k }, { relaxed: false });
      }
  });

  it("multiplies batches, with operands that are the same for some", () => {
    const generic = genericCache({ relaxed });
    const flags = [false, true];
    for (const type of ["f32", "f64"] as const)
      for (const batch of [[3], [1], [2, 3], [2, 1, 4]])
        for (const order of ["brc", "rbc", "bcr", "rcb", "cbr"])
          for (const l of flags)
            for (const r of flags)
              for (const [m, n, k] of [
                [1, 1, 5],
                [4, 1, 9],
                [1, 20, 9],
                [5, 6, 7],
                [7, 18, 20],
              ] as const) {
                const c: DotCase = {
                  type,
                  batch,
                  m,
                  n,
                  k,
                  lhs: { order, broadcast: batch.map((_, i) => l && i === 0) },
                  rhs: { order: "brc", broadcast: batch.map((_, i) => r && i === batch.length - 1) },
                  out: { order: order === "rcb" ? "rbc" : "brc" },
                };
                const kernel = makeDot(c);
                check(kernel, generic(kernel));
              }
  });

  it("multiplies batches with constant extents", () => {
    checkCase({ batch: [3, 2], m: 5, n: 18, k: 20, lhs: { order: "rbc" } });
    checkCase({ batch: [4], m: 9, n: 13, k: 20, rhs: { order: "bcr", broadcast: [true] } });
    checkCase({ batch: [2, 3, 2], m: 3, n: 4, k: 5, lhs: { order: "brc", broadcast: [false, true, false] } });
  });

  it("takes a batch that shares an operand as one product", () => {
    const matrixTimesRows = makeDot({ batch: [64], m: 1, n: 20, k: 30, rhs: { order: "brc", broadcast: [true] } });
    expect(planDot(matrixTimesRows).problem).toMatchObject({ m: 64, n: 20, batch: [] });
    const rows = makeDot({ batch: [64], m: 6, n: 20, k: 30, rhs: { order: "brc", broadcast: [true] } });
    expect(planDot(rows).problem).toMatchObject({ m: 384, n: 20, batch: [] });
    const vmapOfMatvec = makeDot({ batch: [64], m: 20, n: 1, k: 30, lhs: { order: "brc", broadcast: [true] } });
    expect(planDot(vmapOfMatvec).problem).toMatchObject({ m: 64, n: 20, batch: [] });
  });

  it("may be cut anywhere between units", () => {
    const cases: DotCase[] = [
      { m: 37, n: 200, k: 40 },
      { m: 100, n: 10, k: 40 },
      { m: 100, n: 1, k: 40 },
      { m: 1, n: 500, k: 40 },
      { batch: [5], m: 30, n: 20, k: 7 },
      { batch: [7], m: 2, n: 2, k: 2 },
      { m: 37, n: 200, k: 40, out: { order: "bcr" } },
    ];
    for (const c of cases) {
      const kernel = makeDot(c);
      const units = dotUnits(kernel);
      expect(units).toBeGreaterThan(1);
      const ranges: [number, number][] = [];
      for (let lo = 0, take = 1; lo < units; lo += take++) ranges.push([lo, Math.min(units, lo + take)]);
      check(kernel, compileDot(kernel, { relaxed }), ranges.reverse());
      check(kernel, compileDot(kernel, { relaxed, generic: true }), ranges);
    }
  });

  it("gives zeros for an empty sum and nothing for an empty result", () => {
    const generic = genericCache({ relaxed });
    for (const [m, n, k] of [
      [3, 4, 0],
      [1, 1, 0],
      [40, 50, 0],
      [0, 4, 5],
      [4, 0, 5],
      [0, 0, 0],
    ] as const) {
      const kernel = makeDot({ m, n, k });
      check(kernel, generic(kernel));
      checkCase({ m, n, k });
    }
    const empty = makeDot({ batch: [0], m: 3, n: 4, k: 5 });
    expect(dotUnits(empty)).toBe(0);
    const zeros = makeDot({ batch: [2], m: 3, n: 4, k: 0, out: { order: "brc", padding: 2 } });
    check(zeros, compileDot(zeros, { relaxed }));
  });

  it("lets NaN and infinity through as a sum of products does", () => {
    for (const [m, n, k] of [
      [2, 2, 2],
      [20, 1, 40],
      [1, 30, 40],
      [13, 10, 40],
      [20, 30, 40],
    ] as const) {
      const kernel = makeDot({ m, n, k });
      const lhs = new Float32Array(m * k).fill(1);
      const rhs = new Float32Array(k * n).fill(1);
      lhs.fill(0, 0, k);
      rhs[0] = Infinity;
      if (m > 1) lhs[k] = NaN;
      if (n > 1) rhs[n - 1] = -Infinity;
      for (const generic of [false, true]) {
        const actual = runDot(kernel, compileDot(kernel, { relaxed, generic }), [lhs, rhs], FILL);
        expect([...actual]).toEqual([...referenceDot(kernel, [lhs, rhs], FILL).value]);
      }
    }
  });

  it("adds little code for one more dot", () => {
    const shapes = [
      [128, 784, 128],
      [128, 128, 10],
      [784, 128, 128],
      [60, 90, 500],
    ] as const;
    const size = (count: number): number => {
      const builder = new ModuleBuilder();
      for (const [m, n, k] of shapes.slice(0, count)) emitDot(builder, makeDot({ m, n, k }), { relaxed });
      return builder.toBytes().length;
    };
    expect(size(1)).toBeLessThan(3000);
    expect(size(4) - size(1)).toBeLessThan(3 * 250);
  });

  it("gives the same bits however often it is run", () => {
    const kernel = makeDot({ m: 61, n: 43, k: 500 });
    const operands: [Floats, Floats] = [noise("f32", 61 * 500, 3), noise("f32", 500 * 43, 4)];
    const specialised = runDot(kernel, compileDot(kernel, { relaxed }), operands, FILL);
    const generic = compileDot(kernel, { relaxed, generic: true });
    for (let i = 0; i < 100; i++) expect(runDot(kernel, generic, operands, FILL)).toEqual(specialised);
  });

  it("needs little scratch", () => {
    for (const size of [16, 128, 1024, 4096]) {
      const bytes = dotScratchBytes(makeDot({ m: size, n: size, k: size }));
      expect(bytes % 16).toBe(0);
      expect(bytes).toBeLessThan(4 * 2 ** 20);
    }
    expect(dotScratchBytes(makeDot({ m: 2, n: 2, k: 2 }))).toBe(0);
  });
});
