import { describe, expect, test } from "vitest";
import { flatten } from "../../../src/backends/webgpu/flatten.js";
import { fusedCode } from "../../../src/backends/webgpu/fused/code.js";
import type { FusedLoop } from "../../../src/backends/webgpu/fused/loop.js";
import { Hazards } from "../../../src/backends/webgpu/fused/memory.js";
import { defaultLimits, type KernelCode } from "../../../src/backends/webgpu/dispatch.js";
import { compile } from "../../../src/compiler/index.js";
import { lax, makeJaxpr, type NDArray, numpy as np } from "../../../src/index.js";
import { findRaces } from "../../gpu/instrument.js";
import { sharedDevice } from "../../gpu/run-code.js";
import { traits } from "./nest-harness.js";

const device = await sharedDevice();
const limits = defaultLimits;

/** The loops of a function that are one kernel. */
function loopsOf(f: (...args: NDArray[]) => unknown, ...shapes: number[][]): FusedLoop[] {
  const { jaxpr } = makeJaxpr(f)(...shapes.map((s) => np.zeros(s)));
  const { launches } = flatten(compile(jaxpr, { name: "main", traits }), { limits, fuse: true });
  return launches.flatMap(({ work }) => (work.kind === "fused" ? [work] : []));
}

const step = (w: NDArray) => (h: NDArray, v: NDArray) => {
  const next = np.tanh(np.dot(w, h).add(v));
  return [next.mul(next.div(np.sum(np.square(next)).add(1))), np.cumsum(next)] as [NDArray, NDArray];
};

const loops: Readonly<Record<string, () => FusedLoop[]>> = {
  "a recurrence with products, sums and running sums": () =>
    loopsOf((w, x) => lax.scan(step(w!), np.zeros([20]), x!), [20, 20], [4, 20]),
  "branches in rounds": () =>
    loopsOf(
      (w, x) =>
        lax.scan(
          (h: NDArray, v: NDArray) => {
            const next = lax.cond(
              np.sum(h).less(np.sum(v)),
              (a: NDArray) => step(w!)(a, v)[0],
              (a: NDArray) => np.flip(a).sub(v),
              h,
            );
            return [next, np.max(next)];
          },
          np.ones([20]),
          x!,
        ),
      [20, 20],
      [4, 20],
    ),
  "a scan in a scan": () =>
    loopsOf(
      (w, x) =>
        lax.scan((h: NDArray, v: NDArray) => [lax.scan(step(w!), h, np.stack([v, h]))[0], null], np.ones([20]), x!),
      [20, 20],
      [4, 20],
    ),
  "until a sum is large": () =>
    loopsOf(
      (w, x) =>
        lax.whileLoop(
          (h: NDArray) => np.sum(h).less(100),
          (h: NDArray) => np.flip(step(w!)(h, h)[0]).add(2),
          x!,
        ),
      [20, 20],
      [20],
    ),
};

describe.skipIf(device === null)(
  "loops that are one kernel: invocations wait for each other where they have to",
  () => {
    test.each(Object.keys(loops))("%s", async (name) => {
      const found = loops[name]!();
      expect(found).toHaveLength(1);
      const [work] = found;
      expect(work!.text.invocations).toBeGreaterThan(1);
      const code = fusedCode(work!, limits);
      const races = (c: KernelCode) =>
        findRaces(
          device!,
          c,
          work!.args.map(({ bytes }) => new Float32Array(bytes / 4).fill(0.1)),
          40,
        );
      expect(await races(code)).toEqual([]);
      // What finds none finds them where nobody waits in the rounds.
      const [dispatch] = code.dispatches;
      const careless = dispatch!.wgsl.replace(/workgroupBarrier\(\);/g, (text, at: number) =>
        at > dispatch!.wgsl.indexOf("loop {") ? "" : text,
      );
      expect(await races({ ...code, dispatches: [{ ...dispatch!, wgsl: careless }] })).not.toEqual([]);
    });
  },
);

test("what waits: reads of what was written, writes of what was touched, where they overlap", () => {
  const cell = (from: number, to: number, region = "m") => ({ memory: "m", base: "0", region, from, to });
  const hazards = new Hazards();
  expect(hazards.waits([cell(0, 4)], [cell(4, 8)])).toBe(false);
  expect(hazards.waits([cell(0, 4)], [cell(8, 12)])).toBe(false);
  expect(hazards.waits([cell(7, 9)], [])).toBe(true);
  expect(hazards.waits([], [cell(0, 4)])).toBe(false);
  expect(hazards.waits([], [cell(3, 5)])).toBe(true);
  expect(hazards.waits([cell(3, 5, "other")], [])).toBe(false);
  expect(hazards.waits([], [cell(3, 5, "other")])).toBe(true);
});
