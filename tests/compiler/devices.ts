import { InterpreterBackend } from "../../src/backends/reference/interpreter.js";
import { compile } from "../../src/compiler/index.js";
import type { DeviceTraits } from "../../src/kernel-ir/backend.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { registerDevice } from "../../src/runtime/devices.js";

/** Devices that interpret what the compiler makes for others, with every check. */

/** A GPU with the limits that WebGPU guarantees: eight storage buffers, one of them for what dispatches of a kernel share. */
export const gpu: DeviceTraits = {
  maxBuffers: 7,
  loopBuffers: 8,
  maxKeepBytes: 12288,
  arenaAlignment: 256,
  dotEpilogue: true,
  dotDigits: true,
  dearLaunches: true,
};

/** As little as can be: kernels are split, operands packed, rows computed again. */
export const narrow: DeviceTraits = { ...gpu, maxBuffers: 4, loopBuffers: 4, maxKeepBytes: 8 };

const traits: Readonly<Record<string, DeviceTraits>> = { "interpreted gpu": gpu, "interpreted narrow gpu": narrow };

/** Registers the devices; gives their names. */
export function interpretedDevices(): string[] {
  for (const [name, t] of Object.entries(traits))
    registerDevice(new CompiledDevice(new InterpreterBackend(name, t), compile), false);
  return Object.keys(traits);
}
