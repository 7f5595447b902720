import { ArgumentError, DeviceError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";
import { structuralKey } from "../core/structural-key.js";
import type { Device, DeviceStats } from "./storage.js";

const devices = new Map<string, Device>();
let current: Device | undefined;

/** Makes a device known; `makeDefault`: arrays are made on it from now on. It replaces one of its name. */
export function registerDevice(device: Device, makeDefault: boolean): void {
  const replaced = devices.get(device.name);
  devices.set(device.name, device);
  if (makeDefault || !current || current === replaced) current = device;
}

/** How a device is asked for: by its name, or with options of its own. */
export interface InitOptions {
  readonly device?: string | undefined;
  /** "webgpu": "default" asks for the limits that every device has, "adapter" (the default) for all that this one has. */
  readonly limits?: "adapter" | "default" | undefined;
  /** "webgpu": which of several adapters; "high-performance" by default. */
  readonly powerPreference?: "low-power" | "high-performance" | undefined;
  /**
   * "webgpu": keeps a copy of everything that is put there, so that it can be read and put elsewhere after the device was lost;
   * what was computed there is lost with it. false by default.
   */
  readonly hostCopies?: boolean | undefined;
}

/** Makes a device that needs preparation. */
export type DeviceLoader = (options: Omit<InitOptions, "device">) => Promise<Device>;

/** A preparation that is under way or done. */
interface Preparation {
  readonly options: string;
  readonly device: Promise<Device>;
}
const loaders = new Map<string, DeviceLoader>();
const preparations = new Map<string, Preparation>();

/** Makes a device known that `init` prepares; what another loader of its name has prepared is forgotten. */
export function registerLoader(name: string, loader: DeviceLoader): void {
  loaders.set(name, loader);
  preparations.delete(name);
}

/** Name of the device that new arrays are made on. */
export const defaultDevice = (): string => current!.name;
export const currentDevice = (): Device => current!;

/**
 * Makes new arrays on the named device: arrays of host data, and operations that have no array among their operands. Arrays
 * that lie elsewhere stay there, and are computed with where they lie.
 * @throws DeviceError `device-unknown`, `device-unprepared`.
 */
export function setDefaultDevice(name: string): void {
  current = findDevice(name);
}

/** Runs something with a device as the default one. */
export function withDevice<R>(device: Device, body: () => R): R {
  const before = current;
  current = device;
  try {
    return body();
  } finally {
    current = before;
  }
}

export const allDevices = (): readonly Device[] => [...devices.values()];

/** Names of the devices that can be used now. */
export const listDevices = (): readonly string[] => [...devices.keys()];

/**
 * Prepares a device: `await init("webgpu")`, or `init({ device: "webgpu", limits: "default" })`. "wasm" and "reference" need no
 * preparation. It does not select the device: `setDefaultDevice` does. Calls for one device share one preparation; after the
 * device was lost, or could not be had, another call makes a new one.
 * @throws DeviceError `device-unknown`, and what the device says where it is not there; ArgumentError `init-options`.
 * @example
 * await init("wasm");
 */
export async function init(device?: string | InitOptions): Promise<void> {
  const { device: name, ...options } = requireOptions(device);
  if (name === undefined) return;
  const loader = loaders.get(name);
  if (!loader) {
    if (Object.keys(options).length > 0) throw noOptions(name, Object.keys(options));
    findDevice(name);
    return;
  }
  const key = structuralKey(options);
  const known = preparations.get(name);
  if (known) {
    const ready = await known.device;
    if (!ready.lost) {
      if (known.options === key || Object.keys(options).length === 0) return;
      throw new ArgumentError({
        code: "init-options",
        message: `device ${JSON.stringify(name)} is prepared already, with other options`,
        hint: "give the options in the first call of init",
      });
    }
    // several callers may have waited: one of them prepares it anew
    if (preparations.get(name) === known) preparations.delete(name);
    return init(device);
  }
  const prepare = async (): Promise<Device> => {
    const ready = await loader(options);
    registerDevice(ready, false);
    return ready;
  };
  const preparation: Preparation = { options: key, device: prepare() };
  preparations.set(name, preparation);
  try {
    await preparation.device;
  } catch (e) {
    preparations.delete(name);
    throw e;
  }
}

function requireOptions(given: unknown): InitOptions {
  if (given === undefined) return {};
  if (typeof given === "string") return { device: given };
  if (typeof given !== "object" || given === null) {
    throw new ArgumentError({
      code: "init-options",
      message: `init takes the name of a device or options, not ${describeValue(given)}`,
      hint: 'await init("webgpu")',
    });
  }
  return given;
}

const noOptions = (name: string, options: readonly string[]): ArgumentError =>
  new ArgumentError({
    code: "init-options",
    message: `device ${JSON.stringify(name)} has no option ${JSON.stringify(options[0])}`,
    hint: "it needs no preparation",
  });

/** A device that is ready. @throws DeviceError `device-unknown`, `device-unprepared`. */
export function findDevice(name: string): Device {
  const device = devices.get(name);
  if (device) return device;
  if (loaders.has(name)) {
    throw new DeviceError({
      code: "device-unprepared",
      message: `device ${JSON.stringify(name)} is not prepared`,
      hint: `await init(${JSON.stringify(name)}) prepares it`,
    });
  }
  const names = [...new Set([...devices.keys(), ...loaders.keys()])];
  throw new DeviceError({
    code: "device-unknown",
    message: `there is no device ${JSON.stringify(name) ?? String(name)}`,
    hint: `devices: ${names.join(", ")}`,
  });
}

/** Memory of all devices, or of one, and what they have done. */
export function memoryStats(device?: string): DeviceStats {
  const stats = (device === undefined ? [...devices.values()] : [findDevice(device)]).map((d) => d.stats());
  const total = (key: Exclude<keyof DeviceStats, "counters">): number => stats.reduce((n, s) => n + s[key], 0);
  const count = (key: keyof DeviceStats["counters"]): number => stats.reduce((n, s) => n + s.counters[key], 0);
  return {
    liveArrays: total("liveArrays"),
    liveBytes: total("liveBytes"),
    spilledBytes: total("spilledBytes"),
    heapBytes: total("heapBytes"),
    allocatedBytes: total("allocatedBytes"),
    programs: total("programs"),
    modules: total("modules"),
    counters: {
      dispatches: count("dispatches"),
      submits: count("submits"),
      pipelines: count("pipelines"),
      bindGroups: count("bindGroups"),
      buffers: count("buffers"),
      flops: count("flops"),
      loadBytes: count("loadBytes"),
      storeBytes: count("storeBytes"),
    },
  };
}
