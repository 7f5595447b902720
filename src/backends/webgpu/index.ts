import type { Backend } from "../../kernel-ir/backend.js";
import { type AdapterOptions, requestDevice } from "./adapter.js";
import { WebgpuDevice } from "./device.js";
import { lowerKernel } from "./lower.js";

export interface WebgpuOptions extends AdapterOptions {
  /** Bytes that all arrays on the device together may have. */
  readonly maxBytes?: number | undefined;
}

/**
 * The WebGPU backend: kernels become compute shaders, a program a part of one submit.
 *
 *   adapter.ts                     the device, in Node and in browsers
 *   dispatch.ts                    what lowering gives: dispatches of shaders over storage buffers
 *   lower.ts, nest/, dot/, sort/, wgsl/     kernels to dispatches
 *   flatten → temporaries → banks  a program to launches (recording.ts); its arena to temporaries, and those to a few shared buffers
 *   fused/, gate.ts, control.ts    loops that are one kernel; branches and the ends of loops; what launches know of their rounds
 *   specialise.ts                  all that is decided before a call; pipelines.ts compiles
 *   executable.ts, play.ts         a call: binds, encodes, pauses
 *   commands.ts                    what is handed over together: the calls of a turn share submits, and news of errors
 *   stream.ts, transfers.ts        the order of things; fate.ts: errors that come later
 *   pool, arena, scalars, readback, bind-groups     what lives on the device
 *
 * @throws DeviceError `device-unavailable`.
 */
export async function createWebgpuBackend(options: WebgpuOptions = {}): Promise<Backend> {
  return new WebgpuDevice(await requestDevice(options), { lower: lowerKernel, maxBytes: options.maxBytes });
}
