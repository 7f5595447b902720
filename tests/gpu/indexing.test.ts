import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultDevice, jit, type NDArray, setDefaultDevice, vjp, vmap } from "../../src/index.js";
import { array, cases, functionOf, label, type Recorded } from "../lax/indexing-cases.js";
import { webgpu } from "./webgpu.js";

/** Gather and scatter on the GPU against what JAX gives: values, batches, and cotangents where indices are not promised. */

const home = defaultDevice();
beforeAll(() => webgpu && setDefaultDevice("webgpu"));
afterAll(() => setDefaultDevice(home));

async function expectRecorded(got: NDArray, { shape, data }: Recorded): Promise<void> {
  expect(got.shape).toEqual(shape);
  const values = Array.from((await got.data()) as ArrayLike<number>);
  data.forEach((e, k) => expect(Math.abs(values[k]! - Number(e)), `element ${k}`).toBeLessThanOrEqual(1e-5));
}

describe.skipIf(!webgpu)("gather and scatter are JAX's on webgpu", () => {
  it.each(cases.map((c) => [label(c), c] as const))("%s", async (_, c) => {
    const f = functionOf(c);
    const args = c.args.map(array);
    const g = c.axes ? vmap(f as (...xs: NDArray[]) => NDArray, { inAxes: [...c.axes] }) : f;
    await expectRecorded(jit(g)(...args), c.out);
    if (c.mode !== "fill" || !c.vjp) return;
    const [, pull] = vjp(f, ...args);
    const grads = pull(array(c.ct!)) as unknown as readonly NDArray[];
    for (const [k, g] of grads.entries()) await expectRecorded(g, c.vjp[k]!);
  });
});
