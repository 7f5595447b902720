import { afterAll, beforeEach, describe, expect, it } from "vitest";
import {
  checkpoint,
  customJvp,
  customVjp,
  defaultDevice,
  grad,
  jit,
  jvp,
  lax,
  listDevices,
  type NDArray,
  numpy as np,
  setDefaultDevice,
} from "../../src/index.js";

/** What random programs once found, as small as it gets. */

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));

describe.each(listDevices())("on %s", (device) => {
  beforeEach(() => setDefaultDevice(device));

  it("values shared many times after a reduction compile in linear time", { timeout: 10_000 }, () => {
    const f = (x: NDArray): NDArray => {
      const pair = np.stack([x, x]);
      const parts = [np.sort(pair), np.log1p(np.abs(x)), x.mul(pair), np.clip(pair, -2, 1)];
      return parts.map((part) => np.sum(np.sin(part))).reduce((a, b) => a.add(b));
    };
    const at = np.array(0.75, { dtype: "float64" });
    const slope = Math.cos(Math.log1p(0.75)) / 1.75 + 4 * 0.75 * Math.cos(0.75 ** 2) + 4 * Math.cos(0.75);
    expect(grad(f)(at).item()).toBeCloseTo(slope, 12);
    expect(jit(grad(f))(at).item()).toBeCloseTo(slope, 12);
  });

  it("a rule that derives a function with loops, branches or calls in it has a reverse mode", () => {
    const body = (x: NDArray): NDArray => {
      const [y] = lax.scan((c: NDArray) => [np.sin(c).mul(x), null], x, null, { length: 3 });
      return lax.cond(y.greater(0), (z: NDArray) => np.exp(z), np.cos, jit(checkpoint((z: NDArray) => z.mul(z)))(y));
    };
    const bounded = (x: NDArray): NDArray => lax.boundedWhile((c) => c.less(3), (c) => c.mul(x), x, { maxSteps: 4 }); // prettier-ignore
    for (const f of [body, bounded, jit(body)]) {
      const ruled = customJvp(f).defjvp((xs, ts) => jvp(f, xs, ts));
      const at = np.array(1.25, { dtype: "float64" });
      const [first, second] = [grad(f)(at).item(), grad(grad(f))(at).item()];
      for (const d of [grad(ruled), jit(grad(ruled)), grad(jit(ruled))]) expect(d(at).item()).toBeCloseTo(first, 12);
      for (const d of [grad(grad(ruled)), jit(grad(jit(grad(ruled))))]) expect(d(at).item()).toBeCloseTo(second, 12);
    }
  });

  it("a rule that derives a function with its own vjp has a reverse mode", () => {
    const inner = customVjp((x: NDArray) => np.sin(x)).defvjp(
      (x: NDArray) => [np.sin(x), x] as const,
      (x, g) => [g.mul(x).mul(3)],
    );
    const f = (x: NDArray): NDArray => inner(x).mul(x);
    const ruled = customJvp(f).defjvp((xs, ts) => jvp(f, xs, ts));
    const expected = Math.sin(1.25) + 3 * 1.25 ** 2;
    for (const d of [grad(ruled), jit(grad(ruled)), grad(jit(ruled))])
      expect(d(np.array(1.25, { dtype: "float64" })).item()).toBeCloseTo(expected, 12);
  });
});
