import { ConcreteArray } from "../core/array.js";
import { formatAval } from "../core/aval.js";
import { debug } from "../core/debug.js";
import { DeviceError } from "../core/errors.js";
import { ArrayType } from "./array-type.js";
import type { Made } from "./origin.js";
import { type Device, type RuntimeStorage, Standing } from "./storage.js";

/**
 * Where an operation runs: on the device of the operands that are bound most firmly to theirs. The others are brought there.
 * Operands of equal standing on several devices: committed ones are an error; others go to the default device if it is
 * among theirs, else to that of the first.
 */

export const storageOf = (x: ConcreteArray): RuntimeStorage => x.storage as RuntimeStorage;

/** The most firmly bound operand's standing. */
export function standingOf(inputs: readonly ConcreteArray[]): Standing {
  let standing: Standing = Standing.free;
  for (let i = 0; i < inputs.length; i++) {
    const s = storageOf(inputs[i]!).standing;
    if (s > standing) standing = s;
  }
  return standing;
}

/** The one device that operands lie on; undefined: they are scalars; null: there are several. */
export function commonDevice(inputs: readonly ConcreteArray[]): Device | undefined | null {
  let device: Device | undefined;
  for (let i = 0; i < inputs.length; i++) {
    const { owner } = storageOf(inputs[i]!);
    if (owner === device || owner === undefined) continue;
    if (device !== undefined) return null;
    device = owner;
  }
  return device;
}

/** Operands brought to one device. */
export interface Gathered {
  readonly device: Device;
  readonly inputs: readonly ConcreteArray[];
  /** Gives up what was made for the operation only. */
  readonly release: () => void;
}

/** The device that operands of several devices go to. @throws DeviceError `device-mixed`. */
export function placeOf(inputs: readonly ConcreteArray[], op: string, defaultDevice: Device): Device {
  for (const x of inputs) {
    const lost = storageOf(x).owner?.lost;
    if (lost) throw lost;
  }
  const device = targetOf(inputs, defaultDevice);
  if (!device) throw mixed(inputs, op);
  return device;
}

/** Brings operands of several devices to one. @throws DeviceError `device-mixed`. */
export function gather(inputs: readonly ConcreteArray[], op: string, defaultDevice: Device): Gathered {
  const device = placeOf(inputs, op, defaultDevice);
  const made: Made = new Map();
  const release = (): void => {
    for (const results of made.values()) for (const x of results) x.dispose();
  };
  try {
    const there = inputs.map((x) => {
      const { owner } = storageOf(x);
      if (owner === undefined || owner === device) return x;
      debug(1, () => `${op}: ${formatAval(x.aval)} goes from ${owner.name} to ${device.name}`);
      return bring(x, device, storageOf(x).standing, made);
    });
    return { device, inputs: there, release };
  } catch (e) {
    release();
    throw e;
  }
}

/** Makes an array again on another device, where that needs no waiting; see `mayGo`. */
function bring(x: ConcreteArray, device: Device, standing: Standing, made: Made): ConcreteArray {
  const storage = storageOf(x);
  if (!storage.synchronous) return storage.origin!.make(device, made);
  const copy = device.upload({ aval: x.aval, data: storage.readSync() }, standing);
  made.set(copy, [copy]);
  return copy;
}

/** An array that lies on the device already, bound to it; undefined: it lies elsewhere. */
export function committedInPlace(x: ConcreteArray, device: Device): ConcreteArray | undefined {
  const storage = storageOf(x);
  if (storage.owner !== device) return undefined;
  if (storage.standing === Standing.committed) return x;
  const shared = storage.share(Standing.committed);
  if (device.hostCopies) shared.origin = storage.origin;
  return new ConcreteArray(ArrayType.of(x.aval), shared);
}

/** An array bound to the device, copied if it lies elsewhere. @throws DeviceError `async-read`. */
export function committed(x: ConcreteArray, device: Device): ConcreteArray {
  const there = committedInPlace(x, device) ?? committedCopy(x, device);
  if (there) return there;
  throw storageOf(x).owner?.lost ?? awaited(x, device);
}

function awaited(x: ConcreteArray, target: Device): DeviceError {
  return new DeviceError({
    code: "async-read",
    message: `devicePut reads at once, and device "${x.device}" can only be awaited`,
    details: [["value", formatAval(x.aval)]],
    hint: `await devicePutAsync(x, ${JSON.stringify(target.name)})`,
  });
}

/** A copy of an array that is committed to another device; undefined: that would mean to wait. */
export function committedCopy(x: ConcreteArray, device: Device): ConcreteArray | undefined {
  const storage = storageOf(x);
  if (!mayGo(storage, device)) return undefined;
  const made: Made = new Map();
  const copy = bring(x, device, Standing.committed, made);
  if (storageOf(copy).standing === Standing.committed) return copy;
  const bound = new ConcreteArray(copy.aval, storageOf(copy).share(Standing.committed));
  for (const results of made.values()) for (const y of results) y.dispose();
  return bound;
}

function targetOf(inputs: readonly ConcreteArray[], defaultDevice: Device): Device | undefined {
  const standing = standingOf(inputs);
  const firmest = new Set(inputs.map(storageOf).flatMap((s) => (s.standing === standing && s.owner ? [s.owner] : [])));
  if (standing === Standing.committed && firmest.size > 1) return undefined;
  const order = [...firmest].sort((a, b) => Number(b === defaultDevice) - Number(a === defaultDevice));
  return order.find((device) => inputs.every((x) => mayGo(storageOf(x), device)));
}

const mayGo = (s: RuntimeStorage, device: Device): boolean =>
  s.owner === undefined || s.owner === device || s.synchronous || s.origin !== undefined;

function mixed(inputs: readonly ConcreteArray[], op: string): DeviceError {
  const placed = inputs.filter((x) => storageOf(x).owner !== undefined);
  const names = new Set(placed.map((x) => x.device));
  const awaited = placed.find((x) => !storageOf(x).synchronous && storageOf(x).standing !== Standing.committed);
  return new DeviceError({
    code: "device-mixed",
    message: `${op} was given arrays on different devices: ${[...names].join(" and ")}`,
    details: inputs.map((x, i) => [`operand ${i}`, `${formatAval(x.aval)} on ${x.device}`] as const),
    hint:
      awaited === undefined
        ? "move them to one device with devicePut(x, device)"
        : `move them to one device: devicePut(x, "${awaited.device}"), or await devicePutAsync(x, device) for what lies on "${awaited.device}"`,
  });
}
