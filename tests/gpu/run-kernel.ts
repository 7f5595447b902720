import type { TypedArray } from "../../src/core/dtype.js";
import { lowerKernel } from "../../src/backends/webgpu/lower.js";
import type { LaunchContext } from "../../src/backends/webgpu/dispatch.js";
import type { Kernel } from "../../src/kernel-ir/kernel.js";
import { launchOf, runCode } from "./run-code.js";

/**
 * Lowers one kernel and runs it on a device: `buffers` are the contents of its arguments before, the result those after.
 */
export async function runKernel(
  device: GPUDevice,
  kernel: Kernel,
  buffers: readonly TypedArray[],
  launch: LaunchContext = launchOf(kernel),
): Promise<TypedArray[]> {
  return runCode(device, lowerKernel(kernel, launch), buffers, launch.sameAs);
}
