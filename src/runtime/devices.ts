import type { NDArray } from "../core/array.js";
import { ConcreteArray } from "../core/array.js";
import { type Aval, formatAval, type HostArray } from "../core/aval.js";
import type { Engine } from "../core/engine.js";
import { DeviceError, TracerError } from "../core/errors.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { asArray } from "../core/literal.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { flatten, unflatten } from "../core/tree.js";
import { ArrayType } from "./array-type.js";
import { type Device, type DeviceStats, type RuntimeStorage, ScalarStorage } from "./storage.js";

const devices = new Map<string, Device>();
let current: Device | undefined;

/** Makes a device known; `makeDefault`: arrays are made on it from now on. */
export function registerDevice(device: Device, makeDefault: boolean): void {
  devices.set(device.name, device);
  if (makeDefault || !current) current = device;
}

/** Name of the device that new arrays are made on. */
export const defaultDevice = (): string => current!.name;

/** Makes new arrays on the named device. @throws DeviceError `device-unknown`, `device-unavailable`. */
export function setDefaultDevice(name: string): void {
  current = find(name);
}

/** Names of the devices that can be used now. */
export const listDevices = (): readonly string[] => [...devices.keys()];

/**
 * Prepares a device: `init("wasm")` or `init({ device: "wasm" })`. "wasm" and "reference" need no preparation.
 * It does not select the device: `setDefaultDevice` does. @throws DeviceError `device-unknown`, `device-unavailable`.
 */
export async function init(device?: string | { readonly device?: string | undefined }): Promise<void> {
  const name = typeof device === "object" && device !== null ? device.device : device;
  if (name !== undefined) find(name);
}

function find(name: string): Device {
  const device = devices.get(name);
  if (device) return device;
  if (name === "webgpu") {
    throw new DeviceError({
      code: "device-unavailable",
      message: 'device "webgpu" is not part of this version',
      hint: `devices: ${listDevices().join(", ")}`,
    });
  }
  throw new DeviceError({
    code: "device-unknown",
    message: `there is no device ${JSON.stringify(name) ?? String(name)}`,
    hint: `devices: ${listDevices().join(", ")}`,
  });
}

/**
 * Copies arrays to a device: one, or the leaves of a pytree. What lies there already is returned as it is; a number or a boolean
 * becomes an array of the device.
 * @throws TracerError `tracer-device` for traced values: a compiled function runs where its arguments lie.
 */
export function devicePut(x: NDArray | number | boolean, device?: string): NDArray;
export function devicePut<T>(x: T, device?: string): T;
export function devicePut(x: unknown, device?: string): unknown {
  const target = device === undefined ? current! : find(device);
  const [leaves, def] = flatten(x);
  return unflatten(
    def,
    leaves.map((leaf) => move(leaf, target)),
  );
}

function move(x: unknown, target: Device): ConcreteArray {
  const array = asArray(x, "devicePut", "x");
  if (!(array instanceof ConcreteArray)) {
    throw new TracerError({
      code: "tracer-device",
      message: `devicePut cannot move ${array.describe()}`,
      hint: "a transformed function runs on the device of its arguments: move them before the call",
    });
  }
  const storage = array.storage as RuntimeStorage;
  if (storage.owner === target) return array;
  return target.upload({ aval: array.aval, data: storage.readSync() });
}

/** Memory of all devices, or of one. */
export function memoryStats(device?: string): DeviceStats {
  const stats = (device === undefined ? [...devices.values()] : [find(device)]).map((d) => d.stats());
  const total = (key: keyof DeviceStats): number => stats.reduce((n, s) => n + s[key], 0);
  return {
    liveArrays: total("liveArrays"),
    liveBytes: total("liveBytes"),
    spilledBytes: total("spilledBytes"),
    heapBytes: total("heapBytes"),
    allocatedBytes: total("allocatedBytes"),
    programs: total("programs"),
    modules: total("modules"),
  };
}

/** The one device that all operands lie on; scalars lie anywhere. */
function deviceOf(inputs: readonly ConcreteArray[], op: string): Device {
  let device: Device | undefined;
  for (let i = 0; i < inputs.length; i++) {
    const owner = (inputs[i]!.storage as RuntimeStorage).owner;
    if (owner === device || owner === undefined) continue;
    if (device !== undefined) throw mixed(inputs, op);
    device = owner;
  }
  return device ?? current!;
}

function mixed(inputs: readonly ConcreteArray[], op: string): DeviceError {
  const names = new Set(inputs.filter((x) => x.storage.scalar === undefined).map((x) => x.device));
  return new DeviceError({
    code: "device-mixed",
    message: `${op} was given arrays on different devices: ${[...names].join(" and ")}`,
    details: inputs.map((x, i) => [`operand ${i}`, `${formatAval(x.aval)} on ${x.device}`] as const),
    hint: "move them to one device with devicePut(x, device)",
  });
}

/** What core calls to compute: dispatches to the device of the operands. */
export const engine: Engine = {
  defaultDevice,
  evaluate(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): readonly ConcreteArray[] {
    return deviceOf(inputs, primitive.name).evaluate(primitive, inputs, params);
  },
  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): readonly ConcreteArray[] {
    return deviceOf(inputs, "a compiled function").run(jaxpr, inputs, donated);
  },
  compile(jaxpr: Jaxpr, donated: readonly boolean[] | undefined): { readonly text: () => string } {
    return current!.prepare(jaxpr, donated);
  },
  fromHost(host: HostArray, device?: string): ConcreteArray {
    return (device === undefined ? current! : find(device)).upload(host);
  },
  scalar(value: number, aval: Aval): ConcreteArray {
    return new ConcreteArray(ArrayType.of(aval), new ScalarStorage(value, aval.dtype, defaultDevice));
  },
};
