import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { defaultDevice, jit, listDevices, type NDArray, numpy as np, setDefaultDevice } from "../../src/index.js";

/** What random programs once found, as small as it gets. */

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));

describe.each(listDevices())("on %s", (device) => {
  beforeEach(() => setDefaultDevice(device));

  it("values shared many times after a reduction compile in linear time", { timeout: 10_000 }, () => {
    const f = jit((x: NDArray) => {
      let y = np.sum(x);
      for (let k = 0; k < 40; k++)
        y = np
          .sin(y)
          .add(np.cos(y))
          .mul(y.add(0.5).div(y.mul(y).add(1)));
      return [np.exp(x), y];
    });
    const [, y] = f(np.array([0.5, 0.25])) as [NDArray, NDArray];
    let expected = 0.75;
    for (let k = 0; k < 40; k++)
      expected = (Math.sin(expected) + Math.cos(expected)) * ((expected + 0.5) / (expected * expected + 1));
    expect(y.item()).toBeCloseTo(expected, 4);
  });
});
