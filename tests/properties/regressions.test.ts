import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { defaultDevice, grad, jit, listDevices, type NDArray, numpy as np, setDefaultDevice } from "../../src/index.js";

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
});
