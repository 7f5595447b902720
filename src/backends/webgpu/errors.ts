import { DeviceError, type ErrorDetail, InternalError, type TsaxError } from "../../core/errors.js";

/** The errors of the WebGPU backend, each with its way out. */

const again = 'call await init("webgpu") again and put the arrays there anew; arrays on other devices are as they were';

export const unavailable = (message: string, hint: string, cause?: unknown): DeviceError =>
  new DeviceError({ code: "device-unavailable", message: `device "webgpu": ${message}`, hint, cause });

export const deviceLost = (reason: string, details: string): DeviceError =>
  new DeviceError({
    code: "device-lost",
    message: `device "webgpu" was lost: everything on it is gone, and what was on its way to it did not happen`,
    details: [["reason", details === "" ? reason : `${reason}: ${details}`]],
    hint: again,
  });

export const deviceDisposed = (): DeviceError =>
  new DeviceError({
    code: "device-lost",
    message: `device "webgpu" was given up: everything on it is gone`,
    hint: again,
  });

/** One buffer is larger than the device can have or bind. */
export const overLimit = (bytes: number, limit: string, value: number, what = "an array"): DeviceError =>
  new DeviceError({
    code: "buffer-limit",
    message: `${what} of ${bytes} bytes is more than device "webgpu" can hold in one buffer`,
    details: [[limit, `${value} bytes`]],
    hint: "compute in smaller batches, or on another device",
  });

export const outOfMemory = (bytes: number, held: readonly ErrorDetail[], cause?: unknown): DeviceError =>
  new DeviceError({
    code: "out-of-memory",
    message: `device "webgpu" has no room for ${bytes} bytes`,
    details: held,
    hint: "compute in smaller batches, or give arrays up early with dispose() or donateArgnums",
    cause,
  });

/** What a kernel is, for errors: made only when one is needed. */
export interface KernelDescription {
  readonly name: string;
  readonly ir: string;
}

/** The device's compiler refused a shader: ours to mend, or the driver's failure. */
export function shaderRefused(
  kernel: KernelDescription,
  { messages, wgsl, internal }: { readonly messages: string; readonly wgsl: string; readonly internal: boolean },
): TsaxError {
  const details: readonly ErrorDetail[] = [
    ["kernel", `${kernel.name}\n${kernel.ir}`],
    ["compiler", messages],
    ["code", `\n${wgsl}`],
  ];
  if (!internal) return new InternalError(`WebGPU refused the code of kernel ${kernel.name}`, details);
  return new DeviceError({
    code: "kernel-failed",
    message: `the driver of device "webgpu" could not compile kernel ${kernel.name}`,
    details,
    hint: "compute this on another device",
  });
}

/** WebGPU refused commands: a bug of ours. Kernels that its message names are shown. */
export const workRefused = (what: string, message: string, kernels: readonly KernelDescription[]): InternalError =>
  new InternalError(`WebGPU refused ${what}`, [
    ["message", message],
    ...kernels.map((k): ErrorDetail => ["kernel", `${k.name}\n${k.ir}`]),
  ]);
