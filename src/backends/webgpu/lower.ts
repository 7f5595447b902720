import type { Kernel } from "../../kernel-ir/kernel.js";
import type { KernelCode, LaunchContext } from "./dispatch.js";
import { lowerDot } from "./dot/dot.js";
import { lowerNest } from "./nest/lower.js";
import { lowerSequentialNest } from "./nest/sequential.js";
import { lowerSort } from "./sort/lower.js";

/** Makes dispatches of a kernel, for one launch of it. */
export function lowerKernel(kernel: Kernel, launch: LaunchContext): KernelCode {
  switch (kernel.kind) {
    case "nest":
      return kernel.sequential ? lowerSequentialNest(kernel, launch) : lowerNest(kernel, launch);
    case "dot":
      return lowerDot(kernel, launch);
    case "sort":
      return lowerSort(kernel, launch);
  }
}
