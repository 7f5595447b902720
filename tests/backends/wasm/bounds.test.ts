import { afterAll, describe, expect, test } from "vitest";
import { defaultDevice, jit, type NDArray, numpy as np, setDefaultDevice } from "../../../src/index.js";

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));

const special = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45, -1e-45, 3.4e38];
/** More than a vector of each, and some that are no whole vector. */
const many = [...special, ...special, ...special.slice(3)];

function on(device: string, f: () => NDArray): number[] {
  setDefaultDevice(device);
  return Array.from(f().dataSync() as Float32Array);
}

describe.each(["maximum", "minimum"] as const)("%s with what is the same for all elements", (name) => {
  const f = np[name];
  test.each(special)("%d", (bound) => {
    const x = (): NDArray => np.array(many, { dtype: "float32" });
    const s = (): NDArray => np.array(bound, { dtype: "float32" });
    const column = (): NDArray => np.array([[bound], [1]], { dtype: "float32" });
    const ways: Readonly<Record<string, () => NDArray>> = {
      "a number": () => f(x(), bound),
      "a number first": () => f(bound, x()),
      "a constant": () => jit((v: NDArray) => f(v, bound))(x()),
      "an argument": () => jit((v: NDArray, b: NDArray) => f(v, b))(x(), s()),
      "one of each row": () => jit((v: NDArray, b: NDArray) => f(v, b))(x(), column()),
      "with a sum": () => jit((v: NDArray, b: NDArray) => np.sum(f(v, b).reshape([9, 3]), 1))(x(), s()),
    };
    for (const [way, run] of Object.entries(ways)) expect(on("wasm", run), way).toEqual(on("reference", run));
  });
});
