import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  checkGrads,
  config,
  defaultDevice,
  DeviceError,
  devicePut,
  devicePutAsync,
  jit,
  type NDArray,
  numpy as np,
  setDefaultDevice,
} from "../../src/index.js";
import { registerDevice } from "../../src/runtime/devices.js";
import { programs } from "./placed-programs.js";
import { AsyncBackend, asyncDevice } from "./async-backend.js";

/** Where operations run: committed operands decide, then host data, then the default device. */

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));

const backend = new AsyncBackend("later");
registerDevice(asyncDevice(backend), false);
beforeEach(() => setDefaultDevice("wasm"));

const near = (a: readonly number[]): unknown => a.map((v) => expect.closeTo(v, 4) as number);

describe.each(["reference", "later"])("arrays committed to %s while others are made on wasm", (device) => {
  test.each(Object.entries(programs))("%s", async (_, program) => {
    const v = np.array([0.5, -1, 2]);
    const expected = await program(v).data();
    const result = program(devicePut(v, device));
    expect(result.device).toBe(device);
    const got = await result.data();
    expect([...got]).toEqual(near([...expected]));
    // it is bound there: what is computed of it stays
    expect(result.add(np.ones(result.shape)).device).toBe(device);
  });
});

describe("arrays committed to wasm while others are made on a device that cannot be read at once", () => {
  test.each(Object.entries(programs))("%s", async (_, program) => {
    const v = np.array([0.5, -1, 2]);
    const expected = program(v).js();
    const there = devicePut(v, "wasm");
    setDefaultDevice("later");
    const result = program(there);
    expect(result.device).toBe("wasm");
    expect(result.js()).toEqual(expected);
    expect(await result.data()).toBeDefined();
  });

  test("what was made of too much is not made again: an error that says what to do", async () => {
    const w = devicePut(np.ones([5000]), "wasm");
    setDefaultDevice("later");
    const data = np.array(new Float32Array(5000).fill(2));
    expect(() => w.add(data)).toThrowError(
      /add was given arrays on different devices: wasm and later \[device-mixed\][\s\S]*operand 1 {2}f32\[5000\] on later\nhint: .*devicePut\(x, "later"\), or await devicePutAsync/,
    );
    expect(w.add(await devicePutAsync(data, "wasm")).dataSync()[4999]).toBe(3);
    // zeros of any size are little to remember
    expect(w.add(np.zeros([5000])).dataSync()[4999]).toBe(1);
    let long: NDArray = np.zeros([2]);
    for (let i = 0; i < 1000; i++) long = long.add(1);
    expect(() => devicePut(np.ones([2]), "reference").add(long)).toThrowError(/\[device-mixed\]/);
    expect([...(await long.data())]).toEqual([1000, 1000]);
  });

  test("what moves is given back", async () => {
    const w = devicePut(np.ones([3]), "later");
    const { allocated } = backend;
    const kept = w.add(np.ones([3]));
    await kept.data();
    expect(backend.allocated).toBe(allocated + 12);
  });
});

describe("who goes where", () => {
  test("committed arrays on two devices", () => {
    const a = devicePut(np.ones([2]), "wasm");
    const b = devicePut(np.ones([3, 2]), "reference");
    expect(() => a.add(b)).toThrowError(DeviceError);
    expect(() => a.add(b)).toThrowError(
      /on different devices: wasm and reference \[device-mixed\][\s\S]*f32\[3,2\] on reference\nhint: move them to one device with devicePut/,
    );
    expect(() => jit((x: NDArray, y: NDArray) => x.add(y))(a, b)).toThrowError(
      /a compiled function .*\[device-mixed\]/,
    );
    expect(() => np.zeros([2], { device: "wasm" }).add(b)).toThrowError(/\[device-mixed\]/);
    expect(() => np.array([1, 2], { device: "wasm" }).add(b)).toThrowError(/\[device-mixed\]/);
  });

  test("host data goes to committed arrays, zeros go to host data, and equals to the default device", () => {
    const data = np.array([1, 2]);
    const zeros = np.zeros([2]);
    setDefaultDevice("reference");
    const other = np.array([3, 4]);
    expect(data.add(zeros).device).toBe("wasm");
    expect(data.add(np.zeros([2])).device).toBe("wasm");
    expect(zeros.add(np.ones([2])).device).toBe("reference");
    expect(other.add(zeros).device).toBe("reference");
    expect(data.add(other).device).toBe("reference");
    expect(data.add(devicePut(other, "wasm")).device).toBe("wasm");
    expect(other.add(devicePut(data, "wasm")).device).toBe("wasm");
    setDefaultDevice("later");
    expect(data.add(other).device).toBe("wasm");
    expect(zeros.device).toBe("wasm");
    expect(zeros.add(1).device).toBe("wasm");
  });

  test("devicePut without a device leaves arrays where they are, and binds nothing", () => {
    const x = np.ones([2]);
    setDefaultDevice("reference");
    expect(devicePut(x)).toBe(x);
    const two = devicePut(2);
    expect(two.device).toBe("reference");
    expect(two.add(devicePut(x, "wasm")).device).toBe("wasm");
  });

  test("devicePut binds what lies there already", () => {
    const x = np.ones([2]);
    const bound = devicePut(x, "wasm");
    expect(bound === x).toBe(false);
    expect(devicePut(bound, "wasm")).toBe(bound);
    setDefaultDevice("reference");
    const y = devicePut(np.ones([2]), "reference");
    expect(x.add(y).device).toBe("reference");
    expect(() => bound.add(y)).toThrowError(/\[device-mixed\]/);
    x.dispose();
    expect(bound.js()).toEqual([1, 1]);
  });

  test("a reshaped or returned array is bound as its operand is", () => {
    const y = devicePut(np.ones([2]), "reference");
    const x = devicePut(np.ones([2]), "wasm");
    expect(() => x.reshape([1, 2]).add(y)).toThrowError(/\[device-mixed\]/);
    expect(np.ones([2]).reshape([1, 2]).add(y).device).toBe("reference");
    const passed = jit((a: NDArray, b: NDArray) => [a, b] as const)(x, np.ones([2]))[1];
    expect(() => passed.add(y)).toThrowError(/\[device-mixed\]/);
  });

  test("donated arrays that were moved are deleted too", () => {
    const step = jit((x: NDArray, y: NDArray) => x.add(y), { donateArgnums: [0] });
    const x = np.ones([2]);
    const y = devicePut(np.ones([2]), "reference");
    expect(step(x, y).js()).toEqual([2, 2]);
    expect(() => x.js()).toThrowError(/\[array-deleted\]/);
    expect(y.js()).toEqual([1, 1]);
  });

  test("donation is nothing to repeat: what was computed of a donated array can still be made again", async () => {
    setDefaultDevice("later");
    const double = jit((x: NDArray) => x.add(x), { donateArgnums: [0] });
    const made = double(np.ones([2]));
    const y = devicePut(np.array([1, 2]), "wasm");
    expect(y.add(made).js()).toEqual([3, 4]);
    expect(y.mul(made).js()).toEqual([2, 4]);
    expect([...(await made.data())]).toEqual([2, 2]);
  });

  test("a dtype that the other device lacks", () => {
    const wide = np.array([1, 2], { dtype: "float64" });
    const y = devicePut(np.ones([2]), "later");
    expect(() => y.add(wide)).toThrowError(/device "later" has no float64 \[dtype-device\]/);
    expect(() => checkGrads((x: NDArray) => np.sum(x.mul(x)), [wide])).not.toThrow();
  });

  test("the debug ladder tells what is moved", () => {
    const seen: string[] = [];
    const { log, debug } = config;
    config.update("log", (m) => seen.push(m));
    config.update("debug", 1);
    try {
      devicePut(np.ones([2]), "reference").add(np.array([1, 2]));
    } finally {
      config.update("log", log);
      config.update("debug", debug);
    }
    expect(seen.join("\n")).toContain("add: f32[2] goes from wasm to reference");
  });
});
