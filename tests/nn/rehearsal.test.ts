import { expect, test } from "vitest";
import { defaultDevice, init, memoryStats, setDefaultDevice } from "tsax";
import { rehearse } from "../../src/nn/rehearsal.js";

test("init has the compiler work once, and leaves nothing but code behind", async () => {
  setDefaultDevice("reference");
  const before = memoryStats("wasm");
  await init("reference");
  expect(memoryStats("wasm").modules).toBe(before.modules);
  await init("wasm");
  const after = memoryStats("wasm");
  expect(after.modules).toBeGreaterThan(before.modules);
  expect([after.liveArrays, after.liveBytes]).toEqual([before.liveArrays, before.liveBytes]);
  expect(defaultDevice()).toBe("reference");
  await init({ device: "wasm" });
  expect(memoryStats("wasm").modules).toBe(after.modules);
});

test("a rehearsal computes the same on every device", () => {
  for (const device of ["reference", "wasm"]) {
    setDefaultDevice(device);
    expect(rehearse).not.toThrow();
  }
});
