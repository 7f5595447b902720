import { afterEach, beforeEach, expect, test } from "vitest";
import { compile } from "../../src/compiler/index.js";
import {
  ArgumentError,
  defaultDevice,
  DeviceError,
  devicePut,
  init,
  listDevices,
  numpy as np,
  setDefaultDevice,
} from "../../src/index.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { type DeviceLoader, registerLoader } from "../../src/runtime/devices.js";
import { AsyncBackend } from "./async-backend.js";

/** Preparing a device that needs it: each test has one of its own. */

const home = defaultDevice();
let number = 0;
let name = "";
let made: AsyncBackend[] = [];
let asked: unknown[] = [];
/** Thrown by the next preparation. */
let failure: Error | undefined;

const loader: DeviceLoader = async (options) => {
  asked.push(options);
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (failure) {
    const e = failure;
    failure = undefined;
    throw e;
  }
  const backend = new AsyncBackend(name);
  made.push(backend);
  return new CompiledDevice(backend, compile);
};

beforeEach(() => {
  name = `prepared-${++number}`;
  [made, asked, failure] = [[], [], undefined];
  registerLoader(name, loader);
});
afterEach(() => setDefaultDevice(home));

test("an unprepared device is an error that says how to prepare it", () => {
  const unprepared = new RegExp(
    `device "${name}" is not prepared \\[device-unprepared\\]\nhint: await init\\("${name}"\\) prepares it`,
  );
  expect(() => setDefaultDevice(name)).toThrowError(DeviceError);
  expect(() => setDefaultDevice(name)).toThrowError(unprepared);
  expect(() => devicePut(np.ones([2]), name)).toThrowError(unprepared);
  expect(() => np.zeros([2], { device: name })).toThrowError(unprepared);
  expect(listDevices()).not.toContain(name);
});

test("init prepares it once, also when calls overlap, and does not select it", async () => {
  await Promise.all([init(name), init({ device: name }), init(name)]);
  await init(name);
  expect([made.length, asked]).toEqual([1, [{}]]);
  expect(listDevices()).toContain(name);
  expect(defaultDevice()).toBe(home);
  setDefaultDevice(name);
  expect([...(await np.ones([2]).data())]).toEqual([1, 1]);
});

test("options go to the device; other options later are an error", async () => {
  await init({ device: name, limits: "default" });
  await init({ device: name, limits: "default" });
  await init(name);
  expect(asked).toEqual([{ limits: "default" }]);
  await expect(init({ device: name, limits: "adapter" })).rejects.toThrowError(
    /is prepared already, with other options \[init-options\]\nhint: give the options in the first call of init/,
  );
  await expect(init({ device: "wasm", limits: "default" })).rejects.toThrowError(
    /device "wasm" has no option "limits" \[init-options\]/,
  );
  await expect(init(3 as never)).rejects.toThrowError(ArgumentError);
});

test("a device that could not be had can be asked for again", async () => {
  failure = new DeviceError({ code: "device-unavailable", message: "no adapter" });
  await expect(Promise.all([init(name), init(name)])).rejects.toThrowError(/no adapter/);
  expect(() => setDefaultDevice(name)).toThrowError(/\[device-unprepared\]/);
  await init(name);
  setDefaultDevice(name);
  expect(asked).toHaveLength(2);
});

test("after a loss, init makes a new device, which is the default again if the lost one was", async () => {
  await init(name);
  setDefaultDevice(name);
  const old = np.ones([2]).add(1);
  const bound = devicePut(np.ones([2]), name);
  made[0]!.lose();
  expect(() => np.ones([2])).toThrowError(/\[device-lost\]/);
  await Promise.all([init(name), init(name)]);
  expect(made).toHaveLength(2);
  expect(defaultDevice()).toBe(name);
  const fresh = np.ones([2]).add(1);
  expect([...(await fresh.data())]).toEqual([2, 2]);
  await expect(old.data()).rejects.toThrowError(/\[device-lost\]/);
  expect(() => old.add(1)).toThrowError(/\[device-lost\]/);
  expect(() => old.add(fresh)).toThrowError(/\[device-lost\]/);
  expect(() => fresh.add(bound)).toThrowError(/\[device-lost\]/);
  expect(() => devicePut(bound, name)).toThrowError(/\[device-lost\]/);
  expect(() => devicePut(bound, "wasm")).toThrowError(/\[device-lost\]/);
});
